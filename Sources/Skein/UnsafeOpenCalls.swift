// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A call while it runs whose span is not recorded: there is no record to hold what is said of it.
struct OpenCall: ~Copyable {
    /// Generation in the high half, phase in the low one. Whoever moves it from `active` to `busy`
    /// may read and write the rest.
    fileprivate let state = Atomic<UInt64>(0)
    /// The next free one of its shard, plus one; 0 for none.
    fileprivate let next = Atomic<UInt32>(0)
    /// Which window was the current one when the call began, counted from the first of the process.
    fileprivate var openedTick: UInt32 = 0
    var start: UInt64 = 0
    var owner: CallStatistics?
    var kind: UInt8 = 0
    var isError = false
    /// The series that the call is counted in, unless a name says another.
    var series: UInt32 = 0
    var name: String?
    var peer = CallPeer.unknown

    fileprivate enum Phase {
        static let free: UInt64 = 0
        static let active: UInt64 = 1
        static let busy: UInt64 = 2
    }
}

/// The calls of the process that run and whose spans are not recorded: a fixed number of places, taken
/// and given back without a lock or an allocation.
///
/// A call is known by a number that is never used twice, so what is said of it after its end is told
/// apart. Whose end is forgotten is let go of after an hour.
final class OpenCalls: Sendable {
    static let shared = OpenCalls()

    /// The free places of one shard, on a cache line of its own.
    private struct Shard: ~Copyable {
        /// First place, plus one, in the low half; in the high half a number that changes with every
        /// pop.
        let free = Atomic<UInt64>(0)
        /// Places from here on were never used.
        let fresh = Atomic<UInt32>(0)
        private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    }

    private static let shardCount = 8
    private static let placesPerShard = UInt32(Limits.openCallCount / shardCount)

    // Allocated once and never freed: the one value lives as long as the process.
    private nonisolated(unsafe) let places: UnsafeMutablePointer<OpenCall>
    private nonisolated(unsafe) let shards: UnsafeMutablePointer<Shard>
    /// By place: whether it is initialized.
    private nonisolated(unsafe) let ready: UnsafeMutablePointer<Atomic<Bool>>
    private let tick = Atomic(OpenCalls.tick(Transport.monotonicNanoseconds()))

    private init() {
        places = .allocate(capacity: Self.shardCount * Int(Self.placesPerShard))
        shards = .allocate(capacity: Self.shardCount)
        for index in 0..<Self.shardCount { (shards + index).initialize(to: Shard()) }
        let count = Self.shardCount * Int(Self.placesPerShard)
        ready = .allocate(capacity: count)
        for index in 0..<count { (ready + index).initialize(to: Atomic(false)) }
    }

    /// Notes that a call began.
    ///
    /// - Parameter fill: Writes what is known; nobody else sees the place yet.
    /// - Returns: What it is known by, never 0; `nil` when too many run.
    @inline(__always)
    func open(_ fill: (UnsafeMutablePointer<OpenCall>) -> Void) -> UInt64? {
        let shard = Int(truncatingIfNeeded: Transport.threadNumber) & (Self.shardCount - 1)
        guard let index = pop(shard) ?? popElsewhere(than: shard) else { return nil }
        // Bound: stacks hold indices of initialized places alone.
        let place = places + Int(index)
        let generation = (place.pointee.state.load(ordering: .relaxed) >> 32 &+ 1) & 0xFFFF_FFFF
        place.pointee.openedTick = tick.load(ordering: .relaxed)
        fill(place)
        place.pointee.state.store(generation << 32 | OpenCall.Phase.active, ordering: .releasing)
        // One more than the index: no call is known by 0.
        return generation << 32 | UInt64(index &+ 1)
    }

    private func popElsewhere(than shard: Int) -> UInt32? {
        for step in 1..<Self.shardCount {
            if let index = pop((shard + step) & (Self.shardCount - 1)) { return index }
        }
        return nil
    }

    @inline(__always)
    private func pop(_ shard: Int) -> UInt32? {
        let own = shards + shard
        var head = own.pointee.free.load(ordering: .acquiring)
        while UInt32(truncatingIfNeeded: head) != 0 {
            let index = UInt32(truncatingIfNeeded: head) &- 1
            let next = places[Int(index)].next.load(ordering: .relaxed)
            let (exchanged, found) = own.pointee.free.weakCompareExchange(
                expected: head,
                desired: (head >> 32 &+ 1) << 32 | UInt64(next),
                ordering: .acquiringAndReleasing
            )
            if exchanged { return index }
            head = found
        }
        return makeFresh(shard)
    }

