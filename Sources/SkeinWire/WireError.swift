// SPDX-License-Identifier: Apache-2.0

/// Why a whole payload was refused: what, where, and what its sender can do.
public struct WireError: Error, Hashable, Sendable {
    /// The kind of refusal, for choosing a status.
    public struct Code: Hashable, Sendable {
        private enum Kind { case malformed, tooLarge, tooDeep, otherFormat }
        private let kind: Kind

        /// The bytes are not what the format says, or end too early.
        public static let malformed = Code(kind: .malformed)
        /// More bytes than `DecodeLimits.payloadByteCount`.
        public static let tooLarge = Code(kind: .tooLarge)
        /// Nested deeper than `DecodeLimits.parsedDepth`.
        public static let tooDeep = Code(kind: .tooDeep)
        /// Well formed, and plainly another format than the one that was asked for.
        public static let otherFormat = Code(kind: .otherFormat)
    }

    /// The kind of refusal.
    public let code: Code
    /// What was wrong. Holds nothing of the payload but names of the format's own fields.
    public let message: String
    /// Where: a byte offset, and for JSON the path, such as `byte 17, $.resourceSpans[0]`.
    public let place: String
    /// What the sender can do about it; empty where the message says all.
    public let hint: String

    /// Describes a refusal.
    public init(code: Code, message: String, place: String, hint: String = "") {
        self.code = code
        self.message = message
        self.place = place
        self.hint = hint
    }

    static func tooLarge(_ byteCount: Int, _ limits: DecodeLimits) -> WireError {
        WireError(
            code: .tooLarge,
            message: "the payload has \(byteCount) bytes, the limit is \(limits.payloadByteCount)",
            place: "whole payload",
            hint: "send smaller batches"
        )
    }
}

extension WireError: CustomStringConvertible {
    /// One sentence: message, place, hint.
    public var description: String {
        hint.isEmpty ? "\(message) (at \(place))" : "\(message) (at \(place)); \(hint)"
    }
}
