// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
public import Hummingbird
import Query
import Store

/// Tempo's query interface, as Grafana's data source, Traces Drilldown and other clients call it.
extension ReadAPI {
    /// The version of Tempo whose interface this is. Grafana offers streaming of searches from 2.2.0
    /// and of metrics from 2.7.0, and asks for tags by the second version of their paths.
    static let tempoVersion = "2.9.0"

    /// Adds Tempo's paths below `prefix`: `/tempo` beside other interfaces, nothing on a port of their
    /// own.
    public func addTempoRoutes<Context>(
        to router: some RouterMethods<Context>,
        under prefix: String
    ) {
        let routes = tempoRoutes + tempoTagRoutes + tempoMetricRoutes
        add(routes.map { $0.under(prefix) }, style: .tempo, to: router)
        for method in [HTTPRequest.Method.get, .head, .post, .put, .delete, .patch] {
            router.on(RouterPath(prefix + "/**"), method: method) { request, _ in
                ErrorStyle.tempo.response(
                    .notFound,
                    "there is nothing at \(request.uri.path.prefix(80)); what Tempo's interface has "
                        + "here is told at https://grafana.com/docs/tempo/latest/api_docs/"
                )
            }
        }
    }

    private var tempoRoutes: [Route] {
        [
            Route("/api/echo") { _ in .plainText("echo") },
            Route("/ready", tempoReady),
            Route("/api/status/buildinfo", tempoBuildInformation),
            Route("/api/traces/{id}", tempoTrace),
            Route("/api/v2/traces/{id}", tempoTraceV2),
            Route("/api/search", tempoSearch),
        ]
    }

    private func tempoReady(_ request: ReadRequest) async throws -> Response {
        if let failure = engine.statistics.failure {
            throw Failure(status: .serviceUnavailable, message: "spans are refused: \(failure)")
        }
        return .plainText("ready\n")
    }

    private func tempoBuildInformation(_ request: ReadRequest) async throws -> Response {
        let version = facts().version
        return .object { json in
            json.member("version", Self.tempoVersion)
            json.member("revision", "skein-\(version)")
            json.member("branch", "")
            json.member("buildDate", "")
            json.member("buildUser", "")
            json.member("goVersion", "")
        }
    }
}

extension Response {
    fileprivate static func plainText(_ text: String) -> Response {
        .bytes(Array(text.utf8), type: "text/plain; charset=utf-8")
    }
}
