// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

extension TraceContext {
    /// The value of `traceparent`, 55 bytes; see `W3CTraceContext`.
    var traceparent: String {
        String(unsafeUninitializedCapacity: 55) { buffer in
            // Every place below is smaller than 55, the capacity asked for.
            let dash = UInt8(ascii: "-")
            buffer[0] = UInt8(ascii: "0")
            buffer[1] = UInt8(ascii: "0")
            buffer[2] = dash
            Hex.write(traceID.high, to: buffer, at: 3)
            Hex.write(traceID.low, to: buffer, at: 19)
            buffer[35] = dash
            Hex.write(spanID.raw, to: buffer, at: 36)
            buffer[52] = dash
            buffer[53] = Hex.digit(of: flags.rawValue >> 4)
            buffer[54] = Hex.digit(of: flags.rawValue)
            return 55
        }
    }
}
