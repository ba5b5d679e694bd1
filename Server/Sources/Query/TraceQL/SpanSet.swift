// SPDX-License-Identifier: Apache-2.0

import QueryLanguage

/// Some of the spans of one trace: a bit a span.
struct SpanSet: Equatable {
    private(set) var holds: [Bool]
    private(set) var count = 0

    /// No span of `spanCount`.
    init(of spanCount: Int) { holds = Array(repeating: false, count: spanCount) }

    /// Every span of `spanCount`.
    static func all(of spanCount: Int) -> SpanSet {
        var set = SpanSet(of: spanCount)
        for span in 0..<spanCount { set.insert(span) }
        return set
    }

    var isEmpty: Bool { count == 0 }

    /// Spans in the order of their start.
    var spans: some Sequence<Int> { holds.indices.lazy.filter { holds[$0] } }

    func contains(_ span: Int) -> Bool { holds[span] }

    mutating func insert(_ span: Int) {
        guard !holds[span] else { return }
        holds[span] = true
        count += 1
    }

    func union(_ other: SpanSet) -> SpanSet {
        var result = self
        for span in other.spans { result.insert(span) }
        return result
    }

    func filtered<Failure: Error>(
        _ isKept: (Int) throws(Failure) -> Bool
    ) throws(Failure) -> SpanSet {
        var result = SpanSet(of: holds.count)
        for span in spans where try isKept(span) { result.insert(span) }
        return result
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

extension TraceShape {
    /// Spans of `right` that stand in `relation` to some span of `left`, or to none. One pass over
    /// the trace whatever the relation.
    func related(
        _ relation: TraceQL.Relation,
        _ left: SpanSet,
        _ right: SpanSet,
        isNegated: Bool = false
    ) -> SpanSet {
        let isRelated: [Bool]
        switch relation {
        case .child: isRelated = parent.map { $0 >= 0 && left.contains(Int($0)) }
        case .parent:
            isRelated = marks { marks in
                for span in left.spans where parent[span] >= 0 { marks[Int(parent[span])] = true }
            }
        case .descendant:
            isRelated = marks { marks in
                for span in order where parent[span] >= 0 {
                    let above = Int(parent[span])
                    marks[span] = left.contains(above) || marks[above]
                }
            }
        case .ancestor:
            isRelated = marks { marks in
                for span in order.reversed() where parent[span] >= 0 {
                    if left.contains(span) || marks[span] { marks[Int(parent[span])] = true }
                }
            }
        case .sibling: isRelated = siblings(of: left)
        }
        return right.filtered { isRelated[$0] != isNegated }
    }

    private func marks(_ mark: (inout [Bool]) -> Void) -> [Bool] {
        var marks = [Bool](repeating: false, count: parent.count)
        mark(&marks)
        return marks
    }

    /// A span is no sibling of itself.
    private func siblings(of set: SpanSet) -> [Bool] {
        // Families are numbered below twice the number of spans.
        var counts = [Int32](repeating: 0, count: 2 * parent.count)
        for span in set.spans where family[span] >= 0 { counts[family[span]] += 1 }
        return parent.indices.map { span in
            guard family[span] >= 0 else { return false }
            return counts[family[span]] > (set.contains(span) ? 1 : 0)
        }
    }
}
