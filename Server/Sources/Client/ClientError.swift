// SPDX-License-Identifier: Apache-2.0

/// Something that a person who ran a command can act on.
public struct ClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was wrong.
    public let message: String
    /// Where: a file with an offset or a line, or an address. May be empty.
    public let place: String
    /// What to do about it. May be empty.
    public let hint: String

    /// Describes a problem.
    public init(_ message: String, at place: String = "", hint: String = "") {
        self.message = message
        self.place = place
        self.hint = hint
    }

    public var description: String {
        (place.isEmpty ? "" : "\(place): ") + message + (hint.isEmpty ? "" : " (\(hint))")
    }
}
