// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import Tracing

/// Encodes a span on the stack of whoever ends it, as an element of OTLP's repeated field `spans`.
///
/// Most spans have a few plain attributes and neither events nor links: they are written here, front to
/// back. The rest goes by way of `ProtobufWriter`, which can write anything and costs several times as
/// much.
struct SpanScratch {
    /// Room for what is written; most spans need less than half of it.
    private static let byteCount = 1_024
    /// What everything but texts and attributes takes, at most.
    private static let fixedByteCount = 128

    private var place: UnsafeMutablePointer<UInt8>
    private let end: UnsafeMutablePointer<UInt8>

    /// Gives the encoded span to `body`.
    @inline(__always)
    static func withEncoded<Result>(
        _ recorder: SpanRecorder,
        _ content: borrowing SpanRecorder.State,
        _ end: UInt64,
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        if content.events.isEmpty, content.links.isEmpty, recorder.owner.limits.keepsWholeValues {
            let result: Result? = withUnsafeTemporaryAllocation(
                of: UInt8.self,
                capacity: byteCount
            ) {
                encode(recorder, content, end, into: $0).map(body)
            }
            if let result { return result }
        }
        return OTLPRequest.encode(recorder.record(of: content, end: end))
            .withUnsafeBufferPointer(body)
    }

    /// - Returns: `nil` where there is no room, or an attribute is not plain.
    @inline(__always)
    private static func encode(
        _ recorder: SpanRecorder,
        _ content: borrowing SpanRecorder.State,
        _ end: UInt64,
        into room: UnsafeMutableBufferPointer<UInt8>
    ) -> UnsafeBufferPointer<UInt8>? {
        let textCount =
            recorder.context.state.text.utf8.count + content.name.utf8.count
            + (content.status?.message?.utf8.count ?? 0)
        guard let start = room.baseAddress, fixedByteCount + textCount <= room.count else {
            return nil
        }
        // Behind the tag and a length of two digits.
        let first = start + 3
        var scratch = SpanScratch(place: first, end: start + room.count)
        scratch.putIdentity(recorder, end)
        scratch.putContent(content)
        var isPlain = true
        content.attributes.forEach { key, value in isPlain = isPlain && scratch.put(key, value) }
        guard isPlain else { return nil }
        let count = scratch.place - first
        // A short span has one digit, and begins a byte later.
        let head = count < 0x80 ? start + 1 : start
        var place = head
        SlotWriter.put(0x12, at: &place)
        SlotWriter.put(varint: count, at: &place)
        return UnsafeBufferPointer(start: head, count: scratch.place - head)
    }

