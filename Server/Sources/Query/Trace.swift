// SPDX-License-Identifier: Apache-2.0

public import Analysis
public import SkeinModel
public import Store

/// One trace, arranged for a reader: depth first, clocks corrected, shared spans apart.
///
/// The stored spans stay as they came (`spans`); what the adjusters changed stands in `frame`.
public final class Trace: Sendable {
    /// What the store gave; may hold other traces too.
    public let spans: TraceSpans
    public let traceID: TraceID
    /// Rows of `spans.columns` that are this trace, in its order (by start, then id): row `i` here
    /// is row `i` of `frame`.
    public let rows: [Int]
    /// All rows of `spans.columns` that carry the trace's id, repeated spans among them.
    public let storedRows: Range<Int>
    public let frame: SpanFrame
    public let tree: TraceTree
    /// Whether every span is told as it was sent.
    public let isRaw: Bool

    /// The run of one trace in columns sorted by trace id.
    struct Group {
        var traceID: TraceID
        var rows: Range<Int>
    }

    /// Finds where each trace begins and ends.
    static func groups(in columns: borrowing SpanColumns) -> [Group] {
        var groups: [Group] = []
        var start = 0
        for row in 0..<columns.count {
            let isLast =
                row + 1 == columns.count
                || columns.traceLow[row + 1] != columns.traceLow[row]
                || columns.traceHigh[row + 1] != columns.traceHigh[row]
            guard isLast else { continue }
            let id = TraceID(high: columns.traceHigh[row], low: columns.traceLow[row])
            groups.append(Group(traceID: id, rows: start..<row + 1))
            start = row + 1
        }
        return groups
    }

    /// Arranges `rows`, which are one trace. `isRaw` leaves every span as it was sent.
    init(spans: TraceSpans, rows: Range<Int>, isRaw: Bool) {
        self.spans = spans
        self.isRaw = isRaw
        storedRows = rows
        let first = rows.lowerBound
        traceID = TraceID(
            high: spans.columns.traceHigh[first],
            low: spans.columns.traceLow[first]
        )
        self.rows = isRaw ? Array(rows) : spans.columns.withoutDuplicates(rows)
        var frame = spans.columns.frame(self.rows)
        if isRaw {
            self.frame = frame
            tree = TraceTree(frame)
        } else {
            frame.placeUntimedSpans()
            frame.separateSharedSpans()
            frame.warnDuplicateIDs()
            let sent = TraceTree(frame)
            frame.correctClockSkew(sent)
            let isMoved = frame.clockShift.contains { $0 != 0 }
            self.frame = frame
            tree = isMoved ? TraceTree(frame) : sent
        }
    }

    /// Spans.
    public var count: Int { rows.count }

    /// The row of `spans.columns` at display place `place`.
    public func columnsRow(_ place: Int) -> Int { rows[tree.order[place]] }

    /// Earliest start, nanoseconds since 1970.
    public var start: UInt64 { frame.start.min() ?? 0 }

    /// Latest end, nanoseconds since 1970.
    public var end: UInt64 { frame.end.max() ?? 0 }

    /// Warnings of all spans, in display order, each with the span's id.
    public var warnings: [String] {
        guard !frame.warnings.isEmpty else { return [] }
        return tree.order.flatMap { row in
            (frame.warnings[row] ?? []).map { "span \(Hex.text(frame.spanID[row])): \($0)" }
        }
    }
}

extension SpanColumns {
    /// The frame of `rows`.
    func frame(_ rows: [Int]) -> SpanFrame {
        var hosts = HostNumbers()
        var frame = SpanFrame(
            spanID: rows.map { spanID[$0] },
            parentID: rows.map { parentID[$0] },
            start: rows.map { start[$0] },
            end: rows.map { end[$0] },
            kind: rows.map { SpanKind(rawValue: kind[$0]) ?? .unspecified },
            service: rows.map { service($0) },
            host: rows.map { hosts.number(ofResource: resource[$0], in: self) }
        )
        frame.untimed = rows.indices.filter {
            SpanMarks(rawValue: marks[rows[$0]]).contains(.startMissing)
        }
        return frame
    }
}

/// A number for the host of a resource: `host.id`, else `host.ip`, else `host.name`, else the
/// address a Zipkin client gives for its own end.
private struct HostNumbers {
    private var numbers: [AttributeValue.KeyValue: UInt32] = [:]
    /// Only resources of the trace at hand are looked at: the columns may hold a thousand others.
    private var known: [UInt32: UInt32?] = [:]
    /// Neighbours often share one.
    private var last: (resource: UInt32, number: UInt32?)?

    mutating func number(
        ofResource resource: UInt32,
        in columns: borrowing SpanColumns
    ) -> UInt32? {
        if let last, last.resource == resource { return last.number }
        let number = known[resource] ?? read(resource, columns)
        last = (resource, number)
        return number
    }

    private mutating func read(_ resource: UInt32, _ columns: borrowing SpanColumns) -> UInt32? {
        let attributes = columns.keyValues(columns.resources.attributes[Int(resource)])
        let host = ["host.id", "host.ip", "host.name", "network.local.address"].lazy
            .compactMap { key in attributes.first { $0.key == key } }
            .first
        let number = host.map { numbers[$0] ?? UInt32(numbers.count) }
        if let host { numbers[host] = number }
        known[resource] = .some(number)
        return number
    }
}

extension SpanFrame {
    fileprivate mutating func warnDuplicateIDs() {
        for row in SpanRows(spanID).repeats {
            warn(row, "another span of this trace has the same span ID")
        }
    }
}