    @inline(never)
    private func makeFresh(_ shard: Int) -> UInt32? {
        let own = shards + shard
        guard own.pointee.fresh.load(ordering: .relaxed) < Self.placesPerShard else { return nil }
        let fresh = own.pointee.fresh.wrappingAdd(1, ordering: .relaxed).oldValue
        guard fresh < Self.placesPerShard else {
            own.pointee.fresh.store(Self.placesPerShard, ordering: .relaxed)
            return nil
        }
        let index = UInt32(shard) * Self.placesPerShard + fresh
        // Bound: index < shardCount * placesPerShard, the capacity. Given to one thread alone.
        (places + Int(index)).initialize(to: OpenCall())
        ready[Int(index)].store(true, ordering: .releasing)
        return index
    }

    /// Lets `body` read and write what is known of a call.
    ///
    /// - Returns: `false` where the call has ended.
    @discardableResult
    func change(_ call: UInt64, _ body: (UnsafeMutablePointer<OpenCall>) -> Void) -> Bool {
        guard let place = lock(call) else { return false }
        body(place)
        place.pointee.state.store(
            call & ~0xFFFF_FFFF | OpenCall.Phase.active,
            ordering: .releasing
        )
        return true
    }

    /// Ends a call and gives its place back.
    ///
    /// - Parameter body: Reads what is known of it.
    /// - Returns: `false` where it had ended.
    @inline(__always)
    @discardableResult
    func close(_ call: UInt64, _ body: (UnsafeMutablePointer<OpenCall>) -> Void) -> Bool {
        guard let place = lock(call) else { return false }
        body(place)
        free(place, call)
        return true
    }

    @inline(__always)
    private func lock(_ call: UInt64) -> UnsafeMutablePointer<OpenCall>? {
        // Bound: numbers of calls are made by `open` alone.
        let place = places + (Int(call & 0xFFFF_FFFF) - 1)
        let generation = call & ~0xFFFF_FFFF
        while true {
            let (exchanged, found) = place.pointee.state.compareExchange(
                expected: generation | OpenCall.Phase.active,
                desired: generation | OpenCall.Phase.busy,
                ordering: .acquiring
            )
            if exchanged { return place }
            guard found == generation | OpenCall.Phase.busy, !Transport.isForkedCopy else {
                return nil
            }
            Transport.yieldThread()
        }
    }

    @inline(__always)
    private func free(_ place: UnsafeMutablePointer<OpenCall>, _ call: UInt64) {
        place.pointee.owner = nil
        if place.pointee.name != nil { place.pointee.name = nil }
        if !place.pointee.peer.text.isEmpty { place.pointee.peer = .unknown }
        place.pointee.state.store(
            call & ~0xFFFF_FFFF | OpenCall.Phase.free,
            ordering: .releasing
        )
        let index = UInt32(truncatingIfNeeded: call) &- 1
        let own = shards + Int(index / Self.placesPerShard)
        var head = own.pointee.free.load(ordering: .relaxed)
        while true {
            place.pointee.next.store(UInt32(truncatingIfNeeded: head), ordering: .relaxed)
            let (exchanged, found) = own.pointee.free.weakCompareExchange(
                expected: head,
                desired: (head >> 32 &+ 1) << 32 | UInt64(index &+ 1),
                ordering: .releasing
            )
            if exchanged { return }
            head = found
        }
    }

    private static func tick(_ nanoseconds: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: nanoseconds / Limits.callWindowLength)
    }

    /// Notes the time, and lets go of calls that have run for too long: once a window, however many
    /// pipelines tell of its end.
    func endTick() {
        let now = Self.tick(Transport.monotonicNanoseconds())
        guard tick.exchange(now, ordering: .relaxed) != now else { return }
        for index in 0..<Self.shardCount * Int(Self.placesPerShard)
        where ready[index].load(ordering: .acquiring) {
            // Bound: index < the capacity, and the place is initialized.
            let state = places[index].state.load(ordering: .relaxed)
            guard state & 3 == OpenCall.Phase.active else { continue }
            let call = state & ~0xFFFF_FFFF | UInt64(index + 1)
            guard let place = lock(call) else { continue }
            if now &- place.pointee.openedTick > Limits.openCallTicks {
                place.pointee.owner?.abandoned.add(1, ordering: .relaxed)
                free(place, call)
            } else {
                place.pointee.state.store(state, ordering: .releasing)
            }
        }
    }
}
