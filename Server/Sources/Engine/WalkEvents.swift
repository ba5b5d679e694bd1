// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Copies the events of spans of one part into one batch of a walk.
struct WalkEvents {
    private let session: PartSession
    private let vocabulary: Vocabulary
    private var attributes: WalkAttributes?
    /// Bytes of memory that texts of attributes take.
    var byteCount: Int { attributes?.byteCount ?? 0 }

    /// - Parameter keys: of the attributes that are read; `nil` for none.
    init(_ keys: WalkKeys?, _ session: PartSession, _ vocabulary: Vocabulary) {
        self.session = session
        self.vocabulary = vocabulary
        attributes = keys.map { WalkAttributes(.events, $0, session, vocabulary) }
    }

    /// Appends the events of the spans in `runs` and returns a run of them for each span.
    ///
    /// - Parameter place: where the first of the spans stands in `target`.
    mutating func append(
        _ runs: [Range<Int>],
        _ block: Int,
        _ place: Int,
        _ target: inout SpanColumns,
        _ carrier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        let total = session.part.directory.blocks[block].eventCount
        let children = try session.children(.eventCount, runs, block, total)
        if children.owned.isEmpty { return children.none }
        let end = children.owned.last?.upperBound ?? 0
        let forms = try session.reader.packed(.eventForm, block).values(0..<end)
        guard forms.allSatisfy({ $0 < UInt64(vocabulary.eventForms.count) }) else {
            throw session.part.damage("a form is out of range")
        }
        let times = try session.reader.packed(.eventTime, block).values(0..<end)
        let values = try attributes?.append(forms, children.owned, block, &target, &carrier)
        var result: [Run] = []
        result.reserveCapacity(children.counts.count)
        var next = 0
        var events = children.owned.joined().makeIterator()
        for (span, count) in children.counts.enumerated() {
            let first = target.events.count
            let start = target.start[place + span]
            for _ in 0..<count {
                guard let event = events.next() else { break }
                let form = vocabulary.eventForms[Int(forms[event])]
                target.events.append(
                    time: start &+ Zigzag.decode(times[event]),
                    name: carrier.string(form.name, vocabulary.shared.columns, &target),
                    attributes: values?[next] ?? .empty,
                    dropped: form.dropped
                )
                next += 1
            }
            result.append(Run(first: UInt32(first), count: UInt32(count)))
        }
        return result
    }
}

/// Copies the links of spans of one part into one batch of a walk.
struct WalkLinks {
    private let session: PartSession
    private var attributes: WalkAttributes?
    /// Bytes of memory that texts of attributes take.
    var byteCount: Int { attributes?.byteCount ?? 0 }

    /// - Parameter keys: of the attributes that are read; `nil` for none.
    init(_ keys: WalkKeys?, _ session: PartSession, _ vocabulary: Vocabulary) {
        self.session = session
        attributes = keys.map { WalkAttributes(.links, $0, session, vocabulary) }
    }

    /// Appends the links of the spans in `runs` and returns a run of them for each span.
    ///
    /// - Parameter place: where the first of the spans stands in `target`.
    mutating func append(
        _ runs: [Range<Int>],
        _ block: Int,
        _ place: Int,
        _ target: inout SpanColumns,
        _ carrier: inout SpanCopier
    ) throws(PartDamage) -> [Run] {
        let total = session.part.directory.blocks[block].linkCount
        let children = try session.children(.linkCount, runs, block, total)
        if children.owned.isEmpty { return children.none }
        let states = try session.strings(.linkTraceState, children.owned, block, &target.strings)
        let flags = try session.reader.packed(.linkFlags, block)
        let dropped = try session.reader.packed(.linkDropped, block)
        let end = children.owned.last?.upperBound ?? 0
        let shapes = try session.reader.packed(.linkShape, block).values(0..<end)
        let values = try attributes?.append(shapes, children.owned, block, &target, &carrier)
        var targets = try LinkTargets(session, block, end)
        let base = block * session.part.directory.blockRows
        var result: [Run] = []
        result.reserveCapacity(children.counts.count)
        var next = 0
        var links = children.owned.joined().makeIterator()
        for (span, row) in runs.joined().enumerated() {
            let first = target.links.count
            let own = TraceID(
                high: target.traceHigh[place + span],
                low: target.traceLow[place + span]
            )
            for _ in 0..<children.counts[span] {
                guard let link = links.next() else { break }
                let (trace, id) = try targets.next(link, own, base + row, &session.reader)
                target.links.append(
                    traceID: trace,
                    spanID: SpanID(id),
                    traceState: states[next],
                    flags: UInt32(truncatingIfNeeded: flags[link]),
                    attributes: values?[next] ?? .empty,
                    dropped: UInt32(truncatingIfNeeded: dropped[link])
                )
                next += 1
            }
            result.append(Run(first: UInt32(first), count: UInt32(children.counts[span])))
        }
        return result
    }
}

