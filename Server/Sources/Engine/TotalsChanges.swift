// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// What the sections of parts do not say: the spans of the head, and what traces that lie in several
/// places change.
///
/// A section counts the spans of its part as if there were no others. Of a trace whose spans lie in
/// several places (parts, or a part and the head) a caller may be in another place, and a span may lie
/// in two: the trace's *change* takes away what each place counted and adds what the whole trace
/// counts.
/// ```
/// part 1   shop(1)              counts shop, no caller
/// part 2   stock(2 <- 1)        counts stock, no caller
/// change   - stock without caller, + stock called by shop
/// ```
/// So totals are exact at once, and merging changes nothing but where the numbers are.
struct TotalsChanges: ~Copyable {
    private struct Pair: Hashable {
        /// Numbers of two parts, the lower first.
        var first: UInt64
        var second: UInt64
    }

    private struct Change {
        /// Where the trace lay: numbers of parts; then, where it lay in the head too, the head's
        /// epoch and how many spans it had there.
        var places: [UInt64]
        var spans: [TotalsFacts.Span]
        var requests: [TotalsFacts.Request]

        var byteCount: Int {
            spans.count * MemoryLayout<TotalsFacts.Span>.stride
                + requests.count * MemoryLayout<TotalsFacts.Request>.stride
        }
    }

    /// The head's traces that a part has too.
    private struct HeadTraces {
        var epoch: UInt64
        /// How many of the head's traces were looked for.
        var looked = 0
        var found: [TraceID] = []
    }

    private var head = HeadTotals()
    /// Traces that lie in both parts of a pair. Parts never change, so this holds while they live.
    private var shared: [Pair: [TraceID]] = [:]
    /// By part.
    private var inHead: [UInt64: HeadTraces] = [:]
    private var changes: [TraceID: Change] = [:]
    private var builder = TotalsFactBuilder()
    /// By part: by the number of a form there, that of the builder.
    private var forms: [UInt64: [UInt32]] = [:]
    private static let unknown = UInt32.max

    init() {}

    /// All that belongs to spans that start in `range`, and perhaps more.
    mutating func facts(
        _ snapshot: Snapshot,
        _ range: Range<UInt64>,
        _ context: QueryContext
    ) throws -> [TotalsFacts] {
        let gatherer = TraceGatherer(snapshot, context)
        forget(except: Set(snapshot.parts.map(\.number)))
        head.follow(snapshot.head)
        defer {
            head.release()
            for session in gatherer.sessions { session.reader.release() }
        }
        var places: [TraceID: Set<Int>] = [:]
        try findShared(
            gatherer,
            {
                $0.entry.lastStart >= range.lowerBound && $0.entry.firstStart < range.upperBound
            },
            &places,
            context
        )
        try findInHead(gatherer, &places, context)
        let placesByteCount = places.count * Limits.totalsPlacesBytes
        context.budget.charge(placesByteCount)
        defer { context.budget.release(placesByteCount) }
        var result = TotalsFacts()
        // In a stated order: a simulated run must read the same bytes every time.
        for (id, sessions) in places.sorted(by: { $0.key < $1.key }) {
            let change = try change(of: id, sessions.sorted(), gatherer, context)
            result.spans += change.spans
            result.requests += change.requests
            // Held until the question is answered.
            context.budget.charge(change.byteCount)
            try context.check()
        }
        result.groups = builder.facts.groups
        result.edges = builder.facts.edges
        return [head.facts, result]
    }

