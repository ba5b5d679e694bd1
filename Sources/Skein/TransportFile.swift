// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// One file that lines are appended to: what it holds are whole lines, whatever happens.
///
/// A lock on the file keeps a second process from writing, and from renaming, what this one writes.
struct AppendedFile: ~Copyable {
    /// What the system said.
    struct Failure: Error {
        let message: String

        init(_ path: String, _ what: String, _ code: Int32 = errno) {
            message = "\(path): \(what): \(String(cString: strerror(code)))"
        }
    }

    private let descriptor: Int32
    private let path: String
    /// Bytes of the file.
    private(set) var byteCount: Int

    /// Opens or makes the file and cuts off what a process that died left of its last line.
    ///
    /// It is made readable by its owner and group: spans may hold what is not everybody's.
    init(path: String) throws(Failure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Failure(path, "cannot be opened") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = Failure(path, "another process writes to it")
            close(descriptor)
            throw failure
        }
        let size = lseek(descriptor, 0, SEEK_END)
        let kept = Self.wholeLines(descriptor, size: Int(size))
        guard size >= 0, kept == Int(size) || ftruncate(descriptor, off_t(kept)) == 0 else {
            let failure = Failure(path, "cannot be written")
            close(descriptor)
            throw failure
        }
        self.descriptor = descriptor
        self.path = path
        byteCount = kept
    }

    deinit { close(descriptor) }

    /// The length of the file up to the end of its last whole line.
    private static func wholeLines(_ descriptor: Int32, size: Int) -> Int {
        var end = max(0, size)
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while end > 0 {
            let start = max(0, end - chunk.count)
            // Bound: end - start <= chunk.count.
            let count = pread(descriptor, &chunk, end - start, off_t(start))
            // What cannot be read is left as it is.
            guard count == end - start else { return max(0, size) }
            if let last = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) {
                return start + last + 1
            }
            end = start
        }
        return 0
    }

    /// Appends all of `lines`, or nothing of it.
    mutating func append(_ lines: ArraySlice<UInt8>) throws(Failure) {
        var rest = lines
        while !rest.isEmpty {
            // Bound: the slice's own count.
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                let failure = Failure(path, "cannot be written")
                // Half a line would make the file unreadable from there on.
                ftruncate(descriptor, off_t(byteCount))
                throw failure
            }
        }
        byteCount += lines.count
    }

    /// Renames the file at `path`, over what stands at `other`; `false` where there is none.
    static func move(_ path: String, to other: String) throws(Failure) -> Bool {
        if rename(path, other) == 0 { return true }
        guard errno == ENOENT else { throw Failure(path, "cannot be renamed to \(other)") }
        return false
    }

    /// Removes the file at `path`; `false` where there is none.
    static func remove(_ path: String) throws(Failure) -> Bool {
        if unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw Failure(path, "cannot be removed") }
        return false
    }
}
