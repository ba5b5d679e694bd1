// SPDX-License-Identifier: Apache-2.0

public import QueryLanguage
public import SkeinModel
public import Store

extension QueryEngine {
    /// Calls, errors and durations counted over every span of a stretch of time, by `lines`.
    ///
    /// - Parameters:
    ///   - service: only spans of it; for edges, calls to it or by it.
    ///   - operation: only spans of this name.
    ///   - kinds: only spans of these kinds; not for edges.
    ///   - quantiles: 0...1 each.
    ///   - step: nanoseconds, a number of whole minutes.
    public func totals(
        _ lines: TotalsRequest.Lines,
        in time: TraceQuery.TimeSpan,
        service: String? = nil,
        operation: String? = nil,
        kinds: Set<SpanKind>? = nil,
        quantiles: [Double],
        step: UInt64? = nil
    ) async throws -> Totals {
        try await store.totals(
            TotalsRequest(
                tenant: tenant,
                range: range(time),
                lines: lines,
                service: service,
                operation: operation,
                kinds: kinds,
                quantiles: quantiles,
                step: step
            )
        )
    }
}
