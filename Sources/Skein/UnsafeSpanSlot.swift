// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// One span while it is recorded: what is known of it at its start and end; everything said in between
/// stands, already encoded, in its content.
struct SpanSlot: ~Copyable {
    /// Generation in the high half, phase in the low one. Whoever moves it from `active` to `busy`
    /// may write to the slot; the exporter may read it once it is `ended`.
    let state = Atomic<UInt64>(0)
    /// The next slot of the stack that this one lies on, plus one; 0 for none. Atomic because a
    /// thread that lost the race for a slot may still read it.
    let next = Atomic<UInt32>(0)
    var contentCount: UInt32 = 0
    var contentCapacity: UInt32 = 0
    var attributeCount: UInt16 = 0
    var eventCount: UInt16 = 0
    var linkCount: UInt16 = 0
    var kind: UInt8 = 0
    var flags: UInt8 = 0
    var droppedAttributes: UInt32 = 0
    var droppedEvents: UInt32 = 0
    var droppedLinks: UInt32 = 0
    var parentIsRemote = false
    /// A key may stand twice in the content.
    var mayRepeatKeys = false
    /// OTLP's number of the status.
    var status: UInt8 = 0
    /// The series that the span is counted in as a call, plus one; 0 for none.
    var callSeries: UInt32 = 0
    /// One bit for each key set so far.
    var keyBits: UInt64 = 0
    var traceHigh: UInt64 = 0
    var traceLow: UInt64 = 0
    var spanID: UInt64 = 0
    var parentID: UInt64 = 0
    var start: UInt64 = 0
    var end: UInt64 = 0
    /// OTLP fields, one after another: in the slot's own room, or in a larger one of its own.
    var content: UnsafeMutablePointer<UInt8>
    /// `tracestate`; empty for most.
    var traceState = ""
    /// What was said with the status.
    var statusMessage = ""

    /// - Parameter content: The slot's own room.
    init(content: UnsafeMutablePointer<UInt8>) {
        self.content = content
        contentCapacity = UInt32(Self.roomByteCount)
    }

    /// Room of a slot's own, bytes: a span with ten attributes takes about 350.
    static let roomByteCount = 768

    /// Whether the content lies in a room of its own.
    var isOverflown: Bool { Int(contentCapacity) > Self.roomByteCount }

    enum Phase {
        static let free: UInt64 = 0
        static let active: UInt64 = 1
        static let busy: UInt64 = 2
        static let ended: UInt64 = 3
    }
}
