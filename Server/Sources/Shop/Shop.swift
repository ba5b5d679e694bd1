// SPDX-License-Identifier: Apache-2.0

// Shop is the demo: a small gift shop of real services on loopback, in one process. It owns its
// HTTP servers, its message queue, its SQLite stock and the customers that order in it. It stands
// for a user's application: it knows nothing of the server, only the tracing API and a tracer for
// each of their instances. Nothing in a trace is made up: each span times code that ran.
//
//     customer ──> gateway ──> order ──> stock ──> SQLite
//                                ├─────> coupon
//                                ├─────> payment
//                                └─ queue ──> push ──> order

public import Logging
public import ServiceLifecycle
public import Tracing

/// How the shop is run.
public struct ShopConfiguration: Sendable {
    /// Orders a second, on average.
    public var ordersPerSecond: Double = 3
    /// Orders after which the shop closes by itself; `nil` for never.
    public var orderLimit: Int?
    /// The same seed gives the same orders, in the same sequence. Another one each time by default.
    public var seed = UInt64.random(in: .min ... .max)
    /// Factor on every simulated delay; 0 leaves them out.
    public var pace: Double = 1

    /// The defaults: three orders a second, for ever.
    public init() {}
}

/// What the shop counted while it ran.
public struct ShopReport: Sendable, Hashable {
    /// Orders placed at the gateway.
    public var orders = 0
    /// Orders that were accepted.
    public var accepted = 0
    /// Orders that were refused: their payment was declined.
    public var refused = 0
    /// Orders that got no proper answer.
    public var failed = 0
    /// Push messages that were processed.
    public var pushed = 0
    /// Push messages sent to a partition that nobody reads.
    public var lost = 0
}

/// The gift shop. Runs until it is shut down or has served its orders.
public struct Shop: Service {
    private let configuration: ShopConfiguration
    private let tracer: @Sendable (ShopInstance) -> any Tracer
    private let logger: Logger
    private let ledger = Ledger()

    /// Makes a shop whose services are traced with what `tracer` gives for each of
    /// their instances.
    ///
    /// The tracers are the caller's: it flushes and closes them after `run` has returned.
    public init(
        configuration: ShopConfiguration,
        logger: Logger,
        tracer: @escaping @Sendable (ShopInstance) -> any Tracer
    ) {
        self.configuration = configuration
        self.logger = logger
        self.tracer = tracer
    }

    /// What has happened so far.
    public var report: ShopReport { ledger.report }

    /// Opens the shop; returns when the last order it accepted has been dealt with.
    public func run() async throws {
        let directory = ServiceDirectory()
        let queue = PushQueue()
        let work = SimulatedWork(pace: configuration.pace)
        let stations = ShopInstance.all.map { instance in
            Station(
                instance: instance,
                tracer: traceOrders(with: tracer(instance)),
                directory: directory,
                work: work,
                logger: logger
            )
        }
        func instances(_ service: ShopService) -> [Station] {
            stations.filter { $0.instance.service == service }
        }
        let customers = Customers(
            configuration: configuration,
            client: ServiceClient(directory: directory, tracer: nil),
            queue: queue,
            ledger: ledger
        )
        // A group shuts down from its last service to its first: customers leave before the doors
        // close, and callers before those they call.
        var services: [any Service] = try instances(.stock).map { try StockService(station: $0) }
        services += instances(.payment).map { PaymentService(station: $0) }
        services += instances(.coupon).map { CouponService(station: $0) }
        services += instances(.order).map {
            OrderService(station: $0, queue: queue, ledger: ledger)
        }
        services += instances(.push).map { PushWorker(station: $0, queue: queue, ledger: ledger) }
        services += instances(.gateway).map { GatewayService(station: $0) }
        services.append(customers)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(
                        service: $0,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                },
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch {
            await close(stations, customers)
            throw error
        }
        await close(stations, customers)
    }

    private func close(_ stations: [Station], _ customers: Customers) async {
        for station in stations { await station.client.close() }
        await customers.client.close()
    }
}
