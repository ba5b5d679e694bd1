// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Call statistics as one question for totals sees them: those of the head, and chunks of files.
struct TotalsCallSources {
    /// How the calls of a row are spread.
    enum Durations {
        case sketch(LatencySketch)
        case chunk(TotalsCallsChunk, Int)

        @inline(__always)
        func forEachCell(_ body: (_ cell: Int, _ step: Int, _ times: Int64) -> Void) {
            switch self {
            case .sketch(let sketch): sketch.forEachCell(body)
            case .chunk(let chunk, let row): chunk.forEachCell(of: row, body)
            }
        }
    }

    /// Calls of one line in one minute.
    struct Row {
        var minute: UInt64
        var isError: Bool
        var count: UInt64
        var sum: UInt64
        var longest: UInt64
        var durations: Durations
    }

    /// A row of the head that belongs to a line.
    private struct HeadRow {
        var counts: Int32
        var row: Int32
        var line: Int32
    }

    private struct Chunk {
        /// In this question.
        let key: Int
        let file: TotalsFile
        let number: Int
        /// By group: its line, -1 for none, -2 for not asked yet.
        var lines: [Int32] = []
    }

    private let plan: TotalsPlan
    private let head: [CallCounts]
    private var headRows: [HeadRow] = []
    private var chunks: [Chunk] = []
    /// Operations were met that a sender did not tell apart.
    private(set) var hasUntold = false

    init(_ plan: TotalsPlan, _ snapshot: Snapshot) {
        self.plan = plan
        let minutes = plan.callMinutes
        head = snapshot.calls.filter { minutes.contains($0.start / TotalsFormat.minute) }
        for file in snapshot.totals {
            for number in file.calls(in: plan.minutes) {
                chunks.append(Chunk(key: chunks.count, file: file, number: number))
            }
        }
    }

    // MARK: The first round

    /// Finds lines, and what statistics cover; notes the cells of each row.
    mutating func begin(
        _ sources: TotalsSources,
        _ lines: inout TotalsLines,
        _ coverage: inout TotalsCoverage
    ) throws {
        for (number, counts) in head.enumerated() {
            try sources.check()
            let minute = counts.start / TotalsFormat.minute
            for (place, row) in counts.rows.enumerated() {
                let group = TotalsCalls.Group(
                    service: row.service,
                    operation: row.operation,
                    kind: row.kind.rawValue,
                    isError: row.isError,
                    peer: row.peer
                )
                guard let scope = scope(of: group, &lines) else { continue }
                let reach = TotalsCoverage.reach(row.durations.bound(row.longest))
                cover(minute, reach, scope, &coverage)
                guard plan.minutes.contains(minute) else { continue }
                let line = self.line(of: group, scope, &lines)
                guard line >= 0 else { continue }
                try sources.charge(MemoryLayout<HeadRow>.stride)
                headRows.append(
                    HeadRow(counts: Int32(number), row: Int32(place), line: Int32(line))
                )
                row.durations.forEachCell { cell, _, _ in lines.widen(line, to: cell...cell) }
            }
            try sources.charge(lines.takeGrowth() + coverage.takeGrowth())
        }
        for number in chunks.indices {
            var chunk = chunks[number]
            try sources.withCalls(chunk.key, chunk.number, of: chunk.file) { calls in
                try begin(calls, &chunk, sources, &lines, &coverage)
            }
            try sources.charge(
                chunk.lines.count * MemoryLayout<Int32>.stride
                    + lines.takeGrowth() + coverage.takeGrowth()
            )
            chunks[number] = chunk
        }
        // What lies behind the range only covers.
        chunks.removeAll { $0.lines.allSatisfy { $0 < 0 } }
    }

