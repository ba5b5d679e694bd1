// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// Questions for totals: what they count when reads fail and numbers are large.
@Suite struct TotalsQuestionTests {
    private static let start: UInt64 = 1_700_000_000_000_000_000

    private func open(
        _ disk: any Disk,
        _ options: EngineOptions = .small,
        _ clock: SimulatedClock = SimulatedClock()
    ) throws -> StoreCore {
        try StoreCore.open(
            directory: "/store",
            options: options,
            disk: disk,
            clock: clock,
            decoder: SpanGenerator.Decoder()
        )
    }

    private func answers(_ core: StoreCore) throws -> [String] {
        let lines: [TotalsRequest.Lines] = [.services, .operations, .operationsByKind, .edges]
        return try lines.map {
            "\(try core.totals(TotalsRequest(range: 0..<UInt64.max, lines: $0)))"
        }
    }

    // MARK: Reads that fail

    /// A part of callers, and two parts of what they call: of odd traces, and of even ones.
    @Test func `a read that fails during one question changes no later answer`() throws {
        let disk = SimulatedDisk()
        var core = try open(disk)
        let parts: [(String, [UInt64])] = [
            ("shop", [1, 2, 3, 4, 5, 6]), ("stock", [1, 3, 5]), ("paint", [2, 4, 6]),
        ]
        for (service, traces) in parts {
            let spans = traces.map { trace in
                TestSpan(
                    trace: trace,
                    id: service == "shop" ? 1 : 2,
                    parent: service == "shop" ? 0 : 1,
                    service: service,
                    start: Self.start + trace,
                    duration: 1_000
                )
            }
            try core.append([TestSpan.batch(spans)])
            try core.flush()
        }
        #expect(core.statistics.parts == 3)
        let before = try answers(core)
        #expect(before[3].contains("Edge("))
        var failures = 0
        for number in 1...500 {
            core.close()
            core = try open(disk)
            disk.fail(SimulatedDisk.Fault(call: .read, number: number, code: 5))
            let all = TotalsRequest(range: 0..<UInt64.max, lines: .edges)
            _ = try core.totals(all)
            let hasFailed = disk.hasFailed
            disk.fail(nil)
            #expect(try answers(core) == before, "after read \(number) failed")
            guard hasFailed else { break }
            failures += 1
        }
        #expect(failures > 10 && failures < 500)
        core.close()
    }

    // MARK: Large numbers

    @Test func `durations that add up beyond what a number holds stay at the maximum`() throws {
        let core = try open(SimulatedDisk())
        let caller = TestSpan(
            trace: 1,
            id: 1,
            service: "shop",
            start: Self.start,
            duration: 10
        )
        try core.append([TestSpan.batch([caller])])
        try core.flush()
        let called = (UInt64(2)...3).map { id in
            TestSpan(
                trace: 1,
                id: id,
                parent: 1,
                service: "stock",
                start: Self.start + id,
                duration: 1 << 63
            )
        }
        try core.append([TestSpan.batch(called)])
        try core.flush()
        let edges = try core.totals(TotalsRequest(range: 0..<UInt64.max, lines: .edges)).edges
        #expect(edges.map(\.total.callCount) == [2])
        #expect(edges.map(\.total.durationSum) == [.max])
        core.close()
    }
}

/// A span made by hand.
struct TestSpan {
    var trace: UInt64
    var id: UInt64
    var parent: UInt64 = 0
    var service: String
    var name = "GET /"
    var kind = SpanKind.server
    var start: UInt64
    var duration: UInt64

    /// A batch of them, which nothing replays.
    static func batch(_ spans: [TestSpan], receivedAt: UInt64? = nil) -> SpanBatch {
        var columns = SpanColumns()
        for span in spans {
            let resource = columns.resources.append(
                service: columns.strings.intern(span.service),
                attributes: .empty,
                dropped: 0,
                schemaURL: 0
            )
            let scope = columns.scopes.append(
                name: 0,
                version: 0,
                attributes: .empty,
                dropped: 0,
                schemaURL: 0
            )
            columns.append(
                SpanRow(
                    traceID: TraceID(high: 1, low: span.trace),
                    spanID: SpanID(span.id),
                    parentID: SpanID(span.parent),
                    start: span.start,
                    end: span.start + span.duration,
                    name: columns.strings.intern(span.name),
                    kind: span.kind,
                    resource: resource,
                    scope: scope
                )
            )
        }
        let received = receivedAt ?? spans.first?.start ?? 0
        let payload = Payload(format: .otlpProtobuf, bytes: [], receivedAt: received)
        return SpanBatch(columns: columns, payload: payload)
    }
}
