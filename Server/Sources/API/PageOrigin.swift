// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

/// Whether a request that changes something may come from where it comes from.
///
/// A browser lets any page send requests to any address, this one too. It says of each which page
/// sent it: `Origin`, with every method that changes something, and `Sec-Fetch-Site`. Programs say
/// neither. A page is believed to be ours when its origin is the very host asked and that host is an
/// address or `localhost`: a name could be one that an attacker made point here.
enum PageOrigin {
    /// Why the request is refused; `nil` where it may be done.
    ///
    /// - Parameters:
    ///   - origin: the header `Origin`.
    ///   - site: the header `Sec-Fetch-Site`.
    ///   - host: the host and port that was asked, as the request states it.
    ///   - instead: what to do instead where a name was asked.
    static func refusal(
        origin: String?,
        site: String?,
        host: String?,
        instead: String
    ) -> String? {
        if let site, site != "same-origin", site != "none" {
            return "a page of another site may not do this"
        }
        guard let origin else { return nil }
        guard let host = host?.lowercased(),
            origin.lowercased() == "http://" + host || origin.lowercased() == "https://" + host
        else { return "the page \(origin.prefix(200)) may not do this" }
        guard isAddress(host) else {
            return "pages may do this only under an address or localhost, not under the name "
                + "\(host.prefix(200)); \(instead)"
        }
        return nil
    }

    private static func isAddress(_ host: String) -> Bool {
        if host.hasPrefix("[") { return true }
        let name = host.prefix { $0 != ":" }
        if name == "localhost" { return true }
        let numbers = name.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil }
    }
}

extension PageOrigin {
    /// The answer to a request that may not come from where it comes from; `nil` where it may be done.
    static func refusal(of request: Request, instead: String) -> Response? {
        refusal(
            origin: request.headers[.origin],
            site: HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] },
            host: request.head.authority,
            instead: instead
        ).map { ErrorStyle.native.response(.forbidden, $0) }
    }
}

extension ReadAPI {
    /// Adds a path that is only posted to, by programs and our own page.
    ///
    /// - Parameters:
    ///   - instead: what to do where a page may not post.
    ///   - hint: what other methods are told, after "… is not offered here: ".
    func addPost<Context>(
        _ text: String,
        to router: some RouterMethods<Context>,
        instead: String,
        hint: String,
        _ answer: @escaping @Sendable (Request) async throws -> Response
    ) {
        let path = RouterPath(text)
        router.on(path, method: .post) { request, _ in
            if let refusal = PageOrigin.refusal(of: request, instead: instead) { return refusal }
            do {
                return try await answer(request)
            } catch {
                return ErrorStyle.native.response(to: error)
            }
        }
        for method in [HTTPRequest.Method.get, .head, .put, .delete, .patch] {
            router.on(path, method: method) { _, _ in
                var response = ErrorStyle.native.response(
                    .methodNotAllowed,
                    "\(method.rawValue) is not offered here: \(hint)"
                )
                response.headers[.allow] = "POST"
                return response
            }
        }
    }
}