    /// What is to be counted beside the sections of removed parts, so that together with what is left
    /// they say what everything said before:
    /// ```
    /// before    sections of 1, 2, 3 + changes of {1, 2, 3}
    /// after     section of 1 + corrections | sections of 2, 3 + changes of {2, 3}
    /// ```
    /// That is, changes of {1, 2, 3} less those of {2, 3}, for each trace that 1 has and others too.
    mutating func corrections(
        removing removed: Set<UInt64>,
        _ snapshot: Snapshot,
        _ context: QueryContext
    ) throws -> TotalsFacts {
        let gatherer = TraceGatherer(snapshot, context)
        let left = Snapshot(
            head: snapshot.head,
            parts: snapshot.parts.filter { !removed.contains($0.number) },
            incomplete: []
        )
        let leftContext = QueryContext(
            flag: context.flag,
            budget: QueryBudget(limit: context.budget.limit)
        )
        let leftGatherer = TraceGatherer(left, leftContext)
        var leftNumbers: [UInt64: Int] = [:]
        for (number, session) in leftGatherer.sessions.enumerated() {
            leftNumbers[session.part.number] = number
        }
        head.follow(snapshot.head)
        defer { head.release() }
        var places: [TraceID: Set<Int>] = [:]
        try findShared(gatherer, { removed.contains($0.number) }, &places, context)
        try findInHead(gatherer, &places, context)
        var result = TotalsFacts()
        for (id, sessions) in places.sorted(by: { $0.key < $1.key }) {
            let parts = sessions.sorted().map { gatherer.sessions[$0].part.number }
            guard parts.contains(where: { removed.contains($0) }) else { continue }
            let whole = try change(of: id, sessions.sorted(), gatherer, context)
            result.spans += whole.spans
            result.requests += whole.requests
            let rest = parts.compactMap { leftNumbers[$0] }
            guard rest.count + (head.spanCount(of: id) > 0 ? 1 : 0) > 1 else { continue }
            let kept = try change(of: id, rest.sorted(), leftGatherer, leftContext)
            for var span in kept.spans {
                span.times = 0 &- span.times
                result.spans.append(span)
            }
            for var request in kept.requests {
                request.times = 0 &- request.times
                result.requests.append(request)
            }
        }
        result.groups = builder.facts.groups
        result.edges = builder.facts.edges
        result.settle()
        return result
    }

    /// Drops what belongs to parts that are gone.
    private mutating func forget(except live: Set<UInt64>) {
        guard
            forms.keys.contains(where: { !live.contains($0) })
                || shared.count > live.count * live.count
        else { return }
        shared = shared.filter { live.contains($0.key.first) && live.contains($0.key.second) }
        inHead = inHead.filter { live.contains($0.key) }
        changes = [:]
        forms = [:]
        builder = TotalsFactBuilder()
    }

    // MARK: Which traces lie in several places

    /// Traces of wanted parts that other parts have too.
    private mutating func findShared(
        _ gatherer: TraceGatherer,
        _ isWanted: (Part) -> Bool,
        _ places: inout [TraceID: Set<Int>],
        _ context: QueryContext
    ) throws {
        for (number, session) in gatherer.sessions.enumerated() where isWanted(session.part) {
            for (other, otherSession) in gatherer.sessions.enumerated() where other != number {
                let a = session.part.number
                let b = otherSession.part.number
                let pair = Pair(first: min(a, b), second: max(a, b))
                if shared[pair] == nil {
                    try context.check()
                    shared[pair] = try Self.traces(in: session, and: otherSession)
                }
                for id in shared[pair] ?? [] { places[id, default: []].formUnion([number, other]) }
            }
        }
    }

    private static func traces(in a: PartSession, and b: PartSession) throws -> [TraceID] {
        let isSmaller = a.part.directory.traceCount <= b.part.directory.traceCount
        let (from, to) = isSmaller ? (a, b) : (b, a)
        var found: [TraceID] = []
        for block in from.part.directory.traceBlocks.indices {
            let lows = try from.reader.numbers(.traceLow, block)
            let candidates = lows.indices.filter { to.part.directory.filter.mayContain(lows[$0]) }
            if candidates.isEmpty { continue }
            let highs = try from.reader.numbers(.traceHigh, block)
            for index in candidates {
                let id = TraceID(high: highs[index], low: lows[index])
                if try to.find(exactly: id) != nil { found.append(id) }
            }
        }
        return found
    }

    /// Traces of the head that parts have too.
    private mutating func findInHead(
        _ gatherer: TraceGatherer,
        _ places: inout [TraceID: Set<Int>],
        _ context: QueryContext
    ) throws {
        guard !head.ids.isEmpty else { return }
        for (number, session) in gatherer.sessions.enumerated() {
            try context.check()
            let part = session.part.number
            var known = inHead[part] ?? HeadTraces(epoch: head.epoch)
            if known.epoch != head.epoch { known = HeadTraces(epoch: head.epoch) }
            for id in head.ids[known.looked...]
            where session.part.directory.filter.mayContain(id.low) {
                if try session.find(exactly: id) != nil { known.found.append(id) }
            }
            known.looked = head.ids.count
            inHead[part] = known
            for id in known.found { places[id, default: []].insert(number) }
        }
    }

    // MARK: What they change

