// SPDX-License-Identifier: Apache-2.0

import Platform

/// The log's files: which are open, which are full, which may be overwritten, which stand ready.
///
/// ```
/// ready ── take ──► open ── add(closed:) ──► closed ── release ──► free
///   ▲                                                               │
///   └──────────────────────── prepare ──────────────────────────────┘
/// ```
/// A segment is made ready ahead of need, so that who appends finds a file whose header and room
/// are on the disk already: no name, no metadata and no first write of a block is left for the sync
/// that a client waits for. Numbers rise in the order in which segments are taken; one made ready
/// too late for that goes back.
final class LogSegments: Sendable {
    /// A segment as it is written.
    struct Open {
        let number: UInt64
        let key: UInt64
        let byteCount: Int
        let file: any DiskFile
        /// Where writes may begin: at multiples of this.
        let alignment: Int

        /// Where the first record begins.
        var dataOffset: Int { Self.dataOffset(alignment) }

        static func dataOffset(_ alignment: Int) -> Int {
            LogSegmentHeader.byteCount.roundedUp(to: alignment)
        }
    }

    struct Closed {
        let number: UInt64
        let byteCount: Int
        /// No record in it is newer than this.
        let lastSequence: UInt64
        /// Records in it were lost to damage, and not merely torn by a crash: keep it for whoever
        /// investigates.
        var damaged: Bool
        /// It was there at the start. A crash may have left its file a second name, under which it
        /// would be overwritten: such a file is never used again.
        var isFromEarlier = false
    }

    private struct Free {
        let number: UInt64
        let byteCount: Int
    }

    private struct State {
        var storeKey: UInt64 = 0
        var nextNumber: UInt64 = 1
        /// Number of the last one taken.
        var takenNumber: UInt64 = 0
        /// How many were taken, to see whether any was since.
        var takenCount = 0
        var closed: [Closed] = []
        var free: [Free] = []
        var ready: [Open] = []
        /// Made ready, but overtaken: nothing is in them.
        var overtaken: [Free] = []
        var openByteCount = 0
        /// What the files turned out to ask for; known once one was opened.
        var alignment = 1
        /// How many ask that nothing is kept for overwriting; how often that was asked.
        var recyclingStops = 0
        var recyclingStopCount = 0
        var isKeepingReady = false
        var isStopping = false
    }

    private let names: FileNames
    private let disk: any Disk
    private let options: EngineOptions
    private let state = Monitor(State())

    init(names: FileNames, disk: any Disk, options: EngineOptions) {
        self.names = names
        self.disk = disk
        self.options = options
    }

    /// Says where numbers begin; to be called before `take` and `prepare`.
    func begin(at number: UInt64, storeKey: UInt64) {
        state.withLock {
            $0.nextNumber = number
            $0.storeKey = storeKey
        }
    }

    /// Bytes of all segments.
    var byteCount: Int {
        state.withLock { state in
            Self.unflushedByteCount(state) + state.free.reduce(0) { $0 + $1.byteCount }
                + state.ready.reduce(0) { $0 + $1.byteCount }
                + state.overtaken.reduce(0) { $0 + $1.byteCount }
        }
    }

    /// Whether the log may grow: what is kept ready counts towards its limit, what is free does not,
    /// for that is used first.
    var hasRoom: Bool {
        state.withLock { state in
            Self.unflushedByteCount(state) + state.ready.reduce(0) { $0 + $1.byteCount }
                < options.logLimitBytes
        }
    }

    /// Bytes of segments that hold records not flushed, the open one included.
    var unflushedByteCount: Int { state.withLock { Self.unflushedByteCount($0) } }

    private static func unflushedByteCount(_ state: State) -> Int {
        state.closed.reduce(0) { $0 + $1.byteCount } + state.openByteCount
    }

    func add(closed segment: Closed) {
        state.withLock {
            $0.closed.append(segment)
            $0.openByteCount = 0
        }
    }

    /// Notes that acknowledged records were lost in a closed segment.
    func noteDamage(in number: UInt64) {
        state.withLock { state in
            guard let index = state.closed.firstIndex(where: { $0.number == number }) else {
                return
            }
            state.closed[index].damaged = true
        }
    }

    // MARK: Taking

