// SPDX-License-Identifier: Apache-2.0

#if OTLPHTTP
internal import CGzip

/// gzip by the system's zlib, which AsyncHTTPClient links too.
enum Gzip {
    /// Bits of zlib's window, its largest; 16 more ask for gzip's head and tail.
    private static let windowBits: Int32 = 15 + 16
    /// zlib's own default for the memory it works in, 128 KiB.
    private static let memoryLevel: Int32 = 8

    /// `bytes`, packed; `nil` where there is no memory for it.
    ///
    /// The fastest level: on spans the best one saves some tenth more for five times the CPU, which
    /// is the application's.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard let count = UInt32(exactly: bytes.count) else { return nil }
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream,
                Z_BEST_SPEED,
                Z_DEFLATED,
                windowBits,
                memoryLevel,
                Z_DEFAULT_STRATEGY,
                ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)
            ) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        // What zlib says is enough in any case, so that one call does.
        let bound = Int(deflateBound(&stream, UInt(count)))
        guard let room = UInt32(exactly: bound) else { return nil }
        var isWhole = false
        let packed = [UInt8](unsafeUninitializedCapacity: bound) { output, filled in
            bytes.withUnsafeBufferPointer { input in
                // zlib reads from there alone; its type does not say so.
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = count
                stream.next_out = output.baseAddress
                stream.avail_out = room
                isWhole = deflate(&stream, Z_FINISH) == Z_STREAM_END
            }
            // Bound: avail_out <= room, the capacity.
            filled = Int(room - stream.avail_out)
        }
        return isWhole ? packed : nil
    }
}
#endif
