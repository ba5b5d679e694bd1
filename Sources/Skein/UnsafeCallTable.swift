// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import Synchronization

/// Which calls are counted together: one operation, peer and kind. Its counters move without a lock.
struct CallSeries: ~Copyable {
    let operation: String
    let peer: CallPeer
    let kind: UInt8
    fileprivate let hash: UInt64
    /// By status (0 not an error, 1 error), bank and so on; see `CallTable`.
    fileprivate let chunks: UnsafeMutablePointer<Atomic<UInt>>
    fileprivate let sums: UnsafeMutablePointer<Atomic<UInt64>>

    fileprivate static let octaveCount = 64
    /// For each status and bank: nanoseconds together, the longest, calls of zero nanoseconds.
    fileprivate static let sumCount = 12

    fileprivate init(_ operation: String, _ peer: CallPeer, _ kind: UInt8, hash: UInt64) {
        self.operation = operation
        self.peer = peer
        self.kind = kind
        self.hash = hash
        chunks = .allocate(capacity: 2 * Self.octaveCount)
        for index in 0..<2 * Self.octaveCount { (chunks + index).initialize(to: Atomic(0)) }
        sums = .allocate(capacity: Self.sumCount)
        for index in 0..<Self.sumCount { (sums + index).initialize(to: Atomic(0)) }
    }

    deinit {
        for index in 0..<2 * Self.octaveCount {
            let address = chunks[index].load(ordering: .relaxed)
            UnsafeMutablePointer<Atomic<UInt32>>(bitPattern: address)?.deallocate()
        }
        chunks.deallocate()
        sums.deallocate()
    }
}

/// The counters of one tracer's calls: found without a lock, moved without a lock, read by one.
///
/// ```
/// hash of (operation, peer, kind) -> slot -> series -> octave of the duration -> chunk
///                                                      chunk: 2 banks of 64 counters
/// ```
/// Each counter is there twice: one *bank* is written while the other, whose window is over, is read
/// and set to zero. A series or a chunk is made by the first call that needs it and lives as long as
/// the table. Past the bounds, calls are counted in the overflow series of their kind.
final class CallTable: Sendable {
    private static let bankCounters = CallBuckets.octave
    /// Slots are never more than a quarter full, so that a look-up ends soon.
    private static let slotCount = 4_096

    // Allocated in `init`, freed in `deinit`; entries below `count` never change place.
    private nonisolated(unsafe) let series: UnsafeMutablePointer<CallSeries>
    /// Number of the series, plus one; 0 for none.
    private nonisolated(unsafe) let slots: UnsafeMutablePointer<Atomic<UInt32>>
    private let count = Atomic(0)
    private let chunkCount = Atomic(0)
    /// Held while a series is made.
    private let growth = Mutex(())
    private let seed: UInt64
    private let seriesLimit: Int

    /// - Parameters:
    ///   - seriesLimit: Series that can be told apart.
    ///   - seed: Makes it hard to choose names whose hashes meet.
    init(seriesLimit: Int = Limits.callSeriesCount, seed: UInt64) {
        self.seriesLimit = min(seriesLimit, Self.slotCount / 4)
        self.seed = seed
        series = .allocate(capacity: self.seriesLimit + CallKind.all.count)
        slots = .allocate(capacity: Self.slotCount)
        for index in 0..<Self.slotCount { (slots + index).initialize(to: Atomic(0)) }
        // One for each kind, where what has no series of its own goes.
        for kind in CallKind.all {
            (series + count.load(ordering: .relaxed))
                .initialize(to: CallSeries("", .unknown, kind, hash: 0))
            count.add(1, ordering: .relaxed)
        }
    }

    deinit {
        series.deinitialize(count: count.load(ordering: .relaxed)).deallocate()
        slots.deallocate()
    }

    // MARK: Finding

    /// The number of a series, which is made where it is not there yet.
    @inline(__always)
    func find(_ operation: UnsafeBufferPointer<UInt8>, _ peer: CallPeer, _ kind: UInt8) -> UInt32 {
        peer.text.withBytes { find(operation, peer, $0, kind) }
    }

