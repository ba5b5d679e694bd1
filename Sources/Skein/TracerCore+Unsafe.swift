// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
public import SkeinPropagation
internal import Synchronization

// What is said of a span that is recorded in the slab.
extension TracerCore {
    @inline(__always)
    private func write(_ record: UInt64, _ body: (SlotWriter) -> Void) {
        guard let writer = hold(record) else { return }
        body(writer)
        slots.letGo(record)
    }

    /// `nil`, and counted, where the span has ended.
    @inline(__always)
    private func hold(_ record: UInt64) -> SlotWriter? {
        if let writer = slots.hold(record) { return writer }
        counters.lateChanges.add(1, ordering: .relaxed)
        return nil
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: String) {
        guard let name = key.bytes, limits.attributeValueLength == nil else {
            return set(record, key: "\(key)", value: .string(value))
        }
        let limit = limits.attributeCount
        guard let writer = hold(record) else { return }
        value.withBytes { writer.text(name, $0, limit: limit) }
        slots.letGo(record)
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: StaticString) {
        guard let name = key.bytes, let text = value.bytes else {
            return set(record, key: "\(key)", value: .string("\(value)"))
        }
        guard let writer = hold(record) else { return }
        writer.text(name, text, limit: limits.attributeCount)
        slots.letGo(record)
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: Int64) {
        guard let name = key.bytes else {
            return set(record, key: "\(key)", value: .int(value))
        }
        guard let writer = hold(record) else { return }
        writer.number(name, value, limit: limits.attributeCount)
        slots.letGo(record)
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: Double) {
        guard let name = key.bytes else {
            return set(record, key: "\(key)", value: .double(value))
        }
        guard let writer = hold(record) else { return }
        writer.number(name, value, limit: limits.attributeCount)
        slots.letGo(record)
    }

    @usableFromInline
    func set(_ record: UInt64, _ key: StaticString, _ value: Bool) {
        guard let name = key.bytes else {
            return set(record, key: "\(key)", value: .bool(value))
        }
        guard let writer = hold(record) else { return }
        writer.flag(name, value, limit: limits.attributeCount)
        slots.letGo(record)
    }

    @usableFromInline
    func set(_ record: UInt64, key: String, value: AttributeValue) {
        var encoder = ProtobufWriter()
        encoder.value(value, cutTo: limits.attributeValueLength)
        key.withBytes { key in
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
        // It lies outside of the room that spans have together.
        let text = message.prefix(ofBytes: Limits.statusByteCount)
        write(record) { writer in
            writer.slot.pointee.status = code
            writer.slot.pointee.statusMessage = text
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
        name.withBytes { text in
            write(record) { writer in
                writer.rename(text)
                if let calls, writer.slot.pointee.callSeries != 0, !Transport.isForkedCopy {
                    let old = writer.slot.pointee.callSeries - 1
                    writer.slot.pointee.callSeries = calls.series(renaming: old, text) + 1
                }
            }
        }
    }

    /// Gives what counts calls to `body`; `nil` where nothing does.
    @inline(__always)
    func withCalls<Result>(_ body: (CallStatistics) -> Result) -> Result? {
        // Bound: `calls` lives as long as the core.
        heldCalls.calls?._withUnsafeGuaranteedRef(body)
    }
}

/// What counts calls, for where counting a reference to it would cost as much as counting a call.
struct HeldCalls: Sendable {
    fileprivate let calls: Unmanaged<CallStatistics>?

    /// - Parameter calls: Somebody else holds it.
    init(_ calls: CallStatistics?) { self.calls = calls.map(Unmanaged.passUnretained) }
}
