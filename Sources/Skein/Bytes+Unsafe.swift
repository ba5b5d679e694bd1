// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Appends the bytes of a number as they lie in memory, all at once.
    @inline(__always)
    mutating func append<Word: FixedWidthInteger & BitwiseCopyable>(word: Word) {
        // Bound: the bytes of `word` alone are lent, and copied.
        Swift.withUnsafeBytes(of: word) { append(contentsOf: $0) }
    }

    /// Appends the UTF-8 of a text, all at once.
    @inline(__always)
    mutating func append(text: String) { text.withBytes { append(contentsOf: $0) } }
}
