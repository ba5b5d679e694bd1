// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import QueryLanguage

extension ErrorStyle {
    /// What the user asked wrongly. The native interface tells it part by part too, so that a page can
    /// point at the place.
    func response(to error: QueryError) -> Response {
        guard case .native = self else { return response(.badRequest, error.description) }
        let status = HTTPResponse.Status.badRequest
        var json = AnswerJSON()
        json.object { json in
            json.object("error") { json in
                json.member("code", number: status.code)
                json.member("message", error.description)
                if let parameter = error.parameter { json.member("parameter", parameter) }
                if let position = error.position { json.member("position", number: position) }
                json.member("problem", error.problem)
                json.member("hint", error.hint)
            }
        }
        return .json(json, status: status)
    }
}
