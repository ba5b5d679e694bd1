// SPDX-License-Identifier: Apache-2.0

/// Decompressed bytes, never more than a limit.
struct BoundedOutput: ~Copyable {
    private(set) var bytes: [UInt8] = []
    private let limit: Int
    private let alreadyReserved: Int

    init(limit: Int, alreadyReserved: Int) {
        self.limit = limit
        self.alreadyReserved = alreadyReserved
    }

    /// Adds a chunk, at most `DecompressionLimits.chunkByteCount` long.
    mutating func append(
        _ chunk: UnsafeBufferPointer<UInt8>,
        _ reservation: inout Reservation
    ) throws(DecompressionError) {
        guard chunk.count <= limit - bytes.count else { throw .tooLarge(limit: limit) }
        guard reservation.grow(to: alreadyReserved + bytes.count + chunk.count) else {
            throw .noRoom
        }
        bytes.append(contentsOf: chunk)
    }
}
