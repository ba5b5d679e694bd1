// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
public import SkeinPropagation
internal import Synchronization

// What is said of a span that is recorded in the slab.
extension TracerCore {
    @inline(__always)
    private func write(_ record: UInt64, _ body: (SlotWriter) -> Void) {
        let isRunning = slab.write(record) { body(SlotWriter(slab: slab, slot: $0)) }
        if !isRunning { counters.lateChanges.add(1, ordering: .relaxed) }
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: String) {
        var value = value
        withTextCut(&value) { text in
            key.withUTF8Buffer { key in
                write(record) { $0.text(key, text, limit: limits.attributeCount) }
            }
        }
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: StaticString) {
        value.withUTF8Buffer { text in
            key.withUTF8Buffer { key in
                write(record) { $0.text(key, text, limit: limits.attributeCount) }
            }
        }
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: Int64) {
        key.withUTF8Buffer { key in
            write(record) { $0.number(key, value, limit: limits.attributeCount) }
        }
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: Double) {
        key.withUTF8Buffer { key in
            write(record) { $0.number(key, value, limit: limits.attributeCount) }
        }
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: Bool) {
        key.withUTF8Buffer { key in
            write(record) { $0.flag(key, value, limit: limits.attributeCount) }
        }
    }

    @usableFromInline
    func set(_ record: UInt64, key: String, value: AttributeValue) {
        var encoder = ProtobufWriter()
        encoder.value(value, cutTo: limits.attributeValueLength)
        var key = key
        key.withUTF8 { key in
            write(record) { $0.encoded(key, encoder.bytes, limit: limits.attributeCount) }
        }
    }

    @usableFromInline
    func addEvent(
        _ record: UInt64,
        _ name: String,
        _ attributes: [(key: String, value: AttributeValue)]
    ) {
        var encoder = ProtobufWriter()
        encoder.fixed64(1, Transport.wallNanoseconds())
        encoder.string(2, name)
        let kept = attributes.prefix(limits.attributeCountPerEvent)
        encoder.attributes(3, kept, cutTo: limits.attributeValueLength)
        encoder.varint(4, UInt64(attributes.count - kept.count))
        write(record) { $0.event(encoder.bytes, limit: limits.eventCount) }
    }

    @usableFromInline
    func addError(_ record: UInt64, _ error: any Error, stack: String) {
        let message = String(describing: error)
        var attributes: [(key: String, value: AttributeValue)] = [
            ("exception.type", .string(String(reflecting: type(of: error)))),
            ("exception.message", .string(message)),
        ]
        if !stack.isEmpty { attributes.append(("exception.stacktrace", .string(stack))) }
        addEvent(record, "exception", attributes)
        setStatus(record, 2, message)
    }

    @usableFromInline
    func setStatus(_ record: UInt64, _ code: UInt8, _ message: String) {
        write(record) { writer in
            writer.slot.pointee.status = code
            writer.slot.pointee.statusMessage = message
        }
    }

    @usableFromInline
    func addLink(
        _ record: UInt64,
        _ context: TraceContext,
        _ attributes: [(key: String, value: AttributeValue)]
    ) {
        var encoder = ProtobufWriter()
        encoder.words(1, context.traceID.high, context.traceID.low)
        encoder.words(2, context.spanID.raw)
        encoder.string(3, context.state.text)
        let kept = attributes.prefix(limits.attributeCountPerLink)
        encoder.attributes(4, kept, cutTo: limits.attributeValueLength)
        encoder.varint(5, UInt64(attributes.count - kept.count))
        encoder.fixed32(
            6,
            OTLPRequest.flags(context.flags.rawValue, isRemote: context.isRemote)
        )
        write(record) { $0.link(encoder.bytes, limit: limits.linkCount) }
    }

    @usableFromInline
    func rename(_ record: UInt64, _ name: String) {
        var name = name
        name.withUTF8 { text in
            write(record) { writer in
                writer.name(text)
                if let calls, writer.slot.pointee.callSeries != 0 {
                    let old = writer.slot.pointee.callSeries - 1
                    writer.slot.pointee.callSeries = calls.series(renaming: old, text) + 1
                }
            }
        }
    }

    /// Gives the UTF-8 of a text, without what goes past the limit for values.
    @inline(__always)
    private func withTextCut(_ text: inout String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        if let length = limits.attributeValueLength, text.utf8.count > length {
            text = String(text.unicodeScalars.prefix(length))
        }
        text.withUTF8(body)
    }
}
