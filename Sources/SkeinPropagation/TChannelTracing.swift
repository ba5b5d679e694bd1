// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// The 25 bytes of tracing in TChannel's call frames; unsigned numbers, the high byte first.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | span id of the call |
/// | 8 | 8 | parent span id |
/// | 16 | 8 | trace id, 64 bits |
/// | 24 | 1 | flags, 1 = traced |
///
/// The block is there even where nothing is traced: then all ids are zero.
public enum TChannelTracing {
    /// Bytes of the block.
    public static let byteCount = 25

    /// Reads a block.
    ///
    /// - Returns: `nil` where there are not 25 bytes, or the trace or the span id is zero.
    public static func read(_ bytes: some Collection<UInt8>) -> TraceContext? {
        guard bytes.count == byteCount else { return nil }
        var numbers: [UInt64] = [0, 0, 0]
        var flags: UInt8 = 0
        for (index, byte) in bytes.enumerated() {
            if index == 24 {
                flags = byte
            } else {
                numbers[index / 8] = numbers[index / 8] << 8 | UInt64(byte)
            }
        }
        let traceID = TraceID(high: 0, low: numbers[2])
        let spanID = SpanID(numbers[0])
        guard traceID.isValid, spanID.isValid else { return nil }
        return TraceContext(
            traceID: traceID,
            spanID: spanID,
            flags: flags & 1 != 0 ? .sampled : [],
            isRemote: true
        )
    }

    /// Writes a block. Of a 128-bit trace id the low half travels, as the format has no room for more.
    ///
    /// - Parameters:
    ///   - context: The call's span; `nil` writes the block of an untraced call.
    ///   - parent: The span's parent, zero for none.
    public static func write(_ context: TraceContext?, parent: SpanID = SpanID(0)) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for number in [context?.spanID.raw ?? 0, parent.raw, context?.traceID.low ?? 0] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        bytes.append(context?.isSampled == true ? 1 : 0)
        return bytes
    }
}