    private func find(
        _ operation: UnsafeBufferPointer<UInt8>,
        _ peer: CallPeer,
        _ peerText: UnsafeBufferPointer<UInt8>,
        _ kind: UInt8
    ) -> UInt32 {
        let name = UnsafeBufferPointer(rebasing: operation.prefix(Limits.nameByteCount))
        let tag = seed ^ UInt64(kind) << 8 ^ (peer.isAddress ? 1 << 16 : 0)
        let hash = Self.hash(peerText, Self.hash(name, tag)) | 1
        var slot = Int(truncatingIfNeeded: hash >> 32) & (Self.slotCount - 1)
        while true {
            let found = slots[slot].load(ordering: .acquiring)
            if found == 0 { break }
            // Bound: slots hold numbers of series, plus one.
            if matches(series + Int(found &- 1), hash, name.count, kind) { return found &- 1 }
            slot = (slot &+ 1) & (Self.slotCount - 1)
        }
        return make(name, peer, kind, hash)
    }

    @inline(__always)
    private func matches(
        _ series: UnsafeMutablePointer<CallSeries>,
        _ hash: UInt64,
        _ nameCount: Int,
        _ kind: UInt8
    ) -> Bool {
        // 63 bits of a hash with a random key: among a thousand series two that meet are as likely
        // as one in 10^13, so their bytes need not be compared.
        series.pointee.hash == hash && series.pointee.kind == kind
            && series.pointee.operation.utf8.count == nameCount
    }

    @inline(never)
    private func make(
        _ name: UnsafeBufferPointer<UInt8>,
        _ peer: CallPeer,
        _ kind: UInt8,
        _ hash: UInt64
    ) -> UInt32 {
        growth.withLock { _ in
            var slot = Int(truncatingIfNeeded: hash >> 32) & (Self.slotCount - 1)
            while case let found = slots[slot].load(ordering: .relaxed), found != 0 {
                // Somebody else made it meanwhile.
                if matches(series + Int(found &- 1), hash, name.count, kind) { return found &- 1 }
                slot = (slot &+ 1) & (Self.slotCount - 1)
            }
            let number = count.load(ordering: .relaxed)
            guard number < seriesLimit + CallKind.all.count else { return overflow(kind) }
            let operation = String(decoding: name, as: UTF8.self)
            // One that was cut inside of a character, and is not what was hashed any more.
            guard operation.utf8.count == name.count else { return overflow(kind) }
            // Bound: number < the capacity.
            (series + number).initialize(to: CallSeries(operation, peer, kind, hash: hash))
            count.store(number + 1, ordering: .releasing)
            slots[slot].store(UInt32(number) + 1, ordering: .releasing)
            return UInt32(number)
        }
    }

    /// Where calls of a kind go that have no series of their own.
    @inline(__always)
    private func overflow(_ kind: UInt8) -> UInt32 { UInt32(kind &- CallKind.first) & 3 }

    /// Whether a series is one of those for what goes past the bounds.
    func isOverflow(_ number: UInt32) -> Bool { number < UInt32(CallKind.all.count) }

    /// What a series was made of.
    func key(_ number: UInt32) -> (peer: CallPeer, kind: UInt8) {
        // Bound: numbers come from `find`.
        (series[Int(number)].peer, series[Int(number)].kind)
    }

