// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// A `ValueMatch` made ready for many values; agrees with `ValueMatch.matches`.
struct ValueMatcher {
    private let match: ValueMatch
    private let text: [UInt8]
    private let int: UInt64?
    private let bool: UInt64?
    private let double: Double?
    /// What numbers must lie in, where that is asked.
    let range: NumberRange?

    init(_ match: ValueMatch) {
        self.match = match
        range = if case .range(let wanted) = match { wanted } else { nil }
        switch match {
        case .exists, .range: (text, int, bool, double) = ([], nil, nil, nil)
        case .text(let wanted):
            text = Array(wanted.utf8)
            let number = Int64(wanted).flatMap { String($0) == wanted ? $0 : nil }
            int = number.map { UInt64(bitPattern: $0) }
            bool = wanted == "true" ? 1 : wanted == "false" ? 0 : nil
            double = Double(wanted)
        case .equals(let value):
            var bytes: [UInt8] = []
            var bits: (int: UInt64?, bool: UInt64?, double: Double?) = (nil, nil, nil)
            switch value {
            case .string(let wanted): bytes = Array(wanted.utf8)
            case .bytes(let wanted): bytes = wanted
            case .int(let wanted): bits.int = UInt64(bitPattern: wanted)
            case .bool(let wanted): bits.bool = wanted ? 1 : 0
            case .double(let wanted): bits.double = wanted
            case .empty, .array, .map: break
            }
            text = bytes
            (int, bool, double) = bits
        }
    }

    var isExists: Bool { match == .exists }

    /// The only bits of this type that match; `nil` where they must be compared one by one.
    func bits(_ type: AttributeType) -> UInt64? {
        switch type {
        case .bool: return bool
        case .int: return int
        case .double:
            // The two zeros are equal, and NaN equals nothing.
            guard let double, double != 0, !double.isNaN else { return nil }
            return double.bitPattern
        case .empty, .string, .bytes, .array, .map: return nil
        }
    }

    /// The only bytes of this type that match; `nil` where values must be compared one by one.
    func bytes(_ type: AttributeType) -> [UInt8]? {
        !isExists && (type == .string || type == .bytes) ? text : nil
    }

    /// Whether any value of this type can match.
    func mayMatch(_ type: AttributeType) -> Bool {
        switch match {
        case .exists: return true
        case .equals(let value): return value.type == type
        case .range(let range):
            return type == .int && range.ints != nil || type == .double && range.doubles != nil
        case .text:
            switch type {
            case .string, .array: return true
            case .int: return int != nil
            case .bool: return bool != nil
            case .double: return double != nil
            case .empty, .bytes, .map: return false
            }
        }
    }

    /// Whether an empty, bool, int or double value matches.
    func matches(_ type: AttributeType, bits: UInt64) -> Bool {
        if isExists { return true }
        guard mayMatch(type) else { return false }
        if let range {
            return type == .int
                ? range.contains(Int64(bitPattern: bits))
                : range.contains(Double(bitPattern: bits))
        }
        switch type {
        case .empty: return true
        case .bool: return (bits != 0 ? 1 : 0) == bool
        case .int: return bits == int
        case .double: return Double(bitPattern: bits) == double
        case .string, .bytes, .array, .map: return false
        }
    }

    /// Whether a string, bytes, array or map value matches.
    func matches(_ type: AttributeType, bytes: UnsafeRawBufferPointer) -> Bool {
        if isExists { return true }
        guard mayMatch(type) else { return false }
        switch type {
        case .string, .bytes: return bytes.elementsEqual(text)
        case .array: return match.matches(.array(NestedValue.array(bytes)))
        case .map: return match.matches(.map(NestedValue.map(bytes)))
        case .empty, .bool, .int, .double: return false
        }
    }
}
