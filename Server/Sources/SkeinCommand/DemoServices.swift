// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import Server
import ServiceLifecycle
import Shop
import UnixSignals

/// The server of the demo.
struct DemoServer: Service {
    let configuration: ServerConfiguration
    let portsFile: String?
    let logger: Logger
    private let ready = AsyncStream<BoundAddresses>.makeStream(bufferingPolicy: .bufferingNewest(1))

    init(configuration: ServerConfiguration, portsFile: String?, logger: Logger) {
        self.configuration = configuration
        self.portsFile = portsFile
        self.logger = logger
    }

    /// Where it listens; `nil` when it is stopped before that is known.
    func addresses() async -> BoundAddresses? {
        for await addresses in ready.stream.cancelOnGracefulShutdown() { return addresses }
        return nil
    }

    func run() async throws {
        try await runServer(configuration, stopsOnSignals: false, logger: logger) { addresses in
            if let portsFile { try PortsFile.write(addresses, to: portsFile) }
            printNow(greeting(at: addresses))
            ready.continuation.yield(addresses)
        }
    }

    private func greeting(at addresses: BoundAddresses) -> String {
        let page = addresses.page
        let asked = addresses.all
            .filter { ![.http, .otlpHTTP, .otlpGRPC, .zipkin].contains($0.listener) }
            .map { "\nAsked for: --\($0.listener.rawValue) on \($0.address)." }
            .joined()
        let rule = String(repeating: "─", count: page.count + 4)
        return """
            The shop is open. Watch its traces arrive:

              ┌\(rule)┐
              │  \(page)  │
              └\(rule)┘

            Send your own spans, too: OTLP/HTTP on \(addresses[.otlpHTTP]), OTLP/gRPC on \
            \(addresses[.otlpGRPC]), Zipkin on \(addresses[.zipkin]).\(asked)
            The traces are kept in \(configuration.dataDirectory). Ctrl-C stops everything.
            """
    }
}

/// The shop of the demo, with or without a server beside it.
struct DemoShop {
    let configuration: ShopConfiguration
    let logger: Logger

    /// Runs until a signal comes or the last order is done.
    func runAlone(sendingTo tracesURL: String) async throws {
        try await run([OpenShop(configuration: configuration, logger: logger) { tracesURL }])
    }

    /// Runs with a server; both stop together, the shop first.
    func run(with server: DemoServer) async throws {
        let shop = OpenShop(configuration: configuration, logger: logger) {
            await server.addresses().map { "http://\($0[.otlpHTTP])/v1/traces" }
        }
        try await run([server, shop])
    }

    private func run(_ services: [any Service]) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(
                        service: $0,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }
}

/// One opening of the shop, from the first order until its last span is sent.
private struct OpenShop: Service {
    let configuration: ShopConfiguration
    let logger: Logger
    /// Where spans are posted to; `nil` when there is nowhere any more.
    let tracesURL: @Sendable () async -> String?

    func run() async throws {
        guard let url = await tracesURL() else { return }
        let tracing = ShopTracing(tracesURL: url)
        let shop = Shop(configuration: configuration, logger: logger) { tracing.tracer(of: $0) }
        do {
            try await shop.run()
        } catch {
            _ = await tracing.shutdown()
            throw error
        }
        _ = await tracing.shutdown()
        let report = shop.report
        let counts = tracing.counts
        printNow(
            """
            The shop is closed. \(report.orders) orders: \(report.accepted) accepted, \
            \(report.refused) refused, \(report.failed) failed; \(report.pushed) pushed, \
            \(report.lost) never pushed.
            \(counts.exported) spans sent\(counts.lost > 0 ? ", \(counts.lost) lost" : "").
            """
        )
    }
}

/// A folder that goes away with the demo.
struct TemporaryFolder {
    let path: String

    init() throws {
        let name = "skein-demo-\(UUID().uuidString)"
        let url = FileManager.default.temporaryDirectory.appending(path: name)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    /// Removes the folder and all that is in it.
    func remove() {
        // What is left in the system's folder for temporary files harms nobody.
        try? FileManager.default.removeItem(atPath: path)
    }
}
