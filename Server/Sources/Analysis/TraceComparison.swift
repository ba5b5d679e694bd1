// SPDX-License-Identifier: Apache-2.0

/// Two traces side by side, by call path: the labels from the root down to a span. Spans of one path
/// are told together.
///
/// ```
/// left                 right                paths           left  right
/// buy                  buy                  buy             1     1
/// ├ SELECT             ├ SELECT             buy > SELECT    1     2
/// └ charge             └ SELECT             buy > charge    1     0
/// ```
public struct TraceComparison: Sendable {
    /// One span of either trace, in display order (`TraceTree`): each parent before its children.
    public struct Span: Sendable {
        /// The place of the parent, -1 for a root.
        public var parent: Int
        /// What the span does, such as its service and its name.
        public var label: String
        /// Nanoseconds.
        public var duration: UInt64
        /// Nanoseconds in which none of its children ran.
        public var selfTime: UInt64
        public var isError: Bool

        /// Describes a span.
        public init(
            parent: Int,
            label: String,
            duration: UInt64,
            selfTime: UInt64,
            isError: Bool
        ) {
            self.parent = parent
            self.label = label
            self.duration = duration
            self.selfTime = selfTime
            self.isError = isError
        }
    }

    /// What one trace has of a path; nanoseconds of all spans together.
    public struct Side: Sendable, Equatable {
        public var spanCount = 0
        public var errorCount = 0
        public var duration: UInt64 = 0
        public var selfTime: UInt64 = 0

        fileprivate mutating func add(_ span: Span) {
            spanCount += 1
            errorCount += span.isError ? 1 : 0
            duration = Self.sum(duration, span.duration)
            selfTime = Self.sum(selfTime, span.selfTime)
        }

        private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let (sum, overflow) = left.addingReportingOverflow(right)
            return overflow ? .max : sum
        }
    }

    /// One path.
    public struct Path: Sendable {
        /// The place of the path above it in `paths`, -1 for one of roots.
        public var parent: Int
        public var label: String
        /// Steps from the root.
        public var depth: Int
        public var left = Side()
        public var right = Side()

        /// Nanoseconds by which the own times differ.
        public var selfTimeDifference: UInt64 {
            max(left.selfTime, right.selfTime) - min(left.selfTime, right.selfTime)
        }
    }

    /// Every path of either trace, those above first.
    public private(set) var paths: [Path] = []

    private struct Key: Hashable {
        var parent: Int
        var label: String
    }

    /// Compares two traces.
    public init(_ left: [Span], _ right: [Span]) {
        var places: [Key: Int] = [:]
        for (spans, side) in [(left, \Path.left), (right, \Path.right)] {
            var placeOf: [Int] = []
            placeOf.reserveCapacity(spans.count)
            for span in spans {
                let parent = span.parent >= 0 ? placeOf[span.parent] : -1
                let key = Key(parent: parent, label: span.label)
                let place = places[key] ?? paths.count
                if place == paths.count {
                    places[key] = place
                    let depth = parent >= 0 ? paths[parent].depth + 1 : 0
                    paths.append(Path(parent: parent, label: span.label, depth: depth))
                }
                placeOf.append(place)
                paths[place][keyPath: side].add(span)
            }
        }
    }

    /// The labels down to a path, the last `count` of them.
    public func labels(of place: Int, last count: Int) -> [String] {
        var labels: [String] = []
        var place = place
        while place >= 0, labels.count < count {
            labels.append(paths[place].label)
            place = paths[place].parent
        }
        return labels.reversed()
    }
}
