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
    /// OTLP's number of the status, and what was said with it.
    var status: UInt8 = 0
    var statusMessage = ""

    init(content: UnsafeMutablePointer<UInt8>, capacity: Int) {
        self.content = content
        contentCapacity = UInt32(capacity)
    }

    enum Phase {
        static let free: UInt64 = 0
        static let active: UInt64 = 1
        static let busy: UInt64 = 2
        static let ended: UInt64 = 3
    }
}

/// The memory in which spans are recorded: a fixed number of slots, taken and given back without a
/// lock, so that a full slab refuses and nothing ever waits.
///
/// Slots lie in shards by thread, each with two stacks:
/// ```
/// free  -> 7 -> 3          popped by whoever starts a span, pushed by the exporter
/// ended -> 5 -> 9 -> 1     pushed by whoever ends a span, taken whole by the exporter
/// ```
/// A popped slot is the one used last, so a quiet process stays within a few cache lines.
final class SpanSlab: Sendable {
    /// Both stacks and the counters of one shard, on cache lines of their own.
    private struct Shard: ~Copyable {
        /// First slot, plus one, in the low half; in the high half a number that changes with every
        /// pop, so that a slot popped and pushed meanwhile is noticed.
        let free = Atomic<UInt64>(0)
        /// Slots from here on were never used.
        let fresh = Atomic<UInt32>(0)
        let ended = Atomic<UInt32>(0)
        let started = Atomic<Int>(0)
        let ends = Atomic<Int>(0)
        /// Ended spans that the exporter has taken.
        let taken = Atomic<Int>(0)
        private let padding: (UInt64, UInt64) = (0, 0)

        /// Ended spans that wait. Read before what has ended since: never more than there are.
        var waiting: Int {
            let taken = taken.load(ordering: .acquiring)
            return max(0, ends.load(ordering: .relaxed) &- taken)
        }
    }

    /// Room of a slot's own, bytes: a span with ten attributes takes about 350.
    private static let slotByteCount = 768
    private static let shardCount = 8

    // Allocated in `init`, freed in `deinit`; what lies there is guarded by the slots' states.
    private nonisolated(unsafe) let slots: UnsafeMutablePointer<SpanSlot>
    private nonisolated(unsafe) let bytes: UnsafeMutablePointer<UInt8>
    private nonisolated(unsafe) let shards: UnsafeMutablePointer<Shard>
    private let slotsPerShard: UInt32
    /// Bytes of content outside the slots.
    private let overflowByteCount = Atomic(0)
    private let overflowLimit: Int

    /// - Parameters:
    ///   - spanCount: Spans recorded or waiting at a time.
    ///   - byteCount: Bytes that contents too large for their slot may take together.
    init(spanCount: Int, byteCount: Int) {
        let count = max(1, (spanCount + Self.shardCount - 1) / Self.shardCount)
        slotsPerShard = UInt32(count)
        overflowLimit = byteCount
        let all = count * Self.shardCount
        bytes = .allocate(capacity: all * Self.slotByteCount)
        slots = .allocate(capacity: all)
        for index in 0..<all {
            // Bound: index < all, the capacity of both.
            let content = bytes + index * Self.slotByteCount
            (slots + index).initialize(
                to: SpanSlot(content: content, capacity: Self.slotByteCount)
            )
        }
        shards = .allocate(capacity: Self.shardCount)
        for index in 0..<Self.shardCount { (shards + index).initialize(to: Shard()) }
    }

    deinit {
        let all = Int(slotsPerShard) * Self.shardCount
        for index in 0..<all where Int(slots[index].contentCapacity) > Self.slotByteCount {
            slots[index].content.deallocate()
        }
        slots.deinitialize(count: all).deallocate()
        shards.deinitialize(count: Self.shardCount).deallocate()
        bytes.deallocate()
    }

    // MARK: Starting and ending

    /// A slot for a new span and its generation, or `nil` when all are taken.
    ///
    /// - Parameter fill: Writes what is known at the start; nobody else sees the slot yet. It is given
    ///   what the span will be known by, too.
    @inline(__always)
    func claim(_ fill: (UnsafeMutablePointer<SpanSlot>, UInt64) -> Void) -> UInt64? {
        let shard = Int(truncatingIfNeeded: Transport.threadNumber) & (Self.shardCount - 1)
        guard let index = pop(shard) ?? popElsewhere(than: shard) else { return nil }
        // Bound: stacks hold indices of slots alone.
        let slot = slots + Int(index)
        let generation = (slot.pointee.state.load(ordering: .relaxed) >> 32 &+ 1) & 0xFFFF_FFFF
        let record = generation << 32 | UInt64(index)
        fill(slot, record)
        slot.pointee.state.store(generation << 32 | SpanSlot.Phase.active, ordering: .releasing)
        shards[shard].started.wrappingAdd(1, ordering: .relaxed)
        return record
    }

