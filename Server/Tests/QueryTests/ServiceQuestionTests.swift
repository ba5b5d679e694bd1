// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import QueryLanguage
import SkeinModel
import Store
import Synchronization
import Testing

/// Instances, exceptions and call trees of a service.
@Suite struct ServiceQuestionTests {
    private func engine(_ spans: [TestSpan], now: @escaping @Sendable () -> UInt64 = { 0 })
        -> QueryEngine
    {
        QueryEngine(store: MemoryStore(spans), now: now)
    }

    private func question(
        _ operation: String? = nil,
        kinds: Set<SpanKind>? = nil,
        time: Range<UInt64> = 0..<100_000,
        limit: Int = 100
    ) -> ServiceQuestion {
        ServiceQuestion(
            service: "shop",
            operation: operation,
            kinds: kinds,
            time: .between(start: time.lowerBound, end: time.upperBound),
            limit: limit
        )
    }

    private func id(_ number: UInt64) -> TraceID { TraceID(high: 0xA, low: number) }

    /// Ids of the spans that a query finds.
    private func found(_ query: String, _ engine: QueryEngine) async throws -> Set<UInt64> {
        let answer = try await engine.search(
            TraceQL.Search(
                try TraceQL.parse(query),
                time: .between(start: 0, end: 100_000),
                limit: 1_000,
                toldSpanLimit: 1_000
            )
        )
        return Set(answer.traces.flatMap { $0.spansets.flatMap { $0.spans.map(\.spanID.raw) } })
    }

    // MARK: Instances

