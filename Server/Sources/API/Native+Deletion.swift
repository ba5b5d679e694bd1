// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Query
import SkeinModel
import Store

/// The one thing that the native interface changes of what is stored: `DELETE /api/skein/v1/traces/{id}`.
extension ReadAPI {
    static let tracePath = "/api/skein/v1/traces/{id}"

    func addDeletion<Context>(to router: some RouterMethods<Context>) {
        let path = RouterPath(Self.tracePath.replacing("{", with: ":").replacing("}", with: ""))
        router.on(path, method: .delete) { request, context in
            let style = ErrorStyle.native
            if let refusal = PageOrigin.refusal(
                of: request,
                instead: "use `skein delete` instead"
            ) {
                return refusal
            }
            do {
                let text = context.coreContext.parameters["id"] ?? ""
                try QueryParameters(request.uri.query ?? "").allow([])
                return try await delete(try PercentText.decoded(text[...], isForm: false))
            } catch {
                return style.response(to: error)
            }
        }
    }

    private func delete(_ text: String) async throws -> Response {
        let traces = try await traces(text, isRaw: true)
        guard traces.count < 2 else { throw Self.severalTraces(traces) }
        guard let id = traces.first?.traceID ?? TraceID(hex: text) else { throw Self.noID(text) }
        let deleted = try await engine.deleteTrace(id)
        return .object { json in
            json.member("traceId", deleted.traceID.hex)
            json.member("spanCount", number: deleted.spanCount)
            json.member("complete", flag: deleted.incomplete.isEmpty)
            json.array("incompleteReasons", of: deleted.incomplete)
        }
    }
}
