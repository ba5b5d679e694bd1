// SPDX-License-Identifier: Apache-2.0

import CPlatform
import Glibc
import Synchronization

/// The file system of the machine, by plain system calls.
///
/// Calls are blocking: call from threads of your own, never from the cooperative pool.
public struct PosixDisk: Disk {
    /// The one file system.
    public init() {}

    public func open(_ path: String) throws(DiskError) -> any DiskFile {
        PosixFile(try descriptor(path, O_RDWR, .open), path: path)
    }

    public func openForReading(_ path: String) throws(DiskError) -> any DiskFile {
        PosixFile(try descriptor(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, .open), path: path)
    }

    public func link(_ path: String, to newPath: String) throws(DiskError) {
        if Glibc.link(path, newPath) != 0 {
            throw DiskError(path: newPath, operation: .link, code: errno)
        }
    }

    public func removeDirectory(_ path: String) throws(DiskError) {
        if rmdir(path) != 0 {
            throw DiskError(path: path, operation: .removeDirectory, code: errno)
        }
    }

    public func create(_ path: String) throws(DiskError) -> any DiskFile {
        PosixFile(try descriptor(path, O_RDWR | O_CREAT | O_TRUNC, .create), path: path)
    }

    public func rename(_ path: String, to newPath: String) throws(DiskError) {
        if Glibc.rename(path, newPath) != 0 {
            throw DiskError(path: path, operation: .rename, code: errno)
        }
    }

    public func remove(_ path: String) throws(DiskError) {
        if unlink(path) != 0 { throw DiskError(path: path, operation: .remove, code: errno) }
    }

    public func list(_ directory: String) throws(DiskError) -> [String] {
        guard let stream = opendir(directory) else {
            throw DiskError(path: directory, operation: .list, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw DiskError(path: directory, operation: .list, code: errno) }
                break
            }
            // Bound: d_name is a terminated string of at most 255 bytes inside the entry.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    public func createDirectory(_ path: String) throws(DiskError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        let code = errno
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        guard code == ENOENT, !parent.isEmpty else {
            throw DiskError(path: path, operation: .createDirectory, code: code)
        }
        try createDirectory(parent)
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw DiskError(path: path, operation: .createDirectory, code: errno)
        }
    }

    public func syncDirectory(_ path: String) throws(DiskError) {
        let handle = try descriptor(path, O_RDONLY | O_DIRECTORY, .syncDirectory)
        defer { close(handle) }
        if fsync(handle) != 0 {
            throw DiskError(path: path, operation: .syncDirectory, code: errno)
        }
    }

    public func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
        let handle = try descriptor(path, O_RDWR | O_CREAT, .lock)
        if flock(handle, LOCK_EX | LOCK_NB) == 0 { return PosixLock(handle) }
        let code = errno
        close(handle)
        if code == EWOULDBLOCK { return nil }
        throw DiskError(path: path, operation: .lock, code: code)
    }

    public func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        var answer = statvfs()
        if statvfs(path, &answer) != 0 {
            throw DiskError(path: path, operation: .freeSpace, code: errno)
        }
        return UInt64(answer.f_bavail).multipliedReportingOverflow(by: UInt64(answer.f_frsize))
            .partialValue
    }

    private func descriptor(
        _ path: String,
        _ flags: Int32,
        _ operation: DiskError.Operation
    ) throws(DiskError) -> Int32 {
        while true {
            let handle = Glibc.open(path, flags | O_CLOEXEC, 0o600)
            if handle >= 0 { return handle }
            if errno != EINTR { throw DiskError(path: path, operation: operation, code: errno) }
        }
    }
}

private final class PosixFile: DiskFile {
    private let handle: Int32
    private let path: String
    /// Whether writes pass the cache by and must be made of whole, aligned blocks.
    private let isDirect = Atomic(false)
    /// Bytes of a block; no device in use asks for more.
    private static let blockByteCount = 4_096
    /// Bytes of whole blocks put together for one write.
    private static let directByteCount = 1 << 20

    init(_ handle: Int32, path: String) {
        self.handle = handle
        self.path = path
    }

    deinit { close(handle) }

