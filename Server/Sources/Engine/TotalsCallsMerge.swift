// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Joins the call statistics of totals files, minute by minute: what it holds in memory is a chunk of
/// each file, the rows of one minute and the chunk in hand, however much there is.
struct TotalsCallsMerge: ~Copyable {
    private struct Input {
        let file: TotalsFile
        var next = 0
        var chunk: TotalsCallsChunk?
        var row = 0
        /// Of the rows before.
        var lastMinute: UInt32 = 0

        var minute: UInt32? {
            guard let chunk, row < chunk.rows.count else { return nil }
            return chunk.rows[row].minute
        }

        /// Turns to the next chunk, where the one in hand is used up.
        mutating func turn() throws(PartDamage) {
            while minute == nil, next < file.directory.calls.count {
                lastMinute = chunk?.rows.last?.minute ?? lastMinute
                chunk = try file.calls(next)
                next += 1
                row = 0
                guard minute ?? .max >= lastMinute else {
                    throw file.damage("its call statistics are out of order")
                }
            }
        }

        /// Counts the rows of a minute in.
        mutating func take(_ minute: UInt32, into calls: inout TotalsCalls) {
            guard let chunk else { return }
            while row < chunk.rows.count, chunk.rows[row].minute == minute {
                calls.add(chunk, row)
                row += 1
            }
        }
    }

    private var inputs: [Input]

    init(_ files: [TotalsFile]) { inputs = files.map { Input(file: $0) } }

    /// Calls `body` with pieces of what all count, ascending by minute.
    ///
    /// - Parameter limit: counters of a piece, about.
    mutating func forEachPiece(
        of limit: Int,
        _ body: (_ minutes: ClosedRange<UInt64>, _ calls: TotalsCalls) throws -> Void
    ) throws {
        var piece = TotalsCallsPiece()
        while let minute = try nextMinute() {
            var calls = TotalsCalls()
            for number in inputs.indices {
                inputs[number].take(minute, into: &calls)
                try inputs[number].turn()
            }
            // A minute may go on in the next chunk of a file.
            while inputs.contains(where: { $0.minute == minute }) {
                for number in inputs.indices {
                    inputs[number].take(minute, into: &calls)
                    try inputs[number].turn()
                }
            }
            try calls.forEachSorted { group, row in
                piece.add(group, row)
                if piece.weight >= limit { try piece.finish(body) }
            }
        }
        try piece.finish(body)
    }

    private mutating func nextMinute() throws(PartDamage) -> UInt32? {
        var next: UInt32?
        for number in inputs.indices {
            try inputs[number].turn()
            guard let minute = inputs[number].minute else { continue }
            next = min(next ?? minute, minute)
        }
        return next
    }
}

/// Rows of call statistics for one chunk, while they come ascending by minute.
struct TotalsCallsPiece {
    private var calls = TotalsCalls()
    private var minutes: ClosedRange<UInt64>?
    /// What it takes in memory, in counters.
    private(set) var weight = 0

    mutating func add(_ group: TotalsCalls.Group, _ row: TotalsCalls.Row) {
        let minute = UInt64(row.minute)
        minutes = (minutes?.lowerBound ?? minute)...minute
        calls.add(row, of: group)
        weight += row.durations.width + Limits.totalsCallRowCells
    }

    /// Gives out what was added, if anything was, and begins anew.
    mutating func finish(
        _ body: (_ minutes: ClosedRange<UInt64>, _ calls: TotalsCalls) throws -> Void
    ) rethrows {
        guard let minutes else { return }
        try body(minutes, calls)
        self = TotalsCallsPiece()
    }
}
