// SPDX-License-Identifier: Apache-2.0

extension SpanFrame {
    /// Places spans that were sent without a start, which were stored with the time of receiving.
    ///
    /// A Zipkin client may send a part of a span, its tags say, without repeating its times. Such a
    /// span stands where another of its id begins, first one of its own service; else where the
    /// nearest span above it with a time does; else where the trace does. Its length stays. Where no
    /// span of the trace has a time, all stay as they are.
    public mutating func placeUntimedSpans() {
        guard !untimed.isEmpty, untimed.count < count else { return }
        let places = TimedPlaces(self)
        for row in untimed {
            let (start, what) = places.place(of: row, in: self)
            let length = end[row] - self.start[row]
            self.start[row] = start
            end[row] = saturatingSum(start, length)
            warn(row, "no start was sent; the span is shown from the start of \(what)")
        }
    }
}

/// Where the timed spans of a trace begin.
private struct TimedPlaces {
    private struct Twin: Hashable {
        var spanID: UInt64
        var service: UInt32
    }

    private var startOfTwin: [Twin: UInt64] = [:]
    private var start: [UInt64: UInt64] = [:]
    /// Of ids of which no span has a time.
    private var parentOf: [UInt64: UInt64] = [:]
    private var traceStart = UInt64.max

    init(_ frame: SpanFrame) {
        var isUntimed = [Bool](repeating: false, count: frame.count)
        for row in frame.untimed { isUntimed[row] = true }
        for row in 0..<frame.count where !isUntimed[row] {
            let (id, begin) = (frame.spanID[row], frame.start[row])
            startOfTwin[Twin(spanID: id, service: frame.service[row]), default: .max].lower(
                to: begin
            )
            start[id, default: .max].lower(to: begin)
            traceStart.lower(to: begin)
        }
        for row in frame.untimed where start[frame.spanID[row]] == nil {
            parentOf[frame.spanID[row]] = frame.parentID[row]
        }
        settleChains()
    }

    func place(of row: Int, in frame: SpanFrame) -> (start: UInt64, what: String) {
        let id = frame.spanID[row]
        let twin = startOfTwin[Twin(spanID: id, service: frame.service[row])]
        if parentOf[id] == nil, let start = twin ?? start[id] {
            return (start, "the span of the same ID")
        }
        if let start = start[frame.parentID[row]] { return (start, "the span above it") }
        return (traceStart, "the trace")
    }

    /// Gives untimed ids the start of the nearest timed one above them, each id once.
    private mutating func settleChains() {
        for id in parentOf.keys where start[id] == nil {
            var chain: [UInt64] = []
            var above = id
            while start[above] == nil, let next = parentOf[above] {
                chain.append(above)
                // Also ends the way around a circle.
                start[above] = traceStart
                above = next
            }
            let found = start[above] ?? traceStart
            for id in chain { start[id] = found }
        }
    }
}

extension UInt64 {
    fileprivate mutating func lower(to other: UInt64) { if other < self { self = other } }
}