/// What the links of a block point to, read in their order.
private struct LinkTargets {
    private let block: Int
    private let codes: [UInt64]
    /// The link to be looked at next.
    private var position = 0
    /// Links before it that point to other traces, and those whose target is not in the part.
    private var foreign = 0
    private var strangers = 0

    init(_ session: PartSession, _ block: Int, _ end: Int) throws(PartDamage) {
        self.block = block
        codes = try session.reader.packed(.linkTarget, block).values(0..<end)
    }

    /// What `link`, which is not before one that was asked for, points to.
    mutating func next(
        _ link: Int,
        _ own: TraceID,
        _ row: Int,
        _ reader: inout PartReader
    ) throws(PartDamage) -> (trace: TraceID, span: UInt64) {
        for code in codes[position..<link] where code < 2 {
            strangers += 1
            if code == 0 { foreign += 1 }
        }
        position = link + 1
        let code = codes[link]
        if code >= 2 { return (own, try reader.spanID(code, from: row)) }
        var trace = own
        if code == 0 {
            trace = TraceID(
                high: try reader.linked(.linkTraceHigh, foreign, block),
                low: try reader.linked(.linkTraceLow, foreign, block)
            )
            foreign += 1
        }
        strangers += 1
        return (trace, try reader.linked(.linkSpanID, strangers - 1, block))
    }
}

/// Events or links of some spans of a block.
private struct Children {
    /// By span.
    var counts: [Int]
    /// Their rows among the block's.
    var owned: [Range<Int>]

    /// The runs of spans that have none.
    var none: [Run] { Array(repeating: .empty, count: counts.count) }
}

extension PartSession {
    /// The events or links of the spans in `runs`, of `total` that the block has.
    fileprivate func children(
        _ field: PartField,
        _ runs: [Range<Int>],
        _ block: Int,
        _ total: Int
    ) throws(PartDamage) -> Children {
        var children = Children(counts: [], owned: [])
        let count = runs.reduce(0) { $0 + $1.count }
        if total == 0 {
            children.counts = Array(repeating: 0, count: count)
            return children
        }
        children.counts.reserveCapacity(count)
        let end = runs.last?.upperBound ?? 0
        let counts = try reader.packed(field, block).values(0..<end)
        var seen = 0
        var first: UInt64 = 0
        for run in runs {
            for row in seen..<run.lowerBound { first &+= min(counts[row], 1 << 32) }
            var next = first
            for row in run {
                next &+= min(counts[row], 1 << 32)
                guard next <= UInt64(total) else {
                    throw part.damage("events or links are missing")
                }
                children.counts.append(Int(counts[row]))
            }
            if next > first { children.owned.append(Int(first)..<Int(next)) }
            first = next
            seen = run.upperBound
        }
        return children
    }

    /// Texts of a field, as strings of a batch: of rows of its table in `runs`.
    func strings(
        _ field: PartField,
        _ runs: [Range<Int>],
        _ block: Int,
        _ target: inout StringTable
    ) throws(PartDamage) -> [UInt32] {
        let column = Int(field.rawValue)
        let info = part.directory.columns[column]
        // With a dictionary no chunk means its first text.
        if info.chunks[block].isNone, !info.hasDictionary {
            return Array(repeating: 0, count: runs.reduce(0) { $0 + $1.count })
        }
        let texts = try reader.texts(column: column, block)
        var ids: [UInt32] = []
        var known: [UInt64: UInt32] = [:]
        for row in runs.joined() {
            guard texts.hasDictionary else {
                ids.append(texts.withBytes(row) { target.intern($0) })
                continue
            }
            let code = texts.id(row)
            if let id = known[code] {
                ids.append(id)
            } else {
                let id = try reader.dictionaryText(column, code) { target.intern($0) }
                known[code] = id
                ids.append(id)
            }
        }
        return ids
    }
}