    func read(at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            guard let base = buffer.baseAddress else { return }
            while filled < count {
                // Bound: count - filled bytes of room behind base + filled.
                let got = pread(
                    handle,
                    base + filled,
                    count - filled,
                    off_t(offset) + off_t(filled)
                )
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    return
                } else if errno != EINTR {
                    failure = errno
                    return
                }
            }
        }
        if failure != 0 { throw DiskError(path: path, operation: .read, code: failure) }
        return bytes
    }

    func write(_ pieces: [[UInt8]], at offset: UInt64) throws(DiskError) {
        if isDirect.load(ordering: .relaxed) {
            let code = writeBlocks(pieces, at: offset)
            if code != 0 { throw DiskError(path: path, operation: .write, code: code) }
            return
        }
        var position = off_t(offset)
        for piece in pieces {
            let code = piece.withUnsafeBytes { writeAll($0, at: position) }
            if code != 0 { throw DiskError(path: path, operation: .write, code: code) }
            position += off_t(piece.count)
        }
    }

    /// Returns `errno`, 0 when all bytes are written.
    private func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: off_t) -> Int32 {
        guard let base = bytes.baseAddress else { return 0 }
        var written = 0
        while written < bytes.count {
            // Bound: bytes.count - written bytes behind base + written.
            let put = pwrite(handle, base + written, bytes.count - written, offset + off_t(written))
            if put > 0 {
                written += put
            } else if put == 0 {
                return EIO
            } else if errno == EINVAL, isDirect.exchange(false, ordering: .relaxed) {
                // The file system takes the flag and not the writes: the cache then.
                _ = skein_bypass_cache(handle, 0)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    /// Puts the pieces together in aligned memory and writes that. Returns `errno` or 0.
    private func writeBlocks(_ pieces: [[UInt8]], at offset: UInt64) -> Int32 {
        let total = pieces.reduce(0) { $0 + $1.count }
        let capacity = min(blocks(total), Self.directByteCount)
        guard capacity > 0 else { return 0 }
        let taken = AlignedBlocks.take(byteCount: Self.directByteCount)
        defer { AlignedBlocks.give(taken) }
        let block = UnsafeMutableRawBufferPointer(rebasing: taken[..<capacity])
        var filled = 0
        var position = off_t(offset)
        for piece in pieces {
            let code = piece.withUnsafeBytes { bytes -> Int32 in
                var taken = 0
                while taken < bytes.count {
                    // Bound: at most what is left of the piece and of the block.
                    let count = min(bytes.count - taken, capacity - filled)
                    let run = UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + count])
                    UnsafeMutableRawBufferPointer(rebasing: block[filled...]).copyMemory(from: run)
                    taken += count
                    filled += count
                    guard filled == capacity else { continue }
                    let code = writeAll(UnsafeRawBufferPointer(block), at: position)
                    if code != 0 { return code }
                    position += off_t(capacity)
                    filled = 0
                }
                return 0
            }
            if code != 0 { return code }
        }
        guard filled > 0 else { return 0 }
        // Bound: whole blocks up to filled, which the capacity, itself whole blocks, has room for.
        let last = UnsafeMutableRawBufferPointer(rebasing: block[..<blocks(filled)])
        UnsafeMutableRawBufferPointer(rebasing: last[filled...]).initializeMemory(
            as: UInt8.self,
            repeating: 0
        )
        return writeAll(UnsafeRawBufferPointer(last), at: position)
    }

    private func blocks(_ count: Int) -> Int {
        (count + Self.blockByteCount - 1) / Self.blockByteCount * Self.blockByteCount
    }

    func bypassCache() -> Int {
        guard skein_bypass_cache(handle, 1) == 0 else { return 1 }
        isDirect.store(true, ordering: .relaxed)
        return Self.blockByteCount
    }

    func sync() throws(DiskError) {
        if fdatasync(handle) != 0 {
            throw DiskError(path: path, operation: .sync, code: errno)
        }
    }

    func preallocate(_ byteCount: UInt64) throws(DiskError) {
        var code: Int32
        repeat { code = posix_fallocate(handle, 0, off_t(byteCount)) } while code == EINTR
        if code != 0 { throw DiskError(path: path, operation: .preallocate, code: code) }
    }

    func byteCount() throws(DiskError) -> UInt64 {
        var answer = stat()
        if fstat(handle, &answer) != 0 {
            throw DiskError(path: path, operation: .size, code: errno)
        }
        return UInt64(answer.st_size)
    }
}

/// Memory for writes past the cache, kept between them: two threads write so.
private enum AlignedBlocks {
    private static let keptCount = 2
    private static let kept = Mutex<[Block]>([])

    /// Sendable: whoever took it is alone with it.
    private struct Block: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer
    }

    static func take(byteCount: Int) -> UnsafeMutableRawBufferPointer {
        kept.withLock { $0.popLast() }?.bytes
            ?? .allocate(byteCount: byteCount, alignment: 4_096)
    }

    static func give(_ block: UnsafeMutableRawBufferPointer) {
        let given = Block(bytes: block)
        let isKept = kept.withLock { blocks in
            guard blocks.count < keptCount else { return false }
            blocks.append(given)
            return true
        }
        if !isKept { block.deallocate() }
    }
}

private final class PosixLock: DiskLock {
    private let handle: Monitor<Int32?>

    init(_ handle: Int32) { self.handle = Monitor(handle) }

    deinit { release() }

    func release() {
        handle.withLock { held in
            if let descriptor = held { close(descriptor) }
            held = nil
        }
    }
}

/// What numbers of failed calls mean.
enum ErrorCode {
    static let outOfSpace: [Int32] = [ENOSPC, EDQUOT, EFBIG]
    static let noSpace = ENOSPC
    static let denied: [Int32] = [EACCES, EPERM, EROFS]
    static let readOnly = EROFS
    static let notSupported = EOPNOTSUPP
    static let missing = ENOENT

    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