    /// What is known from the start on, and the end. Bound: `encode` has seen that there is room.
    @inline(__always)
    private mutating func putIdentity(_ recorder: SpanRecorder, _ end: UInt64) {
        put(tag: 0x0A, count: 16)
        SlotWriter.put(bigEndian: recorder.context.traceID.high, at: &place)
        SlotWriter.put(bigEndian: recorder.context.traceID.low, at: &place)
        put(tag: 0x12, count: 8)
        SlotWriter.put(bigEndian: recorder.context.spanID.raw, at: &place)
        put(tag: 0x1A, recorder.context.state.text)
        if recorder.parentSpanID.isValid {
            put(tag: 0x22, count: 8)
            SlotWriter.put(bigEndian: recorder.parentSpanID.raw, at: &place)
        }
        put(tag: 0x30, number: Int(recorder.kind.number))
        SlotWriter.put(0x39, at: &place)
        SlotWriter.put(littleEndian: recorder.start, at: &place)
        SlotWriter.put(0x41, at: &place)
        SlotWriter.put(littleEndian: end, at: &place)
        // Fixed32, field 16: two bytes of tag.
        SlotWriter.put(0x85, at: &place)
        SlotWriter.put(0x01, at: &place)
        let flags = OTLPRequest.flags(
            recorder.context.flags.rawValue,
            isRemote: recorder.parentIsRemote
        )
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            SlotWriter.put(UInt8(truncatingIfNeeded: flags >> shift), at: &place)
        }
    }

    /// What was said of the span, but for its attributes. Bound: as above.
    @inline(__always)
    private mutating func putContent(_ content: borrowing SpanRecorder.State) {
        put(tag: 0x2A, content.name)
        put(tag: 0x50, number: Int(content.dropped.attributes))
        put(tag: 0x60, number: Int(content.dropped.events))
        put(tag: 0x70, number: Int(content.dropped.links))
        if let status = content.status { put(status) }
    }

    private mutating func put(_ status: SpanStatus) {
        let text = status.message ?? ""
        let textCount = text.utf8.count
        let message = textCount == 0 ? 0 : 1 + SlotWriter.varintCount(textCount) + textCount
        SlotWriter.put(0x7A, at: &place)
        SlotWriter.put(varint: message + 2, at: &place)
        put(tag: 0x12, text)
        put(tag: 0x18, number: status.code == .error ? 2 : 1)
    }

    /// - Returns: `false`, and nothing is written, where there is no room or the value is not plain.
    @inline(__always)
    private mutating func put(_ key: String, _ value: SpanAttribute) -> Bool {
        switch value {
        case .string(let text):
            let count = text.utf8.count
            return put(key, 1 + SlotWriter.varintCount(count) + count) { place in
                SlotWriter.put(0x0A, at: &place)
                SlotWriter.put(varint: count, at: &place)
                text.withBytes { SlotWriter.put($0, at: &place) }
            }
        case .int64(let number): return put(key, number)
        case .int32(let number): return put(key, Int64(number))
        case .bool(let flag):
            return put(key, 2) { place in
                SlotWriter.put(0x10, at: &place)
                SlotWriter.put(flag ? 1 : 0, at: &place)
            }
        case .double(let number):
            return put(key, 9) { place in
                SlotWriter.put(0x21, at: &place)
                SlotWriter.put(littleEndian: number.bitPattern, at: &place)
            }
        default: return false
        }
    }

    @inline(__always)
    private mutating func put(_ key: String, _ number: Int64) -> Bool {
        put(key, 1 + SlotWriter.varintCount(UInt64(bitPattern: number))) { place in
            SlotWriter.put(0x18, at: &place)
            SlotWriter.put(varint: UInt64(bitPattern: number), at: &place)
        }
    }

    /// An attribute whose `AnyValue` takes `valueCount` bytes, which `write` writes.
    @inline(__always)
    private mutating func put(
        _ key: String,
        _ valueCount: Int,
        _ write: (inout UnsafeMutablePointer<UInt8>) -> Void
    ) -> Bool {
        // Seen before anything is added up: both are lengths of texts.
        guard key.utf8.count <= Self.byteCount, valueCount <= Self.byteCount else { return false }
        return key.withBytes { key in
            let body = SlotWriter.pairCount(key, valueCount)
            // Bound: with its tag and length, of three bytes at most, it ends before `end`.
            guard 4 + body <= end - place else { return false }
            SlotWriter.put(0x4A, at: &place)
            SlotWriter.putPair(key, body: body, valueCount: valueCount, at: &place, write)
            return true
        }
    }

    // MARK: Parts

    @inline(__always)
    private mutating func put(tag: UInt8, count: UInt8) {
        SlotWriter.put(tag, at: &place)
        SlotWriter.put(count, at: &place)
    }

    /// Zero is the default of proto3 and is left out.
    @inline(__always)
    private mutating func put(tag: UInt8, number: Int) {
        guard number != 0 else { return }
        SlotWriter.put(tag, at: &place)
        SlotWriter.put(varint: number, at: &place)
    }

    /// The empty text is the default of proto3 and is left out.
    @inline(__always)
    private mutating func put(tag: UInt8, _ text: String) {
        guard !text.isEmpty else { return }
        SlotWriter.put(tag, at: &place)
        SlotWriter.put(varint: text.utf8.count, at: &place)
        text.withBytes { SlotWriter.put($0, at: &place) }
    }
}
