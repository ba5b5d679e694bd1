// SPDX-License-Identifier: Apache-2.0

import Logging
import Shop
import SkeinModel
import Testing

/// What the shop sends when 24 orders have been placed: two of each story.
private struct ShopRun: Sendable {
    var report: ShopReport
    var spans: [SunkSpan]

    static func of(seed: UInt64, orders: Int = 24) async throws -> ShopRun {
        let sink = OTLPSink()
        let report = try await OTLPSink.serve(sink) { address in
            var configuration = ShopConfiguration()
            configuration.ordersPerSecond = 1_000
            configuration.orderLimit = orders
            configuration.seed = seed
            configuration.pace = 0
            var logger = Logger(label: "shop")
            logger.logLevel = .error
            let tracing = ShopTracing(tracesURL: address + "/v1/traces")
            let shop = Shop(configuration: configuration, logger: logger) {
                tracing.tracer(of: $0)
            }
            try await shop.run()
            #expect(await tracing.shutdown())
            #expect(tracing.counts.lost == 0)
            #expect(tracing.counts.exported == tracing.counts.ended)
            return shop.report
        }
        return ShopRun(report: report, spans: sink.spans)
    }

    var traces: [TraceID: [SunkSpan]] { Dictionary(grouping: spans, by: \.traceID) }

    var orders: Set<String> { Set(spans.compactMap { $0.text("order.id") }) }
}

@Suite(.serialized)
struct ShopTests {
    @Test
    func `tells each story of the shop twice in 24 orders`() async throws {
        let run = try await ShopRun.of(seed: 7)
        #expect(run.report.orders == 24)
        #expect(run.report.accepted == 22)
        #expect(run.report.refused == 2)
        #expect(run.report.failed == 0)
        #expect(run.report.lost == 2)
        #expect(run.report.pushed == 20)

        let traces = run.traces
        #expect(traces.count == 24)
        let services = Set(run.spans.map(\.service))
        #expect(services == ["gateway", "order", "stock", "payment", "coupon", "push-worker"])
        #expect(run.spans.allSatisfy { $0.end >= $0.start })
        for span in run.spans {
            #expect(span.text("order.id") != nil, "\(span.service) \(span.name)")
            #expect(span.text("customer.id") != nil, "\(span.service) \(span.name)")
        }
        for (id, trace) in traces {
            let spanIDs = Set(trace.map(\.spanID))
            #expect(trace.filter { !spanIDs.contains($0.parentID) }.count == 1, "\(id): one root")
            #expect(Set(trace.compactMap { $0.text("order.id") }).count == 1, "\(id): one order")
        }

        let unpushed = traces.values.filter { trace in
            trace.contains { $0.kind == .producer } && !trace.contains { $0.kind == .consumer }
        }
        #expect(unpushed.count == 2, "push messages that are never consumed")
        let manyQueries = traces.values.filter { trace in
            trace.count { $0.name == "SELECT item" } >= 5
        }
        #expect(manyQueries.count == 4, "marketplace orders ask once a line")
        let slow = traces.values.filter { trace in
            trace.contains { $0.name == "render gift card" }
        }
        #expect(slow.count == 2, "gift cards")
        let coupons = traces.values.filter { trace in trace.contains { $0.service == "coupon" } }
        #expect(coupons.count == 8, "orders with a coupon")
    }

    @Test
    func `records a declined payment as an exception and takes the reservation back`() async throws
    {
        let run = try await ShopRun.of(seed: 11, orders: 12)
        let declined = run.spans.filter { $0.service == "payment" && $0.status == .error }
        #expect(declined.count == 1)
        let span = try #require(declined.first)
        #expect(span.name == "authorise card")
        #expect(span.kind == .client)
        let event = try #require(span.events.first { $0.name == "exception" })
        guard case .string(let type) = event.attributes["exception.type"] else {
            Issue.record("no exception.type")
            return
        }
        #expect(type.hasSuffix("PaymentDeclined"))
        let trace = try #require(run.traces[span.traceID])
        #expect(trace.contains { $0.name == "DELETE reservation" })
        #expect(!trace.contains { $0.kind == .producer })
        let root = try #require(
            trace.first { $0.name == "POST /orders" && $0.service == "gateway" }
        )
        #expect(root.attributes["http.response.status_code"] == .int(402))
        #expect(root.status != .error)
    }

    @Test
    func `asks a busy warehouse again`() async throws {
        let run = try await ShopRun.of(seed: 3, orders: 12)
        let retried = run.traces.values.filter { trace in
            trace.count { $0.name == "POST /reservations" } == 2
        }
        #expect(retried.count == 2)
        for trace in retried {
            let attempts = trace.filter { $0.name == "POST /reservations" }
                .sorted { $0.start < $1.start }
            #expect(attempts.map(\.status) == [.error, .unset])
            #expect(attempts.first?.attributes["http.response.status_code"] == .int(503))
            let reserve = try #require(trace.first { $0.name == "reserve stock" })
            #expect(reserve.events.map(\.name) == ["retry"])
            #expect(reserve.attributes["reservation.attempts"] == .int(2))
        }
    }

    @Test
    func `continues the trace of the sender in the push worker, and links to it`() async throws {
        let run = try await ShopRun.of(seed: 5, orders: 12)
        let consumers = run.spans.filter { $0.kind == .consumer }
        #expect(consumers.count == 10)
        for consumer in consumers {
            let trace = try #require(run.traces[consumer.traceID])
            let producer = try #require(trace.first { $0.kind == .producer })
            #expect(consumer.parentID == producer.spanID)
            #expect(consumer.links == [producer.spanID])
            #expect(consumer.text("messaging.message.id") == producer.text("messaging.message.id"))
        }
    }

    @Test
    func `places the same orders for the same seed, and others for another`() async throws {
        let first = try await ShopRun.of(seed: 1, orders: 12)
        let second = try await ShopRun.of(seed: 1, orders: 12)
        let other = try await ShopRun.of(seed: 2, orders: 12)
        #expect(first.orders.count == 12)
        #expect(first.orders == second.orders)
        #expect(first.orders.isDisjoint(with: other.orders))
    }
}
