// SPDX-License-Identifier: Apache-2.0

import Platform

/// Writes chunks to a part file, a mebibyte at a time.
struct PartOutput: ~Copyable {
    private let file: any DiskFile
    private var written: UInt64 = 0
    private var buffer: [UInt8]
    private let compressor: Compressor

    init(file: any DiskFile, head: [UInt8], level: Int32) {
        self.file = file
        buffer = head
        compressor = Compressor(level: level)
    }

    mutating func append(_ chunk: [UInt8]) throws(DiskError) -> ChunkReference {
        let stored = compressor.compress(chunk) ?? chunk
        let reference = ChunkReference(
            offset: written + UInt64(buffer.count),
            storedByteCount: UInt32(stored.count),
            byteCount: UInt32(chunk.count),
            checksum: CRC32C.checksum(stored)
        )
        buffer += stored
        if buffer.count >= Limits.writeBytes { try flush() }
        return reference
    }

    /// Writes the directory and the end, and syncs.
    ///
    /// - Returns: bytes of the file and the checksum of the directory.
    mutating func finish(
        _ directory: PartDirectory
    ) throws(DiskError) -> (byteCount: UInt64, checksum: UInt32) {
        let reference = try append(directory.encode())
        buffer += PartFormat.tail(reference)
        try flush()
        try file.sync()
        return (written, reference.checksum)
    }

    private mutating func flush() throws(DiskError) {
        try file.write([buffer], at: written)
        written += UInt64(buffer.count)
        buffer = []
    }
}
