// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Call statistics by the minute: what applications counted of all their calls, sampled or not.
///
/// A window belongs to the minute in which it began. A chunk of them (a frame of varints), as `encode`
/// writes it:
///
/// | field | meaning |
/// |---|---|
/// | names | count, then each a run |
/// | groups | count, then each: service (name), operation + 1 or 0 for those that were not told apart, kind × 2 + 1 for errors, peer + 1 or 0; ascending by their texts |
/// | rows | count, then each: minute less that before, group, nanoseconds of all, of the longest, and the `LatencySketch` as a run |
struct TotalsCalls: Sendable {
    struct Group: Sendable, Hashable {
        var service: String
        /// `nil`: those beyond what the sender told apart.
        var operation: String?
        var kind: UInt8
        var isError: Bool
        var peer: String?
    }

    /// Calls of one group in one minute.
    struct Row: Sendable {
        var group: Int
        /// Since 1970.
        var minute: UInt32
        var sum: UInt64
        var longest: UInt64
        var durations: LatencySketch
    }

    private(set) var groups: [Group] = []
    private(set) var rows: [Row] = []
    private var numbers: [Group: Int] = [:]
    /// By minute and group: the place of the row.
    private var places: [UInt64: Int] = [:]

    init() {}

    var isEmpty: Bool { rows.isEmpty }

    /// Counters in all rows.
    var cellCount: Int { rows.reduce(0) { $0 + $1.durations.width + 1 } }

    // MARK: Counting

    /// Counts a window in.
    mutating func add(_ counts: CallCounts) {
        let minute = UInt32(counts.start / TotalsFormat.minute)
        for row in counts.rows {
            let group = Group(
                service: row.service,
                operation: row.operation,
                kind: row.kind.rawValue,
                isError: row.isError,
                peer: row.peer
            )
            add(
                Row(
                    group: number(of: group),
                    minute: minute,
                    sum: row.durationSum,
                    longest: row.longest,
                    durations: row.durations
                )
            )
        }
    }

    /// Counts a row of a chunk in.
    mutating func add(_ chunk: TotalsCallsChunk, _ number: Int) {
        let row = chunk.rows[number]
        add(
            Row(
                group: 0,
                minute: row.minute,
                sum: row.sum,
                longest: row.longest,
                durations: chunk.durations(number)
            ),
            of: chunk.groups[Int(row.group)]
        )
    }

    /// Counts a row in, whatever group it says.
    mutating func add(_ row: Row, of group: Group) {
        var own = row
        own.group = number(of: group)
        add(own)
    }

    private mutating func number(of group: Group) -> Int {
        if let known = numbers[group] { return known }
        numbers[group] = groups.count
        groups.append(group)
        return groups.count - 1
    }

    private mutating func add(_ row: Row) {
        let key = UInt64(row.minute) << 32 | UInt64(row.group)
        guard let place = places[key] else {
            places[key] = rows.count
            rows.append(row)
            return
        }
        let (sum, overflow) = rows[place].sum.addingReportingOverflow(row.sum)
        rows[place].sum = overflow ? .max : sum
        rows[place].longest = max(rows[place].longest, row.longest)
        rows[place].durations.merge(row.durations)
    }

    // MARK: Chunks

    /// Calls `body` with pieces of about so many counters, ascending by minute.
    func forEachPiece(
        of limit: Int,
        _ body: (_ minutes: ClosedRange<UInt64>, _ calls: TotalsCalls) throws -> Void
    ) rethrows {
        var piece = TotalsCallsPiece()
        try forEachSorted { group, row in
            piece.add(group, row)
            if piece.weight >= limit { try piece.finish(body) }
        }
        try piece.finish(body)
    }

    /// Calls `body` with each row, by minute and then by the texts of its group.
    func forEachSorted(_ body: (_ group: Group, _ row: Row) throws -> Void) rethrows {
        let order = groups.indices.sorted { Self.isBefore(groups[$0], groups[$1]) }
        var ranks = [Int](repeating: 0, count: groups.count)
        for (rank, group) in order.enumerated() { ranks[group] = rank }
        let sorted = rows.indices.sorted {
            (rows[$0].minute, ranks[rows[$0].group]) < (rows[$1].minute, ranks[rows[$1].group])
        }
        for row in sorted { try body(groups[rows[row].group], rows[row]) }
    }

    private static func isBefore(_ a: Group, _ b: Group) -> Bool {
        func key(_ group: Group) -> (String, String, String, UInt8) {
            (
                group.service, group.operation ?? "", group.peer ?? "",
                group.kind << 1 | (group.isError ? 1 : 0)
            )
        }
        return key(a) < key(b)
    }

    /// The content of a chunk; rows must be ascending by minute.
    func encode() -> [UInt8] {
        var writer = ByteWriter()
        let names = Set(groups.flatMap { [$0.service, $0.operation, $0.peer].compactMap { $0 } })
            .sorted()
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        func place(_ name: String) -> Int { places[name] ?? 0 }
        writer.append(varint: names.count)
        for name in names { writer.append(run: name.utf8) }
        writer.append(varint: groups.count)
        for group in groups {
            writer.append(varint: place(group.service))
            writer.append(varint: group.operation.map { place($0) + 1 } ?? 0)
            writer.append(varint: UInt64(group.kind) << 1 | (group.isError ? 1 : 0))
            writer.append(varint: group.peer.map { place($0) + 1 } ?? 0)
        }
        writer.append(varint: rows.count)
        var minute: UInt32 = 0
        for row in rows {
            writer.append(varint: row.minute &- minute)
            writer.append(varint: row.group)
            writer.append(varint: row.sum)
            writer.append(varint: row.longest)
            writer.append(run: row.durations.encode())
            minute = row.minute
        }
        return writer.bytes
    }
}
