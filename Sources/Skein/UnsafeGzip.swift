// SPDX-License-Identifier: Apache-2.0

#if OTLPHTTP
internal import CGzip

/// gzip by the system's zlib, which AsyncHTTPClient links too.
enum Gzip {
    /// `bytes`, packed; `nil` where there is no memory for it.
    ///
    /// The fastest level: on spans the best one saves some tenth more for five times the CPU, which
    /// is the application's.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard let count = UInt32(exactly: bytes.count),
            // What zlib says is enough in any case, so that one call does.
            let room = UInt32(exactly: skein_gzip_bound(UInt(count)))
        else { return nil }
        let packed = [UInt8](unsafeUninitializedCapacity: Int(room)) { output, filled in
            // Bound: what was filled is at most `room`, the capacity.
            filled = bytes.withUnsafeBufferPointer { input in
                Int(skein_gzip(input.baseAddress, count, output.baseAddress, room))
            }
        }
        return packed.isEmpty ? nil : packed
    }
}
#endif
