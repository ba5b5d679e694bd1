// SPDX-License-Identifier: Apache-2.0

/// The fields of one small protobuf message, such as a question to a server, by their numbers.
///
/// Everything is read once and kept, what nobody asks for too, so this is for messages whose bytes
/// are bounded elsewhere; the decoders of spans walk their payloads in place instead. Of a field
/// that is there several times the last counts, as the format has it.
public struct ProtobufFields: Sendable {
    private enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var fields: [(number: UInt32, value: Value)] = []

    /// Reads a message.
    ///
    /// - Parameter message: its bytes, without a length before them.
    /// - Throws: `WireError` with the place of what is wrong.
    public init(_ message: [UInt8]) throws(WireError) { try self.init(message[...]) }

    private init(_ message: ArraySlice<UInt8>) throws(WireError) {
        let limits = DecodeLimits()
        do throws(ProtobufFault) {
            try message.span.withUnsafeBytes { (bytes) throws(ProtobufFault) in
                guard var cursor = ProtobufCursor(payload: bytes, .plain) else { return }
                while !cursor.atEnd {
                    let tag = try cursor.tag()
                    let value: Value
                    switch tag & 7 {
                    case 0: value = .number(try cursor.varint())
                    case 1: value = .number(try cursor.fixed64())
                    case 5: value = .number(UInt64(try cursor.fixed32()))
                    case 2:
                        let count = try cursor.bytes().count
                        let end = message.startIndex + cursor.offset
                        value = .bytes(message[end - count..<end])
                    default:
                        try cursor.skip(tag, DepthLimits(parsed: limits.parsedDepth, stored: 0))
                        continue
                    }
                    fields.append((tag >> 3, value))
                }
            }
        } catch {
            throw error.error(limits)
        }
    }

    /// Whether a field is there.
    public func contains(_ field: UInt32) -> Bool { fields.contains { $0.number == field } }

    /// A number, 0 where it is missing; a double or a signed number as its bits.
    public func number(_ field: UInt32) -> UInt64 {
        for entry in fields.reversed() where entry.number == field {
            if case .number(let number) = entry.value { return number }
        }
        return 0
    }

    /// Numbers of a list, packed or one by one.
    public func numbers(_ field: UInt32) throws(WireError) -> [UInt64] {
        var numbers: [UInt64] = []
        for (number, value) in fields where number == field {
            switch value {
            case .number(let one): numbers.append(one)
            case .bytes(let packed): numbers += try Self.unpacked(packed)
            }
        }
        return numbers
    }

    private static func unpacked(_ packed: ArraySlice<UInt8>) throws(WireError) -> [UInt64] {
        do throws(ProtobufFault) {
            return try packed.span.withUnsafeBytes { (bytes) throws(ProtobufFault) in
                var numbers: [UInt64] = []
                guard var cursor = ProtobufCursor(payload: bytes, .plain) else { return numbers }
                while !cursor.atEnd { numbers.append(try cursor.varint()) }
                return numbers
            }
        } catch {
            throw error.error(DecodeLimits())
        }
    }

    /// A flag, false where it is missing.
    public func flag(_ field: UInt32) -> Bool { number(field) != 0 }

    /// Bytes, none where they are missing.
    public func bytes(_ field: UInt32) -> [UInt8] { Array(slices(field).last ?? []) }

    /// Text, empty where it is missing.
    ///
    /// - Throws: `WireError` where it is no UTF-8.
    public func text(_ field: UInt32) throws(WireError) -> String {
        try texts(field).last ?? ""
    }

    /// Texts of a list.
    ///
    /// - Throws: `WireError` where one is no UTF-8.
    public func texts(_ field: UInt32) throws(WireError) -> [String] {
        var texts: [String] = []
        for bytes in slices(field) {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw WireError(
                    code: .malformed,
                    message: "the text of field \(field) is not UTF-8",
                    place: "field \(field)",
                    hint: "encode it as UTF-8"
                )
            }
            texts.append(text)
        }
        return texts
    }

    /// A message within this one, `nil` where it is missing.
    ///
    /// - Throws: `WireError` where it is damaged.
    public func message(_ field: UInt32) throws(WireError) -> ProtobufFields? {
        guard let bytes = slices(field).last else { return nil }
        return try ProtobufFields(bytes)
    }

    /// Messages of a list within this one.
    ///
    /// - Throws: `WireError` where one is damaged.
    public func messages(_ field: UInt32) throws(WireError) -> [ProtobufFields] {
        var messages: [ProtobufFields] = []
        for bytes in slices(field) { messages.append(try ProtobufFields(bytes)) }
        return messages
    }

    private func slices(_ field: UInt32) -> [ArraySlice<UInt8>] {
        fields.compactMap { entry in
            guard entry.number == field, case .bytes(let bytes) = entry.value else { return nil }
            return bytes
        }
    }
}
