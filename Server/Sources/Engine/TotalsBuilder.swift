// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Counts the spans of a part for its totals section (`TotalsFormat`).
///
/// Fed by flush and by merge with every row that is kept, trace by trace, rows in the part's order:
/// ```
/// var totals = TotalsBuilder()
/// let form = totals.addForm(service: 3, operation: 7, kind: 2, status: 0)   once a form
/// totals.add(form: form, spanID: ..., parentID: ..., start: ..., duration: ..., isShared: false)
/// totals.endTrace()
/// let chunks = try totals.finish(name: { names[$0] }, to: &output)
/// ```
/// Ids of names are the caller's; their bytes are asked for once, at the end. No object and no
/// look-up of text a row: packed keys, one sort at the end.
struct TotalsBuilder: ~Copyable {
    /// What is counted apart beside the caller.
    struct Form: BitwiseCopyable {
        var service: UInt32
        var operation: UInt32
        var kind: UInt8
        var status: UInt8
    }

    /// The name id of the operation that stands for all beyond `Limits.totalsGroups`.
    static let otherOperations = UInt32.max

    private var operations = PackedTable()
    private var formKeys = PackedTable()
    private var forms = Column<Form>(capacity: 64)

    private var groups = PackedTable()
    /// By form: caller + 1 (high half) and group of its last span: mostly the same again.
    private var lastGroup = Column<UInt64>(capacity: 64)
    private var rows = PackedTable()
    /// By group: window (high half) and row of its last span.
    private var lastRow = Column<UInt64>(capacity: 64)
    private var entries = TotalsEntries()
    /// By row and minute in the window: nanoseconds.
    private var sums = Column<UInt64>(capacity: 64)
    /// By row: the longest duration.
    private var longest = Column<UInt64>(capacity: 64)

    private var edges = PackedTable()
    private var requestRows = PackedTable()
    /// A request each: row (28 bits), calls (32 bits), minute in the window (4 bits).
    private var requestEntries: [UInt64] = []

    private var resolver = CallResolver()
    private var traceForm = Column<UInt32>(capacity: 64)
    private var traceStart = Column<UInt64>(capacity: 64)
    private var traceDuration = Column<UInt64>(capacity: 64)

    /// Makes a builder that has counted nothing.
    init() {}

    /// The id of a form for `add`; the same for the same names, kind and status.
    mutating func addForm(service: UInt32, operation: UInt32, kind: UInt8, status: UInt8) -> UInt32
    {
        let pair = operations.insert(UInt64(service) << 32 | UInt64(operation)).index
        let key = UInt64(pair) << 16 | UInt64(kind) << 8 | UInt64(status)
        let (index, isNew) = formKeys.insert(key)
        if isNew {
            forms.append(
                Form(service: service, operation: operation, kind: kind, status: status)
            )
            lastGroup.append(.max)
        }
        return UInt32(index)
    }

    /// Counts a span of the trace in hand.
    ///
    /// - Parameters:
    ///   - parentID: 0 where it has no parent; the parent need not be in the part.
    ///   - start: nanoseconds since 1970.
    ///   - duration: nanoseconds, 0 where the end lies before the start.
    ///   - isShared: whether `SpanMarks.shared` is set.
    @inline(__always)
    mutating func add(
        form: UInt32,
        spanID: UInt64,
        parentID: UInt64,
        start: UInt64,
        duration: UInt64,
        isShared: Bool
    ) {
        resolver.append(
            service: forms[Int(form)].service,
            spanID: spanID,
            parentID: parentID,
            start: start,
            isShared: isShared
        )
        traceForm.append(form)
        traceStart.append(start)
        traceDuration.append(duration)
    }

    /// Ends the trace in hand: callers can be told now.
    mutating func endTrace() {
        resolver.resolve()
        for row in 0..<resolver.count {
            let group = group(of: Int(traceForm[row]), caller: resolver.caller[row])
            count(group, start: traceStart[row], duration: traceDuration[row])
        }
        for index in 0..<resolver.requests.count { count(resolver.requests[index]) }
        resolver.removeAll()
        traceForm.truncate(to: 0)
        traceStart.truncate(to: 0)
        traceDuration.truncate(to: 0)
    }

    @inline(__always)
    private mutating func group(of form: Int, caller: UInt32) -> Int {
        let tag = UInt64(caller &+ 1)
        let last = lastGroup[form]
        if last >> 32 == tag { return Int(last & 0xFFFF_FFFF) }
        let group = newGroup(form, tag)
        lastGroup[form] = tag << 32 | UInt64(group)
        return group
    }

    private mutating func newGroup(_ form: Int, _ tag: UInt64) -> Int {
        var form = form
        let known = groups.find(UInt64(form) << 32 | tag)
        if let known { return known }
        if groups.count >= Limits.totalsGroups {
            let own = forms[form]
            form = Int(
                addForm(
                    service: own.service,
                    operation: Self.otherOperations,
                    kind: own.kind,
                    status: own.status
                )
            )
        }
        let (index, isNew) = groups.insert(UInt64(form) << 32 | tag)
        if isNew { lastRow.append(.max) }
        return index
    }

