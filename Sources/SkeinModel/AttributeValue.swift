// SPDX-License-Identifier: Apache-2.0

/// The type of an attribute's value. The raw values are on disk: they never change.
public enum AttributeType: UInt8, Sendable, CaseIterable {
    /// No value at all: OTLP's empty `AnyValue`.
    case empty, string, bool, int, double, bytes, array, map

    /// The lower-case word used in the API.
    public var word: String {
        switch self {
        case .empty: "empty"
        case .string: "string"
        case .bool: "bool"
        case .int: "int"
        case .double: "double"
        case .bytes: "bytes"
        case .array: "array"
        case .map: "map"
        }
    }
}

/// One attribute value as a Swift value: for answers and tests, never on the hot path.
public indirect enum AttributeValue: Sendable, Hashable {
    case empty
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case bytes([UInt8])
    case array([AttributeValue])
    case map([KeyValue])

    /// One entry of a map; order and repeated keys are kept as they came.
    public struct KeyValue: Sendable, Hashable {
        public var key: String
        public var value: AttributeValue

        /// Pairs a key with its value.
        public init(key: String, value: AttributeValue) {
            self.key = key
            self.value = value
        }
    }

    /// The type of this value.
    public var type: AttributeType {
        switch self {
        case .empty: .empty
        case .string: .string
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .bytes: .bytes
        case .array: .array
        case .map: .map
        }
    }
}
