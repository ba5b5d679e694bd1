// SPDX-License-Identifier: Apache-2.0

/// An address below the page's own host: `/trace/…?…`, in the form in which a browser sends it.
///
/// A browser goes where it is sent, so nothing may be taken for the address of another host: not
/// `//host`, not `/\host`, no scheme, no control characters that browsers leave out.
public struct PageAddress: Sendable, Hashable {
    /// Visible ASCII, beginning with `/`.
    public let text: String

    /// Why a text is no address of the page.
    public struct Refusal: Error, Equatable, CustomStringConvertible {
        /// What is wrong, and what to do.
        public let description: String
    }

    /// Checks an address.
    ///
    /// - Throws: `Refusal` for one that is not of this page.
    public init(_ text: String) throws(Refusal) {
        let bytes = text.utf8
        guard bytes.first == UInt8(ascii: "/") else {
            throw Refusal(description: "it does not begin with /: leave out scheme and host")
        }
        guard bytes.count <= ShortLinkLimits.addressByteCount else {
            throw Refusal(
                description:
                    "it has \(bytes.count) bytes, and \(ShortLinkLimits.addressByteCount) may be"
            )
        }
        for (place, byte) in bytes.enumerated() {
            guard (0x21...0x7E).contains(byte), byte != UInt8(ascii: "\\") else {
                throw Refusal(
                    description: "the character at \(place) may not stand in an address: "
                        + "percent-encode it"
                )
            }
        }
        let path = text.prefix { $0 != "?" && $0 != "#" }
        guard !path.contains("//") else {
            throw Refusal(description: "its path has // in it: that may lead to another host")
        }
        self.text = text
    }
}
