// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// One part under one plan: which rows of its blocks match, found out when first asked.
final class PartScan {
    let session: PartSession
    private let plan: ScanPlan
    private let context: QueryContext
    private let predicate: PartPredicate
    private var known: [Int: BlockBits] = [:]

    init(_ session: PartSession, _ plan: ScanPlan, _ context: QueryContext) throws {
        self.session = session
        self.plan = plan
        self.context = context
        predicate = try PartPredicate(plan.span, session)
    }

    deinit { forget() }

    private var directory: PartDirectory { session.part.directory }

    /// Whether no row of the part can match.
    var isNever: Bool { predicate.isNever }

    /// Whether some row of a block may match, by what is known of it without reading it.
    func mayMatch(_ block: Int) -> Bool {
        let info = directory.blocks[block]
        return info.lastStart >= plan.range.lowerBound && info.firstStart < plan.range.upperBound
            && predicate.mayMatch(block)
    }

    /// The rows of a block that match and start in the plan's range.
    func hits(_ block: Int) throws -> BlockBits {
        if let bits = known[block] { return bits }
        try context.check()
        let info = directory.blocks[block]
        var bits = BlockBits(rowCount: info.rowCount)
        if mayMatch(block) {
            bits = try predicate.rows(of: block, &session.reader)
            if !plan.range.contains(info.firstStart) || !plan.range.contains(info.lastStart),
                !bits.isEmpty
            {
                try keepRange(&bits, block)
            }
        }
        if !context.budget.hasRoom(for: bits.byteCount) { forget() }
        context.budget.charge(bits.byteCount)
        known[block] = bits
        return bits
    }

    private func forget() {
        context.budget.release(known.values.reduce(0) { $0 + $1.byteCount })
        known.removeAll()
    }

    private func keepRange(_ bits: inout BlockBits, _ block: Int) throws {
        let starts = try session.reader.starts(block)
        let hits = bits
        hits.forEach { row in if !plan.range.contains(starts[row]) { bits.remove(row) } }
    }

    /// Rows of a trace that match, the earliest first.
    func matches(_ trace: PartTrace, limit: Int) throws -> [Int] {
        var matched: [Int] = []
        var row = trace.rows.lowerBound
        while row < trace.rows.upperBound, matched.count < limit {
            let block = row / directory.blockRows
            let base = block * directory.blockRows
            let end = min(trace.rows.upperBound, base + directory.blocks[block].rowCount)
            if mayMatch(block) {
                let bits = try hits(block)
                var next = bits.first(from: row - base)
                while let hit = next, base + hit < end, matched.count < limit {
                    matched.append(base + hit)
                    next = bits.first(from: hit + 1)
                }
            }
            row = end
        }
        return matched
    }

    /// Whether some row of a trace matches.
    func hasMatch(_ trace: PartTrace) throws -> Bool {
        try !matches(trace, limit: 1).isEmpty
    }

    /// The summary of a trace all of whose spans lie in this part.
    func summary(_ trace: PartTrace) throws -> TraceSummary {
        var summary = try session.reader.summary(of: trace)
        for row in try matches(trace, limit: plan.matchedSpanLimit) {
            let block = row / directory.blockRows
            let id = try session.reader.id(.spanID, block, row % directory.blockRows)
            summary.matchedSpans.append(SpanID(id))
        }
        return summary
    }
}
