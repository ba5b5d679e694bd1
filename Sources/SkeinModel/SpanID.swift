// SPDX-License-Identifier: Apache-2.0

/// The id of one span within its trace: 64 bits. Zero stands for "none".
public struct SpanID: Hashable, Sendable, Comparable {
    /// The 64 bits, the first byte on the wire being the most significant.
    public var raw: UInt64

    /// Wraps 64 bits.
    @inlinable
    public init(_ raw: UInt64) { self.raw = raw }

    /// "No span": what the parent of a root is.
    public static let none = SpanID(0)

    /// Whether at least one bit is set.
    @inlinable
    public var isValid: Bool { raw != 0 }

    /// Parses 1 to 16 hexadecimal digits of either case, padded on the left.
    ///
    /// - Returns: `nil` for an empty text, more than 16 digits or any other character.
    public init?(hex: some StringProtocol) {
        var raw: UInt64 = 0
        var count = 0
        for digit in hex.utf8 {
            count += 1
            guard count <= 16, let value = Hex.value(of: digit) else { return nil }
            raw = raw << 4 | UInt64(value)
        }
        guard count > 0 else { return nil }
        self.raw = raw
    }

    /// 16 lower-case hexadecimal digits.
    public var hex: String { Hex.text(raw) }

    @inlinable
    public static func < (left: SpanID, right: SpanID) -> Bool { left.raw < right.raw }
}

extension SpanID: CustomStringConvertible {
    public var description: String { hex }
}
