// SPDX-License-Identifier: Apache-2.0

/// The address of an OTLP/HTTP receiver.
public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// Where spans are posted to.
    public let url: String

    /// Reads an address; `/v1/traces` is added where it is missing.
    ///
    /// - Throws: `ClientError` when the text is not an http or https address.
    public init(_ text: String) throws(ClientError) {
        let base = try httpAddress(text)
        url = base.hasSuffix("/v1/traces") ? base : base + "/v1/traces"
    }

    public var description: String { url }
}

/// `text` as an http or https address without a slash at its end.
func httpAddress(_ text: String) throws(ClientError) -> String {
    let lower = text.lowercased()
    guard let scheme = ["http://", "https://"].first(where: { lower.hasPrefix($0) }) else {
        throw ClientError(
            "'\(text)' is not an http or https address",
            hint: "write it as http://127.0.0.1:4318"
        )
    }
    guard lower.utf8.count > scheme.utf8.count,
        text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
        throw ClientError("'\(text)' names no host", hint: "write it as http://127.0.0.1:4318")
    }
    var address = text[...]
    while address.hasSuffix("/") { address = address.dropLast() }
    return String(address)
}
