// SPDX-License-Identifier: Apache-2.0

/// Something that a person who ran a command can act on.
public struct ClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was wrong.
    public let message: String
    /// Where: a file with an offset or a line, or an address. May be empty.
    public let place: String
    /// What to do about it. May be empty.
    public let hint: String
    /// Characters of a query before the fault; `nil` where it is no query that is wrong.
    public let position: Int?

    /// Describes a problem.
    public init(
        _ message: String,
        at place: String = "",
        hint: String = "",
        position: Int? = nil
    ) {
        self.message = message
        self.place = place
        self.hint = hint
        self.position = position
    }

    public var description: String {
        (place.isEmpty ? "" : "\(place): ") + message + (hint.isEmpty ? "" : " (\(hint))")
    }
}
