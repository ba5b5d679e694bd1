// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The rows of several tables in the order of a part, exact duplicates left out.
///
/// Rows are grouped by trace with a hash table, traces sorted by start, rows sorted inside their
/// trace: far cheaper than sorting all rows by trace.
struct RowOrder: ~Copyable {
    struct Trace: BitwiseCopyable {
        var high: UInt64
        var low: UInt64
        /// Earliest start.
        var start: UInt64
        /// Its rows are `rows[first ..< first + count]`.
        var first: Int
        var count: Int

        static func isBefore(_ a: Trace, _ b: Trace) -> Bool {
            if a.start != b.start { return a.start < b.start }
            return a.high == b.high ? a.low < b.low : a.high < b.high
        }
    }

    private struct Key: BitwiseCopyable {
        var start: UInt64
        var span: UInt64
        var place: SpanReference

        static func isBefore(_ a: Key, _ b: Key) -> Bool {
            if a.start != b.start { return a.start < b.start }
            if a.span != b.span { return a.span < b.span }
            return a.place.table == b.place.table
                ? a.place.row < b.place.row : a.place.table < b.place.table
        }
    }

    private(set) var rows: Column<SpanReference>
    private(set) var traces: Column<Trace>

    /// - Parameters:
    ///   - views: of `tables`, one each.
    init(_ tables: [SpanTable], _ views: UnsafeBufferPointer<TableView>) {
        let total = views.reduce(0) { $0 + $1.count }
        rows = Column(capacity: total)
        traces = Column(capacity: 1024)
        var grouped = Column<SpanReference>(capacity: total)
        Self.group(views, total, &traces, &grouped)
        let keys = UnsafeMutableBufferPointer<Key>.allocate(
            capacity: (0..<traces.count).reduce(0) { max($0, traces[$1].count) }
        )
        defer { keys.deallocate() }
        for index in 0..<traces.count {
            let first = rows.count
            let trace = traces[index]
            // Bound: room for the longest trace.
            let own = UnsafeMutableBufferPointer(rebasing: keys[0..<trace.count])
            for offset in 0..<trace.count {
                let place = grouped[trace.first + offset]
                let view = views[Int(place.table)]
                own.initializeElement(
                    at: offset,
                    to: Key(
                        start: view.start[Int(place.row)],
                        span: view.spanID[Int(place.row)],
                        place: place
                    )
                )
            }
            Self.sort(own)
            Self.append(own, of: tables, to: &rows)
            traces[index].first = first
            traces[index].count = rows.count - first
        }
    }

    /// Finds the traces, sorts them, and puts their rows together.
    private static func group(
        _ views: UnsafeBufferPointer<TableView>,
        _ total: Int,
        _ sorted: inout Column<Trace>,
        _ grouped: inout Column<SpanReference>
    ) {
        var table = TraceTable()
        var owners = Column<UInt32>(capacity: total)
        for view in views {
            for row in 0..<view.count {
                owners.append(
                    table.add(view.traceHigh[row], view.traceLow[row], start: view.start[row])
                )
            }
        }
        let order = table.order()
        // By number of a trace: where its next row goes.
        var next = [Int](repeating: 0, count: order.count)
        var first = 0
        for number in order {
            var trace = table.traces[Int(number)]
            trace.first = first
            next[Int(number)] = first
            first += trace.count
            sorted.append(trace)
        }
        next.withUnsafeMutableBufferPointer { next in
            grouped.append(count: total) { target in
                var place = 0
                for (number, view) in views.enumerated() {
                    for row in 0..<view.count {
                        let owner = Int(owners[place])
                        // Bound: the counts of all traces add up to `total`.
                        target[next[owner]] = SpanReference(
                            table: UInt32(number),
                            row: UInt32(row)
                        )
                        next[owner] &+= 1
                        place &+= 1
                    }
                }
            }
        }
    }

    private static func sort(_ keys: UnsafeMutableBufferPointer<Key>) {
        guard keys.count <= 24 else {
            var keys = keys
            keys.sort(by: Key.isBefore)
            return
        }
        var index = 1
        while index < keys.count {
            let key = keys[index]
            var place = index
            while place > 0, Key.isBefore(key, keys[place - 1]) {
                keys[place] = keys[place - 1]
                place -= 1
            }
            keys[place] = key
            index += 1
        }
    }

    /// Appends the rows of one trace but those that are exact duplicates of others.
    private static func append(
        _ keys: UnsafeMutableBufferPointer<Key>,
        of tables: [SpanTable],
        to rows: inout Column<SpanReference>
    ) {
        var index = 0
        while index < keys.count {
            var end = index + 1
            while end < keys.count, keys[end].span == keys[index].span,
                keys[end].start == keys[index].start
            {
                end += 1
            }
            if end == index + 1 {
                rows.append(keys[index].place)
            } else {
                for place in SpanSorting.distinct(keys[index..<end].map(\.place), of: tables) {
                    rows.append(place)
                }
            }
            index = end
        }
    }
}

/// Numbers trace ids in order of appearance.
private struct TraceTable: ~Copyable {
    private(set) var traces = Column<RowOrder.Trace>(capacity: 1024)
    /// Number plus one, 0 for an empty slot.
    private var slots = Column<UInt32>(capacity: 4096)
    private var last = -1
    private let hashing = TextHash()

    init() { clearSlots(4096) }

    @inline(__always)
    mutating func add(_ high: UInt64, _ low: UInt64, start: UInt64) -> UInt32 {
        // Spans of one trace often follow each other.
        if last < 0 || traces[last].low != low || traces[last].high != high {
            last = find(high, low)
        }
        traces[last].count &+= 1
        if start < traces[last].start { traces[last].start = start }
        return UInt32(last)
    }

    private mutating func find(_ high: UInt64, _ low: UInt64) -> Int {
        let mask = slots.count &- 1
        var slot = self.slot(high, low) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) &- 1
            if traces[number].low == low, traces[number].high == high { return number }
            slot = (slot &+ 1) & mask
        }
        traces.append(RowOrder.Trace(high: high, low: low, start: .max, first: 0, count: 0))
        slots[slot] = UInt32(traces.count)
        if traces.count * 2 > slots.count { rehash(to: slots.count * 4) }
        return traces.count - 1
    }

    @inline(__always)
    private func slot(_ high: UInt64, _ low: UInt64) -> Int {
        Int(truncatingIfNeeded: hashing.combine(hashing.combine(0, low), high))
    }

    private mutating func clearSlots(_ count: Int) {
        slots.truncate(to: 0)
        slots.append(count: count) { $0.initialize(repeating: 0) }
    }

    private mutating func rehash(to size: Int) {
        clearSlots(size)
        let mask = size - 1
        for number in 0..<traces.count {
            var slot = self.slot(traces[number].high, traces[number].low) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number + 1)
        }
    }

    /// The numbers of the traces in the order of a part.
    func order() -> [UInt32] {
        traces.withElements { traces in
            (0..<UInt32(traces.count)).sorted {
                RowOrder.Trace.isBefore(traces[Int($0)], traces[Int($1)])
            }
        }
    }
}
