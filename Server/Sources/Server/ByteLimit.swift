// SPDX-License-Identifier: Apache-2.0

/// A number of bytes, written as a number and a unit: `500MB`, `10GB`, `2TiB`, or `unlimited`.
public struct ByteLimit: Sendable, Equatable, CustomStringConvertible {
    /// The bytes, `nil` for no limit.
    public let byteCount: UInt64?
    public let description: String

    /// No limit.
    public static let unlimited = ByteLimit(byteCount: nil, description: "unlimited")

    private init(byteCount: UInt64?, description: String) {
        self.byteCount = byteCount
        self.description = description
    }

    /// Reads a limit.
    ///
    /// - Parameter text: such as `10GB`.
    /// - Throws: `ConfigurationError`, which shows what is expected.
    public init(parsing text: String) throws(ConfigurationError) {
        if text == "unlimited" {
            self = .unlimited
            return
        }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count)
        guard let count = UInt64(digits), count > 0,
            let factor = Self.bytesPerUnit[unit.lowercased()]
        else {
            throw ConfigurationError(
                "\"\(text)\" is no size: write a number and a unit (MB, GB, TB, MiB, GiB, TiB), such "
                    + "as 10GB, or unlimited"
            )
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow else {
            throw ConfigurationError("\"\(text)\" is more than any disk has: write unlimited")
        }
        guard bytes >= Self.least else {
            throw ConfigurationError(
                "\"\(text)\" is too little to keep anything: give 1MB or more"
            )
        }
        self.init(byteCount: bytes, description: text)
    }

    private static let bytesPerUnit: [String: UInt64] = [
        "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    ]
    /// Below this a limit is a unit forgotten.
    private static let least: UInt64 = 1_000_000
}
