// SPDX-License-Identifier: Apache-2.0

import Platform

/// A disk that is only read: what looks at a store that may be somebody else's goes through it.
struct ReadingDisk: Disk {
    private let disk: any Disk

    init(_ disk: any Disk) { self.disk = disk }

    func open(_ path: String) throws(DiskError) -> any DiskFile { try disk.openForReading(path) }

    func openForReading(_ path: String) throws(DiskError) -> any DiskFile {
        try disk.openForReading(path)
    }

    func list(_ directory: String) throws(DiskError) -> [String] { try disk.list(directory) }

    func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        try disk.freeByteCount(path)
    }

    func create(_ path: String) throws(DiskError) -> any DiskFile {
        throw denied(path, .create)
    }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        throw denied(path, .rename)
    }

    func remove(_ path: String) throws(DiskError) { throw denied(path, .remove) }

    func createDirectory(_ path: String) throws(DiskError) { throw denied(path, .createDirectory) }

    func syncDirectory(_ path: String) throws(DiskError) { throw denied(path, .syncDirectory) }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? { throw denied(path, .lock) }

    private func denied(_ path: String, _ operation: DiskError.Operation) -> DiskError {
        DiskError(path: path, operation: operation, code: DiskError.deniedCode)
    }
}

extension Disk {
    /// The whole of a file.
    ///
    /// - Parameters:
    ///   - limit: bytes that no file of ours exceeds: for one that does, such as a file of somebody
    ///     else that is all hole, there may not be the memory.
    ///   - what: it is named after.
    /// - Throws: `EngineError` for a longer one, `DiskError`.
    func bytes(of path: String, limit: Int, _ what: String) throws -> [UInt8] {
        let file = try openForReading(path)
        let byteCount = try file.byteCount()
        try Self.refuseLong(path, byteCount, limit: limit, what)
        return try file.read(at: 0, count: Int(byteCount))
    }

    /// The whole of a log segment.
    func segmentBytes(_ path: String) throws -> [UInt8] {
        try bytes(of: path, limit: Limits.segmentFileBytes, "a log segment")
    }

    /// Refuses a file that is longer than what it is named after can be.
    func refuseLong(_ path: String, limit: Int, _ what: String) throws {
        try Self.refuseLong(path, try openForReading(path).byteCount(), limit: limit, what)
    }

    private static func refuseLong(
        _ path: String,
        _ byteCount: UInt64,
        limit: Int,
        _ what: String
    ) throws(EngineError) {
        guard byteCount > UInt64(limit) else { return }
        throw EngineError(
            "\(path) has \(byteCount) bytes, \(what) has \(limit) at most: it is not one of this "
                + "store. Nothing was changed; move it away, or restore a backup into a new folder"
        )
    }

    /// Calls `body` with the bytes of a file, a few mebibytes at a time.
    ///
    /// - Returns: how many bytes there were, and their checksum.
    func read(
        _ path: String,
        _ body: ([UInt8]) throws(DiskError) -> Void = { (_) throws(DiskError) in }
    ) throws(DiskError) -> (byteCount: UInt64, checksum: UInt32) {
        let file = try openForReading(path)
        // What has no size, such as a device, has no bytes here.
        let byteCount = try file.byteCount()
        var offset: UInt64 = 0
        var checksum: UInt32 = 0
        while offset < byteCount {
            let count = Int(min(byteCount - offset, UInt64(Limits.copyBytes)))
            let bytes = try file.read(at: offset, count: count)
            if bytes.isEmpty { break }
            checksum = CRC32C.checksum(bytes, continuing: checksum)
            try body(bytes)
            offset += UInt64(bytes.count)
        }
        return (offset, checksum)
    }

    /// Copies a file and syncs the copy.
    @discardableResult
    func copy(
        _ path: String,
        to newPath: String
    ) throws(DiskError) -> (byteCount: UInt64, checksum: UInt32) {
        let copy = try create(newPath)
        var offset: UInt64 = 0
        let sum = try read(path) { (bytes) throws(DiskError) in
            try copy.write([bytes], at: offset)
            offset += UInt64(bytes.count)
        }
        try copy.sync()
        return sum
    }

    /// Writes a small file and syncs it.
    func write(_ bytes: [UInt8], to path: String) throws(DiskError) {
        let file = try create(path)
        try file.write([bytes], at: 0)
        try file.sync()
    }
}
