// SPDX-License-Identifier: Apache-2.0

public import QueryLanguage
import SkeinModel
import Store

extension QueryEngine {
    /// Numbers over time, a step at a time.
    ///
    /// - Throws: `QueryError` for a query that asks for traces, or divides by zero, and where there
    ///   are more steps than can be told.
    public func measure(_ measurement: TraceQL.Measurement) async throws -> MeasuredSeries {
        let measurement = try measurement.validated()
        let range = measuredRange(measurement.time)
        let length = range.upperBound - range.lowerBound
        let step = measurement.step ?? TraceQL.Measurement.defaultStep(of: length)
        return try await measure(measurement, StepGrid(covering: range, step: step))
    }

    /// One number for each series: the whole of the time is one step.
    public func measureInstant(_ measurement: TraceQL.Measurement) async throws -> MeasuredSeries {
        let measurement = try measurement.validated()
        return try await measure(
            measurement,
            StepGrid(wholeOf: measuredRange(measurement.time))
        )
    }

    /// Unlike a search, the last hour ends now: a step that is to come has no numbers.
    private func measuredRange(_ time: TraceQuery.TimeSpan) -> Range<UInt64> {
        guard case .last(let length) = time else { return range(time) }
        let end = max(now(), 1)
        return (end > length ? end - length : 0)..<end
    }

    private func measure(
        _ measurement: TraceQL.Measurement,
        _ grid: StepGrid
    ) async throws -> MeasuredSeries {
        guard case .metrics(let metrics) = measurement.question.body else {
            throw QueryError(
                parameter: "q",
                text: "\(measurement.question)",
                problem: "this asks for traces, and here numbers over time are told",
                hint: "end it with a function of metrics: {…} | rate()"
            )
        }
        do {
            return try await measure(measurement, metrics, grid)
        } catch is DivisionByZero {
            throw measurement.question.divisionByZero
        } catch StoreError.cancelled {
            throw CancellationError()
        }
    }

    private func measure(
        _ measurement: TraceQL.Measurement,
        _ metrics: TraceQL.Metrics,
        _ grid: StepGrid
    ) async throws -> MeasuredSeries {
        let hints = try MeasureHints(measurement)
        let context = MeasureContext(
            grid: grid,
            share: hints.share,
            exemplarCount: hints.exemplarCount
        )
        var answer = MeasuredSeries(start: grid.start, end: grid.end, step: grid.step)
        let parts = metrics.parts
        var measured: [[MeasuredSeries.Series]?] = []
        for part in parts {
            measured.append(
                measurement.source == .any
                    ? try await seriesFromTotals(part, context, &answer) : nil
            )
        }
        answer.isFromTotals = measured.allSatisfy { $0 != nil }
        let others = measured.indices.filter { measured[$0] == nil }
        let walked = try await walk(others.map { parts[$0] }, context, &answer)
        for (place, series) in zip(others, walked) { measured[place] = series }
        var series = measured.map { $0 ?? [] }[...]
        if case .series(let result) = SeriesMath.result(of: metrics, &series) {
            answer.series = result
        }
        if answer.series.count > measurement.seriesLimit {
            answer.add([
                "there are \(answer.series.count) series; the first \(measurement.seriesLimit) are "
                    + "told: ask by fewer attributes, for | topk(10), or for more series"
            ])
            answer.series.removeLast(answer.series.count - measurement.seriesLimit)
        }
        return answer
    }

    /// By part: its series. All parts take their spans from one walk.
    private func walk(
        _ parts: [TraceQL.Metrics.Part],
        _ context: MeasureContext,
        isEnoughWithExemplars: Bool = false,
        _ answer: inout MeasuredSeries
    ) async throws -> [[MeasuredSeries.Series]] {
        guard !parts.isEmpty else { return [] }
        let walk = MeasureWalk(
            try parts.map { try $0.run(context) },
            until: deadline(),
            isEnoughWithExemplars: isEnoughWithExemplars
        )
        try await walk.run(
            over: store,
            WalkPlan(of: parts, tenant, context.grid.range, walk.fields),
            now: now
        )
        answer.add(walk.incomplete)
        answer.examinedTraceCount += walk.examined.traces
        answer.examinedSpanCount += walk.examined.spans
        QuestionMeter.current?.add(examinedSpanCount: walk.examined.spans)
        return walk.series
    }

    /// The series of `part` where totals tell them.
    private func seriesFromTotals(
        _ part: TraceQL.Metrics.Part,
        _ context: MeasureContext,
        _ answer: inout MeasuredSeries
    ) async throws -> [MeasuredSeries.Series]? {
        guard store.capabilities.contains(.totals),
            let asked = MeasuredTotals(part, context.grid)
        else { return nil }
        let totals: Totals
        do { totals = try await store.totals(asked.request(tenant)) } catch {
            // Too much for totals at once; spans have limits of their own.
            if case StoreError.refused = error { return nil }
            throw error
        }
        guard var series = asked.series(totals) else { return nil }
        guard context.exemplarCount > 0 else { return series }
        var context = context
        context.share = .whole
        let found = try await walk([part], context, isEnoughWithExemplars: true, &answer)
        series.takeExemplars(of: found[0], part.measure, context.grid)
        return series
    }
}
