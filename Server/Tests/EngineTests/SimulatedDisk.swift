// SPDX-License-Identifier: Apache-2.0

import Platform
import StoreContract
import Synchronization

/// A disk in memory that forgets what was not synced, fails where it is told to, and crashes at any
/// call.
///
/// What `crash` leaves: of each file its synced bytes, with any of the later writes kept, lost or
/// torn by a seeded coin; of each directory its synced names, likewise with later changes kept or
/// lost from some point on.
final class SimulatedDisk: Disk {
    /// A call that changes something, or may.
    enum Call: String, Sendable, CaseIterable {
        case create, write, sync, rename, remove, preallocate, syncDirectory
    }

    /// Thrown by every call after the crash; the engine sees a disk error.
    static let crashCode: Int32 = 5

    struct Fault: Sendable {
        /// Which call fails, counted from 1 among those of `call`; all kinds where `nil`.
        var call: Call?
        var number: Int
        /// `errno` of the failure.
        var code: Int32
        /// The call and all after it fail, whatever kind.
        var isCrash = false
        /// Fails for good, not once.
        var isSticky = false
    }

    fileprivate final class Content: Sendable {
        struct Bytes {
            var now: [UInt8] = []
            var synced: [UInt8] = []
            var pending: [(offset: Int, bytes: [UInt8])] = []
        }
        let bytes = Mutex(Bytes())
    }

    private struct State {
        var now: [String: Content] = [:]
        var synced: [String: Content] = [:]
        var directories: Set<String> = []
        var locked: Set<String> = []
        var fault: Fault?
        var counts: [Call: Int] = [:]
        var total = 0
        var isCrashed = false
        var freeBytes = Int.max
    }

    private let state = Mutex(State())

    init() {}

    private init(_ state: State) { self.state.withLock { $0 = state } }

    // MARK: Told by tests

    func fail(_ fault: Fault?) {
        state.withLock {
            $0.fault = fault
            $0.counts = [:]
            $0.total = 0
        }
    }

    /// Room for new bytes; preallocation and growth beyond it fail with ENOSPC.
    func setFreeBytes(_ count: Int) { state.withLock { $0.freeBytes = count } }

    private struct Gate {
        var isClosed = false
        var isReached = false
    }

    private let gate = Monitor(Gate())

    /// Makes every sync wait until `releaseSyncs`.
    func holdSyncs() { gate.update { $0.isClosed = true } }

    func releaseSyncs() { gate.update { $0.isClosed = false } }

    /// Returns once a sync waits.
    func heldSync() async {
        await withCheckedContinuation { continuation in
            DedicatedThread.start(named: "sync gate") { [gate] in
                gate.wait { $0.isReached ? () : nil }
                continuation.resume()
            }
        }
    }

    fileprivate func passGate() {
        gate.update { if $0.isClosed { $0.isReached = true } }
        gate.wait { $0.isClosed ? nil : () }
    }

    var isCrashed: Bool { state.withLock { $0.isCrashed } }

    /// Calls that change something since the last `fail`.
    var callCount: Int { state.withLock { $0.total } }

    func paths() -> [String] { state.withLock { $0.now.keys.sorted() } }

    func bytes(of path: String) -> [UInt8] {
        state.withLock { $0.now[path] }?.bytes.withLock { $0.now } ?? []
    }

    /// Another disk with the same files, everything on it synced.
    func copy(changing path: String? = nil, to changed: [UInt8] = []) -> SimulatedDisk {
        let old = state.withLock { $0 }
        var new = State()
        new.directories = old.directories
        for (name, content) in old.now {
            let copy = Content()
            let bytes = name == path ? changed : content.bytes.withLock { $0.now }
            copy.bytes.withLock {
                $0.now = bytes
                $0.synced = bytes
            }
            new.now[name] = copy
        }
        new.synced = new.now
        return SimulatedDisk(new)
    }

