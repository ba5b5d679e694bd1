// SPDX-License-Identifier: Apache-2.0

import CZstd

/// A zstd compressor that is used again and again by one thread.
struct Compressor: ~Copyable {
    private let context: OpaquePointer?
    private let level: Int32

    init(level: Int32) {
        context = ZSTD_createCCtx()
        self.level = level
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Room that `compress` needs for `count` bytes.
    static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

    /// - Parameter target: `bound(source.count)` bytes of room.
    /// - Returns: bytes written, `nil` where compression does not make them shorter.
    func compress(
        _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        #if SKEIN_FUZZING
        // What a fuzzer changes in compressed bytes ends in the decompressor: store them plain.
        return nil
        #else
        return shortened(source, into: target)
        #endif
    }

    private func shortened(
        _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard source.count >= Limits.compressibleBytes, let context else { return nil }
        // Bound: both buffers with their own counts.
        let count = ZSTD_compressCCtx(
            context,
            target.baseAddress,
            target.count,
            source.baseAddress,
            source.count,
            level
        )
        return ZSTD_isError(count) == 0 && count < source.count ? count : nil
    }
}

/// A zstd decompressor that is used again and again by one thread.
struct Decompressor: ~Copyable {
    private let context: OpaquePointer?

    init() { context = ZSTD_createDCtx() }

    deinit { ZSTD_freeDCtx(context) }

    /// Fills `target` completely from one frame.
    ///
    /// - Returns: whether the frame was whole and as long as `target`.
    func decompress(
        _ frame: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let context else { return false }
        // Bound: both buffers with their own counts.
        let count = ZSTD_decompressDCtx(
            context,
            target.baseAddress,
            target.count,
            frame.baseAddress,
            frame.count
        )
        return ZSTD_isError(count) == 0 && count == target.count
    }
}