    @Test func `instances are told by the most telling attribute of their resource`() async throws {
        let resources: [[AttributeValue.KeyValue]] = [
            [pair("host.name", .string("h")), pair("service.instance.id", .string("i"))],
            [pair("host.name", .string("h")), pair("k8s.pod.name", .string("pod"))],
            [pair("host.name", .string("h"))],
            [pair("hostname", .string("jaeger")), pair("ip", .string("10.0.0.9"))],
            [
                pair("network.local.address", .string("10.0.0.1")),
                pair("network.local.port", .int(9411)),
            ],
            [pair("network.local.address", .string("::1")), pair("network.local.port", .int(80))],
            [pair("network.local.address", .string("10.0.0.1"))],
            [pair("host.name", .array([.string("no")]))],
            [],
        ]
        let spans = resources.enumerated().map { number, resource in
            TestSpan(
                trace: id(UInt64(number) + 1),
                id: UInt64(number) + 1,
                start: 1_000 * UInt64(number),
                resource: resource
            )
        }
        let engine = engine(spans + [TestSpan(trace: id(99), id: 99, service: "other")])
        let told = try await engine.instances(question())
        #expect(told.instanceCount == 8 && told.facts.incomplete.isEmpty)
        // The two of no telling attribute come first, for they are two.
        #expect(
            told.instances.map { "\($0.key ?? "-") \($0.name)" } == [
                "- ", "network.local.address 10.0.0.1", "network.local.address 10.0.0.1:9411",
                "network.local.address [::1]:80", "host.name h", "service.instance.id i",
                "hostname jaeger", "k8s.pod.name pod",
            ]
        )
        // What a row links to are the very spans of the row.
        var all: [UInt64] = []
        for instance in told.instances where instance.key != nil {
            let ids = try await found(instance.query, engine)
            #expect(UInt64(ids.count) == instance.spanCount, "\(instance.query)")
            all += ids
        }
        #expect(all.sorted() == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func `an instance has counts, quantiles and its first and last span`() async throws {
        func span(_ number: UInt64, _ instance: String, _ version: String) -> TestSpan {
            TestSpan(
                trace: id(number),
                id: number,
                start: number * 100,
                duration: number * 1_000_000,
                kind: number % 2 == 0 ? .server : .client,
                status: number % 5 == 0 ? .error : .ok,
                resource: [
                    pair("service.instance.id", .string(instance)),
                    pair("service.version", .string(version)),
                ]
            )
        }
        let spans =
            (UInt64(1)...100).map { span($0, "a", $0 < 90 ? "1" : "2") }
            + (UInt64(101)...110).map { span($0, "b", "1") }
        let told = try await engine(spans).instances(question())
        #expect(told.instances.map(\.name) == ["a", "b"])
        let first = try #require(told.instances.first)
        #expect(first.spanCount == 100 && first.errorCount == 20 && first.version == "2")
        #expect(first.first == 100 && first.last == 10_000)
        // Within the error of a sketch.
        #expect((49_700_000...50_300_000).contains(first.p50))
        #expect((98_400_000...99_600_000).contains(first.p99))
        // Only what starts in the time, is of the kind and has the name counts.
        let served = try await engine(spans).instances(
            question(kinds: [.server], time: 300..<10_300)
        )
        #expect(served.instances.map(\.spanCount) == [49, 1])
        let none = try await engine(spans).instances(question("nothing is called so"))
        #expect(none.instances.isEmpty && none.instanceCount == 0)
    }

    @Test func `more instances than are counted are said`() async throws {
        let spans = (UInt64(1)...1_003).map {
            TestSpan(
                trace: id($0),
                id: $0,
                start: $0,
                resource: [pair("service.instance.id", .int(Int64($0)))]
            )
        }
        let told = try await engine(spans).instances(question(limit: 5))
        #expect(told.instanceCount == 1_000 && told.instances.count == 5)
        #expect(told.uncountedSpanCount == 3)
        #expect(told.facts.incomplete.count == 1)
    }

    @Test func `a question that takes too long tells what it counted, and that it is not all`()
        async throws
    {
        let spans = (UInt64(1)...500).map { TestSpan(trace: id($0), id: $0, start: $0 * 10) }
        let told = try await engine(spans, now: Ticks(6).next).instances(question())
        // Pages of two hundred traces: the deadline passes while the second is counted.
        #expect(told.instances.first?.spanCount == 400)
        #expect(told.facts.incomplete.first?.hasPrefix("stopped after 10 seconds") == true)
        let trees = try await engine(spans, now: Ticks(20).next)
            .callTrees(question(), traceLimit: 1_000)
        #expect(trees.shapes.callCount == 0)
        #expect(trees.facts.incomplete.first?.hasPrefix("stopped after 10 seconds") == true)
    }

    /// A clock that goes on with every look at it.
    private final class Ticks: Sendable {
        private let count = Atomic<UInt64>(0)
        private let seconds: UInt64

        init(_ seconds: UInt64) { self.seconds = seconds }

        @Sendable func next() -> UInt64 {
            count.wrappingAdd(seconds * 1_000_000_000, ordering: .relaxed).newValue
        }
    }

    // MARK: Exceptions

    private func thrown(
        _ type: String?,
        _ message: String?,
        stack: String? = nil
    ) -> (name: String, attributes: [AttributeValue.KeyValue]) {
        var attributes: [AttributeValue.KeyValue] = []
        if let type { attributes.append(pair("exception.type", .string(type))) }
        if let message { attributes.append(pair("exception.message", .string(message))) }
        if let stack { attributes.append(pair("exception.stacktrace", .string(stack))) }
        return ("exception", attributes)
    }

    /// Exceptions of every kind: events with and without a type, failures with and without a text.
    private var failing: [TestSpan] {
        [
            TestSpan(
                trace: id(1),
                id: 1,
                name: "pay",
                start: 1_000,
                status: .error,
                events: [thrown("Declined", "card 4111 of 'Bob' declined", stack: "old")]
            ),
            TestSpan(
                trace: id(1),
                id: 2,
                parent: 1,
                name: "pay",
                start: 2_000,
                status: .error,
                events: [
                    ("retry", []), thrown("Declined", "card 5500 of 'Eve' declined"),
                    thrown("Declined", "card 1 of 'Z' declined", stack: "new"),
                ]
            ),
            TestSpan(
                trace: id(2),
                id: 3,
                name: "pay",
                start: 90_000,
                events: [thrown("Timeout", "card 1 of 'Z' declined")]
            ),
            TestSpan(
                trace: id(3),
                id: 4,
                name: "ship",
                start: 4_000,
                status: .error,
                events: [thrown("Declined", "card 1 of 'Z' declined")]
            ),
            TestSpan(
                trace: id(4),
                id: 5,
                name: "ship",
                start: 5_000,
                status: .error,
                statusMessage: "store 17 closed"
            ),
            TestSpan(
                trace: id(5),
                id: 6,
                name: "ship",
                start: 6_000,
                status: .error,
                statusMessage: "store 8 closed"
            ),
            TestSpan(trace: id(6), id: 7, name: "ship", start: 6_500, status: .error),
            TestSpan(trace: id(7), id: 8, name: "ship", start: 7_000, events: [thrown(nil, nil)]),
            TestSpan(
                trace: id(8),
                id: 9,
                service: "other",
                name: "pay",
                status: .error,
                events: [thrown("Declined", "card 4111 of 'Bob' declined")]
            ),
            TestSpan(trace: id(9), id: 10, name: "ship", start: 8_000, status: .ok),
        ]
    }

    @Test func `exceptions are grouped by type, template and operation`() async throws {
        let engine = engine(failing)
        let told = try await engine.exceptions(question())
        #expect(told.groupCount == 6 && told.exceptionCount == 9)
        #expect(
            told.groups.map {
                "\($0.count)/\($0.traceCount) \($0.operation) \($0.type ?? "-") \($0.message.text)"
            }
                == [
                    "3/1 pay Declined card … of '…' declined",
                    "2/2 ship - store … closed",
                    "1/1 pay Timeout card … of '…' declined",
                    "1/1 ship - ",
                    "1/1 ship - ",
                    "1/1 ship Declined card … of '…' declined",
                ]
        )
        #expect(told.groups.map(\.isEvent) == [true, false, true, true, false, true])
        let first = told.groups[0]
        #expect(first.first == 1_000 && first.last == 2_000)
        #expect(first.example.spanID == SpanID(2) && first.example.stackTrace == nil)
        #expect(first.example.message == "card 5500 of 'Eve' declined")
        // 100,000 in thirty steps: 3,334 each.
        #expect(told.step == 3_334 && first.steps[0] == 3 && first.steps.reduce(0, +) == 3)
        #expect(told.groups[2].steps[26] == 1)
        let links = try await links(told.groups, engine)
        #expect(links == [[1, 2], [5, 6], [3], [8], [7], [4]])
        let ofOne = try await engine.exceptions(question("pay"))
        #expect(ofOne.groups.map(\.count) == [3, 1])
    }

    /// What the queries of the groups find. One without type and message finds all exceptions there.
    private func links(
        _ groups: [ExceptionGroup],
        _ engine: QueryEngine
    ) async throws -> [Set<UInt64>] {
        var links: [Set<UInt64>] = []
        for group in groups {
            var ids = try await found(group.query, engine)
            if group.type == nil, group.isEvent { ids.remove(4) }
            links.append(ids)
        }
        return links
    }

    @Test func `more exceptions than are counted are said, and long texts are cut`() async throws {
        let long = String(repeating: "x", count: 20_000)
        let spans = (UInt64(1)...1_002).map {
            TestSpan(
                trace: id($0),
                id: $0,
                name: "op",
                start: $0,
                status: .error,
                events: [thrown("Type\($0)", long, stack: long)]
            )
        }
        let told = try await engine(spans).exceptions(question(limit: 3))
        #expect(told.exceptionCount == 1_002 && told.groupCount == 1_000)
        #expect(told.groups.count == 3 && told.facts.incomplete.count == 1)
        let group = told.groups[0]
        #expect(group.example.message.utf8.count == 2_048 + 3)
        #expect(group.example.stackTrace?.utf8.count == 8_192 + 3)
        #expect(group.message.isCut)
    }

    /// Counted by hand, one span after another.
    @Test(arguments: UInt64(1)...20)
    func `any spans come to what counting them one by one comes to`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let messages = ["lost 1", "lost 2", "'a' gone", "'b' gone", ""]
        let spans = (UInt64(1)...120).map { number -> TestSpan in
            let count = Int.random(in: 0...2, using: &generator)
            return TestSpan(
                trace: id(UInt64.random(in: 1...40, using: &generator)),
                id: number,
                service: Bool.random(using: &generator) ? "shop" : "bank",
                name: "op\(Int.random(in: 0...1, using: &generator))",
                start: UInt64.random(in: 0...120_000, using: &generator),
                duration: UInt64.random(in: 0...9, using: &generator),
                status: Bool.random(using: &generator) ? .error : .unset,
                statusMessage: messages.randomElement(using: &generator) ?? "",
                resource: [
                    pair("host.name", .int(Int64.random(in: 0...3, using: &generator)))
                ],
                events: (0..<count).map { _ in
                    thrown(
                        Bool.random(using: &generator) ? "A" : "B",
                        messages.randomElement(using: &generator)
                    )
                }
            )
        }
        let asked = spans.filter { $0.service == "shop" && $0.start < 100_000 }
        let engine = engine(spans)
        let instances = try await engine.instances(question())
        for instance in instances.instances {
            let own = asked.filter { "\($0.resource[0].value)".contains(instance.name) }
            #expect(instance.spanCount == UInt64(own.count), "SEED=\(seed)")
            #expect(instance.errorCount == UInt64(own.count { $0.status == .error }))
            #expect(instance.first == own.map(\.start).min())
            #expect(instance.last == own.map(\.start).max())
        }
        #expect(instances.instances.reduce(0) { $0 + $1.spanCount } == UInt64(asked.count))
        var counts: [String: UInt64] = [:]
        var traces: [String: Set<TraceID>] = [:]
        for span in asked {
            for event in span.events {
                let texts = event.attributes.map { pair -> String in
                    guard case .string(let text) = pair.value else { return "" }
                    return text
                }
                let key = "\(span.name) \(texts[0]) \(MessageTemplate(texts[1]).text)"
                counts[key, default: 0] += 1
                traces[key, default: []].insert(span.trace)
            }
            if span.events.isEmpty, span.status == .error {
                let key = "\(span.name)  \(MessageTemplate(span.statusMessage).text)"
                counts[key, default: 0] += 1
                traces[key, default: []].insert(span.trace)
            }
        }
        let told = try await engine.exceptions(question())
        var found: [String: UInt64] = [:]
        for group in told.groups {
            let key = "\(group.operation) \(group.type ?? "") \(group.message.text)"
            found[key] = group.count
            #expect(group.traceCount == UInt64(traces[key]?.count ?? 0), "SEED=\(seed) \(key)")
            #expect(group.steps.reduce(0, +) == group.count)
        }
        #expect(found == counts, "SEED=\(seed)")
    }

    // MARK: Call trees

    @Test func `call trees come from the newest traces, and say whether there are older ones`()
        async throws
    {
        let spans = (UInt64(1)...10).flatMap { number -> [TestSpan] in
            var spans = [
                TestSpan(
                    trace: id(number),
                    id: 1,
                    service: "web",
                    name: "GET",
                    start: number * 1_000
                ),
                TestSpan(
                    trace: id(number),
                    id: 2,
                    parent: 1,
                    name: "buy",
                    start: number * 1_000 + 1,
                    duration: number,
                    status: number == 7 ? .error : .unset
                ),
                TestSpan(
                    trace: id(number),
                    id: 3,
                    parent: 2,
                    name: "load",
                    start: number * 1_000 + 2
                ),
            ]
            if number == 7 {
                spans.append(
                    TestSpan(
                        trace: id(number),
                        id: 4,
                        parent: 2,
                        service: "bank",
                        name: "ask",
                        start: number * 1_000 + 3
                    )
                )
            }
            return spans
        }
        let engine = engine(spans)
        let all = try await engine.callTrees(question(), traceLimit: 100)
        #expect(!all.hasOlderTraces && all.facts.incomplete.isEmpty)
        #expect(all.shapes.traceCount == 10 && all.shapes.callCount == 10)
        #expect(all.shapes.trees.map(\.callCount) == [9, 1])
        #expect(all.shapes.trees[0].lines.map(\.operation.name) == ["buy", "load"])
        #expect(all.shapes.trees[1].lines.map(\.operation.service) == ["shop", "shop", "bank"])
        #expect(all.shapes.trees[1].errorCount == 1 && all.shapes.trees[1].usual == 0)
        #expect(all.shapes.trees[1].typical.spanID == SpanID(2))
        // The nine took 1 to 10 without 7: the fifth is 5.
        #expect(all.shapes.trees[0].p50 == 5 && all.shapes.trees[0].longest == 10)
        let newest = try await engine.callTrees(question(), traceLimit: 3)
        #expect(newest.hasOlderTraces && newest.shapes.traceCount == 3)
        #expect(newest.shapes.trees.map(\.callCount) == [3])
        #expect(newest.shapes.trees[0].typical.traceID == id(9))
        let inner = try await engine.callTrees(question("load"), traceLimit: 100)
        #expect(inner.shapes.trees.map(\.lines.count) == [1])
        // A span that starts before the time is no call of it, whatever its trace has.
        let late = try await engine.callTrees(
            question(time: 10_002..<11_000),
            traceLimit: 100
        )
        #expect(late.shapes.callCount == 0 && late.shapes.trees.isEmpty)
    }
}
