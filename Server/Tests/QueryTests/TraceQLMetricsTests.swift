// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store
import Synchronization
import Testing

@Suite struct TraceQLMetricsTests {
    private static let second: UInt64 = 1_000_000_000

    private func engine(
        _ store: any TraceStore,
        now: @escaping @Sendable () -> UInt64 = { 3_600 * second }
    ) -> QueryEngine {
        QueryEngine(store: store, now: now)
    }

    private func measurement(
        _ text: String,
        _ range: Range<UInt64> = 0..<3_600 * second,
        step: UInt64? = 3_600 * second
    ) throws -> TraceQL.Measurement {
        TraceQL.Measurement(
            try TraceQL.parse(text),
            time: .between(start: range.lowerBound, end: range.upperBound),
            step: step,
            source: .spans
        )
    }

    private func total(_ answer: MeasuredSeries) -> Double {
        answer.series.flatMap(\.values).compactMap { $0 }.reduce(0, +)
    }

    /// One trace of one span for each number, a second apart.
    private func traces(_ count: UInt64) -> [TestSpan] {
        (1...count).map { number in
            TestSpan(
                trace: TraceID(high: number << 32, low: number),
                id: number,
                name: "n\(number)",
                start: number * Self.second
            )
        }
    }

    @Test(arguments: [
        "{ } | rate()", "{ } | count() > 1 | quantile_over_time(duration, 0.99)",
        "({ } | rate()) / ({ } | rate())",
    ])
    func `a search refuses to tell numbers over time`(query: String) async throws {
        let engine = engine(MemoryStore([]))
        let search = TraceQL.Search(try TraceQL.parse(query))
        await #expect {
            _ = try await engine.search(search)
        } throws: {
            "\($0)".contains("numbers over time")
        }
    }

    @Test func `a measurement refuses to find traces`() async throws {
        let engine = engine(MemoryStore([]))
        let asked = try measurement("{ } | count() > 1")
        for isInstant in [false, true] {
            await #expect {
                _ =
                    isInstant
                    ? try await engine.measureInstant(asked) : try await engine.measure(asked)
            } throws: {
                "\($0)".contains("this asks for traces")
            }
        }
    }

    @Test(arguments: [
        // Seconds of time, milliseconds of a step.
        (30 * 86_400, 10_800_000), (86_400, 300_000), (36_000, 120_000), (3_600, 15_000),
        (1_800, 5_000), (900, 3_000), (240, 1_000), (60, 1_000), (59, 200), (12, 50), (1, 50),
    ])
    func `a step that is not asked for is about a 240th of the time`(
        seconds: UInt64,
        milliseconds: UInt64
    ) {
        let step = TraceQL.Measurement.defaultStep(of: seconds * Self.second)
        #expect(step == milliseconds * 1_000_000)
    }

    @Test func `the last hour ends now`() async throws {
        let spans = traces(20)
        let engine = engine(MemoryStore(spans), now: { 10 * Self.second + 1 })
        var asked = try measurement("{ } | count_over_time()", step: Self.second)
        asked.time = .last(5 * Self.second)
        let answer = try await engine.measure(asked)
        // The second that has just begun is told whole.
        #expect(answer.start == 5 * Self.second)
        #expect(answer.end == 11 * Self.second)
        #expect(total(answer) == 6)
        // Of one instant only what was asked.
        let instant = try await engine.measureInstant(asked)
        #expect(instant.start == 5 * Self.second + 1)
        #expect(instant.step == 5 * Self.second)
        #expect(total(instant) == 5)
    }

    @Test func `all of time can be asked for`() async throws {
        let engine = engine(MemoryStore(traces(3)))
        let range = UInt64(0)..<UInt64.max
        for step in [nil, UInt64.max, UInt64.max / 2, 1 << 62] {
            let asked = try measurement("{ } | count_over_time()", range, step: step)
            #expect(total(try await engine.measure(asked)) == 3)
        }
        let asked = try measurement("{ } | count_over_time()", range)
        #expect(total(try await engine.measureInstant(asked)) == 3)
    }

    @Test func `a part of the traces is the same every time and stands for all`() async throws {
        let engine = engine(MemoryStore(traces(2_000)))
        var parts: [Set<String>] = []
        for part in [0.1, 0.5] {
            let text = "{ } | count_over_time() by (name) with (sample = \(part))"
            let first = try await engine.measure(measurement(text))
            let second = try await engine.measure(measurement(text))
            #expect(first.series == second.series)
            #expect(first.examinedTraceCount == first.series.count)
            // Six standard deviations.
            let expected = 2_000 * part
            let bound = 6 * (2_000 * part * (1 - part)).squareRoot()
            #expect(abs(Double(first.series.count) - expected) < bound)
            #expect(first.series.allSatisfy { $0.values == [1 / part] })
            parts.append(Set(first.series.map { "\($0.labels)" }))
        }
        #expect(parts[0].isSubset(of: parts[1]))
    }

    @Test func `a question that takes too long tells what it has counted, and that it stopped`()
        async throws
    {
        // Each look at the clock takes four seconds.
        let clock = Atomic<UInt64>(0)
        let store = MemoryStore(traces(2_000))
        let engine = QueryEngine(store: store) {
            clock.add(4 * Self.second, ordering: .relaxed).newValue
        }
        let answer = try await engine.measure(measurement("{ } | count_over_time()"))
        #expect(answer.incomplete.count == 1)
        #expect(answer.incomplete.first?.contains("stopped after 10 seconds") == true)
        #expect(answer.examinedTraceCount > 0)
        #expect(answer.examinedTraceCount < 2_000)
        #expect(total(answer) == Double(answer.examinedTraceCount))
    }

    @Test func `traces that are told twice of one page are counted once`() async throws {
        // More traces than one page of a scan holds.
        let engine = engine(MemoryStore(traces(1_234)))
        let answer = try await engine.measure(measurement("{ } | count_over_time()"))
        #expect(total(answer) == 1_234)
        #expect(answer.examinedTraceCount == 1_234)
        #expect(answer.examinedSpanCount == 1_234)
        #expect(answer.incomplete.isEmpty)
    }

    @Test func `values that are hard to tell apart make series of their own`() async throws {
        let values: [AttributeValue] = [
            .int(-1), .int(0), .int(.max), .double(0), .double(-0.0), .double(.nan),
            .double(-.nan), .double(.infinity), .string(""), .string("-1"), .string("NaN"),
            .bool(false), .empty, .bytes([1]), .array([]), .array([.int(1)]),
        ]
        let spans = values.enumerated().map { number, value in
            TestSpan(
                trace: TraceID(high: 1, low: UInt64(number) + 1),
                id: 1,
                attributes: [pair("k", value)]
            )
        }
        let engine = engine(MemoryStore(spans))
        let answer = try await engine.measure(
            measurement("{ } | count_over_time() by (.k)")
        )
        // The NaNs are one.
        #expect(answer.series.count == values.count - 1)
        #expect(total(answer) == Double(values.count))
        // None of the numbers that are none spoils those that are.
        let sum = try await engine.measure(measurement("{ } | max_over_time(.k)"))
        #expect(total(sum) == Double.greatestFiniteMagnitude)
    }
}
