// SPDX-License-Identifier: Apache-2.0

/// The numbers that bound what one request and all requests together may cost.
public struct IngestLimits: Sendable {
    /// Bytes of a request before and after decompression, each. OTLP recommends 64 MiB after.
    public var requestByteCount = 64 << 20
    /// Bytes of all requests between their first byte and their answer. Room for a few of the
    /// largest or for thousands of ordinary ones; the rest is pushed back before it is read.
    public var inFlightByteCount = 256 << 20
    /// What an overloaded client is told to wait, seconds: from here...
    public var retryAfterMinSeconds = 1
    /// ...to here, spread at random so that clients do not return together.
    public var retryAfterMaxSeconds = 5

    /// Between two looks for room, milliseconds: short beside any client's timeout, long beside the
    /// few microseconds a look takes.
    static let patiencePauseMilliseconds = 20

    /// The defaults.
    public init() {}
}

/// The numbers that bound decompression.
enum DecompressionLimits {
    /// Bytes decompressed at a time: fits the processor's second level cache.
    static let chunkByteCount = 64 << 10
    /// The largest window a zstd frame may ask for, as a power of two: 8 MiB, what RFC 8878
    /// recommends every decoder to support. The frame's header, not its data, asks for this memory.
    static let zstdWindowLog: Int32 = 23
    /// Members of one gzip body. Each costs a reset, and an empty one takes only 20 bytes.
    static let gzipMemberCount = 4096
}
