// SPDX-License-Identifier: Apache-2.0

/// The body of a receiver's answer to OTLP/HTTP protobuf.
///
/// | answer | field |
/// |---|---|
/// | success: `ExportTraceServiceResponse` | 1: { 1: rejected spans, 2: message } |
/// | failure: `google.rpc.Status` | 2: message |
///
/// Reading ends quietly at the first malformed field: the status of HTTP has already said what
/// matters.
struct ExportAnswer {
    private(set) var rejected = 0
    private(set) var message = ""
    private(set) var statusMessage = ""

    init(_ body: [UInt8]) {
        var outer = Fields(rest: body[...])
        while let field = outer.next() {
            if field.number == 2 { statusMessage = Self.text(field.bytes) }
            guard field.number == 1 else { continue }
            var inner = Fields(rest: field.bytes)
            while let field = inner.next() {
                if field.number == 1 { rejected = Int(clamping: field.value) }
                if field.number == 2 { message = Self.text(field.bytes) }
            }
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix(1_024), as: UTF8.self)
    }
}

/// A walk over the fields of one message: numbers and runs of bytes.
private struct Fields {
    var rest: ArraySlice<UInt8>

    mutating func next() -> (number: UInt64, value: UInt64, bytes: ArraySlice<UInt8>)? {
        guard let tag = varint() else { return nil }
        switch tag & 7 {
        case 0:
            guard let value = varint() else { return nil }
            return (tag >> 3, value, [])
        case 2:
            guard let length = varint(), length <= UInt64(rest.count) else { return nil }
            let bytes = rest.prefix(Int(length))
            rest = rest.dropFirst(bytes.count)
            return (tag >> 3, 0, bytes)
        default: return nil
        }
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
