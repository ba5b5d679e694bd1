// SPDX-License-Identifier: Apache-2.0

import Platform
import Synchronization

/// A disk that tells of every call before it is made, on the thread that makes it: a test so looks at
/// a store in the middle of what it does. Calls that the hook itself causes are not told.
final class HookedDisk: Disk {
    typealias Hook = @Sendable () -> Void

    private struct State {
        var hook: Hook?
        var isInside = false
    }

    private let disk = PosixDisk()
    private let state = Mutex(State())
    private let open = Atomic(0)

    /// Files that somebody holds open.
    var openFileCount: Int { open.load(ordering: .relaxed) }

    /// From here on calls `hook`; `nil` for nothing.
    func set(_ hook: Hook?) { state.withLock { $0.hook = hook } }

    fileprivate func count(_ change: Int) { open.add(change, ordering: .relaxed) }

    fileprivate func tell() {
        let hook = state.withLock { state -> Hook? in
            if state.isInside { return nil }
            state.isInside = state.hook != nil
            return state.hook
        }
        guard let hook else { return }
        hook()
        state.withLock { $0.isInside = false }
    }

    func open(_ path: String) throws(DiskError) -> any DiskFile {
        tell()
        return HookedFile(file: try disk.open(path), disk: self)
    }

    func create(_ path: String) throws(DiskError) -> any DiskFile {
        tell()
        return HookedFile(file: try disk.create(path), disk: self)
    }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        tell()
        try disk.rename(path, to: newPath)
    }

    func remove(_ path: String) throws(DiskError) {
        tell()
        try disk.remove(path)
    }

    func list(_ directory: String) throws(DiskError) -> [String] {
        tell()
        return try disk.list(directory)
    }

    func createDirectory(_ path: String) throws(DiskError) {
        tell()
        try disk.createDirectory(path)
    }

    func syncDirectory(_ path: String) throws(DiskError) {
        tell()
        try disk.syncDirectory(path)
    }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? { try disk.lock(path) }

    func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        tell()
        return try disk.freeByteCount(path)
    }
}

private final class HookedFile: DiskFile {
    private let file: any DiskFile
    private let disk: HookedDisk

    init(file: any DiskFile, disk: HookedDisk) {
        self.file = file
        self.disk = disk
        disk.count(1)
    }

    deinit { disk.count(-1) }

    func read(at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        disk.tell()
        return try file.read(at: offset, count: count)
    }

    func write(_ pieces: [[UInt8]], at offset: UInt64) throws(DiskError) {
        disk.tell()
        try file.write(pieces, at: offset)
    }

    func sync() throws(DiskError) {
        disk.tell()
        try file.sync()
    }

    func preallocate(_ byteCount: UInt64) throws(DiskError) {
        disk.tell()
        try file.preallocate(byteCount)
    }

    func byteCount() throws(DiskError) -> UInt64 {
        disk.tell()
        return try file.byteCount()
    }
}
