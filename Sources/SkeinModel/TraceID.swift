// SPDX-License-Identifier: Apache-2.0

/// The id shared by all spans of one trace: 128 bits.
///
/// A 64-bit id from an older client is the low half with a zero high half.
public struct TraceID: Hashable, Sendable, Comparable {
    /// Bits 127...64, zero for an id that came as 64 bits.
    public var high: UInt64
    /// Bits 63...0.
    public var low: UInt64

    /// Makes an id of its two halves.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The all-zero id, which no valid span carries.
    public static let zero = TraceID(high: 0, low: 0)

    /// Whether at least one bit is set, as every protocol asks of a real id.
    @inlinable
    public var isValid: Bool { high | low != 0 }

    /// Whether a look-up by `self` should find `other`: the same id, or, where `self` is short
    /// (64 bits), any id with the same low half.
    @inlinable
    public func finds(_ other: TraceID) -> Bool {
        low == other.low && (high == other.high || high == 0)
    }

    /// Parses 1 to 32 hexadecimal digits of either case; shorter ids are padded on the left.
    ///
    /// - Returns: `nil` for an empty text, more than 32 digits or any other character.
    public init?(hex: some StringProtocol) {
        let digits = hex.utf8
        guard let count = digits.bounded(to: 32), count > 0 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for digit in digits {
            guard let value = Hex.value(of: digit) else { return nil }
            high = high << 4 | low >> 60
            low = low << 4 | UInt64(value)
        }
        self.init(high: high, low: low)
    }

    /// 32 lower-case hexadecimal digits.
    public var hex: String { Hex.text(high) + Hex.text(low) }

    /// 16 digits where the high half is zero, 32 otherwise, as Jaeger and Zipkin print ids.
    public var shortHex: String { high == 0 ? Hex.text(low) : hex }

    @inlinable
    public static func < (left: TraceID, right: TraceID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

extension TraceID: CustomStringConvertible {
    public var description: String { hex }
}

extension Collection<UInt8> {
    fileprivate func bounded(to limit: Int) -> Int? {
        index(startIndex, offsetBy: limit + 1, limitedBy: endIndex) == nil ? count : nil
    }
}
