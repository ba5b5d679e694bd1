// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// Questions for totals: what they count when reads fail, numbers are large and calls are long.
@Suite struct TotalsQuestionTests {
    private static let minute = TotalsRequest.minute
    private static let start = 1_700_000_000_000_000_000 / minute * minute
    private static let second: UInt64 = 1_000_000_000

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

    // MARK: Memory

    /// Several parts, files of changes and of call statistics, none of which fits into a question's
    /// memory beside the others.
    @Test func `a question that reads more than its memory answers the same`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = EngineOptions.small
        options.retention = .seconds(3_600)
        var core = try open(disk, options, clock)
        for seed in UInt64(1)...8 {
            var payload = SpanGenerator.payload(seed: seed)
            payload.receivedAt = clock.wallNanoseconds()
            let columns = SpanGenerator.columns(seed: seed)
            try core.append([SpanBatch(columns: columns, payload: payload)])
            let calls = SpanGenerator.calls(seed: seed).counts
            payload.format = .callsProtobuf
            try core.append([SpanBatch(calls: calls, payload: payload)])
            try core.flush()
            clock.advance(.seconds(600))
        }
        core.maintain()
        #expect(core.statistics.parts > 1 && core.statistics.totalsFiles > 0)
        let questions = Self.questions
        let before = try questions.map { "\(try core.totals($0))" }
        core.close()
        for kibibytes in [384, 128] {
            options.queryMemoryBytes = kibibytes << 10
            core = try open(disk, options, clock)
            for (question, answer) in zip(questions, before) {
                // The lines of operations alone take as much.
                let isLarge = question.lines != .services && question.lines != .edges
                if isLarge, kibibytes < 384 { continue }
                #expect("\(try core.totals(question))" == answer, "with \(kibibytes) KiB")
            }
            core.close(flushing: false)
        }
    }

    private static var questions: [TotalsRequest] {
        let lines: [TotalsRequest.Lines] = [.services, .operations, .operationsByKind, .edges]
        return lines.flatMap { line in
            var request = TotalsRequest(range: 0..<UInt64.max, lines: line)
            let whole = request
            request.range = start + 3 * minute..<start + 17 * minute
            let part = request
            request.step = 5 * minute
            return [whole, part, request]
        }
    }

    /// What forty parts say of themselves is more than a question may hold at once.
    @Test func `a question over many parts answers within its memory`() throws {
        let disk = SimulatedDisk()
        var core = try open(disk)
        for part in UInt64(0)..<40 {
            let spans = (UInt64(1)...60).map { number in
                TestSpan(
                    trace: 100 * part + number,
                    id: 1,
                    service: "shop",
                    name: "GET /\(number)",
                    start: Self.start + part * 7 * Self.minute + number,
                    duration: number
                )
            }
            try core.append([TestSpan.batch(spans)])
            try core.flush()
        }
        #expect(core.statistics.parts == 40)
        core.close()
        var options = EngineOptions.small
        options.queryMemoryBytes = 256 << 10
        core = try open(disk, options)
        let all = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        #expect(try core.totals(all).lines.map(\.total.callCount) == [2_400])
        core.close()
    }

    @Test func `an answer that needs more memory than a question may have is refused`() throws {
        var options = EngineOptions.small
        options.queryMemoryBytes = 1 << 20
        let core = try open(SimulatedDisk(), options)
        let rows = (0..<200).map { number in
            var row = CallCounts.Row(service: "shop", operation: "GET /\(number)", kind: .server)
            for octave in UInt64(10)..<30 { row.durations.add(1 << octave) }
            return row
        }
        try core.append([TestCalls.batch(start: Self.start, rows: rows)])
        for isFlushed in [false, true] {
            if isFlushed { try core.flush() }
            var request = TotalsRequest(
                range: Self.start..<Self.start + 60 * Self.minute,
                lines: .operations
            )
            #expect(try core.totals(request).lines.count == 200)
            request.step = Self.minute
            let refused = #expect(throws: StoreError.self) { try core.totals(request) }
            #expect(refused.map { "\($0)" }?.contains("a larger step") == true)
            request.service = "stock"
            #expect(try core.totals(request).lines.isEmpty)
        }
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

    // MARK: Long calls

    private func row(
        _ service: String,
        _ kind: SpanKind,
        peer: String? = nil,
        duration: UInt64,
        longest: UInt64? = nil
    ) -> CallCounts.Row {
        var row = CallCounts.Row(service: service, operation: "GET /", kind: kind, peer: peer)
        row.durations.add(duration)
        row.durationSum = duration
        row.longest = longest ?? duration
        return row
    }

    /// A call of 91 seconds begins at ten seconds of a minute, and ends in the next one: its span
    /// stands in the first, its count in the second.
    @Test(arguments: [true, false])
    func `a call that ends in a later minute counts once`(saysLongest: Bool) throws {
        let core = try open(SimulatedDisk())
        let begin = Self.start + 10 * Self.second
        let duration = 91 * Self.second
        let shop = TestSpan(
            trace: 1,
            id: 1,
            service: "shop",
            kind: .client,
            start: begin,
            duration: duration
        )
        let stock = TestSpan(
            trace: 1,
            id: 2,
            parent: 1,
            service: "stock",
            kind: .consumer,
            start: begin + 1,
            duration: duration - 2
        )
        try core.append([TestSpan.batch([shop, stock])])
        let longest = saysLongest ? nil : UInt64(0)
        try core.append([
            TestCalls.batch(
                start: begin + 90 * Self.second,
                rows: [
                    row("shop", .client, peer: "stock", duration: duration, longest: longest),
                    row("stock", .consumer, duration: duration - 2, longest: longest),
                ]
            )
        ])
        for isFlushed in [false, true] {
            if isFlushed { try core.flush() }
            let all: Range<UInt64> = 0..<UInt64.max
            for lines in [TotalsRequest.Lines.services, .operations, .operationsByKind] {
                let answer = try core.totals(TotalsRequest(range: all, lines: lines))
                #expect(answer.lines.map(\.total.callCount) == [1, 1], "\(lines)")
                #expect(answer.lines.map(\.total.reportedCount) == [1, 1], "\(lines)")
            }
            let edges = try core.totals(TotalsRequest(range: all, lines: .edges)).edges
            #expect(edges.map(\.total.callCount) == [1])
            #expect(edges.map(\.total.reportedCount) == [1])
            // The first minute alone: its call is counted where it ended.
            let first = Self.start..<Self.start + Self.minute
            let before = try core.totals(TotalsRequest(range: first, lines: .services))
            #expect(before.lines.isEmpty)
        }
        core.close()
    }

    @Test func `a count hides no spans of more than a day before it`() throws {
        let core = try open(SimulatedDisk())
        let span = TestSpan(
            trace: 1,
            id: 1,
            service: "shop",
            kind: .client,
            start: Self.start,
            duration: 10
        )
        try core.append([TestSpan.batch([span])])
        let day: UInt64 = 86_400 * Self.second
        let rows = [row("shop", .client, duration: 1 << 62)]
        try core.append([TestCalls.batch(start: Self.start + day + Self.minute, rows: rows)])
        let answer = try core.totals(TotalsRequest(range: 0..<UInt64.max, lines: .services))
        #expect(answer.lines.map(\.total.callCount) == [2])
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
    var traceState = ""
    var statusMessage = ""

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
                    statusMessage: columns.strings.intern(span.statusMessage),
                    traceState: columns.strings.intern(span.traceState),
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
