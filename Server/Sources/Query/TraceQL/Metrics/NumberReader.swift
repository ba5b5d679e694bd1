// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// Reads the number that a function measures of each span.
struct NumberReader {
    private enum Way {
        case duration
        /// An attribute of the span, else of its resource.
        case attribute(withResource: Bool)
        case each
    }

    /// Numbers of some spans: none, one, or one for each event or link.
    struct Numbers {
        /// By number: the place of its span.
        var places: [Int] = []
        /// Durations are nanoseconds.
        var values: [Double] = []
        /// Whether all are whole.
        var isWhole = true

        mutating func append(_ value: Double, _ place: Int) {
            guard !value.isNaN else { return }
            let finite = min(
                max(value, -Double.greatestFiniteMagnitude),
                Double.greatestFiniteMagnitude
            )
            places.append(place)
            values.append(finite)
            isWhole = isWhole && finite == finite.rounded(.towardZero)
        }
    }

    private let number: Int
    private let way: Way
    /// What a number is divided by for the answer: durations are told in seconds.
    let divisor: Double

    init(_ operand: TraceQL.Operand, _ table: inout OperandTable) {
        number = table.number(of: operand)
        divisor = operand.type == .duration ? 1e9 : 1
        switch operand {
        case .intrinsic(.duration): way = .duration
        case .attribute(let attribute) where attribute.scope == .span:
            way = .attribute(withResource: false)
        case .attribute(let attribute) where attribute.scope == .any:
            way = .attribute(withResource: true)
        case .attribute, .intrinsic, .parentIntrinsic: way = .each
        }
    }

    /// Whether it is the duration of the span: the columns have it.
    var isDuration: Bool { if case .duration = way { true } else { false } }

    func numbers(
        of selection: borrowing SelectedSpans,
        _ batch: MeasuredBatch
    ) throws -> Numbers {
        var numbers = Numbers()
        numbers.places.reserveCapacity(selection.count)
        numbers.values.reserveCapacity(selection.count)
        let spans = batch.spans
        switch way {
        case .duration:
            for place in 0..<selection.count {
                numbers.places.append(place)
                numbers.values.append(Double(spans.columns.duration(selection.rows[place])))
            }
        case .attribute(let withResource):
            guard let key = batch.examined.keys[number] else { return numbers }
            for place in 0..<selection.count {
                let row = selection.rows[place]
                let run = spans.columns.spanAttributes[row]
                var found = run.rows.first { spans.columns.attributes.key[$0] == key }
                if found == nil, withResource {
                    let resource = Int(spans.columns.resource[row])
                    found = spans.columns.resources.attributes[resource].rows.first {
                        spans.columns.attributes.key[$0] == key
                    }
                }
                guard let found else { continue }
                let bits = spans.columns.attributes.value[found]
                switch spans.columns.attributes.type(found) {
                case .int: numbers.append(Double(Int64(bitPattern: bits)), place)
                case .double: numbers.append(Double(bitPattern: bits), place)
                case .empty, .string, .bool, .bytes, .array, .map: break
                }
            }
        case .each:
            for place in 0..<selection.count {
                let value = batch.value(
                    of: number,
                    row: selection.rows[place],
                    trace: selection.traces[place]
                )
                for number in value.numbers { numbers.append(number.number ?? .nan, place) }
            }
        }
        return numbers
    }
}
