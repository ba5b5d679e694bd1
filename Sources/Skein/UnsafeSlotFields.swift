// SPDX-License-Identifier: Apache-2.0

/// The fields that are written behind a running span, one after the other: OTLP's name, attributes,
/// events and links, each with a length.
struct SlotFields {
    private struct Field {
        let range: Range<Int>
        /// Of an attribute.
        let key: ArraySlice<UInt8>?
        let isName: Bool
    }

    private let bytes: [UInt8]
    private var fields: [Field] = []

    /// - Parameter content: What `SlotWriter` wrote, whole.
    init(_ content: UnsafeBufferPointer<UInt8>) {
        bytes = Array(content)
        var offset = 0
        while offset < bytes.count {
            let start = offset
            let tag = bytes[offset]
            offset += 1
            let end = varint(&offset) + offset
            var key: ArraySlice<UInt8>?
            if tag == SlotWriter.Tag.attribute {
                offset += 1
                let count = varint(&offset)
                key = bytes[offset..<offset + count]
            }
            fields.append(Field(range: start..<end, key: key, isName: tag == SlotWriter.Tag.name))
            offset = end
        }
    }

    private func varint(_ offset: inout Int) -> Int {
        var value = 0
        var shift = 0
        // Bound: our own encoder wrote it, whole.
        while bytes[offset] >= 0x80 {
            value |= Int(bytes[offset] & 0x7F) << shift
            shift += 7
            offset += 1
        }
        value |= Int(bytes[offset]) << shift
        offset += 1
        return value
    }

    /// Without what was said anew later: of names the last stays, and of attributes with one key.
    ///
    /// - Parameters:
    ///   - keepsName: `false` leaves all names out.
    ///   - key: The attribute with this key is left out too.
    func settled(
        keepsName: Bool = true,
        without key: UnsafeBufferPointer<UInt8>? = nil
    ) -> (bytes: [UInt8], attributeCount: Int) {
        var lastName: Int?
        var last: [ArraySlice<UInt8>: Int] = [:]
        for (index, field) in fields.enumerated() {
            if field.isName { lastName = index }
            if let key = field.key { last[key] = index }
        }
        if let key { last[ArraySlice(key)] = nil }
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        for (index, field) in fields.enumerated() {
            if field.isName, !keepsName || index != lastName { continue }
            if let key = field.key, last[key] != index { continue }
            kept += bytes[field.range]
        }
        return (kept, last.count)
    }
}
