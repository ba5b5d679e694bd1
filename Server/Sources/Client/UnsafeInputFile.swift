// SPDX-License-Identifier: Apache-2.0

import CZlib
import Glibc

/// A file open for reading; gzip is undone on the way, other bytes come as they are.
final class InputFile {
    let path: String
    /// Bytes of the file on disk, 0 where it has no size, such as a pipe.
    let byteCount: Int
    private let handle: gzFile

    /// - Throws: `ClientError` when the file cannot be opened.
    init(path: String) throws(ClientError) {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw ClientError(Self.systemError, at: path)
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw ClientError("is a directory", at: path, hint: "name the files in it")
        }
        guard let handle = gzopen(path, "rb") else {
            throw ClientError(Self.systemError, at: path)
        }
        self.handle = handle
        byteCount = Int(status.st_size)
        gzbuffer(handle, UInt32(Limits.readByteCount))
    }

    deinit { gzclose_r(handle) }

    /// Bytes of the file on disk that have been read.
    var readByteCount: Int { Int(gzoffset(handle)) }

    /// Reads up to `Limits.readByteCount` bytes; none at the end of the file.
    func read() throws(ClientError) -> [UInt8] {
        var count: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Limits.readByteCount) { buffer, filled in
            // Bound: the buffer has that capacity, and gzread writes at most what it is told.
            count = gzread(handle, buffer.baseAddress, UInt32(Limits.readByteCount))
            filled = Int(max(count, 0))
        }
        var code: Int32 = Z_OK
        let text = gzerror(handle, &code)
        guard count >= 0, code == Z_OK || code == Z_STREAM_END else {
            if code == Z_ERRNO { throw ClientError(Self.systemError, at: path) }
            let detail = text.map { String(cString: $0) } ?? ""
            throw ClientError(
                code == Z_BUF_ERROR
                    ? "the gzip data ends too early" : "broken gzip data: \(detail)",
                at: path,
                hint: "is the file complete?"
            )
        }
        return bytes
    }

    private static var systemError: String { String(cString: strerror(errno)) }
}

/// Compresses request bodies.
enum Gzip {
    /// `bytes` as one gzip member, or `nil` when zlib has no memory.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        // 15 bits of window, and 16 more to ask for the gzip wrapper.
        let started = deflateInit2_(
            &stream,
            1,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard started == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(bytes.count)))
        var isDone = false
        let packed = [UInt8](unsafeUninitializedCapacity: bound) { output, filled in
            bytes.withUnsafeBufferPointer { input in
                // Bound: deflateBound says that one call with this room takes the whole input.
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(bound)
                isDone = deflate(&stream, Z_FINISH) == Z_STREAM_END
                filled = bound - Int(stream.avail_out)
            }
        }
        return isDone ? packed : nil
    }
}
