// SPDX-License-Identifier: Apache-2.0

/// Every attribute of a batch, in runs that spans, events, links, resources and scopes name.
///
/// | type | `value` |
/// |---|---|
/// | empty | 0 |
/// | bool | 0 or 1 |
/// | int | the two's complement bits |
/// | double | the IEEE 754 bits |
/// | string, bytes | offset in `bytes` << 32, length |
/// | array, map | the same, of the nested form described in `NestedValue` |
public struct AttributeColumns: ~Copyable, Sendable {
    /// String ids of keys.
    public var key: Column<UInt32>
    /// `AttributeType` raw values.
    public var type: Column<UInt8>
    /// See the table above.
    public var value: Column<UInt64>
    /// The bytes that long values point into.
    public var bytes: Column<UInt8>

    /// Makes an empty table with room for `capacity` attributes and `byteCapacity` bytes of values.
    public init(capacity: Int = 0, byteCapacity: Int? = nil) {
        key = Column(capacity: capacity)
        type = Column(capacity: capacity)
        value = Column(capacity: capacity)
        bytes = Column(capacity: byteCapacity ?? capacity * 16)
    }

    init(packing source: borrowing AttributeColumns, _ packer: inout SlabPacker) {
        key = packer.column(source.key)
        type = packer.column(source.type)
        value = packer.column(source.value)
        bytes = packer.column(source.bytes)
    }

    /// Attributes.
    @inlinable
    public var count: Int { key.count }

    /// Adds an attribute whose value fits 64 bits: empty, bool, int or double.
    @inlinable
    public mutating func append(key: UInt32, type: AttributeType, bits: UInt64) {
        self.key.append(key)
        self.type.append(type.rawValue)
        value.append(bits)
    }

    /// Adds an attribute whose value is a run of bytes: string, bytes, array or map.
    @inlinable
    @inline(__always)
    public mutating func append(
        key: UInt32,
        type: AttributeType,
        bytes source: UnsafeRawBufferPointer
    ) {
        let place = UInt64(bytes.count) << 32 | UInt64(source.count)
        bytes.append(raw: source)
        append(key: key, type: type, bits: place)
    }

    /// Whether the bytes at `place`, which has the form that `value` has, are `other`; false for no
    /// bytes and for a place that is there no more.
    @inlinable
    @inline(__always)
    public func holds(_ place: UInt64, _ other: UnsafeRawBufferPointer) -> Bool {
        let count = Int(truncatingIfNeeded: place & 0xFFFF_FFFF)
        let start = Int(truncatingIfNeeded: place >> 32)
        guard count == other.count, count > 0, let theirs = other.baseAddress else { return false }
        return bytes.withElements { all in
            guard start + count <= all.count, let ours = all.baseAddress else { return false }
            // Bound: start + count bytes are there, and count at `theirs`.
            return ShortBytes.equal(UnsafeRawPointer(ours + start), theirs, count)
        }
    }

    /// Adds a string attribute.
    public mutating func append(key: UInt32, string: String) {
        var string = string
        string.withUTF8 { append(key: key, type: .string, bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Drops the attributes from `newCount` on, and the value bytes from `byteCount` on.
    ///
    /// - Precondition: `byteCount` is what `bytes.count` was when there were `newCount` attributes.
    public mutating func truncate(to newCount: Int, byteCount: Int) {
        key.truncate(to: newCount)
        type.truncate(to: newCount)
        value.truncate(to: newCount)
        bytes.truncate(to: byteCount)
    }

    /// The type of attribute `row`.
    @inlinable
    public func type(_ row: Int) -> AttributeType { AttributeType(rawValue: type[row]) ?? .empty }

    /// Calls `body` with the bytes of a string, bytes, array or map attribute.
    @inlinable
    public func withBytes<Result: ~Copyable, Failure: Error>(
        _ row: Int,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let place = value[row]
        let start = Int(place >> 32)
        let length = Int(place & 0xFFFF_FFFF)
        return try bytes.withElements { (all) throws(Failure) in
            precondition(start + length <= all.count, "attribute \(row) points past its bytes")
            return try body(
                UnsafeRawBufferPointer(
                    rebasing: UnsafeRawBufferPointer(all)[start..<start + length]
                )
            )
        }
    }
}