    private mutating func begin(
        _ calls: TotalsCallsChunk,
        _ chunk: inout Chunk,
        _ sources: TotalsSources,
        _ lines: inout TotalsLines,
        _ coverage: inout TotalsCoverage
    ) throws {
        let scopes = calls.groups.map { scope(of: $0, &lines) }
        chunk.lines = Array(repeating: -2, count: calls.groups.count)
        for (number, row) in calls.rows.enumerated() {
            let group = Int(row.group)
            guard let scope = scopes[group] else { continue }
            let minute = UInt64(row.minute)
            cover(minute, UInt64(row.reach), scope, &coverage)
            guard plan.minutes.contains(minute) else { continue }
            if chunk.lines[group] == -2 {
                chunk.lines[group] = Int32(line(of: calls.groups[group], scope, &lines))
            }
            let line = Int(chunk.lines[group])
            guard line >= 0 else { continue }
            calls.forEachCell(of: number) { cell, _, _ in lines.widen(line, to: cell...cell) }
        }
    }

    private func cover(
        _ minute: UInt64,
        _ reach: UInt64,
        _ scope: TotalsCoverage.Scope,
        _ coverage: inout TotalsCoverage
    ) {
        let first = minute - min(reach, minute)
        coverage.insert((first..<minute + 1).clamped(to: plan.minutes), scope)
    }

    /// What counts of a group stand for; `nil` where nothing of that is asked.
    private func scope(
        of group: TotalsCalls.Group,
        _ lines: inout TotalsLines
    ) -> TotalsCoverage.Scope? {
        let wanted = plan.request.service
        guard plan.request.lines == .edges else {
            guard wanted == nil || wanted == group.service else { return nil }
            return TotalsCoverage.Scope(service: lines.name(group.service), caller: -1)
        }
        let kind = SpanKind(rawValue: group.kind)
        guard let peer = group.peer, kind == .client || kind == .producer,
            wanted == nil || wanted == group.service || wanted == peer
        else { return nil }
        return TotalsCoverage.Scope(
            service: lines.name(peer),
            caller: lines.name(group.service)
        )
    }

    /// The line that a group with such a scope belongs to; -1 for none.
    private mutating func line(
        of group: TotalsCalls.Group,
        _ scope: TotalsCoverage.Scope,
        _ lines: inout TotalsLines
    ) -> Int {
        let line = lines.line(
            service: scope.service,
            operation: group.operation.map { lines.name($0) },
            kind: group.kind,
            caller: scope.caller >= 0 ? scope.caller : nil
        )
        switch plan.request.lines {
        case .services, .edges: break
        case .operations, .operationsByKind:
            if group.operation == nil, line >= 0 { hasUntold = true }
        }
        return line
    }

    // MARK: Further rounds

    /// Calls `body` with each row that belongs to a line, for each column.
    func forEach(
        _ sources: TotalsSources,
        _ body: (_ row: Row, _ line: Int, _ column: Int) -> Void
    ) throws {
        for row in headRows {
            let counts = head[Int(row.counts)]
            let own = counts.rows[Int(row.row)]
            visit(
                Row(
                    minute: counts.start / TotalsFormat.minute,
                    isError: own.isError,
                    count: own.durations.count,
                    sum: own.durationSum,
                    longest: own.longest,
                    durations: .sketch(own.durations)
                ),
                Int(row.line),
                body
            )
        }
        for chunk in chunks {
            try sources.withCalls(chunk.key, chunk.number, of: chunk.file) { calls in
                for (place, row) in calls.rows.enumerated()
                where plan.minutes.contains(UInt64(row.minute)) {
                    let line = Int(chunk.lines[Int(row.group)])
                    if line < 0 { continue }
                    visit(
                        Row(
                            minute: UInt64(row.minute),
                            isError: calls.groups[Int(row.group)].isError,
                            count: row.count,
                            sum: row.sum,
                            longest: row.longest,
                            durations: .chunk(calls, place)
                        ),
                        line,
                        body
                    )
                }
            }
        }
    }

    @inline(__always)
    private func visit(
        _ row: Row,
        _ line: Int,
        _ body: (_ row: Row, _ line: Int, _ column: Int) -> Void
    ) {
        body(row, line, 0)
        if let step = plan.stepColumn(of: row.minute) { body(row, line, step) }
    }
}
