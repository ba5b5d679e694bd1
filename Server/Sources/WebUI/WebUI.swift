// SPDX-License-Identifier: Apache-2.0
// WebUI serves the page: one HTML shell for every address of it, and the files the shell asks for.
//
// It owns the embedded files, their caching and compression, and the headers that confine the page to its own origin.
// It never reads traces (the page asks the API for them) and never renders a byte that came from a request.
//
//     GET /, /search, /services, …     index.html          no-cache, revalidated by ETag
//     GET /assets/{version}/{name}     a file of the page    immutable where the version is this binary's
//     GET /favicon.ico                 mark.svg            no-cache, revalidated by ETag
//
// `version` is a hash over all files. It stands in the path, so that a script finds the words of its own version by
// a relative address. The script is bundled of the modules of web/, which `--web-dir` serves one by one as they are.
public import Hummingbird
import HTTPTypes

extension WebAssets {
    /// Adds the page's routes, for GET and HEAD: the addresses that pages.js knows, and the files.
    ///
    /// - Parameter router: where the API's routes are as well; none of them begins like the page's.
    public func addWebRoutes(to router: Router<some RequestContext>) {
        let shell: [RouterPath] = [
            "/", "/search", "/services", "/services/{service}", "/services/{service}/{operation}",
            "/map", "/live", "/system", "/trace/{id}", "/compare",
        ]
        for path in shell {
            addRoute(path, to: router) { _ in Self.shellName }
        }
        addRoute("/favicon.ico", to: router) { _ in Self.faviconName }
        addRoute("/assets/{version}/{name}", to: router) { $0.parameters.get("name") }
    }

    /// Answers a path with the file that `name` finds in a request's context.
    private func addRoute<Context: RequestContext>(
        _ path: RouterPath,
        to router: Router<Context>,
        name: @Sendable @escaping (Context) -> String?
    ) {
        let get: @Sendable (Request, Context) async throws -> Response = { request, context in
            guard let name = name(context) else { throw HTTPError(.notFound) }
            if let directory {
                return try await Self.fromDisk(directory, name: name, context: context)
            }
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
        router.get(path, use: get)
        router.head(path) { request, context in
            try await get(request, context).createHeadResponse()
        }
    }

    /// While the page is being written: the file as it is on disk now, never cached.
    private static func fromDisk(
        _ directory: String,
        name: String,
        context: some RequestContext
    ) async throws -> Response {
        guard isFileName(name), let type = contentType(of: name) else {
            throw HTTPError(.notFound)
        }
        let body = try await FileIO().loadFile(path: "\(directory)/\(name)", context: context)
        var headers = confiningHeaders
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        return Response(status: .ok, headers: headers, body: body)
    }
}
