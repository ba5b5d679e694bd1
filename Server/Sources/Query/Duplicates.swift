// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel

extension SpanColumns {
    /// `rows` less every span that repeats an earlier one in all but the order of its attributes:
    /// what a client sent twice. A store drops byte-equal copies; these came apart on the way.
    func withoutDuplicates(_ rows: Range<Int>) -> [Int] {
        let ids = rows.map { spanID[$0] }
        let found = SpanRows(ids)
        guard !found.repeats.isEmpty else { return Array(rows) }
        /// Rows of the ids that are repeated, less what repeats a span.
        var rowsOf: [UInt64: [Int]] = [:]
        var repeated = Set<Int>()
        for place in found.repeats {
            let row = rows.lowerBound + place
            var others =
                rowsOf[ids[place]] ?? found.first(ids[place]).map { [rows.lowerBound + $0] } ?? []
            if others.contains(where: { isSameSpan($0, row) }) {
                repeated.insert(row)
            } else if others.count < Self.comparedCopyCount {
                others.append(row)
            }
            rowsOf[ids[place]] = others
        }
        return rows.filter { !repeated.contains($0) }
    }

    /// Copies of one id compared with each other: a sender that gives all spans one id must not make
    /// reading quadratic.
    private static var comparedCopyCount: Int { 16 }

    private func isSameSpan(_ left: Int, _ right: Int) -> Bool {
        guard parentID[left] == parentID[right], start[left] == start[right],
            end[left] == end[right], name[left] == name[right], kind[left] == kind[right],
            status[left] == status[right], statusMessage[left] == statusMessage[right],
            traceState[left] == traceState[right], marks[left] == marks[right],
            spanAttributes[left].count == spanAttributes[right].count,
            spanEvents[left].count == spanEvents[right].count,
            spanLinks[left].count == spanLinks[right].count,
            service(left) == service(right)
        else { return false }
        return isSame(spanAttributes[left], spanAttributes[right])
            && isSame(
                resources.attributes[Int(resource[left])],
                resources.attributes[Int(resource[right])]
            )
            && zip(spanEvents[left].rows, spanEvents[right].rows).allSatisfy {
                events.time[$0] == events.time[$1] && events.name[$0] == events.name[$1]
                    && isSame(events.attributes[$0], events.attributes[$1])
            }
            && zip(spanLinks[left].rows, spanLinks[right].rows).allSatisfy {
                links.traceLow[$0] == links.traceLow[$1] && links.spanID[$0] == links.spanID[$1]
                    && links.traceHigh[$0] == links.traceHigh[$1]
                    && isSame(links.attributes[$0], links.attributes[$1])
            }
    }

    private func isSame(_ left: Run, _ right: Run) -> Bool {
        if left == right { return true }
        return left.count == right.count
            && AttributeAdjusters.sorted(keyValues(left))
                == AttributeAdjusters.sorted(keyValues(right))
    }
}
