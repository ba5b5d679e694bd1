// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Client
import Logging
import Server
import Shop

/// `skein demo`: the server and a small traced shop, or the shop alone.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run a small traced shop, and a server to watch it with.",
        discussion: """
            A gift shop of six real services on this machine takes a few orders a second: gateway, \
            order, stock (with SQLite), payment, coupon, and a push worker behind a queue. Every \
            span carries order.id. Things go wrong, as they do: cards are declined, a warehouse is \
            busy and asked again, an importer asks for each line on its own, drawing gift cards \
            is slow, one instance of payment is a release behind, and about one push message in twelve \
            is never consumed.

            The server keeps what it gets in a temporary folder that is removed at the end, unless \
            --data names one. Ctrl-C stops shop and server.

            EXAMPLES
              Something to look at:
                skein demo

              Beside another server that holds the usual ports:
                skein demo --http 127.0.0.1:0 --otlp-http 127.0.0.1:0 --otlp-grpc 127.0.0.1:0 \\
                  --zipkin 127.0.0.1:0

              The same traffic for another OTLP/HTTP receiver, twenty orders a second:
                skein demo --endpoint http://collector:4318 --rate 20

              The same hundred orders each time:
                skein demo --orders 100 --seed 42
            """
    )

    @OptionGroup(title: "Server") var server: ServeOptions

    @Option(
        help: ArgumentHelp(
            "Write the ports really used to this file, as JSON, once all of them answer.",
            valueName: "file"
        )
    )
    var portsFile: String?

    @Option(
        help: ArgumentHelp(
            "Send the traffic to this OTLP/HTTP receiver and start no server.",
            valueName: "url"
        )
    )
    var endpoint: String?

    @Option(help: "Orders a second, on average.")
    var rate = 3.0

    @Option(help: ArgumentHelp("Stop after so many orders.", valueName: "count"))
    var orders: Int?

    @Option(help: "The same seed gives the same orders. Default: other orders each time.")
    var seed: UInt64?

    func validate() throws {
        guard rate > 0, rate <= 1_000 else {
            throw ValidationError("--rate \(rate): must be more than 0 and at most 1000.")
        }
        if let orders, orders < 1 {
            throw ValidationError("--orders \(orders): must be 1 or more.")
        }
    }

    func run() async throws {
        bootstrapLogging(server.logLevel)
        var configuration = ShopConfiguration()
        configuration.ordersPerSecond = rate
        configuration.orderLimit = orders
        configuration.seed = seed ?? configuration.seed
        if let endpoint {
            let address = try Endpoint(endpoint)
            let shop = DemoShop(configuration: configuration, logger: logger)
            try await explainingFailure {
                printNow("The shop is open. It sends its spans to \(address). Ctrl-C closes it.")
                try await shop.runAlone(sendingTo: address.url)
            }
            return
        }
        var settings = try server.configuration()
        let folder = server.data == nil ? try TemporaryFolder() : nil
        defer { folder?.remove() }
        if let folder { settings.dataDirectory = folder.path }
        let demo = DemoServer(configuration: settings, portsFile: portsFile, logger: logger)
        let shop = DemoShop(configuration: configuration, logger: logger)
        try await explainingFailure { try await shop.run(with: demo) }
    }

    private var logger: Logger { Logger(label: "skein.demo") }
}