    /// The next segment to write, with room for a record of `byteCount`, its header written.
    ///
    /// Makes one where none is ready.
    func take(roomFor byteCount: Int) throws(DiskError) -> Open {
        if let ready = takeReady(byteCount) { return ready }
        let number = state.withLock { state -> UInt64 in
            // What is ready or being made has a lower number: it comes too late now.
            state.overtaken += state.ready.map { Free(number: $0.number, byteCount: $0.byteCount) }
            state.ready = []
            state.takenNumber = state.nextNumber
            state.nextNumber += 1
            return state.takenNumber
        }
        let segment = try make(number, roomFor: byteCount, isAhead: false)
        state.update {
            $0.openByteCount = segment.byteCount
            $0.takenCount += 1
        }
        return segment
    }

    private func takeReady(_ byteCount: Int) -> Open? {
        state.update { state in
            guard let first = state.ready.first, first.byteCount - first.dataOffset >= byteCount
            else { return nil }
            state.ready.removeFirst()
            state.takenNumber = first.number
            state.takenCount += 1
            state.openByteCount = first.byteCount
            return first
        }
    }

    /// Makes segment `number` of a free file, or of a new one.
    private func make(
        _ number: UInt64,
        roomFor byteCount: Int,
        isAhead: Bool
    ) throws(DiskError) -> Open {
        let path = names.segment(number)
        let (recycled, storeKey) = state.withLock { state -> (Free?, UInt64) in
            let needed = Open.dataOffset(state.alignment) + byteCount
            let index =
                state.recyclingStops > 0
                ? nil : state.free.firstIndex { $0.byteCount >= needed }
            return (index.map { state.free.remove(at: $0) }, state.storeKey)
        }
        do throws(DiskError) {
            let file: any DiskFile
            if let recycled {
                try disk.rename(names.freeSegment(recycled.number), to: path)
                file = try disk.open(path)
            } else {
                try leaveRoom(max(byteCount, options.segmentBytes), path)
                file = try disk.create(path)
            }
            let alignment = options.durability == .fsync ? file.bypassCache() : 1
            state.withLock { $0.alignment = alignment }
            let segment = Open(
                number: number,
                key: LogSegmentHeader.key(store: storeKey, number: number),
                byteCount: recycled?.byteCount
                    ?? max(
                        options.segmentBytes,
                        (Open.dataOffset(alignment) + byteCount).roundedUp(to: alignment)
                    ),
                file: file,
                alignment: alignment
            )
            if recycled == nil { try reserve(segment, isAhead: isAhead) }
            let header = LogSegmentHeader(number: number, key: segment.key)
            try file.write([header.encode()], at: 0)
            if isAhead, options.durability == .fsync { try file.sync() }
            try disk.syncDirectory(names.log)
            return segment
        } catch {
            try? disk.remove(path)
            throw error
        }
    }

    /// Gives a new file its room: ahead of need by writing it, for a sync after the first write of
    /// a block that was merely reserved has the file system's journal to wait for as well.
    private func reserve(_ segment: Open, isAhead: Bool) throws(DiskError) {
        try segment.file.preallocate(UInt64(segment.byteCount))
        guard isAhead, segment.alignment > 1 else { return }
        let zeros = [UInt8](repeating: 0, count: segment.alignment)
        var offset = 0
        while offset < segment.byteCount {
            let count = min(Limits.writeBytes, segment.byteCount - offset)
            let pieces = [[UInt8]](repeating: zeros, count: count / segment.alignment)
            try segment.file.write(pieces, at: UInt64(offset))
            offset += count
        }
    }

    /// Refuses to take the last room of a disk: the flush that would empty the log needs some.
    private func leaveRoom(_ byteCount: Int, _ path: String) throws(DiskError) {
        guard let free = try? disk.freeByteCount(names.log),
            free < UInt64(byteCount + Limits.roomForParts)
        else { return }
        throw DiskError(path: path, operation: .create, code: DiskError.outOfSpaceCode)
    }

    // MARK: Making ready

    /// Makes one segment ready, if fewer are than should be, or gives an overtaken one back.
    ///
    /// - Returns: whether there may be more to do.
    func prepare() throws(DiskError) -> Bool {
        if let overtaken = state.withLock({ $0.overtaken.popLast() }) {
            recycle(overtaken.number, byteCount: overtaken.byteCount)
            return true
        }
        let next = state.withLock { state -> (number: UInt64, stopCount: Int)? in
            guard state.ready.count < options.segmentsAhead, !state.isStopping else { return nil }
            state.nextNumber += 1
            return (state.nextNumber - 1, state.recyclingStopCount)
        }
        guard let (number, stopCount) = next else { return false }
        let segment = try make(number, roomFor: 0, isAhead: true)
        let isKept = state.withLock { state in
            // Made of a free segment, it holds what was to be removed.
            guard state.recyclingStopCount == stopCount else { return false }
            if number > state.takenNumber {
                state.ready.append(segment)
            } else {
                state.overtaken.append(Free(number: number, byteCount: segment.byteCount))
            }
            return true
        }
        if !isKept { try disk.remove(names.segment(number)) }
        return true
    }

