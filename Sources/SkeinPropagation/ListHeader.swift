// SPDX-License-Identifier: Apache-2.0

/// Calls `body` with each member of a comma-separated header, without the blanks around it, until
/// `body` returns `false`.
///
/// - Parameters:
///   - bytes: The header.
///   - isCut: Whether more bytes followed: the last member may then be half of one and is left out.
///   - body: Takes a member, which may be empty.
func forEachListMember(
    of bytes: [UInt8],
    isCut: Bool,
    _ body: (ArraySlice<UInt8>) -> Bool
) {
    var start = 0
    while start <= bytes.count {
        let end = bytes[start...].firstIndex(of: UInt8(ascii: ","))
        if end == nil, isCut { return }
        guard body(trimmed(bytes[start..<(end ?? bytes.count)])) else { return }
        start = (end ?? bytes.count) + 1
    }
}

/// `bytes` without the spaces and tabs at both ends.
func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    while let first = bytes.first, isBlank(first) { bytes.removeFirst() }
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}
