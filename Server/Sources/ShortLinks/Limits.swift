// SPDX-License-Identifier: Apache-2.0

/// The bounds of short links.
public enum ShortLinkLimits {
    /// Bytes of an address. The longest that the page itself makes, with all rows of a large trace
    /// folded by hand, has a few thousand; servers on the way often take 8 KiB.
    public static let addressByteCount = 16 << 10
    /// Short links kept: one every minute for two months. About 5 MB of memory tell where they stand.
    public static let linkCount = 100_000
    /// Bytes of the file.
    public static let fileByteCount: UInt64 = 64 << 20
    /// Names tried for an address whose name is taken by another. The second is needed once in 10^13
    /// addresses; past the last somebody makes them collide on purpose.
    static let attempts: UInt8 = 8
    /// Requests that wait for the file: each waits for one sync of the disk at most.
    static let waitingCount = 64
    /// Bytes of the file that are read at once at the start: many records, and any record whole.
    static let windowByteCount = 1 << 20
}
