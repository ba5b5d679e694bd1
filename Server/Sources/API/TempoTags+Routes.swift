// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import QueryLanguage

/// Names of tags and their values, by both versions of Tempo's paths.
extension ReadAPI {
    var tempoTagRoutes: [Route] {
        [
            Route("/api/search/tags", tempoTagNames),
            Route("/api/v2/search/tags", tempoTagNamesV2),
            Route("/api/search/tag/{tag}/values", tempoTagValues),
            Route("/api/v2/search/tag/{tag}/values", tempoTagValuesV2),
        ]
    }

    private func tempoTagNames(_ request: ReadRequest) async throws -> Response {
        let scope = try TempoScopeName.named(try request.query.one("scope"))
        let scopes = try await tempoScopes(try TempoTagQuestion(request.query), scope: scope)
        let names = TempoScope.names(scopes.names, isIntrinsicWanted: scope == .intrinsic)
        return .object { json in
            json.array("tagNames", of: names)
            json.object("metrics") { _ in }
        }
        .incomplete(scopes.incomplete)
    }

    private func tempoTagNamesV2(_ request: ReadRequest) async throws -> Response {
        let scopes = try await tempoScopes(
            try TempoTagQuestion(request.query),
            scope: try TempoScopeName.named(try request.query.one("scope"))
        )
        return .object { json in
            json.array("scopes") { json in
                for scope in scopes.names {
                    json.object { json in
                        json.member("name", scope.name)
                        json.array("tags", of: scope.tags)
                    }
                }
            }
            json.object("metrics") { _ in }
        }
        .incomplete(scopes.incomplete)
    }

    private func tempoTagValues(_ request: ReadRequest) async throws -> Response {
        let values = try await tempoValues(request)
        return .object { json in
            json.array("tagValues", of: Set(values.names.map(\.text)).sorted())
            json.object("metrics") { _ in }
        }
        .incomplete(values.incomplete)
    }

    private func tempoTagValuesV2(_ request: ReadRequest) async throws -> Response {
        let values = try await tempoValues(request)
        return .object { json in
            json.array("tagValues") { json in
                for value in values.names {
                    json.object { json in
                        json.member("type", value.type)
                        json.member("value", value.text)
                    }
                }
            }
            json.object("metrics") { _ in }
        }
        .incomplete(values.incomplete)
    }

    private func tempoValues(_ request: ReadRequest) async throws -> TempoNames<TempoValue> {
        var tag = request.path["tag"] ?? ""
        // Grafana encodes a tag twice, so that a slash in it survives proxies.
        if tag.contains("%"), let decoded = try? PercentText.decoded(tag, isForm: false) {
            tag = decoded
        }
        return try await tempoValues(
            try TempoTag.operand(tag),
            try TempoTagQuestion(request.query)
        )
    }
}

extension TempoTagQuestion {
    fileprivate init(_ parameters: QueryParameters) throws {
        self.init(
            query: try parameters.one("q"),
            time: try TempoSearch.range(parameters),
            limit: try parameters.count("limit", default: 0)
        )
    }
}