    /// Says which series a span is counted in that `claim` has just given, and nobody else knows.
    @inline(__always)
    func setCallSeries(_ record: UInt64, _ series: UInt32) {
        // Bound: records are made by `claim` alone.
        slots[Int(record & 0xFFFF_FFFF)].callSeries = series &+ 1
    }

    private func popElsewhere(than shard: Int) -> UInt32? {
        for step in 1..<Self.shardCount {
            if let index = pop((shard + step) & (Self.shardCount - 1)) { return index }
        }
        return nil
    }

    @inline(__always)
    private func pop(_ shard: Int) -> UInt32? {
        let place = shards + shard
        var head = place.pointee.free.load(ordering: .acquiring)
        while UInt32(truncatingIfNeeded: head) != 0 {
            let index = UInt32(truncatingIfNeeded: head) &- 1
            let next = slots[Int(index)].next.load(ordering: .relaxed)
            let wanted = (head >> 32 &+ 1) << 32 | UInt64(next)
            let (exchanged, found) = place.pointee.free.weakCompareExchange(
                expected: head,
                desired: wanted,
                ordering: .acquiringAndReleasing
            )
            if exchanged { return index }
            head = found
        }
        guard place.pointee.fresh.load(ordering: .relaxed) < slotsPerShard else { return nil }
        let fresh = place.pointee.fresh.wrappingAdd(1, ordering: .relaxed).oldValue
        guard fresh < slotsPerShard else {
            place.pointee.fresh.store(slotsPerShard, ordering: .relaxed)
            return nil
        }
        return UInt32(shard) * slotsPerShard + fresh
    }

    /// Lets `body` write to a recorded span.
    ///
    /// - Returns: `false` where the span has ended.
    @inline(__always)
    func write(_ record: UInt64, _ body: (UnsafeMutablePointer<SpanSlot>) -> Void) -> Bool {
        // Bound: records are made by `claim` alone.
        let slot = slots + Int(record & 0xFFFF_FFFF)
        let generation = record & ~0xFFFF_FFFF
        guard lock(slot, generation, SpanSlot.Phase.busy) else { return false }
        body(slot)
        slot.pointee.state.store(generation | SpanSlot.Phase.active, ordering: .releasing)
        return true
    }

    @inline(__always)
    private func lock(
        _ slot: UnsafeMutablePointer<SpanSlot>,
        _ generation: UInt64,
        _ phase: UInt64
    ) -> Bool {
        let active = generation | SpanSlot.Phase.active
        if slot.pointee.state.compareExchange(
            expected: active,
            desired: generation | phase,
            ordering: .acquiring
        ).exchanged {
            return true
        }
        return lockSlowly(slot, generation, phase)
    }

    /// Somebody else writes to the slot, for some nanoseconds; or the span has ended.
    @inline(never)
    private func lockSlowly(
        _ slot: UnsafeMutablePointer<SpanSlot>,
        _ generation: UInt64,
        _ phase: UInt64
    ) -> Bool {
        while true {
            let (exchanged, found) = slot.pointee.state.compareExchange(
                expected: generation | SpanSlot.Phase.active,
                desired: generation | phase,
                ordering: .acquiring
            )
            if exchanged { return true }
            if found != generation | SpanSlot.Phase.busy { return false }
            // Who was writing when `fork` copied the process is not here to finish.
            if Transport.isForkedCopy { return false }
            Transport.yieldThread()
        }
    }

    /// Ends a recorded span.
    ///
    /// - Parameter onEnd: Is given the whole span, once.
    /// - Returns: `nil` where it had ended before, else how many ended spans now wait in its shard.
    @inline(__always)
    func end(
        _ record: UInt64,
        at time: UInt64,
        _ onEnd: (UnsafeMutablePointer<SpanSlot>) -> Void
    ) -> Int? {
        let index = UInt32(truncatingIfNeeded: record)
        let slot = slots + Int(index)
        let generation = record & ~0xFFFF_FFFF
        guard lock(slot, generation, SpanSlot.Phase.ended) else { return nil }
        // A clock that was set back shows as a span of no duration.
        slot.pointee.end = max(time, slot.pointee.start)
        onEnd(slot)
        let shard = shards + Int(index / slotsPerShard)
        var head = shard.pointee.ended.load(ordering: .relaxed)
        while true {
            slot.pointee.next.store(head, ordering: .relaxed)
            let (exchanged, found) = shard.pointee.ended.weakCompareExchange(
                expected: head,
                desired: index &+ 1,
                ordering: .releasing
            )
            if exchanged { break }
            head = found
        }
        let ends = shard.pointee.ends.wrappingAdd(1, ordering: .relaxed).newValue
        return ends &- shard.pointee.taken.load(ordering: .relaxed)
    }

