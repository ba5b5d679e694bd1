// SPDX-License-Identifier: Apache-2.0

import QueryLanguage

/// Some of the spans of one trace: a bit a span. Most traces are small: the bits of the first 64 spans
/// lie in the value itself.
struct SpanSet: Equatable {
    /// Spans of the trace.
    let spanCount: Int
    private(set) var count = 0
    private var first: UInt64 = 0
    /// The bits of later spans, 64 a word.
    private var rest: [UInt64] = []

    /// No span of `spanCount`.
    init(of spanCount: Int) {
        self.spanCount = spanCount
        if spanCount > 64 { rest = Array(repeating: 0, count: (spanCount - 1) / 64) }
    }

    /// Every span of `spanCount`.
    static func all(of spanCount: Int) -> SpanSet {
        var set = SpanSet(of: spanCount)
        set.count = spanCount
        set.first = bits(min(spanCount, 64))
        for word in set.rest.indices { set.rest[word] = bits(min(spanCount - 64 * (word + 1), 64)) }
        return set
    }

    /// The lowest `count` bits, at most 64.
    private static func bits(_ count: Int) -> UInt64 { count == 64 ? .max : (1 << count) - 1 }

    var isEmpty: Bool { count == 0 }

    /// Spans in the order of their start.
    var spans: Spans { Spans(first: first, rest: rest) }

    func contains(_ span: Int) -> Bool {
        let word = span < 64 ? first : rest[span / 64 - 1]
        return word & (1 << (span % 64)) != 0
    }

    mutating func insert(_ span: Int) {
        guard !contains(span) else { return }
        if span < 64 { first |= 1 << span } else { rest[span / 64 - 1] |= 1 << (span % 64) }
        count += 1
    }

    func union(_ other: SpanSet) -> SpanSet {
        var result = self
        result.first |= other.first
        for word in rest.indices { result.rest[word] |= other.rest[word] }
        result.count = result.rest.reduce(result.first.nonzeroBitCount) { $0 + $1.nonzeroBitCount }
        return result
    }

    func filtered<Failure: Error>(
        _ isKept: (Int) throws(Failure) -> Bool
    ) throws(Failure) -> SpanSet {
        var result = SpanSet(of: spanCount)
        for span in spans where try isKept(span) { result.insert(span) }
        return result
    }

    /// The spans of a set, lowest first.
    struct Spans: Sequence, IteratorProtocol {
        private var word: UInt64
        private var base = 0
        private let rest: [UInt64]

        fileprivate init(first: UInt64, rest: [UInt64]) {
            word = first
            self.rest = rest
        }

        mutating func next() -> Int? {
            while word == 0 {
                guard base / 64 < rest.count else { return nil }
                word = rest[base / 64]
                base += 64
            }
            let bit = word.trailingZeroBitCount
            word &= word &- 1
            return base + bit
        }
    }
}

extension TraceQL.Relation {
    /// The same said from the other side.
    var inverse: TraceQL.Relation {
        switch self {
        case .child: .parent
        case .parent: .child
        case .descendant: .ancestor
        case .ancestor: .descendant
        case .sibling: .sibling
        }
    }
}

extension TraceParents {
    /// Spans of `right` that stand in `relation` to some span of `left`, or to none. One pass over
    /// the trace whatever the relation.
    func related(
        _ relation: TraceQL.Relation,
        _ left: SpanSet,
        _ right: SpanSet,
        isNegated: Bool = false
    ) -> SpanSet {
        var related = SpanSet(of: parent.count)
        switch relation {
        case .child:
            return right.filtered { span in
                let above = Int(parent[span])
                return (above >= 0 && left.contains(above)) != isNegated
            }
        case .parent:
            for span in left.spans where parent[span] >= 0 { related.insert(Int(parent[span])) }
        case .descendant:
            for span in downwards where parent[span] >= 0 {
                let above = Int(parent[span])
                if left.contains(above) || related.contains(above) { related.insert(span) }
            }
        case .ancestor:
            for span in downwards.reversed() where parent[span] >= 0 {
                if left.contains(span) || related.contains(span) {
                    related.insert(Int(parent[span]))
                }
            }
        case .sibling:
            return siblings(of: left, among: right, isNegated: isNegated)
        }
        return right.filtered { related.contains($0) != isNegated }
    }

    /// A span is no sibling of itself.
    private func siblings(of left: SpanSet, among right: SpanSet, isNegated: Bool) -> SpanSet {
        let family = families
        // Families are numbered below twice the number of spans.
        var counts = [Int32](repeating: 0, count: 2 * parent.count)
        for span in left.spans where family[span] >= 0 { counts[family[span]] += 1 }
        return right.filtered { span in
            guard family[span] >= 0 else { return isNegated }
            return (counts[family[span]] > (left.contains(span) ? 1 : 0)) != isNegated
        }
    }
}