    /// Eight bytes a step.
    @inline(__always)
    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>, _ start: UInt64) -> UInt64 {
        var hash = start ^ UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
        guard let base = bytes.baseAddress else { return mixed(hash, 0) }
        let raw = UnsafeRawPointer(base)
        var offset = 0
        while offset + 8 <= bytes.count {
            // Bound: offset + 8 <= count.
            hash = mixed(hash, raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        if offset == bytes.count { return mixed(hash, 0) }
        if bytes.count >= 8 {
            // The last eight: some of them for the second time.
            return mixed(hash, raw.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
        }
        var rest: UInt64 = 0
        while offset < bytes.count {
            rest = rest << 8 | UInt64(bytes[offset])
            offset += 1
        }
        return mixed(hash, rest)
    }

    @inline(__always)
    private static func mixed(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (high, low) = (a ^ b ^ 0xA076_1D64_78BD_642F)
            .multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return high ^ low
    }

    // MARK: Counting

    /// Counts one call.
    @inline(__always)
    func add(_ number: UInt32, _ nanoseconds: UInt64, isError: Bool, bank: Int) {
        let status = isError ? 1 : 0
        let own = series + Int(number)
        let sums = own.pointee.sums + (status &* 2 &+ bank) &* 3
        guard nanoseconds > 0 else {
            (sums + 2).pointee.add(1, ordering: .relaxed)
            return
        }
        let bucket = CallBuckets.index(of: nanoseconds)
        let place = own.pointee.chunks + (status &* 64 &+ bucket >> 6)
        var address = place.pointee.load(ordering: .acquiring)
        if address == 0 {
            guard let made = makeChunk(place, isFree: isOverflow(number)) else {
                return add(overflow(own.pointee.kind), nanoseconds, isError: isError, bank)
            }
            address = made
        }
        let chunk = UnsafeMutablePointer<Atomic<UInt32>>(bitPattern: address)
        // Bound: a chunk has two banks of 64; the bank is 0 or 1.
        chunk?[bank &* Self.bankCounters &+ bucket & 63].wrappingAdd(1, ordering: .relaxed)
        sums.pointee.wrappingAdd(nanoseconds, ordering: .relaxed)
        if nanoseconds > (sums + 1).pointee.load(ordering: .relaxed) {
            (sums + 1).pointee.max(nanoseconds, ordering: .relaxed)
        }
    }

    /// See above; for the series that a full table falls back to.
    @inline(never)
    private func add(_ number: UInt32, _ nanoseconds: UInt64, isError: Bool, _ bank: Int) {
        add(number, nanoseconds, isError: isError, bank: bank)
    }

    /// The first call of a series in an octave makes room for its counters.
    ///
    /// - Returns: `nil` where there are as many as there may be.
    @inline(never)
    private func makeChunk(_ place: UnsafeMutablePointer<Atomic<UInt>>, isFree: Bool) -> UInt? {
        if !isFree, chunkCount.add(1, ordering: .relaxed).newValue > Limits.callChunkCount {
            chunkCount.subtract(1, ordering: .relaxed)
            return nil
        }
        let chunk = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 2 * Self.bankCounters)
        for index in 0..<2 * Self.bankCounters { (chunk + index).initialize(to: Atomic(0)) }
        let address = UInt(bitPattern: chunk)
        let (exchanged, found) = place.pointee.compareExchange(
            expected: 0,
            desired: address,
            ordering: .acquiringAndReleasing
        )
        if exchanged { return address }
        chunk.deallocate()
        if !isFree { chunkCount.subtract(1, ordering: .relaxed) }
        return found
    }

    // MARK: Reading

    /// Takes what a bank counted, and leaves it at zero.
    func take(bank: Int, _ body: (CallWindow.Row) -> Void) {
        for number in 0..<count.load(ordering: .acquiring) {
            for status in 0..<2 {
                if let row = row(number, status, bank) { body(row) }
            }
        }
    }

    private func row(_ number: Int, _ status: Int, _ bank: Int) -> CallWindow.Row? {
        let own = series + number
        let sums = own.pointee.sums + (status * 2 + bank) * 3
        var row = CallWindow.Row(
            operation: isOverflow(UInt32(number)) ? nil : own.pointee.operation,
            peer: own.pointee.peer,
            kind: SkeinModel.SpanKind(rawValue: own.pointee.kind) ?? .unspecified,
            isError: status == 1
        )
        row.zeroCount = (sums + 2).pointee.exchange(0, ordering: .relaxed)
        for octave in 0..<CallSeries.octaveCount {
            let address = own.pointee.chunks[status * 64 + octave].load(ordering: .acquiring)
            guard let chunk = UnsafeMutablePointer<Atomic<UInt32>>(bitPattern: address) else {
                continue
            }
            for place in 0..<Self.bankCounters {
                let counter = chunk + (bank * Self.bankCounters + place)
                guard counter.pointee.load(ordering: .relaxed) > 0 else { continue }
                let times = counter.pointee.exchange(0, ordering: .relaxed)
                row.add(UInt64(times), bucket: octave * 64 + place - 1)
            }
        }
        guard row.callCount > 0 else { return nil }
        row.durationSum = sums.pointee.exchange(0, ordering: .relaxed)
        row.longest = (sums + 1).pointee.exchange(0, ordering: .relaxed)
        return row
    }
}
