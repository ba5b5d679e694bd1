// SPDX-License-Identifier: Apache-2.0

/// One span as an outline sees it. Outlines take spans in display order (`TraceTree`): each parent
/// before its children, the descendants of a span right after it, siblings by start.
public struct OutlineSpan: Sendable, Equatable {
    /// The place of the parent, -1 for a root.
    public var parent: Int
    /// Nanoseconds after any common moment.
    public var start: UInt64
    /// Nanoseconds, not before `start`.
    public var end: UInt64
    /// Spans are alike when their labels are equal, and those of their descendants.
    public var label: UInt64

    /// Describes a span.
    public init(parent: Int, start: UInt64, end: UInt64, label: UInt64) {
        self.parent = parent
        self.start = start
        self.end = max(start, end)
        self.label = label
    }
}

/// What a reader is shown of a trace: its spans, but of many siblings that are alike the first few.
///
/// ```
/// buy                 place 0
/// ├ SELECT item       place 1
/// ├ SELECT item       place 2
/// ├ SELECT item       place 3
/// ├ … 48 more         Alike: 48 siblings
/// └ charge            place 52
/// ```
public struct TraceOutline: Sendable {
    /// One line, in display order.
    public struct Line: Sendable, Equatable {
        /// The place of the span; for siblings told together that of the first of them.
        public var place: Int
        /// The place of the parent, -1 for a root.
        public var parent: Int
        /// Steps from the root.
        public var depth: Int
        /// Whether no later line has the same parent.
        public var isLast: Bool
        /// The siblings told together; `nil` for a span.
        public var alike: Alike?
    }

    /// Siblings told together.
    public struct Alike: Sendable, Equatable {
        public var siblingCount: Int
        /// With their descendants.
        public var spanCount: Int
        /// Nanoseconds.
        public var shortest: UInt64
        public var longest: UInt64
        /// The first start and the last end.
        public var start: UInt64
        public var end: UInt64
    }

    /// The lines of all spans.
    public let lines: [Line]

    /// Outlines `spans`; `tellsTogether` is false where each is to have a line of its own.
    public init(_ spans: [OutlineSpan], tellsTogether: Bool = true) {
        let shapes = Shapes(spans)
        var groups = Groups(spans, shapes.shape, isUsed: tellsTogether)
        var depth = Array(repeating: 0, count: spans.count)
        var lines: [Line] = []
        var place = 0
        while place < spans.count {
            let parent = spans[place].parent
            if parent >= 0 { depth[place] = depth[parent] + 1 }
            if let group = groups.next(place) {
                let span = spans[place]
                if let line = groups.line[group] {
                    lines[line].alike?.add(span, shapes.spanCount[place])
                } else {
                    groups.line[group] = lines.count
                    lines.append(
                        Line(
                            place: place,
                            parent: parent,
                            depth: depth[place],
                            isLast: false,
                            alike: Alike(span, shapes.spanCount[place])
                        )
                    )
                }
                place += shapes.spanCount[place]
            } else {
                lines.append(
                    Line(place: place, parent: parent, depth: depth[place], isLast: false)
                )
                place += 1
            }
        }
        var seen: Set<Int> = []
        for line in lines.indices.reversed() {
            lines[line].isLast = seen.insert(lines[line].parent).inserted
        }
        self.lines = lines
    }

    /// By place: nanoseconds of the span in which none of its children ran.
    public static func selfTimes(_ spans: [OutlineSpan]) -> [UInt64] {
        var left = spans.map { $0.end - $0.start }
        // Siblings come by start: what is covered of a parent so far ends at one moment.
        var coveredUntil = spans.map(\.start)
        for span in spans where span.parent >= 0 {
            let from = max(span.start, coveredUntil[span.parent])
            let until = min(span.end, spans[span.parent].end)
            guard until > from else { continue }
            left[span.parent] -= until - from
            coveredUntil[span.parent] = until
        }
        return left
    }

    /// Of each subtree a number that is equal for equal ones, and its size.
    private struct Shapes {
        var shape: [UInt64]
        var spanCount: [Int]

        init(_ spans: [OutlineSpan]) {
            shape = spans.map { Self.mixed($0.label) }
            spanCount = Array(repeating: 1, count: spans.count)
            // From the end every child comes before its parent.
            for place in spans.indices.reversed() where spans[place].parent >= 0 {
                let parent = spans[place].parent
                shape[parent] = Self.mixed(shape[parent] &* 31 &+ shape[place])
                spanCount[parent] += spanCount[place]
            }
        }

        /// Spreads a number over all bits (the finaliser of MurmurHash3).
        private static func mixed(_ value: UInt64) -> UInt64 {
            var value = value &+ 0x9E37_79B9_7F4A_7C15
            value = (value ^ (value >> 33)) &* 0xFF51_AFD7_ED55_8CCD
            value = (value ^ (value >> 33)) &* 0xC4CE_B9FE_1A85_EC53
            return value ^ (value >> 33)
        }
    }

    /// Siblings by their shapes.
    private struct Groups {
        private struct Key: Hashable {
            var parent: Int
            var shape: UInt64
        }

        private var groupOf: [Int] = []
        private var count: [Int] = []
        private var shown: [Int] = []
        /// By group: the line that tells of those not shown.
        var line: [Int?] = []

        init(_ spans: [OutlineSpan], _ shapes: [UInt64], isUsed: Bool) {
            guard isUsed else { return }
            var numbers: [Key: Int] = [:]
            groupOf.reserveCapacity(spans.count)
            for place in spans.indices {
                let key = Key(parent: spans[place].parent, shape: shapes[place])
                let number = numbers[key] ?? count.count
                if number == count.count {
                    numbers[key] = number
                    count.append(0)
                }
                count[number] += 1
                groupOf.append(number)
            }
            shown = Array(repeating: 0, count: count.count)
            line = Array(repeating: nil, count: count.count)
        }

        /// The group of a span that is told together with others; `nil` for one with a line.
        mutating func next(_ place: Int) -> Int? {
            guard !groupOf.isEmpty else { return nil }
            let group = groupOf[place]
            guard count[group] >= AnalysisLimits.outlineAlikeCount else { return nil }
            shown[group] += 1
            return shown[group] > AnalysisLimits.outlineShownCount ? group : nil
        }
    }
}

extension TraceOutline.Alike {
    fileprivate init(_ span: OutlineSpan, _ spanCount: Int) {
        let duration = span.end - span.start
        self.init(
            siblingCount: 1,
            spanCount: spanCount,
            shortest: duration,
            longest: duration,
            start: span.start,
            end: span.end
        )
    }

    fileprivate mutating func add(_ span: OutlineSpan, _ spanCount: Int) {
        siblingCount += 1
        self.spanCount += spanCount
        shortest = min(shortest, span.end - span.start)
        longest = max(longest, span.end - span.start)
        start = min(start, span.start)
        end = max(end, span.end)
    }
}
