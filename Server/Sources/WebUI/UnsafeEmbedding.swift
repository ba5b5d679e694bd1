// SPDX-License-Identifier: Apache-2.0
import CWebAssets
import CZlib

extension WebAssets {
    /// A file of web/ as it was when the binary was built.
    struct EmbeddedFile {
        let name: String
        let contentType: String
        let bytes: [UInt8]
    }

    /// Copies the embedded files out of the binary, in alphabetical order.
    static func embeddedFiles() -> [EmbeddedFile] {
        var count = 0
        guard let first = cweb_assets(&count) else { return [] }
        // `count` is the array's own length (sizeof), and each `length` that of its bytes.
        return UnsafeBufferPointer(start: first, count: count).map { asset in
            EmbeddedFile(
                name: String(cString: asset.path),
                contentType: String(cString: asset.content_type),
                bytes: Array(UnsafeBufferPointer(start: asset.bytes, count: asset.length))
            )
        }
    }
}

/// Compresses as one gzip member at the best ratio; nil when zlib refuses. Done once a file, at the start.
func gzip(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    // 15 bits of window, + 16 for the gzip wrapper.
    guard
        deflateInit2_(
            &stream,
            Z_BEST_COMPRESSION,
            Z_DEFLATED,
            15 + 16,
            9,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        ) == Z_OK,
        let inputCount = UInt32(exactly: bytes.count)
    else { return nil }
    defer { deflateEnd(&stream) }
    // deflateBound is zlib's own promise for the whole input, so that one call must finish.
    let capacity = Int(deflateBound(&stream, UInt(inputCount)))
    guard let outputCount = UInt32(exactly: capacity) else { return nil }
    var input = bytes
    let compressed = [UInt8](unsafeUninitializedCapacity: capacity) { output, written in
        input.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = inputCount
            stream.next_out = output.baseAddress
            stream.avail_out = outputCount
            let status = deflate(&stream, Z_FINISH)
            written = status == Z_STREAM_END ? capacity - Int(stream.avail_out) : 0
        }
    }
    return compressed.isEmpty ? nil : compressed
}
