// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Writes chunks to a part file, a mebibyte at a time. A chunk is what `encoder` holds:
/// ```
/// output.encoder.append(integers: numbers)
/// let reference = try output.finishChunk()
/// ```
struct PartOutput: ~Copyable {
    /// Holds the chunk being written; empty after `finishChunk`.
    var encoder: ChunkEncoder
    /// Bytes of the longest texts of one column and block: what a reader holds in memory at once.
    private(set) var longestTexts = 0
    private let file: any DiskFile
    private var written: UInt64 = 0
    private var buffer: [UInt8]

    /// - Parameters:
    ///   - head: what the file begins with (`PartFormat.head`).
    ///   - level: of zstd.
    init(file: any DiskFile, head: [UInt8], level: Int32) {
        self.file = file
        buffer = head
        encoder = ChunkEncoder(level: level)
    }

    /// Writes what the encoder holds as one chunk.
    mutating func finishChunk() throws(DiskError) -> ChunkReference {
        let start = buffer.count
        encoder.bytes.withElements { buffer.append(contentsOf: $0) }
        let reference = ChunkReference(
            offset: written + UInt64(start),
            byteCount: UInt32(encoder.count),
            checksum: CRC32C.checksum(buffer, start..<buffer.count)
        )
        encoder.removeAll()
        if buffer.count >= Limits.writeBytes { try flush() }
        return reference
    }

    /// Writes `bytes` as one chunk, as they are.
    mutating func append(_ bytes: [UInt8]) throws(DiskError) -> ChunkReference {
        encoder.append(raw: bytes)
        return try finishChunk()
    }

    /// Notes how many bytes the texts of one column and block have.
    mutating func note(textByteCount: Int) { longestTexts = max(longestTexts, textByteCount) }

    /// Writes the directory and the end, and syncs.
    ///
    /// - Returns: bytes of the file and the checksum of the directory.
    mutating func finish(
        _ directory: PartDirectory
    ) throws(DiskError) -> (byteCount: UInt64, checksum: UInt32) {
        try finish(directory: directory.encode(), tail: PartFormat.tail)
    }

    /// The same for a file of another kind.
    ///
    /// - Parameters:
    ///   - directory: the content of its frame.
    ///   - tail: what the file ends with, made of where the directory lies.
    mutating func finish(
        directory: [UInt8],
        tail: (ChunkReference) -> [UInt8]
    ) throws(DiskError) -> (byteCount: UInt64, checksum: UInt32) {
        encoder.append(frame: directory)
        let reference = try finishChunk()
        buffer += tail(reference)
        try flush()
        try file.sync()
        return (written, reference.checksum)
    }

    private mutating func flush() throws(DiskError) {
        try file.write([buffer], at: written)
        written += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }
}
