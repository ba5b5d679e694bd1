// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The totals of one tenant's head, kept up to date at each question: only batches that came since
/// are looked at, and the traces that they touch are counted anew.
struct HeadTotals: ~Copyable {
    /// Changes whenever everything begins anew.
    private(set) var epoch: UInt64 = 0
    /// Traces in order of appearance.
    private(set) var ids: [TraceID] = []
    /// Of the batches that were counted. Batches themselves are held only while a question is
    /// answered: a flushed head must not stay in memory for this.
    private var sequences: [UInt64] = []
    private var tables: [SpanTable] = []
    /// By batch and row: the form's number.
    private var forms: [[UInt32]] = []
    private var numbers: [TraceID: Int] = [:]
    /// By trace.
    private var rows: [[SpanReference]] = []
    private var builder = TotalsFactBuilder()
    private var rowCount = 0

    init() {}

    var facts: TotalsFacts { builder.facts }

    /// Whether `other` is what was counted, or that with newer batches behind it.
    private func isBehind(_ other: [HeadBatch]) -> Bool {
        guard let first = sequences.first, let last = sequences.last else { return true }
        return other.count >= sequences.count && other[0].sequence == first
            && other[sequences.count - 1].sequence == last
    }

    /// Counts the batches that are new in `all`; begins anew where others are gone (flushed, or `all`
    /// is the older snapshot of a question that was overtaken).
    mutating func follow(_ all: [HeadBatch]) {
        if !isBehind(all) || builder.facts.spans.count > 2 * rowCount + 10_000 { restart() }
        tables = all.map(\.table)
        var touched: [Int: Int] = [:]
        for batch in all[sequences.count...] { add(batch, &touched) }
        for (trace, oldCount) in touched {
            if oldCount > 0 { count(rows[trace][..<oldCount], times: -1) }
            count(rows[trace][...], times: 1)
            builder.settle()
        }
    }

    /// Lets go of the batches: the question is answered.
    mutating func release() { tables = [] }

    private mutating func restart() {
        let next = epoch + 1
        self = HeadTotals()
        epoch = next
    }

    /// - Parameter touched: by trace, how many rows it had before.
    private mutating func add(_ batch: HeadBatch, _ touched: inout [Int: Int]) {
        let table = batch.table
        var pairs = PackedTable()
        var known: [UInt64: UInt32] = [:]
        var own: [UInt32] = []
        own.reserveCapacity(table.columns.count)
        var last: (id: TraceID, number: Int)?
        for row in 0..<table.columns.count {
            let service = table.columns.service(row)
            let name = table.columns.name[row]
            let kind = table.columns.kind[row]
            let status = table.columns.status[row]
            let pair = pairs.insert(UInt64(service) << 32 | UInt64(name)).index
            let key = UInt64(pair) << 16 | UInt64(kind) << 8 | UInt64(status)
            let form =
                known[key]
                ?? builder.form(
                    service: table.columns.strings.text(service),
                    operation: table.columns.strings.text(name),
                    kind: kind,
                    status: status
                )
            known[key] = form
            own.append(form)
            let id = TraceID(high: table.columns.traceHigh[row], low: table.columns.traceLow[row])
            let number = last?.id == id ? last?.number ?? 0 : number(of: id)
            last = (id, number)
            if touched[number] == nil { touched[number] = rows[number].count }
            rows[number].append(
                SpanReference(table: UInt32(sequences.count), row: UInt32(row))
            )
        }
        rowCount += table.columns.count
        forms.append(own)
        sequences.append(batch.sequence)
    }

    private mutating func number(of id: TraceID) -> Int {
        if let known = numbers[id] { return known }
        numbers[id] = ids.count
        ids.append(id)
        rows.append([])
        return ids.count - 1
    }

    private mutating func count(_ rows: ArraySlice<SpanReference>, times: Int32) {
        for span in spans(rows) { builder.add(span, form: forms(span.place)) }
        builder.endTrace(times: times)
    }

    private func forms(_ place: SpanReference) -> UInt32 { forms[Int(place.table)][Int(place.row)] }

    private func spans(_ rows: ArraySlice<SpanReference>) -> [TracedSpan] {
        SpanSorting.sorted(Array(rows), of: tables, by: .highFirst).map {
            TracedSpan($0, tables[Int($0.table)])
        }
    }

    /// How many spans of a trace were counted, exact duplicates included.
    func spanCount(of id: TraceID) -> Int { numbers[id].map { rows[$0].count } ?? 0 }

    /// The spans of a trace in order, with what tells their forms.
    func spans(of id: TraceID) -> [(span: TracedSpan, group: TotalsFacts.Group)] {
        guard let number = numbers[id] else { return [] }
        return spans(rows[number][...]).map { span in
            (span, TotalsFacts.Group(span.place, tables[Int(span.place.table)]))
        }
    }
}

/// What of a span tells who called whom, and how long it took.
struct TracedSpan {
    var place: SpanReference
    var spanID: UInt64
    var parentID: UInt64
    var start: UInt64
    var duration: UInt64
    var isShared: Bool

    init(
        _ place: SpanReference,
        spanID: UInt64,
        parentID: UInt64,
        start: UInt64,
        duration: UInt64,
        isShared: Bool
    ) {
        self.place = place
        self.spanID = spanID
        self.parentID = parentID
        self.start = start
        self.duration = duration
        self.isShared = isShared
    }

    /// The row `place` of its table.
    init(_ place: SpanReference, _ table: SpanTable) {
        let row = Int(place.row)
        self.place = place
        spanID = table.columns.spanID[row]
        parentID = table.columns.parentID[row]
        start = table.columns.start[row]
        duration = table.columns.duration(row)
        isShared = SpanMarks(rawValue: table.columns.marks[row]).contains(.shared)
    }

    /// The order of answers and parts, but for spans of the same start and id.
    static func isBefore(_ a: TracedSpan, _ b: TracedSpan) -> Bool {
        a.start == b.start ? a.spanID < b.spanID : a.start < b.start
    }
}

extension TotalsFacts.Group {
    /// What the row `place` of its table is counted as, its caller left open.
    init(_ place: SpanReference, _ table: SpanTable) {
        let row = Int(place.row)
        service = table.columns.strings.text(table.columns.service(row))
        operation = table.columns.strings.text(table.columns.name[row])
        kind = table.columns.kind[row]
        status = table.columns.status[row]
        caller = nil
    }
}

extension TotalsFactBuilder {
    /// Adds a span of the trace in hand.
    mutating func add(_ span: TracedSpan, form: UInt32) {
        add(
            form: form,
            spanID: span.spanID,
            parentID: span.parentID,
            start: span.start,
            duration: span.duration,
            isShared: span.isShared
        )
    }

    /// The number of a form for `add`.
    mutating func form(_ group: TotalsFacts.Group) -> UInt32 {
        form(
            service: group.service,
            operation: group.operation,
            kind: group.kind,
            status: group.status
        )
    }
}
