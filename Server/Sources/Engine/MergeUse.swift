// SPDX-License-Identifier: Apache-2.0

import SkeinModel

extension MergeOrder {
    /// What the rows that stay need of an input's vocabulary.
    func use(of input: MergeInput, _ number: Int) throws(PartDamage) -> MergeVocabulary.Use {
        var use = MergeVocabulary.Use(noneOf: input.vocabulary)
        let ranges = rows(of: number)
        let blockRows = input.directory.blockRows
        var from: MergeBlock?
        for range in ranges {
            var row = range.lowerBound
            while row < range.upperBound {
                if from?.firstRow != row / blockRows * blockRows {
                    from = try MergeBlock(input, row / blockRows)
                }
                guard let from else { break }
                let end = min(range.upperBound, from.firstRow + from.rowCount)
                Self.note(row - from.firstRow..<end - from.firstRow, from, input, &use)
                row = end
            }
        }
        return use
    }

    /// The span rows of an input that stay, ascending.
    private func rows(of number: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for trace in traces {
            if Int(trace.input) == number {
                ranges.append(trace.place.rows)
            } else if trace.input < 0 {
                for place in rows(ofMixed: Int(trace.row)) where Int(place.input) == number {
                    ranges.append(Int(place.row)..<Int(place.row) + 1)
                }
            }
        }
        return ranges.sorted { $0.lowerBound < $1.lowerBound }
    }

    private static func note(
        _ rows: Range<Int>,
        _ from: MergeBlock,
        _ input: MergeInput,
        _ use: inout MergeVocabulary.Use
    ) {
        for row in rows {
            let form = Int(from.forms.forms[row])
            use.forms[form] = true
            use.resources[from.resources[row]] = true
            let service = input.vocabulary.forms[form].service
            for event in from.events.rows(of: row..<row + 1) {
                let eventForm = Int(from.eventForms.forms[event])
                use.eventForms[eventForm] = true
                use.eventUses?.insert(
                    PartVocabulary.EventUse(service: service, form: UInt32(eventForm))
                )
            }
        }
        for link in from.links.rows(of: rows) {
            use.shapes[Int(from.linkShapes.forms[link])] = true
        }
    }
}