    /// What the machine finds after losing power now.
    func afterCrash(seed: UInt64) -> SimulatedDisk {
        var random = SeededGenerator(seed: seed)
        let old = state.withLock { $0 }
        var new = State()
        new.directories = old.directories
        // Names that were not synced are kept or lost each by itself; a renamed file is then found
        // under its old name, its new one, or both.
        var names = old.synced
        for (path, content) in old.now.sorted(by: { $0.key < $1.key })
        where names[path] !== content && Bool.random(using: &random) {
            names[path] = content
        }
        for path in old.synced.keys.sorted()
        where old.now[path] == nil && Bool.random(using: &random) {
            names[path] = nil
        }
        var copies: [ObjectIdentifier: Content] = [:]
        for (path, content) in names.sorted(by: { $0.key < $1.key }) {
            if let known = copies[ObjectIdentifier(content)] {
                new.now[path] = known
                continue
            }
            let bytes = content.bytes.withLock { Self.torn($0, &random) }
            let copy = Content()
            copy.bytes.withLock {
                $0.now = bytes
                $0.synced = bytes
            }
            copies[ObjectIdentifier(content)] = copy
            new.now[path] = copy
        }
        new.synced = new.now
        return SimulatedDisk(new)
    }

    private static func torn(_ bytes: Content.Bytes, _ random: inout SeededGenerator) -> [UInt8] {
        var result = bytes.synced
        for write in bytes.pending {
            // Sectors of 512 bytes reach the disk each by itself.
            var offset = 0
            let fate = Int.random(in: 0..<3, using: &random)
            while offset < write.bytes.count {
                let next = min(write.bytes.count, offset + 512)
                let isKept = fate == 0 || fate == 1 && Bool.random(using: &random)
                if isKept { put(write.bytes[offset..<next], at: write.offset + offset, &result) }
                offset = next
            }
        }
        return result
    }

    private static func put(_ piece: ArraySlice<UInt8>, at offset: Int, _ bytes: inout [UInt8]) {
        let end = offset + piece.count
        if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        bytes.replaceSubrange(offset..<end, with: piece)
    }

    // MARK: Disk

    /// Counts a call and fails it if its turn has come.
    fileprivate func note(
        _ call: Call,
        _ path: String,
        _ operation: DiskError.Operation
    ) throws(DiskError) {
        let code = state.withLock { state -> Int32? in
            if state.isCrashed { return Self.crashCode }
            state.total += 1
            state.counts[call, default: 0] += 1
            guard let fault = state.fault else { return nil }
            if let wanted = fault.call, wanted != call { return nil }
            let number = fault.call == nil ? state.total : state.counts[call, default: 0]
            guard number == fault.number || (fault.isSticky && number > fault.number) else {
                return nil
            }
            if fault.isCrash { state.isCrashed = true }
            return fault.code
        }
        if let code { throw DiskError(path: path, operation: operation, code: code) }
    }

    fileprivate func reserve(_ count: Int) -> Bool {
        state.withLock { state in
            guard count <= state.freeBytes else { return false }
            if state.freeBytes != .max { state.freeBytes -= count }
            return true
        }
    }

    func open(_ path: String) throws(DiskError) -> any DiskFile {
        guard let content = state.withLock({ $0.now[path] }) else {
            throw DiskError(path: path, operation: .open, code: 2)
        }
        return SimulatedFile(self, content, path)
    }

    func create(_ path: String) throws(DiskError) -> any DiskFile {
        try note(.create, path, .create)
        let content = Content()
        state.withLock { $0.now[path] = content }
        return SimulatedFile(self, content, path)
    }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        try note(.rename, path, .rename)
        let isThere = state.withLock { state -> Bool in
            guard let content = state.now.removeValue(forKey: path) else { return false }
            state.now[newPath] = content
            return true
        }
        if !isThere { throw DiskError(path: path, operation: .rename, code: 2) }
    }

    func remove(_ path: String) throws(DiskError) {
        try note(.remove, path, .remove)
        let gone = state.withLock { $0.now.removeValue(forKey: path) }
        if gone == nil { throw DiskError(path: path, operation: .remove, code: 2) }
    }

    func list(_ directory: String) throws(DiskError) -> [String] {
        state.withLock { state in
            var names: Set<String> = []
            for path in Array(state.now.keys) + Array(state.directories)
            where path.hasPrefix(directory + "/") {
                let rest = path.dropFirst(directory.count + 1)
                names.insert(String(rest.prefix { $0 != "/" }))
            }
            return names.sorted()
        }
    }

    func createDirectory(_ path: String) throws(DiskError) {
        state.withLock { _ = $0.directories.insert(path) }
    }

    func syncDirectory(_ path: String) throws(DiskError) {
        try note(.syncDirectory, path, .syncDirectory)
        state.withLock { state in
            func isInside(_ name: String) -> Bool {
                name.hasPrefix(path + "/") && !name.dropFirst(path.count + 1).contains("/")
            }
            state.synced = state.synced.filter { !isInside($0.key) }
            for (name, content) in state.now where isInside(name) { state.synced[name] = content }
        }
    }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
        let isFree = state.withLock { $0.locked.insert(path).inserted }
        return isFree ? SimulatedLock(self, path) : nil
    }

    fileprivate func unlock(_ path: String) { state.withLock { _ = $0.locked.remove(path) } }

    func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        state.withLock { UInt64(clamping: $0.freeBytes) }
    }
}