    private mutating func change(
        of id: TraceID,
        _ sessions: [Int],
        _ gatherer: TraceGatherer,
        _ context: QueryContext
    ) throws -> Change {
        var places = sessions.map { gatherer.sessions[$0].part.number }
        let headCount = head.spanCount(of: id)
        if headCount > 0 { places += [.max, head.epoch, UInt64(headCount)] }
        if let known = changes[id], known.places == places { return known }
        try context.check()
        // A read that failed in the middle of a trace left half of it.
        builder.dropOpen()
        var all: [(span: TracedSpan, form: UInt32)] = []
        for number in sessions {
            let own = try spans(of: id, gatherer.sessions[number], table: UInt32(number))
            for (span, form) in own { builder.add(span, form: form) }
            builder.endTrace(times: -1)
            all += own
        }
        if headCount > 0 {
            let table = UInt32(gatherer.sessions.count)
            for (span, group) in head.spans(of: id) {
                var span = span
                span.place.table = table
                let form = builder.form(group)
                builder.add(span, form: form)
                all.append((span, form))
            }
            builder.endTrace(times: -1)
        }
        all.sort { TracedSpan.isBefore($0.span, $1.span) }
        if Self.hasDoubles(all.map(\.span)) {
            // Content decides whether they are one: now it is worth reading.
            let gathered = try gatherer.gather(id)
            for place in gathered.rows {
                let table = gathered.tables[Int(place.table)]
                let form = builder.form(TotalsFacts.Group(place, table))
                builder.add(TracedSpan(place, table), form: form)
            }
        } else {
            for (span, form) in all { builder.add(span, form: form) }
        }
        builder.endTrace(times: 1)
        builder.settle()
        let (spans, requests) = builder.takeFacts()
        let made = Change(places: places, spans: spans, requests: requests)
        if changes.count >= Limits.totalsChanges { changes = [:] }
        changes[id] = made
        return made
    }

    /// Whether two spans of different places could be the same; sorted spans.
    private static func hasDoubles(_ spans: [TracedSpan]) -> Bool {
        zip(spans, spans.dropFirst()).contains {
            $0.spanID == $1.spanID && $0.start == $1.start && $0.place.table != $1.place.table
        }
    }

    /// The spans of a trace in one part, in order.
    private mutating func spans(
        of id: TraceID,
        _ session: PartSession,
        table: UInt32
    ) throws -> [(span: TracedSpan, form: UInt32)] {
        guard let trace = try session.find(exactly: id) else { return [] }
        let part = session.part
        let vocabulary = try session.reader.vocabulary
        var known =
            forms[part.number]
            ?? Array(repeating: Self.unknown, count: vocabulary.forms.count)
        var result: [(span: TracedSpan, form: UInt32)] = []
        let blockRows = part.directory.blockRows
        var row = trace.rows.lowerBound
        while row < trace.rows.upperBound {
            let block = row / blockRows
            let base = block * blockRows
            let rows = row - base..<min(trace.rows.upperBound - base, blockRows)
            let ids = try session.reader.numbers(.spanID, block)
            let starts = try session.reader.starts(of: trace, block)
            let durations = try session.reader.packed(.duration, block).values(rows)
            let endsEarly = try session.reader.packed(.endsEarly, block).values(rows)
            let own = try session.reader.packed(.form, block).values(rows)
            let marks = try session.reader.packed(.marks, block).values(rows)
            let parents = try session.reader.parentIDs(rows, block)
            for (index, local) in rows.enumerated() {
                guard own[index] < UInt64(known.count) else {
                    throw part.damage("a form is out of range")
                }
                let number = Int(own[index])
                if known[number] == Self.unknown {
                    let form = vocabulary.forms[number]
                    known[number] = builder.form(
                        service: vocabulary.text(form.service),
                        operation: vocabulary.text(form.name),
                        kind: form.kind,
                        status: form.status
                    )
                }
                let span = TracedSpan(
                    SpanReference(table: table, row: UInt32(base + local)),
                    spanID: ids[local],
                    parentID: parents[index],
                    start: starts[index],
                    duration: endsEarly[index] == 0 ? durations[index] : 0,
                    isShared: marks[index] & UInt64(SpanMarks.shared.rawValue) != 0
                )
                result.append((span, known[number]))
            }
            row = base + rows.upperBound
        }
        forms[part.number] = known
        return result
    }
}
