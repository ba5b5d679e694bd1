// SPDX-License-Identifier: Apache-2.0
import CWebAssets
import CZlib

extension WebAssets {
    /// A file of the page as it was when the binary was built.
    struct EmbeddedFile {
        let name: String
        let contentType: String
        let bytes: [UInt8]
        /// Nil for one that is not worth it.
        let gzipped: [UInt8]?
    }

    /// Copies the embedded files out of the binary, in alphabetical order.
    static func embeddedFiles() -> [EmbeddedFile] {
        var count = 0
        guard let first = cweb_assets(&count) else { return [] }
        // `count` is the array's own length (sizeof), and each `length` that of its bytes.
        return UnsafeBufferPointer(start: first, count: count).map { asset in
            let embedded = Array(UnsafeBufferPointer(start: asset.bytes, count: asset.length))
            let isGzipped = asset.is_gzipped != 0
            return EmbeddedFile(
                name: String(cString: asset.path),
                contentType: String(cString: asset.content_type),
                bytes: isGzipped ? inflated(embedded) : embedded,
                gzipped: isGzipped ? embedded : nil
            )
        }
    }
}

/// What one gzip member holds; empty where it is damaged. Done once a file, at the start.
func inflated(_ member: [UInt8]) -> [UInt8] {
    // A member ends with the length of what it holds (RFC 1952): these are our own files.
    let capacity = member.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard let inputCount = UInt32(exactly: member.count),
        let outputCount = UInt32(exactly: capacity)
    else { return [] }
    var stream = z_stream()
    // 15 bits of window, + 16 for the gzip wrapper.
    guard
        inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return [] }
    defer { inflateEnd(&stream) }
    var input = member
    return [UInt8](unsafeUninitializedCapacity: capacity) { output, written in
        input.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = inputCount
            stream.next_out = output.baseAddress
            // zlib writes no more than this.
            stream.avail_out = outputCount
            let status = inflate(&stream, Z_FINISH)
            written = status == Z_STREAM_END ? capacity - Int(stream.avail_out) : 0
        }
    }
}
