// SPDX-License-Identifier: Apache-2.0

/// A protobuf message read without knowing its schema: an oracle for what the tracer writes.
struct ProtobufMessage {
    enum Field: Hashable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes([UInt8])
    }

    struct Malformed: Error {}

    private(set) var fields: [(number: Int, field: Field)] = []

    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        func varint() throws -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard let byte = rest.popFirst() else { throw Malformed() }
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 {
                    // Only the shortest form is canonical.
                    guard byte != 0 || shift == 0 else { throw Malformed() }
                    return value
                }
            }
            throw Malformed()
        }
        func take(_ count: Int) throws -> [UInt8] {
            guard rest.count >= count else { throw Malformed() }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func littleEndian(_ bytes: [UInt8]) -> UInt64 {
            bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        while !rest.isEmpty {
            let tag = try varint()
            let field: Field
            switch tag & 7 {
            case 0: field = .varint(try varint())
            case 1: field = .fixed64(littleEndian(try take(8)))
            case 2: field = .bytes(try take(Int(try varint())))
            case 5: field = .fixed32(UInt32(littleEndian(try take(4))))
            default: throw Malformed()
            }
            fields.append((Int(tag >> 3), field))
        }
    }

    var numbers: [Int] { fields.map(\.number) }

    subscript(number: Int) -> Field? { fields.first { $0.number == number }?.field }

    func bytes(_ number: Int) -> [UInt8]? {
        guard case .bytes(let bytes) = self[number] else { return nil }
        return bytes
    }

    func text(_ number: Int) -> String? {
        bytes(number).map { String(decoding: $0, as: UTF8.self) }
    }

    func messages(_ number: Int) throws -> [ProtobufMessage] {
        try fields.compactMap { field in
            guard field.number == number, case .bytes(let bytes) = field.field else { return nil }
            return try ProtobufMessage(bytes)
        }
    }

    func message(_ number: Int) throws -> ProtobufMessage? { try messages(number).first }

    /// `KeyValue` messages of a field as keys and `AnyValue` messages.
    func attributes(_ number: Int) throws -> [String: ProtobufMessage] {
        var result: [String: ProtobufMessage] = [:]
        for pair in try messages(number) { result[pair.text(1) ?? ""] = try pair.message(2) }
        return result
    }
}
