// SPDX-License-Identifier: Apache-2.0

import Engine
import SkeinModel
import Store
import StoreContract
import Testing

/// Totals that say whether spans may stand for several.
@Suite struct SamplingTests {
    private static let start: UInt64 = 1_700_000_000_000_000_000
    private static let hour: UInt64 = 3_600_000_000_000

    private static func core(_ directory: TemporaryDirectory) throws -> StoreCore {
        try StoreCore.open(
            directory: directory.path,
            options: .small,
            decoder: SpanGenerator.Decoder()
        )
    }

    private static func batch(_ states: [String], at start: UInt64 = start) -> SpanBatch {
        TestSpan.batch(
            states.enumerated().map { number, state in
                TestSpan(
                    trace: UInt64(number) + 1,
                    id: 1,
                    service: "shop",
                    start: start + UInt64(number),
                    duration: 10,
                    traceState: state
                )
            }
        )
    }

    private static func maySample(
        _ store: StoreCore,
        _ range: Range<UInt64> = 0..<UInt64.max
    ) throws -> Bool {
        var request = TotalsRequest(range: range)
        request.asksForSampling = true
        return try store.totals(request).maySample
    }

    @Test(arguments: [
        ("ot=th:c", true),
        ("ot=rv:6e6d1a75832a2f;th:c", true),
        ("congo=t61rcWkgMzE, ot=th:8;rv:6e6d1a75832a2f", true),
        ("", false),
        ("congo=th:c", false),
        ("ot=rv:6e6d1a75832a2f", false),
        ("ot=rv:th:c", false),
        ("got=th:c", false),
        ("ot=;math:c", false),
        ("th:c", false),
    ])
    func `a threshold in the ot member is told`(state: String, isSampled: Bool) throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        try store.append([Self.batch(["", "vendor=1", state, ""])])
        #expect(try Self.maySample(store) == isSampled)
        try store.flush()
        #expect(try Self.maySample(store) == isSampled)
        // Once more, when it is known.
        #expect(try Self.maySample(store) == isSampled)
        store.close()
    }

    @Test func `tracestates are read for those alone who ask`() throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        try store.append([Self.batch((0..<400).map { "vendor=\($0)" } + ["ot=th:c"])])
        try store.flush()
        #expect(try !store.totals(TotalsRequest(range: 0..<UInt64.max)).maySample)
        #expect(try Self.maySample(store))
        store.close()
    }

    /// Texts of which many differ stand in the blocks, others in a dictionary.
    @Test(arguments: [true, false])
    func `one threshold among many tracestates is told`(differ: Bool) throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        var states = (0..<400).map { "vendor=\(differ ? $0 : $0 % 3)" }
        try store.append([Self.batch(states)])
        try store.flush()
        #expect(try !Self.maySample(store))
        states[311] = "ot=th:c"
        try store.append([Self.batch(states)])
        try store.flush()
        #expect(try Self.maySample(store))
        store.close()
    }

    @Test(arguments: [true, false])
    func `only what overlaps the range is asked`(isFlushed: Bool) throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        try store.append([Self.batch(["ot=th:c"])])
        if isFlushed { try store.flush() }
        try store.append([Self.batch(["vendor=1"], at: Self.start + 2 * Self.hour)])
        if isFlushed { try store.flush() }
        #expect(try Self.maySample(store))
        #expect(try Self.maySample(store, Self.start - Self.hour..<Self.start + Self.hour))
        let later = Self.start + Self.hour..<Self.start + 3 * Self.hour
        #expect(try !Self.maySample(store, later))
        store.close()
    }
}
