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
    /// The whole of a file, for small ones and log segments.
    func bytes(of path: String) throws(DiskError) -> [UInt8] {
        let file = try openForReading(path)
        return try file.read(at: 0, count: Int(clamping: try file.byteCount()))
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
