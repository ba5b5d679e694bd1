// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The memory in which spans are recorded: a fixed number of slots, taken and given back without a
/// lock, so that a full slab refuses and nothing ever waits.
final class SpanSlab: Sendable {
    /// What starts, fills and ends spans, for whoever holds the slab.
    let slots: SlotMemory

    /// - Parameters:
    ///   - spanCount: Spans recorded or waiting at a time.
    ///   - byteCount: Bytes that contents too large for their slot may take together.
    init(spanCount: Int, byteCount: Int) {
        slots = SlotMemory(spanCount: spanCount, byteCount: byteCount)
    }

    deinit { slots.deallocate() }

    /// The state of a recorded span's trace, empty once the span has ended.
    func traceState(_ record: UInt64) -> String {
        guard let writer = slots.hold(record) else { return "" }
        defer { slots.letGo(record) }
        return writer.slot.pointee.traceState
    }

    // MARK: Exporting

    /// Gives all ended spans to `body`, one after another, and their slots back.
    func drain(_ body: (borrowing SpanSlot) -> Void) {
        for shard in 0..<SlotMemory.shardCount { drain(shard, body) }
    }

    private func drain(_ shard: Int, _ body: (borrowing SpanSlot) -> Void) {
        let place = slots.shards + shard
        let first = takeEnded(place)
        guard first != 0 else { return }
        var count = 0
        var last = first
        var link = first
        while link != 0 {
            let slot = slots.slot(link &- 1)
            body(slot.pointee)
            empty(slot)
            count += 1
            last = link
            link = slot.pointee.next.load(ordering: .relaxed)
        }
        place.pointee.taken.wrappingAdd(count, ordering: .releasing)
        // The whole chain goes back in one step.
        var head = place.pointee.free.load(ordering: .relaxed)
        while true {
            slots.slot(last &- 1).pointee.next.store(
                UInt32(truncatingIfNeeded: head),
                ordering: .relaxed
            )
            let (exchanged, found) = place.pointee.free.weakCompareExchange(
                expected: head,
                desired: head & ~0xFFFF_FFFF | UInt64(first),
                ordering: .releasing
            )
            if exchanged { return }
            head = found
        }
    }

    /// Empties a stack of ended spans.
    ///
    /// - Returns: Its first slot, plus one; 0 for none.
    private func takeEnded(_ place: UnsafeMutablePointer<SlotMemory.Shard>) -> UInt32 {
        var head = place.pointee.ended.load(ordering: .relaxed)
        while UInt32(truncatingIfNeeded: head) != 0 {
            let (exchanged, found) = place.pointee.ended.weakCompareExchange(
                expected: head,
                desired: head & ~0xFFFF_FFFF,
                ordering: .acquiring
            )
            if exchanged { break }
            head = found
        }
        return UInt32(truncatingIfNeeded: head)
    }

    private func empty(_ slot: UnsafeMutablePointer<SpanSlot>) {
        if slot.pointee.isOverflown {
            slots.overflow.pointee.release(Int(slot.pointee.contentCapacity))
            slot.pointee.content.deallocate()
            // Bound: behind each slot lies its room.
            slot.pointee.content = SlotMemory.room(of: slot)
            slot.pointee.contentCapacity = UInt32(SpanSlot.roomByteCount)
        }
        if !slot.pointee.traceState.isEmpty { slot.pointee.traceState = "" }
        if !slot.pointee.statusMessage.isEmpty { slot.pointee.statusMessage = "" }
        let generation = slot.pointee.state.load(ordering: .relaxed) & ~0xFFFF_FFFF
        slot.pointee.state.store(generation | SpanSlot.Phase.free, ordering: .relaxed)
    }

    /// Ended spans that wait.
    var endedCount: Int {
        (0..<SlotMemory.shardCount).reduce(0) { $0 + slots.shards[$1].ends.waiting }
    }

    /// Spans started and ended since the slab was made.
    var counts: (started: Int, ended: Int) {
        (0..<SlotMemory.shardCount).reduce((0, 0)) { sum, shard in
            let counts = slots.shards[shard].counts(slotCount: slots.slotsPerShard)
            return (sum.0 + counts.started, sum.1 + counts.ended)
        }
    }

    // MARK: Room

    /// Counts bytes that were taken out as if they were still here, so that they and what ends meanwhile
    /// do not pile up beside each other while a receiver hangs.
    func hold(_ byteCount: Int) { slots.overflow.pointee.hold(byteCount) }

    /// Gives the room of bytes back that were held.
    func release(_ byteCount: Int) { slots.overflow.pointee.release(byteCount) }
}
