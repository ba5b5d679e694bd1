// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// The distinct values that one operand has over all spans, each with a number.
///
/// Values are the same where type and bits are: 1 and 1.0 make two series, two NaNs one.
final class LabelTable {
    private(set) var values: [AttributeValue] = []
    private var strings = StringTable()
    /// By string id: the number of the value, `untold` before there is one.
    private var numberOfString: [UInt32] = []
    /// By bits: ints, and apart doubles.
    private var ints: KeyedSlots<UInt32>
    private var doubles: KeyedSlots<UInt32>
    private var others: [FieldValue: UInt32] = [:]
    private var byteCount = 0

    /// No value: there was no room for it.
    static let untold = UInt32.max

    init() {
        ints = KeyedSlots(Self.untold, limit: RunLimits.labelCount)
        doubles = KeyedSlots(Self.untold, limit: RunLimits.labelCount)
    }

    /// Values there are.
    var count: Int { values.count }

    /// The number of `value`, or `untold`.
    func number(of value: FieldValue) -> UInt32 {
        switch value {
        case .string(let text):
            let id = hasRoom(text.utf8.count) ? strings.intern(text) : strings.find(text)
            return number(string: id)
        case .int(let value): return number(int: value)
        case .double(let value): return number(double: value)
        // Several events or links: the first one stands for the span.
        case .several(let values): return number(of: values.first ?? .nothing)
        case .nothing, .bool, .duration, .status, .kind, .array, .other:
            if let number = others[value] { return number }
            let told = value.told ?? .empty
            let number = add(told, byteCount: told.labelByteCount)
            if number != Self.untold { others[value] = number }
            return number
        }
    }

    /// The number of attribute `row`.
    func number(of row: Int, in spans: borrowing SpanColumns) -> UInt32 {
        switch spans.attributes.type(row) {
        case .string:
            let size = Int(truncatingIfNeeded: spans.attributes.value[row] & 0xFFFF_FFFF)
            let hasRoom = hasRoom(size)
            return number(
                string: spans.attributes.withBytes(row) {
                    hasRoom ? strings.intern($0) : strings.find($0)
                }
            )
        case .int: return number(int: Int64(bitPattern: spans.attributes.value[row]))
        case .double: return number(double: Double(bitPattern: spans.attributes.value[row]))
        case .bool, .empty, .bytes, .array, .map:
            return number(of: FieldValue(spans.attributes[row]))
        }
    }

    /// Whether one more text of so many bytes fits.
    private func hasRoom(_ size: Int) -> Bool {
        values.count < RunLimits.labelCount && byteCount + size <= RunLimits.labelByteCount
    }

    private func number(string id: UInt32?) -> UInt32 {
        guard let id = id.map({ Int($0) }) else { return Self.untold }
        while numberOfString.count <= id { numberOfString.append(Self.untold) }
        if numberOfString[id] == Self.untold {
            // Counted even where there is no room: the table has it.
            let text = strings.text(UInt32(id))
            numberOfString[id] = add(.string(text), byteCount: 0)
            byteCount += 32 + 2 * text.utf8.count
        }
        return numberOfString[id]
    }

    private func number(int value: Int64) -> UInt32 {
        let key = UInt64(bitPattern: value)
        // The one key that slots cannot hold.
        if key == .max { return special(.int(-1)) }
        if let number = ints.value(key) { return number }
        let number = add(.int(value), byteCount: 0)
        if number != Self.untold { _ = ints.change(key) { $0 = number } }
        return number
    }

    private func number(double value: Double) -> UInt32 {
        guard !value.isNaN else { return special(.string("NaN")) }
        let key = value.bitPattern
        if let number = doubles.value(key) { return number }
        let number = add(.double(value), byteCount: 0)
        if number != Self.untold { _ = doubles.change(key) { $0 = number } }
        return number
    }

    /// NaN under the key of a text, which `others` has not, for it does not equal itself.
    private func special(_ key: FieldValue) -> UInt32 {
        if let number = others[key] { return number }
        let number = add(key == .int(-1) ? .int(-1) : .double(.nan), byteCount: 0)
        if number != Self.untold { others[key] = number }
        return number
    }

    private func add(_ value: AttributeValue, byteCount size: Int) -> UInt32 {
        guard values.count < RunLimits.labelCount, byteCount + size <= RunLimits.labelByteCount
        else { return Self.untold }
        byteCount += size
        values.append(value)
        return UInt32(values.count - 1)
    }
}

extension AttributeValue {
    /// Bytes it holds, about.
    fileprivate var labelByteCount: Int {
        switch self {
        case .empty, .bool, .int, .double: 32
        case .string(let text): 32 + text.utf8.count
        case .bytes(let bytes): 32 + bytes.count
        case .array(let elements): elements.reduce(32) { $0 + $1.labelByteCount }
        case .map(let pairs):
            pairs.reduce(32) { $0 + $1.key.utf8.count + $1.value.labelByteCount }
        }
    }
}
