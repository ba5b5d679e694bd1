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

        /// Nanoseconds that no call here took longer than. Not every sender tells the longest.
        var bound: UInt64 {
            guard let top = durations.buckets.reduce(nil, { $1.index }) else { return 0 }
            if let told = LatencyBucket.index(of: longest), told >= top { return longest }
            let middle = LatencyBucket.representative(top)
            // Above the upper end of a bucket, which is within 0.55 % of its middle.
            let (bound, overflow) = middle.addingReportingOverflow(middle >> 7 + 1)
            return overflow ? .max : bound
        }
    }

    private(set) var groups: [Group] = []
    private(set) var rows: [Row] = []
    private var numbers: [Group: Int] = [:]
    /// By minute and group: the place of the row.
    private var places: [UInt64: Int] = [:]

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

    /// Counts what another counted in, as far as its minutes are wanted.
    mutating func add(_ other: TotalsCalls, in wanted: Range<UInt64> = 0..<UInt64.max) {
        let own = other.groups.map { number(of: $0) }
        for row in other.rows where wanted.contains(UInt64(row.minute)) {
            var row = row
            row.group = own[row.group]
            add(row)
        }
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

    /// Cuts what was counted into pieces of about so many counters, ascending by minute.
    func pieces(of limit: Int) -> [(minutes: ClosedRange<UInt64>, calls: TotalsCalls)] {
        var pieces: [(minutes: ClosedRange<UInt64>, calls: TotalsCalls)] = []
        let order = groups.indices.sorted { Self.isBefore(groups[$0], groups[$1]) }
        var ranks = [Int](repeating: 0, count: groups.count)
        for (rank, group) in order.enumerated() { ranks[group] = rank }
        let sorted = rows.sorted { ($0.minute, ranks[$0.group]) < ($1.minute, ranks[$1.group]) }
        var piece = TotalsCalls()
        var cells = 0
        for (index, row) in sorted.enumerated() {
            var own = row
            own.group = piece.number(of: groups[row.group])
            piece.add(own)
            cells += row.durations.width + 1
            guard cells >= limit || index == sorted.count - 1 else { continue }
            let first = piece.rows[0].minute
            pieces.append((UInt64(first)...UInt64(row.minute), piece))
            piece = TotalsCalls()
            cells = 0
        }
        return pieces
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

    init() {}

    /// Any bytes are safe: numbers are checked against what they number.
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        var names: [String] = []
        for _ in 0..<(try reader.count()) { names.append(try reader.text()) }
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            let service = names[try reader.index(below: names.count)]
            let operation = try reader.index(below: names.count + 1)
            let code = try reader.index(below: 512)
            let peer = try reader.index(below: names.count + 1)
            let group = Group(
                service: service,
                operation: operation == 0 ? nil : names[operation - 1],
                kind: UInt8(code >> 1),
                isError: code & 1 == 1,
                peer: peer == 0 ? nil : names[peer - 1]
            )
            guard number(of: group) == groups.count - 1 else {
                throw CorruptBytes(what: "a group of calls stands twice")
            }
        }
        var minute: UInt32 = 0
        for _ in 0..<(try reader.count(ofAtLeast: 6)) {
            let (next, overflow) = minute.addingReportingOverflow(try reader.small())
            guard !overflow else { throw CorruptBytes(what: "a minute is out of range") }
            minute = next
            let group = try reader.index(below: groups.count)
            let sum = try reader.varint()
            let longest = try reader.varint()
            add(
                Row(
                    group: group,
                    minute: minute,
                    sum: sum,
                    longest: longest,
                    durations: try Self.sketch(&reader)
                )
            )
        }
        guard reader.remaining == 0 else { throw CorruptBytes(what: "its calls are too long") }
    }

    private static func sketch(_ reader: inout ByteReader) throws(CorruptBytes) -> LatencySketch {
        let bytes = try reader.run()
        do throws(LatencySketch.Malformed) {
            return try LatencySketch(decoding: bytes)
        } catch { throw CorruptBytes(what: error.what) }
    }
}