    @inline(__always)
    private mutating func count(_ group: Int, start: UInt64, duration: UInt64) {
        let minute = start / TotalsFormat.minute
        let window = minute / TotalsFormat.windowMinutes
        let inWindow = minute &- window &* TotalsFormat.windowMinutes
        let last = lastRow[group]
        let row = last >> 32 == window ? Int(last & 0xFFFF_FFFF) : newRow(group, window)
        let bucket = duration == 0 ? 0 : UInt64(16 &+ LatencyBucket.index(ofNonZero: duration))
        entries.append(row: row, bucket: bucket, minute: inWindow)
        let place = row &* 10 &+ Int(inWindow)
        let (sum, overflow) = sums[place].addingReportingOverflow(duration)
        sums[place] = overflow ? .max : sum
        if duration > longest[row] { longest[row] = duration }
    }

    private mutating func newRow(_ group: Int, _ window: UInt64) -> Int {
        let (row, isNew) = rows.insert(UInt64(group) << 32 | window)
        if isNew {
            sums.append(count: 10) { $0.initialize(repeating: 0) }
            longest.append(0)
        }
        lastRow[group] = window << 32 | UInt64(row)
        return row
    }

    private mutating func count(_ request: CallResolver.Request) {
        let minute = request.start / TotalsFormat.minute
        let window = minute / TotalsFormat.windowMinutes
        let edge = edges.insert(UInt64(request.caller) << 32 | UInt64(request.service)).index
        let row = requestRows.insert(UInt64(edge) << 32 | window).index
        requestEntries.append(
            UInt64(row) << 36 | UInt64(request.callCount) << 4
                | (minute - window * TotalsFormat.windowMinutes)
        )
    }
}

extension TotalsBuilder {
    /// Puts everything in order and writes the section. The builder must not be used afterwards.
    ///
    /// - Parameters:
    ///   - name: the bytes of a name id that was given to `addForm`.
    ///   - output: where the part goes.
    /// - Returns: where the chunks lie, that of the index first.
    mutating func finish(
        name: (UInt32) -> [UInt8],
        to output: inout PartOutput
    ) throws(DiskError) -> [ChunkReference] {
        let names = TotalsNames(usedNames, name: name)
        var index = ByteWriter()
        index.append(varint: TotalsFormat.version)
        index.append(varint: names.texts.count)
        for text in names.texts { index.append(run: text) }
        let groupRanks = rank(groupTuples(names), to: &index)
        let edgeRanks = rank(edgeTuples(names), to: &index)
        let order = Self.order(rows, groupRanks)
        let requestOrder = Self.order(requestRows, edgeRanks)
        entries.finishRun()
        sortRequests(requestOrder.ranks)

        let pages = pages(order, requestOrder)
        index.append(varint: pages.count)
        var chunks: [ChunkReference] = []
        var last: UInt64 = 0
        var requestNext = 0
        for page in pages {
            var writer = TotalsPageWriter(firstWindow: page.firstWindow)
            for rank in page.rows {
                addRow(order, rank, groupRanks, to: &writer)
            }
            for rank in page.requestRows {
                addRequestRow(requestOrder, rank, edgeRanks, &requestNext, to: &writer)
            }
            chunks += try writer.finish(after: last, to: &index, &output)
            last = writer.lastWindow
        }
        output.encoder.append(frame: index.bytes)
        return [try output.finishChunk()] + chunks
    }

    /// Rows in the section's order.
    private struct Order {
        /// By place in that order: the row.
        var rows: [Int]
        /// By row: its place.
        var ranks: [UInt64]
        /// By place.
        var windows: [UInt64]
    }

    private struct Page {
        var firstWindow: UInt64
        var rows: Range<Int>
        var requestRows: Range<Int>
    }

    private var usedNames: Set<UInt32> {
        var used: Set<UInt32> = []
        for index in 0..<groups.count {
            let form = forms[Int(groups.keys[index] >> 32)]
            used.insert(form.service)
            used.insert(form.operation)
            used.insert(UInt32(truncatingIfNeeded: groups.keys[index]) &- 1)
        }
        for index in 0..<edges.count {
            used.insert(UInt32(truncatingIfNeeded: edges.keys[index] >> 32))
            used.insert(UInt32(truncatingIfNeeded: edges.keys[index]))
        }
        // What stands for "none" and for "other operations".
        used.remove(.max)
        return used
    }

