// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Query
import SkeinModel
import Store

/// Traces read whole for an answer, with why some of what was found is not among them.
struct WholeTraces {
    var traces: [Trace]
    var incomplete: [String]
}

extension ReadAPI {
    /// Reads the traces a search found, as many as one answer may hold.
    func wholeTraces(_ found: FoundSummaries, isRaw: Bool) async throws -> WholeTraces {
        var spanCount = 0
        let ids = found.traces.prefix { summary in
            defer { spanCount += summary.spanCount }
            return spanCount == 0 || spanCount + summary.spanCount <= RequestLimits.answerSpanCount
        }
        .map(\.traceID)
        var reasons = found.incomplete
        if ids.count < found.traces.count {
            reasons.append(
                "the first \(ids.count) of \(found.traces.count) traces, for one answer holds "
                    + "\(RequestLimits.answerSpanCount) spans at most"
            )
        }
        let traces = try await engine.traces(exactly: ids, isRaw: isRaw)
        for reason in traces.first?.spans.incomplete ?? [] where !reasons.contains(reason) {
            reasons.append(reason)
        }
        return WholeTraces(traces: traces, incomplete: reasons)
    }
}

extension Response {
    /// This answer, saying in the header `Skein-Incomplete` why it is not whole: the bodies of other
    /// interfaces have no place for it.
    func incomplete(_ reasons: [String]) -> Response {
        guard !reasons.isEmpty, let name = HTTPField.Name("Skein-Incomplete") else { return self }
        var response = self
        response.headers[name] = reasons.joined(separator: "; ")
        return response
    }
}
