// SPDX-License-Identifier: Apache-2.0
// WebUI serves the page: one HTML shell for every address of it, and the files the shell asks for.
//
// It owns the embedded files, their caching and compression, and the headers that confine the page to its own origin.
// It never reads traces (the page asks the API for them) and never renders a byte that came from a request.
//
//     GET /, /search, /services, …     index.html          no-cache, revalidated by ETag
//     GET /trace/{id}                  the same, and tells the browser to ask for the trace
//     GET /l/{name}                    303 to the address that a short link stands for, or the shell with 404
//     GET /assets/{version}/{name}     a file of the page    immutable where the version is this binary's
//     GET /favicon.ico                 mark.svg            no-cache, revalidated by ETag
//
// `version` is a hash over all files. It stands in the path, so that a script finds the words of its own version by
// a relative address. The script is bundled of the modules of web/, which `--web-dir` serves one by one as they are.
public import Hummingbird
import HTTPTypes

extension WebAssets {
    /// Paths of the page, as pages.js knows them; what is in braces is any one name.
    private static let pagePaths = [
        "/", "/search", "/services", "/services/{service}", "/services/{service}/{operation}",
        "/map", "/live", "/system", "/trace/{id}", "/compare",
    ]

    /// Whether the page has something at a path.
    public static func hasPage(at path: String) -> Bool {
        let names = path.split(separator: "/")
        return path.hasPrefix("/")
            && pagePaths.contains { page in
                let parts = page.split(separator: "/")
                return parts.count == names.count
                    && zip(parts, names).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
            }
    }

    /// Adds the page's routes, for GET and HEAD: the addresses that pages.js knows, short links and the
    /// files.
    ///
    /// - Parameters:
    ///   - router: where the API's routes are as well; none of them begins like the page's.
    ///   - shortLink: finds the address of the page that a short link's name stands for; `nil` where it
    ///     stands for none. What it throws is answered.
    public func addWebRoutes(
        to router: Router<some RequestContext>,
        shortLink: @escaping @Sendable (String) async throws -> String?
    ) {
        for path in Self.pagePaths {
            addRoute(RouterPath(path), to: router, ahead: Self.traceAhead) { _ in Self.shellName }
        }
        addShortLinks(to: router, shortLink)
        addRoute("/favicon.ico", to: router) { _ in Self.faviconName }
        addRoute("/assets/{version}/{name}", to: router) { $0.parameters.get("name") }
    }

    /// A `Link` header for the page of a trace, so that the browser asks for its columns before it has
    /// read the shell; `nil` for other pages. Letter for letter what api.js asks for: a browser takes
    /// nothing else for the same.
    ///
    /// - Parameters:
    ///   - path: of the page.
    ///   - query: what follows the path's "?", as it was sent.
    public static func traceAhead(_ path: String, _ query: String?) -> String? {
        let parts = path.split(separator: "/")
        guard parts.count == 2, parts[0] == "trace", [16, 32].contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        let isRaw = query?.split(separator: "&").contains("raw=1") ?? false
        let raw = isRaw ? "&raw=true" : ""
        return "</api/skein/v1/traces/\(parts[1])?format=columns\(raw)>; rel=preload; as=fetch; "
            + "crossorigin"
    }

    /// Answers a path with the file that `name` finds in a request's context.
    private func addRoute<Context: RequestContext>(
        _ path: RouterPath,
        to router: Router<Context>,
        ahead: @Sendable @escaping (String, String?) -> String? = { _, _ in nil },
        name: @Sendable @escaping (Context) -> String?
    ) {
        let get: @Sendable (Request, Context) async throws -> Response = { request, context in
            guard let name = name(context) else { throw HTTPError(.notFound) }
            var response = try await file(name, request, context)
            if let ahead = ahead(request.uri.path, request.uri.query),
                let link = HTTPField.Name("Link")
            {
                response.headers[link] = ahead
            }
            return response
        }
        router.get(path, use: get)
        router.head(path) { request, context in
            try await get(request, context).createHeadResponse()
        }
    }

    private func file(
        _ name: String,
        _ request: Request,
        _ context: some RequestContext
    ) async throws -> Response {
        if let directory { return try await fromDisk(directory, name: name, context: context) }
        let version = context.parameters.get("version")
        guard let response = response(for: name, version: version, headers: request.headers)
        else {
            throw HTTPError(
                .notFound,
                message: "the page has no file of this name; reload the page"
            )
        }
        return response
    }

    /// Leads on from a short link. The page itself says that one is unknown.
    private func addShortLinks<Context: RequestContext>(
        to router: Router<Context>,
        _ shortLink: @escaping @Sendable (String) async throws -> String?
    ) {
        let get: @Sendable (Request, Context) async throws -> Response = { request, context in
            var headers = confiningHeaders
            headers[.cacheControl] = "no-store"
            let name = context.parameters.get("name") ?? ""
            if let address = try await shortLink(name), Self.isBelowHost(address) {
                headers[.location] = address
                return Response(status: .seeOther, headers: headers)
            }
            var shell =
                if let directory {
                    try await fromDisk(directory, name: Self.shellName, context: context)
                } else {
                    response(
                        for: Self.shellName,
                        headers: request.headers[.acceptEncoding].map { [.acceptEncoding: $0] }
                            ?? [:]
                    ) ?? Response(status: .notFound)
                }
            shell.status = .notFound
            shell.headers[.cacheControl] = "no-store"
            shell.headers[.eTag] = nil
            return shell
        }
        router.get("/l/{name}", use: get)
        router.head("/l/{name}") { request, context in
            try await get(request, context).createHeadResponse()
        }
    }

    /// Whether a browser that is sent there stays at this host: looked at again where it is sent.
    private static func isBelowHost(_ address: String) -> Bool {
        let bytes = address.utf8
        return address.hasPrefix("/") && !address.hasPrefix("//")
            && bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
    }

    /// While the page is being written: the file as it is on disk now, never cached.
    private func fromDisk(
        _ directory: String,
        name: String,
        context: some RequestContext
    ) async throws -> Response {
        guard Self.isFileName(name), let type = Self.contentType(of: name) else {
            throw HTTPError(.notFound)
        }
        let body = try await FileIO().loadFile(path: "\(directory)/\(name)", context: context)
        var headers = confiningHeaders
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        return Response(status: .ok, headers: headers, body: body)
    }
}
