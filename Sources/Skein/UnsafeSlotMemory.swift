// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The slots of a `SpanSlab`, which it allocates and frees: what starts, fills and ends spans.
///
/// Addresses and no reference: whoever holds the slab takes a copy and gets at its slots without counting
/// one. Slots lie in shards by thread, each with two stacks:
/// ```
/// free  -> 7 -> 3          popped by whoever starts a span, pushed by the exporter
/// ended -> 5 -> 9 -> 1     pushed by whoever ends a span, taken whole by the exporter
/// ```
/// A popped slot is the one used last, so a quiet process stays within a few cache lines. A slot's own
/// room lies right behind it, and both begin on a cache line: waiting for lines that an exporter on another
/// core has read is much of what a span costs.
struct SlotMemory: @unchecked Sendable {
    /// Both stacks and the counters of one shard, on cache lines of their own.
    struct Shard: ~Copyable {
        /// First slot, plus one, in the low half; in the high half the number of pops, modulo its
        /// size: it counts spans, and makes sure that a slot popped and pushed meanwhile is noticed.
        let free = Atomic<UInt64>(0)
        /// First slot, plus one, in the low half; in the high half the number of pushes.
        let ended = Atomic<UInt64>(0)
        /// Slots from here on were never used.
        let fresh = Atomic<UInt32>(0)
        /// Ended spans that the exporter has taken.
        let taken = Atomic<Int>(0)
        private let padding: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

        /// Spans ended, and of them those that wait.
        var ends: (all: Int, waiting: Int) {
            // In this order: what was taken had ended. No 2^32 spans end in between.
            let taken = taken.load(ordering: .acquiring)
            let count = UInt32(truncatingIfNeeded: ended.load(ordering: .acquiring) >> 32)
            let waiting = Int(count &- UInt32(truncatingIfNeeded: taken))
            return (taken &+ waiting, waiting)
        }

        /// Spans started and ended.
        func counts(slotCount: UInt32) -> (started: Int, ended: Int) {
            // In this order: what ended had started. Those between are no more than there are slots.
            let ended = ends.all
            let fresh = min(fresh.load(ordering: .relaxed), slotCount)
            let pops = UInt32(truncatingIfNeeded: free.load(ordering: .relaxed) >> 32)
            return (ended &+ Int(pops &+ fresh &- UInt32(truncatingIfNeeded: ended)), ended)
        }
    }

    /// From one slot to the next: a slot, three cache lines, and its room. An odd number of lines, so
    /// that slots do not compete for the same places of a cache.
    private static let stride = slotByteCount + SpanSlot.roomByteCount
    private static let slotByteCount = 192
    private static let cacheLine = 64
    static let shardCount = 8

    // What lies there is guarded by the slots' states.
    private let memory: UnsafeMutableRawPointer
    let shards: UnsafeMutablePointer<Shard>
    let slotsPerShard: UInt32
    /// Where contents go that are too large for their slot.
    let overflow: UnsafeMutablePointer<SlotOverflow>

    /// Allocates; see `SpanSlab`.
    init(spanCount: Int, byteCount: Int) {
        let count = max(1, (spanCount + Self.shardCount - 1) / Self.shardCount)
        slotsPerShard = UInt32(count)
        overflow = .allocate(capacity: 1)
        overflow.initialize(to: SlotOverflow(limit: byteCount))
        shards = .allocate(capacity: Self.shardCount)
        for index in 0..<Self.shardCount { (shards + index).initialize(to: Shard()) }
        precondition(MemoryLayout<SpanSlot>.size <= Self.slotByteCount, "a slot has grown")
        memory = .allocate(
            byteCount: count * Self.shardCount * Self.stride,
            alignment: Self.cacheLine
        )
    }

    /// Frees everything; nobody uses any copy of this any more.
    func deallocate() {
        for shard in 0..<Self.shardCount {
            let used = min(shards[shard].fresh.load(ordering: .relaxed), slotsPerShard)
            for number in 0..<used {
                let slot = slot(Self.index(of: number, in: shard))
                if slot.pointee.isOverflown { slot.pointee.content.deallocate() }
                slot.deinitialize(count: 1)
            }
        }
        memory.deallocate()
        shards.deinitialize(count: Self.shardCount).deallocate()
        overflow.deinitialize(count: 1).deallocate()
    }

    // Slots belong to the shards in turn.
    @inline(__always)
    private static func shard(of index: UInt32) -> Int { Int(index) & (shardCount - 1) }

    private static func index(of number: UInt32, in shard: Int) -> UInt32 {
        number * UInt32(shardCount) + UInt32(shard)
    }

    /// Bound: stacks and records hold indices of slots alone.
    @inline(__always)
    func slot(_ index: UInt32) -> UnsafeMutablePointer<SpanSlot> {
        (memory + Int(index) &* Self.stride).assumingMemoryBound(to: SpanSlot.self)
    }