    /// Starts the thread that keeps segments ready and, while nothing is appended, gives free ones
    /// back to the file system.
    func start() {
        state.withLock { $0.isKeepingReady = true }
        DedicatedThread.start(named: "skein-segments") { [self] in
            keepReady()
            state.update { $0.isKeepingReady = false }
        }
    }

    private func keepReady() {
        var takenBefore = -1
        while true {
            do throws(DiskError) {
                while try prepare() {}
            } catch {
                // Whoever appends meets the same trouble and tells it; here it is tried again later.
            }
            let taken = state.wait(upTo: Limits.segmentIdleTime) { state -> Int? in
                state.isStopping || state.takenCount != takenBefore ? state.takenCount : nil
            }
            if state.withLock({ $0.isStopping }) { return }
            if let taken { takenBefore = taken } else { removeFree() }
        }
    }

    /// Ends the thread. Blocks until it ended.
    func stop() {
        state.update { $0.isStopping = true }
        state.wait { $0.isKeepingReady ? nil : () }
    }

    // MARK: Giving up

    /// Gives up segments all of whose records are flushed.
    func release(flushed sequence: UInt64) {
        let done = state.withLock { state -> [Closed] in
            let done = state.closed.filter { $0.lastSequence <= sequence }
            state.closed.removeAll { $0.lastSequence <= sequence }
            return done
        }
        for segment in done {
            if segment.damaged {
                let path = names.segment(segment.number)
                let name = String(path.dropFirst(names.log.count))
                try? disk.rename(path, to: names.quarantine + name)
            } else if segment.isFromEarlier {
                try? disk.remove(names.segment(segment.number))
            } else {
                recycle(segment.number, byteCount: segment.byteCount)
            }
        }
    }

    /// Keeps a segment that holds nothing any more for overwriting, or removes it.
    private func recycle(_ number: UInt64, byteCount: Int) {
        let path = names.segment(number)
        let isKept = state.withLock {
            // Half the limit, so that free segments never push the log above it.
            byteCount == options.segmentBytes && $0.recyclingStops == 0
                && $0.free.count < Limits.freeSegments
                && Self.unflushedByteCount($0) + ($0.free.count + 1) * byteCount
                    <= options.logLimitBytes / 2
        }
        if isKept {
            // Without the rename the segment would be read again at the next start, and skipped.
            do throws(DiskError) {
                try disk.rename(path, to: names.freeSegment(number))
                state.withLock { $0.free.append(Free(number: number, byteCount: byteCount)) }
                return
            } catch {}
        }
        try? disk.remove(path)
    }

    private func removeFree() {
        let free = state.withLock { state -> [Free] in
            defer { state.free = [] }
            return state.free
        }
        for segment in free { try? disk.remove(names.freeSegment(segment.number)) }
    }

    /// Runs `body` while nothing is kept for overwriting and nothing that was kept is used: what it
    /// releases is removed, and no segment that is opened meanwhile has other bytes in it.
    func withoutRecycling(_ body: () throws -> Void) throws {
        state.withLock {
            $0.recyclingStops += 1
            $0.recyclingStopCount += 1
        }
        defer { state.withLock { $0.recyclingStops -= 1 } }
        removeUnused()
        try body()
        removeUnused()
        // What the calls above could not remove.
        let (kept, taken) = state.withLock { state in
            let kept = state.closed.map(\.number) + state.overtaken.map(\.number)
            return (Set(kept), state.takenNumber)
        }
        for name in try disk.list(names.log) {
            let segment = FileNames.number(in: name, suffix: ".log")
            if segment.map({ $0 < taken && !kept.contains($0) }) ?? name.hasSuffix(".free") {
                try disk.remove(names.log + "/" + name)
            }
        }
        try disk.syncDirectory(names.log)
    }

    /// Removes all segments that hold nothing.
    func removeUnused() {
        removeFree()
        let unused = state.withLock { state -> [UInt64] in
            defer {
                state.ready = []
                state.overtaken = []
            }
            return state.ready.map(\.number) + state.overtaken.map(\.number)
        }
        for number in unused { try? disk.remove(names.segment(number)) }
    }
}

extension Int {
    /// The next multiple of `step`, itself included.
    func roundedUp(to step: Int) -> Int { (self + step - 1) / step * step }
}
