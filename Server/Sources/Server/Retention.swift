// SPDX-License-Identifier: Apache-2.0

/// How long spans are kept, written as a number and a unit: `30m`, `12h`, `7d`, `2w`, or `forever`.
public struct Retention: Sendable, Equatable, CustomStringConvertible {
    /// The time, `nil` for ever.
    public let duration: Duration?
    public let description: String

    /// A week.
    public static let standard = Retention(duration: .seconds(7 * 86_400), description: "7d")

    private init(duration: Duration?, description: String) {
        self.duration = duration
        self.description = description
    }

    /// Reads a retention.
    ///
    /// - Parameter text: such as `7d`.
    /// - Throws: `ConfigurationError`, which shows what is expected.
    public init(parsing text: String) throws(ConfigurationError) {
        if text == "forever" {
            self.init(duration: nil, description: text)
            return
        }
        guard
            let unit = text.last.flatMap({ Self.secondsPerUnit[$0] }),
            let count = Int64(text.dropLast()), count > 0
        else {
            throw ConfigurationError(
                "\"\(text)\" is no time: write a number and a unit (s, m, h, d, w), such as 7d, "
                    + "or forever"
            )
        }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow, seconds <= Self.secondsMax else {
            throw ConfigurationError("\"\(text)\" is more than 200 years: write forever")
        }
        self.init(duration: .seconds(seconds), description: text)
    }

    private static let secondsPerUnit: [Character: Int64] = [
        "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800,
    ]
    /// Nanoseconds of this many seconds still fit 63 bits with room to subtract.
    private static let secondsMax: Int64 = 200 * 365 * 86_400
}
