// SPDX-License-Identifier: Apache-2.0

extension AttributeColumns {
    /// Attribute `row` as a Swift value: for answers and tests, never on the hot path.
    public subscript(row: Int) -> AttributeValue {
        switch type(row) {
        case .empty: .empty
        case .bool: .bool(value[row] != 0)
        case .int: .int(Int64(bitPattern: value[row]))
        case .double: .double(Double(bitPattern: value[row]))
        case .string: .string(withBytes(row) { String(decoding: $0, as: UTF8.self) })
        case .bytes: .bytes(withBytes(row) { [UInt8]($0) })
        case .array: .array(withBytes(row) { NestedValue.array($0) })
        case .map: .map(withBytes(row) { NestedValue.map($0) })
        }
    }

    /// Adds an attribute from a Swift value: for tests and slow decoders. The pointers that are lent
    /// here cover whole arrays and do not leave the call.
    public mutating func append(key: UInt32, _ value: AttributeValue) {
        switch value {
        case .empty: append(key: key, type: .empty, bits: 0)
        case .bool(let flag): append(key: key, type: .bool, bits: flag ? 1 : 0)
        case .int(let number):
            append(key: key, type: .int, bits: UInt64(bitPattern: number))
        case .double(let number): append(key: key, type: .double, bits: number.bitPattern)
        case .string(let text): append(key: key, string: text)
        case .bytes(let raw): raw.withUnsafeBytes { append(key: key, type: .bytes, bytes: $0) }
        case .array(let values):
            var body: [UInt8] = []
            NestedValue.encode(array: values, to: &body)
            body.withUnsafeBytes { append(key: key, type: .array, bytes: $0) }
        case .map(let entries):
            var body: [UInt8] = []
            NestedValue.encode(map: entries, to: &body)
            body.withUnsafeBytes { append(key: key, type: .map, bytes: $0) }
        }
    }
}

extension SpanColumns {
    /// The attributes of `run` as keys and Swift values, in their order.
    public func keyValues(_ run: Run) -> [AttributeValue.KeyValue] {
        run.rows.map { row in
            AttributeValue.KeyValue(
                key: strings.text(attributes.key[row]),
                value: attributes[row]
            )
        }
    }

    /// Adds attributes and returns their run: for tests and slow decoders.
    public mutating func appendAttributes(_ pairs: [AttributeValue.KeyValue]) -> Run {
        let first = attributes.count
        for pair in pairs { attributes.append(key: strings.intern(pair.key), pair.value) }
        return Run(first: UInt32(first), count: UInt32(pairs.count))
    }
}
