// SPDX-License-Identifier: Apache-2.0

internal import SkeinWire
internal import Synchronization

/// Decoders that keep their memory between payloads, as many as ever decoded at once.
final class DecoderPool: Sendable {
    /// Idle decoders kept; each holds a few hundred kilobytes.
    private static let idleCount = 8

    private final class Slot: Sendable {
        let decoder = Mutex(OTLPDecoder())
    }

    private let idle = Mutex<[Slot]>([])

    /// Decodes an OTLP/protobuf payload with whichever decoder is idle.
    func decode(_ payload: borrowing [UInt8], receivedAt: UInt64) throws(WireError) -> DecodedBatch
    {
        let slot = idle.withLock { $0.popLast() } ?? Slot()
        defer {
            idle.withLock { if $0.count < Self.idleCount { $0.append(slot) } }
        }
        return try slot.decoder.withLock { (decoder) throws(WireError) in
            try decoder.decodeProtobuf(payload, receivedAt: receivedAt)
        }
    }
}
