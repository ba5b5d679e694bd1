// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
public import ShortLinks

/// Where addresses of the page get short names, and which addresses are the page's.
public struct ShortLinkTaking: Sendable {
    let book: AddressBook
    let isPage: @Sendable (String) -> Bool

    /// Takes addresses into `book`.
    ///
    /// - Parameter isPage: whether the page has this path.
    public init(book: AddressBook, isPage: @escaping @Sendable (String) -> Bool) {
        self.book = book
        self.isPage = isPage
    }
}

/// `POST /api/skein/v1/links`: a short link for an address of the page.
extension ReadAPI {
    static let linksPath = "/api/skein/v1/links"

    func addShortLinks<Context>(to router: some RouterMethods<Context>) {
        addPost(
            Self.linksPath,
            to: router,
            instead: "send the whole address instead",
            hint: "POST an address; what a link leads to is at /l/ and its name",
            shortLink
        )
    }

    @Sendable private func shortLink(_ request: Request) async throws -> Response {
        guard let shortLinks else {
            throw Failure(
                status: .notImplemented,
                message: "this server keeps no short links; send the whole address"
            )
        }
        try QueryParameters(request.uri.query ?? "").allow([])
        let address = try await Self.address(of: request)
        guard shortLinks.isPage(String(address.text.prefix { $0 != "?" && $0 != "#" })) else {
            throw Failure.badRequest(
                "address: the page has nothing at this path; give one that it shows, such as /search"
            )
        }
        do {
            let name = try await shortLinks.book.name(of: address)
            return .object { $0.member("link", "/l/\(name)") }
        } catch {
            throw Failure(of: error)
        }
    }

    private static func address(of request: Request) async throws -> PageAddress {
        let body: [UInt8]
        do {
            let limit = RequestLimits.shortLinkByteCount
            body = Array(try await request.body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Failure(
                status: .contentTooLarge,
                message: "an address has \(ShortLinkLimits.addressByteCount) bytes at most"
            )
        }
        guard case .object(let members)? = try? JSONValue(parsing: body), members.count == 1,
            let text = members["address"]?.text
        else {
            throw Failure.badRequest(
                #"the body is no {"address": "/…"}: one text, and nothing else"#
            )
        }
        do {
            return try PageAddress(text)
        } catch {
            throw Failure.badRequest("address: \(error)")
        }
    }
}

extension Failure {
    /// What to answer where there is no short link to be had.
    init(of error: AddressBookError) {
        switch error {
        case .busy:
            self.init(status: .tooManyRequests, message: "\(error)", retryAfterSeconds: 1)
        case .full:
            let status = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
            self.init(status: status, message: "\(error)")
        case .unavailable:
            self.init(status: .serviceUnavailable, message: "\(error)")
        }
    }
}
