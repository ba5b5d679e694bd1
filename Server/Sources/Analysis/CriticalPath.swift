// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Which span the answer was waiting for, at every instant of the root's duration.
///
/// The walk goes back from the end of the root, as Google's critical path tracing and Uber's CRISP do.
/// Inside a span, at time `t`, the child that finished last at or before `t` decides: between its end
/// and `t` the span itself was at work, before that the path is the child's, and it goes on in the
/// span at the child's start. What else ran at that time was not waited for.
/// ```
/// root   ├──────────────────────┤
/// a        ├────┤                      the path:  root a root c root
/// b           ├─────┤                  b overlaps c, and the last to finish, c, decides
/// c               ├──────────┤
/// ```
/// Exactly:
/// - A child counts only inside its parent, and inside what of its parent is on the path: what hangs
///   out is cut off. One of no length then is no candidate.
/// - A child that outlasts its parent was not waited for (*asynchronous*) when more of it lies after
///   the parent's end than inside, and is no candidate, nor is what hangs below it. A server's span
///   below its client's is never asynchronous: the client waited until it gave up.
/// - A child that ends after `t` is no candidate, unless by at most a hundredth of its own duration:
///   so much clocks differ. It then counts as ended at `t`.
/// - Of children that ended together the one that started first decides, then the one displayed first.
///
/// Each connected piece of the trace has a path of its own, which covers each instant of the piece's
/// root exactly once. The *main* piece is the one with the longest root. Work is linear after sorting
/// the children of each span on a path by their ends.
public struct CriticalPath: Sendable {
    /// A stretch of time in which the span itself decided.
    public struct Segment: Sendable, Equatable {
        public var place: Int
        /// Nanoseconds since 1970.
        public var from: UInt64
        public var to: UInt64

        /// Names a stretch of a span.
        public init(place: Int, from: UInt64, to: UInt64) {
            self.place = place
            self.from = from
            self.to = to
        }
    }

    /// The path of one connected piece.
    public struct Piece: Sendable, Equatable {
        public var root: Int
        /// Of `CriticalPath.segments`; empty for a root of no duration.
        public var segments: Range<Int>
    }

    /// Piece by piece, each in order of time.
    public let segments: [Segment]
    /// In order of their roots.
    public let pieces: [Piece]
    /// The number of the main piece; `nil` for a trace without spans.
    public let main: Int?
    /// By place: nanoseconds in which the span itself decided, in the path of its piece.
    public let time: [UInt64]

    /// Walks every piece of `trace`.
    public init(_ trace: PlacedTrace) {
        var walk = Walk(trace)
        var pieces: [Piece] = []
        pieces.reserveCapacity(trace.roots.count)
        var main: Int?
        for root in trace.roots.lazy.map({ Int($0) }) {
            let first = walk.segments.count
            walk.descend(from: root)
            walk.segments[first...].reverse()
            let isLonger = main.map { trace.duration(root) > trace.duration(pieces[$0].root) }
            if isLonger ?? true { main = pieces.count }
            pieces.append(Piece(root: root, segments: first..<walk.segments.count))
        }
        segments = walk.segments
        self.pieces = pieces
        self.main = main
        time = walk.time
    }

    /// The root of the main piece.
    public var root: Int? { main.map { pieces[$0].root } }

    /// The path of the main piece.
    public var mainSegments: ArraySlice<Segment> {
        segments[main.map { pieces[$0].segments } ?? 0..<0]
    }
}

/// The walk back, with a stack of its own. Segments come out last first.
private struct Walk {
    let trace: PlacedTrace
    var segments: [CriticalPath.Segment] = []
    var time: [UInt64]
    /// The trace's child lists; those of visited spans are put last-finished first.
    private var children: [Int32]

    /// A span on the path.
    private struct Level {
        let place: Int
        /// What of the span is on the path.
        let low: UInt64
        let high: UInt64
        /// Down to where the path is known.
        var time: UInt64
        /// Children yet to look at.
        var rest: Range<Int>
    }

    init(_ trace: PlacedTrace) {
        self.trace = trace
        time = Array(repeating: 0, count: trace.count)
        children = trace.children
        segments.reserveCapacity(trace.count)
    }

    mutating func descend(from root: Int) {
        var stack = [level(root, from: trace.start[root], to: trace.end[root])]
        while var level = stack.popLast() {
            guard let (child, from, to) = nextChild(&level) else {
                add(level.place, level.low, level.time)
                continue
            }
            add(level.place, to, level.time)
            level.time = from
            stack.append(level)
            stack.append(self.level(child, from: from, to: to))
        }
    }

    private mutating func add(_ place: Int, _ from: UInt64, _ to: UInt64) {
        guard from < to else { return }
        segments.append(.init(place: place, from: from, to: to))
        time[place] += to - from
    }

    private mutating func level(_ place: Int, from low: UInt64, to high: UInt64) -> Level {
        let range = Int(trace.firstChild[place])..<Int(trace.firstChild[place + 1])
        arrange(range, high)
        return Level(place: place, low: low, high: high, time: high, rest: range)
    }

    /// Puts the children last-finished first, seen from `high`.
    private mutating func arrange(_ range: Range<Int>, _ high: UInt64) {
        guard range.count > 1 else { return }
        let (start, end) = (trace.start, trace.end)
        let isBefore: (Int32, Int32) -> Bool = { left, right in
            let (a, b) = (Int(left), Int(right))
            let (endOfA, endOfB) = (min(end[a], high), min(end[b], high))
            if endOfA != endOfB { return endOfA > endOfB }
            return start[a] != start[b] ? start[a] < start[b] : a < b
        }
        children[range].reverse()
        // Calls one after another, the most common case, stand right already.
        for place in range.dropFirst() where isBefore(children[place], children[place - 1]) {
            let sorted = children[range].sorted(by: isBefore)
            children.replaceSubrange(range, with: sorted)
            return
        }
    }

    /// The child that decides before `level.time`, and what of it is on the path.
    private func nextChild(_ level: inout Level) -> (place: Int, from: UInt64, to: UInt64)? {
        while let next = level.rest.first {
            level.rest.removeFirst()
            let child = Int(children[next])
            let from = max(trace.start[child], level.low)
            var to = min(trace.end[child], level.high)
            // Times of candidates only fall: what is passed over now would be later, too.
            guard from < level.time, from < to, !isAsynchronous(child, level.place) else {
                continue
            }
            if to > level.time {
                guard to - level.time <= trace.duration(child) / 100 else { continue }
                to = level.time
            }
            return (child, from, to)
        }
        return nil
    }

    private func isAsynchronous(_ child: Int, _ parent: Int) -> Bool {
        guard trace.end[child] > trace.end[parent] else { return false }
        if trace.kind[child] == .server, trace.kind[parent] == .client { return false }
        let outside = trace.end[child] - trace.end[parent]
        let begin = max(trace.start[child], trace.start[parent])
        return begin >= trace.end[parent] || outside > trace.end[parent] - begin
    }
}
