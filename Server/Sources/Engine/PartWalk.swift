// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The traces of one part that a walk may have to tell, from the latest start to the earliest: those that
/// begin in one block at a time.
///
/// Only the last trace of a block goes on into the next ones. Where it has spans that may match in a
/// later block only, its own block is looked at for its sake (`owing`).
struct PartWalk {
    /// A trace that may have to be told.
    struct Candidate {
        var trace: PartTrace
        var id: TraceID
        var duration: UInt64
    }

    let session: PartSession
    private let range: Range<UInt64>
    /// Made when the part is looked into.
    private var scan: PartScan?
    /// Every block from here on was looked at.
    private var end: Int
    /// A block before `end` in which a trace begins that has spans behind it.
    private var owing: Int?
    /// No trace still to come starts after this; `nil` when none is left.
    private(set) var bound: UInt64?
    /// Whether spans are asked for their conditions: not where that would leave few traces out.
    private var isSelective: Bool
    private var seen = 0
    private var found = 0

    /// Traces after which it is looked at how many of them the conditions leave out.
    private static let judgedTraces = 512

    /// - Returns: `nil` where no span of the part starts in the range.
    init?(_ session: PartSession, _ plan: WalkPlan) {
        let entry = session.part.entry
        guard entry.lastStart >= plan.range.lowerBound, entry.firstStart < plan.range.upperBound
        else { return nil }
        self.session = session
        range = plan.range
        end = session.part.directory.blocks.count
        bound = min(entry.lastStart, plan.range.upperBound - 1, plan.latestPieceStart)
        isSelective = true
        if case .all = plan.span { isSelective = false }
    }

    /// The next traces, in the order of their rows.
    mutating func next(_ plan: WalkPlan, _ context: QueryContext) throws -> [Candidate] {
        let scan = try open(plan, context)
        guard let block = nextBlock(scan) else {
            bound = nil
            return []
        }
        let begun = try traces(beginningIn: block, scan)
        bound = nextBlock(scan).map { next in
            min(bound ?? 0, session.part.directory.blocks[next].lastStart)
        }
        return begun
    }

    private mutating func open(_ plan: WalkPlan, _ context: QueryContext) throws -> PartScan {
        if let scan { return scan }
        let spans = ScanPlan(
            tenant: plan.tenant,
            range: plan.range,
            span: plan.span,
            trace: plan.trace,
            matchedSpanLimit: 0
        )
        let made = try PartScan(session, spans, context)
        if made.isNever {
            end = 0
        } else if plan.latestPieceStart < .max {
            try skip(startingAfter: plan.latestPieceStart)
        }
        scan = made
        return made
    }

    /// Leaves out the blocks at the end in which every span starts too late: no trace that is wanted
    /// begins there. One may go on there from a block before.
    private mutating func skip(startingAfter latest: UInt64) throws {
        let directory = session.part.directory
        let behind = end
        while end > 0, directory.blocks[end - 1].firstStart > latest { end -= 1 }
        guard end < behind else { return }
        let base = end * directory.blockRows
        let first = try session.reader.traces(in: base..<base + 1).first?.rows.lowerBound ?? base
        if first < base { owing = first / directory.blockRows }
    }

    private func nextBlock(_ scan: PartScan) -> Int? {
        var block = end - 1
        while block >= 0, block != owing, !scan.mayMatch(block) { block -= 1 }
        return block >= 0 ? block : nil
    }

    private mutating func traces(
        beginningIn block: Int,
        _ scan: PartScan
    ) throws -> [Candidate] {
        let directory = session.part.directory
        let base = block * directory.blockRows
        let rows = base..<base + directory.blocks[block].rowCount
        let traces = try session.reader.traces(in: rows)
        end = block
        owing = nil
        if let first = traces.first {
            if first.rows.lowerBound < base { owing = first.rows.lowerBound / directory.blockRows }
            // What begins in blocks before stands before it.
            bound = min(bound ?? 0, first.start)
        }
        let hits = isSelective && scan.mayMatch(block) ? try scan.hits(block) : nil
        var table = TraceTable()
        var found: [Candidate] = []
        var seen = 0
        for trace in traces where trace.rows.lowerBound >= base {
            try table.move(to: trace.row / directory.blockRows, &session.reader)
            let place = trace.row % directory.blockRows
            let duration = table.durations[place]
            // Every span starts before the trace ends.
            let (last, isPastEnd) = trace.start.addingReportingOverflow(duration)
            guard trace.start < range.upperBound, isPastEnd || last >= range.lowerBound else {
                continue
            }
            seen += 1
            guard try mayMatch(trace, rows, hits, scan) else { continue }
            let id = TraceID(high: table.highs[place], low: table.lows[place])
            found.append(Candidate(trace: trace, id: id, duration: duration))
        }
        judge(seen, found.count)
        return found
    }

    private func mayMatch(
        _ trace: PartTrace,
        _ block: Range<Int>,
        _ hits: BlockBits?,
        _ scan: PartScan
    ) throws -> Bool {
        if trace.rows.upperBound <= block.upperBound {
            guard isSelective else { return true }
            let first = block.lowerBound
            return hits?.intersects(trace.rows.lowerBound - first..<trace.rows.upperBound - first)
                ?? false
        }
        if isSelective { return try scan.hasMatch(trace) }
        let blockRows = session.part.directory.blockRows
        let blocks = trace.rows.lowerBound / blockRows...(trace.rows.upperBound - 1) / blockRows
        return blocks.contains { scan.mayMatch($0) }
    }

    /// Gives up asking for conditions that most traces satisfy: whoever walks asks them again.
    private mutating func judge(_ seen: Int, _ found: Int) {
        guard isSelective else { return }
        self.seen += seen
        self.found += found
        if self.seen >= Self.judgedTraces, self.found > self.seen / 2 { isSelective = false }
    }
}

/// Ids and durations of the traces of one block of traces.
private struct TraceTable {
    private var block: Int?
    private(set) var highs: [UInt64] = []
    private(set) var lows: [UInt64] = []
    private(set) var durations: [UInt64] = []

    mutating func move(to block: Int, _ reader: inout PartReader) throws(PartDamage) {
        guard self.block != block else { return }
        self.block = block
        highs = try reader.numbers(.traceHigh, block)
        lows = try reader.numbers(.traceLow, block)
        durations = try reader.numbers(.traceDuration, block)
    }
}

extension WalkPlan {
    /// No piece of a trace that starts later has to be looked at for the trace's sake: `.max` where
    /// one may have to be.
    ///
    /// A trace that starts early enough may have another piece, in another part, that starts too late.
    /// Where conditions or a time are asked for, that piece may be the one that meets them; else the
    /// early one does.
    var latestPieceStart: UInt64 {
        guard case .all = span, trace.isEmpty, range.lowerBound == 0 else { return .max }
        return latestStart ?? .max
    }
}
