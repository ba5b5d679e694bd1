// SPDX-License-Identifier: Apache-2.0

/// Files, as far as storage needs them.
///
/// Reading names ranges, so that parts could be read from an object store as well. Paths are
/// absolute or relative to the working directory and use `/`.
public protocol Disk: Sendable {
    /// Opens an existing file for reading and writing.
    func open(_ path: String) throws(DiskError) -> any DiskFile

    /// Opens an existing file for reading alone; works where writing is not allowed. A symbolic link
    /// is not followed, and nothing but the bytes of a file is waited for.
    func openForReading(_ path: String) throws(DiskError) -> any DiskFile

    /// Gives a file a second name. Lasting only after `syncDirectory`.
    func link(_ path: String, to newPath: String) throws(DiskError)

    /// Removes an empty directory.
    func removeDirectory(_ path: String) throws(DiskError)

    /// Creates an empty file, or empties the one that is there.
    func create(_ path: String) throws(DiskError) -> any DiskFile

    /// Gives a file another name, replacing a file of that name at once. Lasting only after
    /// `syncDirectory`.
    func rename(_ path: String, to newPath: String) throws(DiskError)

    /// Removes a file. Handles that are open on it stay usable.
    func remove(_ path: String) throws(DiskError)

    /// The names in a directory, sorted, without `.` and `..`.
    func list(_ directory: String) throws(DiskError) -> [String]

    /// Makes a directory, and those above it; no error if it is there.
    func createDirectory(_ path: String) throws(DiskError)

    /// Makes creations, renames and removals in a directory last.
    func syncDirectory(_ path: String) throws(DiskError)

    /// Takes the lock of a file, creating it if need be.
    ///
    /// - Returns: `nil` when another process, or another lock of this one, holds it.
    func lock(_ path: String) throws(DiskError) -> (any DiskLock)?

    /// Bytes that may still be written where `path` lies.
    func freeByteCount(_ path: String) throws(DiskError) -> UInt64
}

extension Disk {
    /// For disks on which everything may be written.
    public func openForReading(_ path: String) throws(DiskError) -> any DiskFile { try open(path) }

    /// For disks on which a file has one name.
    public func link(_ path: String, to newPath: String) throws(DiskError) {
        throw DiskError(path: path, operation: .link, code: ErrorCode.notSupported)
    }

    /// For disks on which directories need not be made or removed.
    public func removeDirectory(_ path: String) throws(DiskError) {}
}

/// An open file; closed when the last reference goes.
public protocol DiskFile: AnyObject, Sendable {
    /// Reads `count` bytes from `offset`; fewer only where the file ends.
    func read(at offset: UInt64, count: Int) throws(DiskError) -> [UInt8]

    /// Writes `pieces` one after another from `offset`, all of them or an error.
    func write(_ pieces: [[UInt8]], at offset: UInt64) throws(DiskError)

    /// Makes what was written last (`fdatasync`). After an error nothing is known about any write
    /// since the last success, and calling again proves nothing.
    func sync() throws(DiskError)

    /// Reserves room for the first `byteCount` bytes, which read as zero where never written.
    func preallocate(_ byteCount: UInt64) throws(DiskError)

    /// Asks that writes go to the device and not into the cache of the operating system: for what is
    /// synced at once and hardly ever read, where the cache only costs.
    ///
    /// - Returns: the number that the offset of a write must from now on be a multiple of. A write
    ///   then fills its last block with zeros: what stood there is gone. 1 where nothing changes.
    func bypassCache() -> Int

    /// Bytes in the file.
    func byteCount() throws(DiskError) -> UInt64
}

extension DiskFile {
    public func bypassCache() -> Int { 1 }
}

/// A lock that is held until `release` or until the last reference goes.
public protocol DiskLock: AnyObject, Sendable {
    /// Gives the lock up; doing so twice does nothing.
    func release()
}

/// A call to the disk that failed.
public struct DiskError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was attempted.
    public enum Operation: String, Sendable {
        case open, create, read, write, sync, preallocate, size, rename, remove, list
        case link
        case createDirectory = "create directory"
        case removeDirectory = "remove directory"
        case syncDirectory = "sync directory"
        case lock
        case freeSpace = "ask for free space"
    }

    public var path: String
    public var operation: Operation
    /// `errno` of the call.
    public var code: Int32

    /// Describes a failed call.
    public init(path: String, operation: Operation, code: Int32) {
        self.path = path
        self.operation = operation
        self.code = code
    }

    /// `errno` of a disk that has no room.
    public static let outOfSpaceCode = ErrorCode.noSpace

    /// `errno` of what this process may not do.
    public static let deniedCode = ErrorCode.readOnly

    /// Whether the reason is a full disk or quota, which may pass by itself.
    public var isOutOfSpace: Bool { ErrorCode.outOfSpace.contains(code) }

    /// Whether the file or directory is not there.
    public var isMissing: Bool { code == ErrorCode.missing }

    /// Whether this process may not do it, or nobody may on this file system.
    public var isDenied: Bool { ErrorCode.denied.contains(code) }

    public var description: String {
        "cannot \(operation.rawValue) \(path): \(ErrorCode.text(code))"
    }
}
