// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `/api/skein/v1/questions`: what is asked of this server, and what it costs.
extension ReadAPI {
    @Sendable func askedQuestions(_ request: ReadRequest) async throws -> Response {
        try request.query.allow(["limit"])
        let limit = try request.query.count("limit", default: 20)
        let (costliest, rememberedCount) = questions.costliest(limit)
        return .object { json in
            json.array("routes") { json in
                for (place, sum) in questions.sums {
                    json.object { json in
                        json.add(place)
                        json.member("count", number: sum.count)
                        json.member("failedCount", number: sum.failedCount)
                        json.add(sum.cost)
                    }
                }
            }
            json.member("rememberedCount", number: rememberedCount)
            json.array("costliest") { json in
                for entry in costliest {
                    json.object { json in
                        json.member("askedAtUnixNano", "\(entry.askedAt)")
                        json.add(entry.place)
                        json.member("text", entry.text)
                        json.member("httpStatus", number: entry.status.code)
                        json.add(entry.cost)
                    }
                }
            }
        }
    }
}

extension AnswerJSON {
    fileprivate mutating func add(_ place: QuestionPlace) {
        member("interface", place.interface)
        member("route", place.route)
    }

    fileprivate mutating func add(_ cost: QuestionCost) {
        member("elapsedNanos", "\(cost.elapsedNanoseconds)")
        member("cpuNanos", "\(cost.cpuNanoseconds)")
        member("examinedSpanCount", number: cost.examinedSpanCount)
    }
}