private final class SimulatedLock: DiskLock {
    private let disk: SimulatedDisk
    private let path: String

    init(_ disk: SimulatedDisk, _ path: String) {
        self.disk = disk
        self.path = path
    }

    func release() { disk.unlock(path) }
}

private final class SimulatedFile: DiskFile {
    private let disk: SimulatedDisk
    private let content: SimulatedDisk.Content
    private let path: String
    private let isDirect = Atomic(false)
    /// What a write past the cache begins at a multiple of.
    private static let blockByteCount = 512

    init(_ disk: SimulatedDisk, _ content: SimulatedDisk.Content, _ path: String) {
        self.disk = disk
        self.content = content
        self.path = path
    }

    func read(at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        content.bytes.withLock { bytes in
            let start = min(Int(clamping: offset), bytes.now.count)
            return Array(bytes.now[start..<min(start + count, bytes.now.count)])
        }
    }

    func write(_ pieces: [[UInt8]], at offset: UInt64) throws(DiskError) {
        var joined = Array(pieces.joined())
        if isDirect.load(ordering: .relaxed) {
            guard offset % UInt64(Self.blockByteCount) == 0 else {
                throw DiskError(path: path, operation: .write, code: 22)
            }
            let blocks = (joined.count + Self.blockByteCount - 1) / Self.blockByteCount
            joined += repeatElement(0, count: blocks * Self.blockByteCount - joined.count)
        }
        let end = Int(offset) + joined.count
        let growth = content.bytes.withLock { max(0, end - $0.now.count) }
        do throws(DiskError) {
            try disk.note(.write, path, .write)
        } catch {
            // A failed write may have written its beginning.
            let half = Array(joined.prefix(joined.count / 2))
            put(half, at: Int(offset))
            throw error
        }
        guard disk.reserve(growth) else {
            throw DiskError(path: path, operation: .write, code: 28)
        }
        put(joined, at: Int(offset))
    }

    private func put(_ piece: [UInt8], at offset: Int) {
        content.bytes.withLock { bytes in
            let end = offset + piece.count
            if bytes.now.count < end {
                bytes.now += [UInt8](repeating: 0, count: end - bytes.now.count)
            }
            bytes.now.replaceSubrange(offset..<end, with: piece)
            bytes.pending.append((offset, piece))
        }
    }

    func bypassCache() -> Int {
        isDirect.store(true, ordering: .relaxed)
        return Self.blockByteCount
    }

    func sync() throws(DiskError) {
        disk.passGate()
        try disk.note(.sync, path, .sync)
        content.bytes.withLock { bytes in
            bytes.synced = bytes.now
            bytes.pending = []
        }
    }

    func preallocate(_ byteCount: UInt64) throws(DiskError) {
        try disk.note(.preallocate, path, .preallocate)
        let growth = content.bytes.withLock { max(0, Int(byteCount) - $0.now.count) }
        guard disk.reserve(growth) else {
            throw DiskError(path: path, operation: .preallocate, code: 28)
        }
        put([UInt8](repeating: 0, count: growth), at: Int(byteCount) - growth)
    }

    func byteCount() throws(DiskError) -> UInt64 {
        content.bytes.withLock { UInt64($0.now.count) }
    }
}
