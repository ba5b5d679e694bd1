// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

// Slots to OTLP: what is known of a span besides its content goes around it.
extension SpanSlab {
    /// Takes all ended spans out, in batches of at most `limit` and a bounded number of bytes, which are
    /// held: give them back by `release`.
    func take(_ resource: Resource, limit: Int) -> [RecordedSpans] {
        var batches: [RecordedSpans] = []
        var writer = ProtobufWriter()
        var count = 0
        func close() {
            guard count > 0 else { return }
            // It may wait for long: without the room that it grew into.
            let encoded = writer.bytes.withUnsafeBufferPointer { Array($0) }
            hold(encoded.count)
            batches.append(
                RecordedSpans(resource: resource, spanCount: count, encoded: encoded)
            )
            writer = ProtobufWriter()
            count = 0
        }
        drain { slot in
            if writer.bytes.count + Int(slot.contentCount) > Limits.batchByteCount { close() }
            if count == 0 { writer = ProtobufWriter(capacity: limit * 256) }
            writer.slot(slot)
            count += 1
            if count == limit { close() }
        }
        close()
        return batches
    }
}

extension ProtobufWriter {
    fileprivate mutating func slot(_ slot: borrowing SpanSlot) {
        // Bound: contentCount bytes were written there.
        let content = UnsafeBufferPointer(start: slot.content, count: Int(slot.contentCount))
        let head = openMessage(2, lengthDigitCount: 2)
        words(1, slot.traceHigh, slot.traceLow)
        words(2, slot.spanID)
        string(3, slot.traceState)
        if slot.parentID != 0 { words(4, slot.parentID) }
        varint(6, UInt64(slot.kind))
        fixed64(7, slot.start)
        fixed64(8, slot.end)
        if slot.mayRepeatKeys {
            append(raw: SlotFields(content).settled().bytes)
        } else {
            append(raw: content)
        }
        varint(10, UInt64(slot.droppedAttributes))
        varint(12, UInt64(slot.droppedEvents))
        varint(14, UInt64(slot.droppedLinks))
        if slot.status != 0 {
            let code = UInt64(slot.status)
            let text = slot.statusMessage
            message(15) { writer in
                writer.string(2, text)
                writer.varint(3, code)
            }
        }
        fixed32(16, OTLPRequest.flags(slot.flags, isRemote: slot.parentIsRemote))
        closeMessage(head)
    }
}
