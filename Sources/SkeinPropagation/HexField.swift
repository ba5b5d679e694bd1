// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

/// Ids as text inside longer headers.
enum HexField {
    /// A trace id of 1 to 32 digits of either case; `nil` for anything else, zero included.
    static func traceID(_ text: Substring) -> TraceID? {
        guard let id = TraceID(hex: text), id.isValid else { return nil }
        return id
    }

    /// A span id of 1 to 16 digits of either case; `nil` for anything else, zero included.
    static func spanID(_ text: Substring) -> SpanID? {
        guard let id = SpanID(hex: text), id.isValid else { return nil }
        return id
    }

    /// `text` where it is short enough to be looked at.
    static func bounded(_ text: String?) -> String? {
        guard let text, text.utf8.count <= Limits.headerByteCount else { return nil }
        return text
    }
}
