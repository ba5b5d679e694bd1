// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

/// Text as the values of baggage travel: bytes that may not stand for themselves as `%` and two digits.
enum PercentCoding {
    /// `text` with every byte escaped that a baggage value may not hold as it is, and `+`, which it may
    /// hold: OpenTelemetry for Python and others that decode as forms do read a blank in it.
    static func encoded(_ text: String) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 0x21, 0x23, 0x24, 0x26...0x2A, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E:
                result.append(byte)
            default:
                result.append(UInt8(ascii: "%"))
                result.append(Hex.digit(of: byte >> 4))
                result.append(Hex.digit(of: byte))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `bytes` with each `%` and two digits replaced by their byte; a `%` without them stays.
    static func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "%"), bytes.endIndex - index > 2,
                let high = Hex.value(of: bytes[index + 1]),
                let low = Hex.value(of: bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
