// SPDX-License-Identifier: Apache-2.0

// The bytes of texts where they lie. They are only lent, to a body that copies or reads them.

extension StaticString {
    /// The UTF-8 of the text, which lies in the program and stays there; `nil` for the rare one that is a
    /// scalar instead. `withUTF8Buffer` would call its body at two places, and be inlined at neither.
    @inline(__always)
    var bytes: UnsafeBufferPointer<UInt8>? {
        guard hasPointerRepresentation else { return nil }
        return UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }

    /// Gives the UTF-8 of the text.
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        guard let bytes else { return withScalarBytes(body) }
        return body(bytes)
    }

    @inline(never)
    private func withScalarBytes<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        withUTF8Buffer(body)
    }
}

extension String {
    /// Gives the UTF-8 of the text without a copy of it, which `withUTF8` needs one of to change: that
    /// counts references.
    @inline(__always)
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        utf8.withContiguousStorageIfAvailable(body) ?? withForeignBytes(body)
    }

    /// The text, cut at a character to no more than `limit` bytes of UTF-8.
    func prefix(ofBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil {
            end = utf8.index(before: end)
        }
        return String(self[..<end])
    }

    /// Of a text that lies elsewhere, such as one of Foundation's on Darwin.
    @inline(never)
    private func withForeignBytes<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        var copy = self
        return copy.withUTF8(body)
    }
}
