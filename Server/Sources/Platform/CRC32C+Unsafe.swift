// SPDX-License-Identifier: Apache-2.0

import CChecksum

/// The checksum of every format on disk: CRC-32C (Castagnoli), 8 GB/s where the processor helps.
///
/// In a fuzzer, built with `SKEIN_FUZZING`, it is the same number for all bytes: an input that a
/// fuzzer changed comes past it, to the decoders behind it.
public enum CRC32C {
    /// The checksum of `bytes`, continuing from `seed`, the checksum of what came before.
    public static func checksum(_ bytes: [UInt8], continuing seed: UInt32 = 0) -> UInt32 {
        #if SKEIN_FUZZING
        return 0
        #else
        // Bound: the buffer's own count.
        return bytes.withUnsafeBytes { skein_crc32c(seed, $0.baseAddress, $0.count) }
        #endif
    }

    /// The checksum of a run of `bytes`.
    public static func checksum(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        continuing seed: UInt32 = 0
    ) -> UInt32 {
        bytes.withUnsafeBytes {
            // Bound: slicing traps where `range` leaves the array.
            let run = UnsafeRawBufferPointer(rebasing: $0[range])
            #if SKEIN_FUZZING
            return 0
            #else
            return skein_crc32c(seed, run.baseAddress, run.count)
            #endif
        }
    }
}
