// SPDX-License-Identifier: Apache-2.0

import InMemoryTracing
import Skein
import SkeinModel
import SkeinSampling
import SkeinTesting
import Synchronization
import Testing
import Tracing

struct Declined: Error {}

private struct Cart {
    var total = 0

    @Traced func sum(_ one: Int, _ other: Int) -> Int { one + other }

    @Traced(
        "check out",
        kind: .client,
        recording: "id",
        "price",
        "hurry",
        "note",
        "missing",
        "cart"
    )
    func checkOut(
        id: String,
        for price: Double,
        hurry: Bool,
        note: String?,
        missing: Int?,
        in cart: Cart
    ) async throws -> String {
        await Task.yield()
        guard price < 100 else { throw Declined() }
        return "\(id): \(price)"
    }

    @Traced(recording: "amount")
    mutating func add(_ amount: UInt64) {
        guard amount > 0 else { return }
        total += Int(amount)
    }

    @Traced(recording: "in")
    static func count(_ in: [Int]) throws -> Int {
        if `in`.isEmpty { throw Declined() }
        return `in`.count
    }

    @Traced func swap<Value: Sendable>(_ one: inout Value, _ other: inout Value) {
        (one, other) = (other, one)
    }
}

private struct `A "shop"` {
    @Traced func `default`() {}

    enum `class` { @Traced(recording: "the \"id\"") static func `take "it"`(_ `the "id"`: Int) {} }
}

private actor Stock {
    private(set) var left = 3

    @Traced func take() async -> Int {
        left -= 1
        await Task.yield()
        return left
    }
}

@MainActor private final class Page {
    var title = ""

    @Traced func show(_ text: String) async {
        title = text
        await Task.yield()
    }
}

private let collected = SpanCollector()
private let constant = collected.makeTracer()

@Traced("top", tracer: constant) private func topLevel() -> Int { inner() }

@Traced(tracer: constant) private func inner() -> Int { 7 }

@Suite struct TracedTests {
    let spans = SpanCollector()
    let tracer: SkeinTracer

    init() { tracer = spans.makeTracer() }

    @Test func `a call is a span named after its function`() throws {
        let sum = withTracer(tracer) { Cart().sum(1, 2) }
        #expect(sum == 3)
        let span = try #require(spans.spans.first)
        #expect(span.name == "Cart.sum")
        #expect(span.kind == .internal)
        #expect(span.attributes.isEmpty)
        #expect(span.status == nil)
    }

    @Test func `names that are written in backticks are spans without them`() throws {
        withTracer(tracer) {
            `A "shop"`().default()
            `A "shop"`.`class`.`take "it"`(7)
        }
        #expect(
            spans.spans.map(\.name) == [#"A "shop".default"#, #"A "shop".class.take "it""#]
        )
        #expect(spans.spans.last?.attributes.get(#"the "id""#) == .int64(7))
    }

    @Test func `name, kind and chosen arguments are as they were given`() async throws {
        let text = try await withTracer(tracer) {
            try await Cart().checkOut(
                id: "7",
                for: 2.5,
                hurry: true,
                note: "bell",
                missing: nil,
                in: Cart(total: 4)
            )
        }
        #expect(text == "7: 2.5")
        let span = try #require(spans.first(named: "check out"))
        #expect(span.kind == .client)
        #expect(span.attributes.get("id") == "7")
        #expect(span.attributes.get("price") == .double(2.5))
        #expect(span.attributes.get("hurry") == .bool(true))
        #expect(span.attributes.get("note") == "bell")
        #expect(span.attributes.get("missing") == nil)
        #expect(span.attributes.get("cart") == "Cart(total: 4)")
        #expect(span.attributes.count == 5)
    }

    @Test func `an error is recorded and thrown on`() async throws {
        await #expect(throws: Declined.self) {
            try await withTracer(tracer) {
                try await Cart().checkOut(
                    id: "7",
                    for: 200,
                    hurry: false,
                    note: nil,
                    missing: 1,
                    in: Cart()
                )
            }
        }
        #expect(throws: Declined.self) { try withTracer(tracer) { try Cart.count([]) } }
        for name in ["check out", "Cart.count"] {
            let span = try #require(spans.first(named: name))
            #expect(span.status?.code == .error)
            #expect(span.events.map(\.name) == ["exception"])
        }
    }

    @Test func `methods that change something still do`() throws {
        var cart = Cart()
        var (one, other) = ("a", "b")
        withTracer(tracer) {
            cart.add(3)
            cart.add(0)
            cart.add(.max / 2 &- .max / 2)
            cart.swap(&one, &other)
        }
        let count = try withTracer(tracer) { try Cart.count([1, 2]) }
        #expect(count == 2)
        #expect(cart.total == 3)
        #expect((one, other) == ("b", "a"))
        let amounts = spans.spans(named: "Cart.add").map { $0.attributes.get("amount") }
        #expect(amounts == [.int64(3), .int64(0), .int64(0)])
        #expect(spans.first(named: "Cart.count")?.attributes.get("in") == "[1, 2]")
    }

    @Test func `actors stay isolated`() async {
        let stock = Stock()
        let left = await withTracer(tracer) { await stock.take() }
        #expect(left == 2)
        let page = await Page()
        await withTracer(tracer) { await page.show("hello") }
        #expect(await page.title == "hello")
        #expect(spans.spans.map(\.name) == ["Stock.take", "Page.show"])
    }

    @Test func `a call in a call is its child`() throws {
        #expect(topLevel() == 7)
        let top = try #require(collected.first(named: "top"))
        #expect(collected.children(of: top).map(\.name) == ["inner"])
    }

    @Test func `any tracer of swift-distributed-tracing will do`() async throws {
        let other = InMemoryTracer()
        await #expect(throws: Declined.self) {
            try await withTracer(other) {
                _ = try Cart.count([1])
                _ = try await Cart().checkOut(
                    id: "7",
                    for: 200,
                    hurry: false,
                    note: nil,
                    missing: nil,
                    in: Cart()
                )
            }
        }
        let spans = other.finishedSpans
        #expect(spans.map(\.operationName) == ["Cart.count", "check out"])
        #expect(spans[0].attributes.get("in") == "[1]")
        #expect(spans[1].kind == .client)
        #expect(spans[1].attributes.get("id") == "7")
        #expect(spans[1].status?.code == .error)
        #expect(spans[1].errors.count == 1)
    }

    private final class Watched: CustomStringConvertible, Sendable {
        let count = Mutex(0)
        var description: String {
            count.withLock { $0 += 1 }
            return "watched"
        }
    }

    @Traced(recording: "watched") private func look(_ watched: Watched) {}

    @Test(arguments: [true, false])
    func `arguments are looked at where the trace is recorded`(isRecorded: Bool) {
        var options = TracerOptions()
        if !isRecorded { options.sampler = NeverSampler() }
        let watched = Watched()
        withTracer(spans.makeTracer(options: options)) { look(watched) }
        #expect(watched.count.withLock { $0 } == (isRecorded ? 1 : 0))
        #expect(spans.spans.count == (isRecorded ? 1 : 0))
    }

    @Test func `a value becomes an attribute of the nearest type`() {
        #expect(AttributeValue.recording(UInt64.max) == .string("18446744073709551615"))
        #expect(AttributeValue.recording(Int8(-1)) == .int(-1))
        #expect(AttributeValue.recording(Float(0.5)) == .double(0.5))
        #expect(AttributeValue.recording(Int??.some(.some(4))) == .int(4))
        #expect(AttributeValue.recording(Int??.some(nil)) == .empty)
        #expect(AttributeValue.recording(Substring("text")) == .string("text"))
    }
}