    private func groupTuples(_ names: TotalsNames) -> [[UInt64]] {
        (0..<groups.count).map { index in
            let form = forms[Int(groups.keys[index] >> 32)]
            let caller = UInt32(truncatingIfNeeded: groups.keys[index]) &- 1
            return [
                names.rank(form.service), names.rank(form.operation),
                UInt64(form.kind) << 2 | UInt64(form.status & 3),
                caller == CallResolver.none ? 0 : names.rank(caller) + 1,
            ]
        }
    }

    private func edgeTuples(_ names: TotalsNames) -> [[UInt64]] {
        (0..<edges.count).map { index in
            let key = edges.keys[index]
            return [
                names.rank(UInt32(truncatingIfNeeded: key >> 32)),
                names.rank(UInt32(truncatingIfNeeded: key)),
            ]
        }
    }

    /// Writes the sorted tuples; the place of each comes back.
    private func rank(_ tuples: [[UInt64]], to index: inout ByteWriter) -> [UInt64] {
        let sorted = tuples.indices.sorted { tuples[$0].lexicographicallyPrecedes(tuples[$1]) }
        index.append(varint: tuples.count)
        var ranks = [UInt64](repeating: 0, count: tuples.count)
        for (rank, tuple) in sorted.enumerated() {
            ranks[tuple] = UInt64(rank)
            for number in tuples[tuple] { index.append(varint: number) }
        }
        return ranks
    }

    private static func order(_ rows: borrowing PackedTable, _ ranks: [UInt64]) -> Order {
        let keys = (0..<rows.count).map { row in
            let key = rows.keys[row]
            return (window: key & 0xFFFF_FFFF, rank: ranks[Int(key >> 32)])
        }
        let sorted = keys.indices.sorted {
            (keys[$0].window, keys[$0].rank) < (keys[$1].window, keys[$1].rank)
        }
        var places = [UInt64](repeating: 0, count: keys.count)
        for (place, row) in sorted.enumerated() { places[row] = UInt64(place) }
        return Order(rows: sorted, ranks: places, windows: sorted.map { keys[$0].window })
    }

    /// Sorts requests by place of their row, calls and minute.
    private mutating func sortRequests(_ ranks: [UInt64]) {
        for index in requestEntries.indices {
            let entry = requestEntries[index]
            requestEntries[index] = ranks[Int(entry >> 36)] << 36 | entry & 0xF_FFFF_FFFF
        }
        requestEntries.sort()
    }

    /// Cuts the rows where a window begins, so that no page but the last is too small.
    private func pages(_ order: Order, _ requests: Order) -> [Page] {
        var pages: [Page] = []
        var first = 0
        var requestFirst = 0
        while first < order.rows.count {
            var end = min(first + Limits.totalsPageRows, order.rows.count)
            while end < order.rows.count, order.windows[end] == order.windows[end - 1] { end += 1 }
            // A request begins where one of its calls does, so its window has a row.
            var requestEnd = requestFirst
            while requestEnd < requests.rows.count,
                requests.windows[requestEnd] <= order.windows[end - 1]
            {
                requestEnd += 1
            }
            pages.append(
                Page(
                    firstWindow: order.windows[first],
                    rows: first..<end,
                    requestRows: requestFirst..<requestEnd
                )
            )
            first = end
            requestFirst = requestEnd
        }
        return pages
    }

    private func addRow(
        _ order: Order,
        _ rank: Int,
        _ groupRanks: [UInt64],
        to writer: inout TotalsPageWriter
    ) {
        let row = order.rows[rank]
        writer.add(
            window: order.windows[rank],
            group: Int(groupRanks[Int(rows.keys[row] >> 32)]),
            entries: entries.spans(of: row),
            minuteSums: (0..<10).map { sums[row * 10 + $0] },
            longest: longest[row]
        )
    }

    private func addRequestRow(
        _ order: Order,
        _ rank: Int,
        _ edgeRanks: [UInt64],
        _ next: inout Int,
        to writer: inout TotalsPageWriter
    ) {
        let row = order.rows[rank]
        var end = next
        while end < requestEntries.count, requestEntries[end] >> 36 == UInt64(rank) { end += 1 }
        writer.add(
            requestWindow: order.windows[rank],
            edge: Int(edgeRanks[Int(requestRows.keys[row] >> 32)]),
            entries: requestEntries[next..<end]
        )
        next = end
    }
}

/// The names of a section, ascending by bytes.
private struct TotalsNames {
    let texts: [[UInt8]]
    private var ranks: [UInt32: UInt64] = [:]

    init(_ used: Set<UInt32>, name: (UInt32) -> [UInt8]) {
        let sorted = used.map { (id: $0, text: name($0)) }
            .sorted { $0.text.lexicographicallyPrecedes($1.text) }
        texts = sorted.map(\.text)
        for (rank, entry) in sorted.enumerated() { ranks[entry.id] = UInt64(rank) }
    }

    /// The place of a name; the count of names for the one that stands for all others.
    func rank(_ id: UInt32) -> UInt64 { ranks[id] ?? UInt64(texts.count) }
}
