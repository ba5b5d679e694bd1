// SPDX-License-Identifier: Apache-2.0

import CPatterns

/// A regular expression in RE2's syntax that must match the whole of a text.
///
/// Matching takes time linear in the text whatever the pattern; there is no backtracking. `.` does
/// not match a line feed; `(?s)` in front makes it.
///
/// The only unsafe code here: `handle` is what `skein_pattern_make` gave, freed once, when nobody
/// holds this object any more; byte pointers do not leave the call they are lent to.
public final class Pattern: @unchecked Sendable {
    // A compiled RE2 object is immutable to its users; its caches lock themselves.
    private let handle: OpaquePointer

    /// Compiles `text`.
    ///
    /// - Throws: what is wrong with it, and the position in `text` where that is known.
    public init(_ text: String) throws(QueryError) {
        guard text.utf8.count <= QueryLimits.patternByteCount else {
            throw QueryError(
                text: text,
                problem: "the pattern is \(text.utf8.count) bytes long",
                hint: "at most \(QueryLimits.patternByteCount) bytes are compiled"
            )
        }
        let bytes = Array(text.utf8)
        var place = -1
        // Room for the longest message of RE2, which quotes a piece of the pattern.
        var problem = [CChar](repeating: 0, count: 256)
        let made = bytes.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                skein_pattern_make(
                    bytes.baseAddress,
                    bytes.count,
                    Int64(QueryLimits.patternMemoryByteCount),
                    &problem,
                    problem.count,
                    &place
                )
            }
        }
        guard let made else {
            let message = problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let position = place < 0 ? nil : String(decoding: bytes[..<place], as: UTF8.self).count
            throw QueryError(
                text: text,
                position: position,
                problem: "this is no pattern: " + String(decoding: message, as: UTF8.self),
                hint: "patterns are RE2's: write \\. for a dot, (a|b) for one of two, [^/]+ for a "
                    + "part of a path; there are no look-arounds and no \\1"
            )
        }
        handle = made
    }

    deinit { skein_pattern_free(handle) }

    /// Whether all of `text` matches.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
    }

    /// Whether all of these UTF-8 bytes match.
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // An empty text may come without an address, which the library must not be given.
        guard let address = bytes.baseAddress else { return skein_pattern_matches(handle, "", 0) }
        return skein_pattern_matches(
            handle,
            address.assumingMemoryBound(to: CChar.self),
            bytes.count
        )
    }
}