    /// The state of a recorded span's trace, empty once the span has ended.
    func traceState(_ record: UInt64) -> String {
        var state = ""
        _ = write(record) { state = $0.pointee.traceState }
        return state
    }

    // MARK: Exporting

    /// Gives all ended spans to `body`, one after another, and their slots back.
    func drain(_ body: (borrowing SpanSlot) -> Void) {
        for shard in 0..<Self.shardCount { drain(shard, body) }
    }

    private func drain(_ shard: Int, _ body: (borrowing SpanSlot) -> Void) {
        let place = shards + shard
        let first = place.pointee.ended.exchange(0, ordering: .acquiring)
        guard first != 0 else { return }
        var count = 0
        var last = first
        var link = first
        while link != 0 {
            let slot = slots + Int(link &- 1)
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
            slots[Int(last &- 1)].next.store(
                UInt32(truncatingIfNeeded: head),
                ordering: .relaxed
            )
            let (exchanged, found) = place.pointee.free.weakCompareExchange(
                expected: head,
                desired: (head >> 32 &+ 1) << 32 | UInt64(first),
                ordering: .releasing
            )
            if exchanged { return }
            head = found
        }
    }

    private func empty(_ slot: UnsafeMutablePointer<SpanSlot>) {
        if Int(slot.pointee.contentCapacity) > Self.slotByteCount {
            overflowByteCount.subtract(Int(slot.pointee.contentCapacity), ordering: .relaxed)
            slot.pointee.content.deallocate()
            // Bound: the slot's index times the room of one.
            slot.pointee.content = bytes + (slot - slots) * Self.slotByteCount
            slot.pointee.contentCapacity = UInt32(Self.slotByteCount)
        }
        if !slot.pointee.traceState.isEmpty { slot.pointee.traceState = "" }
        if !slot.pointee.statusMessage.isEmpty { slot.pointee.statusMessage = "" }
        let generation = slot.pointee.state.load(ordering: .relaxed) & ~0xFFFF_FFFF
        slot.pointee.state.store(generation | SpanSlot.Phase.free, ordering: .relaxed)
    }

    /// Ended spans that wait.
    var endedCount: Int {
        (0..<Self.shardCount).reduce(0) { $0 + shards[$1].waiting }
    }

    /// Spans started and ended since the slab was made.
    var counts: (started: Int, ended: Int) {
        (0..<Self.shardCount).reduce((0, 0)) {
            (
                $0.0 + shards[$1].started.load(ordering: .relaxed),
                $0.1 + shards[$1].ends.load(ordering: .relaxed)
            )
        }
    }

    // MARK: Room

    /// Counts bytes that were taken out as if they were still here, so that they and what ends meanwhile
    /// do not pile up beside each other while a receiver hangs.
    func hold(_ byteCount: Int) { overflowByteCount.add(byteCount, ordering: .relaxed) }

    /// Gives the room of bytes back that were held.
    func release(_ byteCount: Int) { overflowByteCount.subtract(byteCount, ordering: .relaxed) }

    /// Makes room for `count` more bytes of content; the slot is held by the caller.
    ///
    /// - Returns: `false` where the limit is reached: then nothing changed.
    @inline(never)
    func grow(_ slot: UnsafeMutablePointer<SpanSlot>, by count: Int) -> Bool {
        let old = Int(slot.pointee.contentCapacity)
        let wanted = max(old * 2, Int(slot.pointee.contentCount) + count)
        let isOwn = old == Self.slotByteCount
        let added = isOwn ? wanted : wanted - old
        guard wanted <= Limits.spanByteCount,
            overflowByteCount.add(added, ordering: .relaxed).newValue <= overflowLimit
        else {
            if wanted <= Limits.spanByteCount {
                overflowByteCount.subtract(added, ordering: .relaxed)
            }
            return false
        }
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        // Bound: contentCount <= old < wanted.
        larger.update(from: slot.pointee.content, count: Int(slot.pointee.contentCount))
        if !isOwn { slot.pointee.content.deallocate() }
        slot.pointee.content = larger
        slot.pointee.contentCapacity = UInt32(wanted)
        return true
    }
}