    /// A slot's own room, behind it.
    static func room(of slot: UnsafeMutablePointer<SpanSlot>) -> UnsafeMutablePointer<UInt8> {
        // Bound: `stride` leaves room for both.
        (UnsafeMutableRawPointer(slot) + slotByteCount)
            .bindMemory(to: UInt8.self, capacity: SpanSlot.roomByteCount)
    }

    // MARK: Starting and ending

    /// A slot for a new span and its generation, or `nil` when all are taken.
    ///
    /// - Parameter fill: Writes what is known at the start; nobody else sees the slot yet. It is given
    ///   what the span will be known by, too.
    @inline(__always)
    func claim(_ fill: (SlotWriter, UInt64) -> Void) -> UInt64? {
        let shard = Int(truncatingIfNeeded: Transport.threadNumber) & (Self.shardCount - 1)
        guard let index = pop(shard) ?? popElsewhere(than: shard) else { return nil }
        let slot = slot(index)
        let generation = (slot.pointee.state.load(ordering: .relaxed) >> 32 &+ 1) & 0xFFFF_FFFF
        let record = generation << 32 | UInt64(index)
        fill(SlotWriter(slot: slot, overflow: overflow), record)
        slot.pointee.state.store(generation << 32 | SpanSlot.Phase.active, ordering: .releasing)
        return record
    }

    /// Says which series a span is counted in that `claim` has just given, and nobody else knows.
    @inline(__always)
    func setCallSeries(_ record: UInt64, _ series: UInt32) {
        slot(UInt32(truncatingIfNeeded: record)).pointee.callSeries = series &+ 1
    }

    /// A slot takes up memory with its first span: few programs ever have so many at once.
    @inline(never)
    private func makeFresh(_ index: UInt32) -> UInt32 {
        // Bound: index < shardCount * slotsPerShard, and it is given to one thread alone.
        let slot = (memory + Int(index) * Self.stride).bindMemory(to: SpanSlot.self, capacity: 1)
        slot.initialize(to: SpanSlot(content: Self.room(of: slot)))
        return index
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
            let next = slot(index).pointee.next.load(ordering: .relaxed)
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
        return makeFresh(Self.index(of: fresh, in: shard))
    }

    /// What writes to a recorded span, until `letGo` is called: at once, and without anything of the
    /// application in between, because others wait.
    ///
    /// Not a closure's parameter: closures that the compiler merges into their callers count references to
    /// what they caught.
    ///
    /// - Returns: `nil` where the span has ended.
    @inline(__always)
    func hold(_ record: UInt64) -> SlotWriter? {
        let slot = slot(UInt32(truncatingIfNeeded: record))
        guard lock(slot, record & ~0xFFFF_FFFF, SpanSlot.Phase.busy) else { return nil }
        return SlotWriter(slot: slot, overflow: overflow)
    }

    /// Ends what `hold` began.
    @inline(__always)
    func letGo(_ record: UInt64) {
        slot(UInt32(truncatingIfNeeded: record)).pointee.state.store(
            record & ~0xFFFF_FFFF | SpanSlot.Phase.active,
            ordering: .releasing
        )
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

    /// Ends a recorded span; give what this returns to `handOver`.
    ///
    /// - Returns: The whole span, which nobody else sees yet; `nil` where it had ended before.
    @inline(__always)
    func end(_ record: UInt64, at time: UInt64) -> UnsafeMutablePointer<SpanSlot>? {
        let slot = slot(UInt32(truncatingIfNeeded: record))
        guard lock(slot, record & ~0xFFFF_FFFF, SpanSlot.Phase.ended) else { return nil }
        // A clock that was set back shows as a span of no duration.
        slot.pointee.end = max(time, slot.pointee.start)
        return slot
    }

    /// Gives a span that has ended to the exporter.
    ///
    /// - Returns: How many ended spans now wait in its shard; fewer than none where later ones were taken
    ///   already.
    @inline(__always)
    func handOver(_ slot: UnsafeMutablePointer<SpanSlot>, of record: UInt64) -> Int {
        let index = UInt32(truncatingIfNeeded: record)
        let shard = shards + Self.shard(of: index)
        var head = shard.pointee.ended.load(ordering: .relaxed)
        while true {
            slot.pointee.next.store(UInt32(truncatingIfNeeded: head), ordering: .relaxed)
            let count = UInt32(truncatingIfNeeded: head >> 32) &+ 1
            let (exchanged, found) = shard.pointee.ended.weakCompareExchange(
                expected: head,
                desired: UInt64(count) << 32 | UInt64(index &+ 1),
                ordering: .releasing
            )
            if exchanged {
                let taken = shard.pointee.taken.load(ordering: .relaxed)
                return Int(Int32(bitPattern: count &- UInt32(truncatingIfNeeded: taken)))
            }
            head = found
        }
    }
}
