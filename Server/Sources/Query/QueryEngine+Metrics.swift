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
            exemplarCount: hints.exemplarCount,
            deadline: deadline()
        )
        var answer = MeasuredSeries(start: grid.start, end: grid.end, step: grid.step)
        let parts = metrics.parts
        guard parts.count <= RunLimits.functionCount else {
            throw QueryError(
                parameter: "q",
                text: "\(measurement.question)",
                problem: "the query has \(parts.count) functions of metrics",
                hint:
                    "ask for \(RunLimits.functionCount) at most, and for the others in another query"
            )
        }
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
        _ answer: inout MeasuredSeries
    ) async throws -> [[MeasuredSeries.Series]] {
        guard !parts.isEmpty else { return [] }
        let walk = MeasureWalk(
            try parts.map { try $0.run(context) },
            until: context.deadline
        )
        let plan = WalkPlan(of: parts, tenant, context.grid.range, walk.fields)
        let ids = parts.map { NecessaryCondition($0.pipeline).traceID }
        try await walk.run(now: now) { (body) throws(StoreError) in
            // Where every function is about one trace, no other has to be read.
            if let id = ids[0], ids.allSatisfy({ $0 == id }) {
                return try await self.walk(only: id, body)
            }
            return try await store.walk(plan, body)
        }
        // Making series may cut them: first the series, then the reasons.
        let series = walk.series
        answer.add(walk.incomplete)
        answer.addExamined(of: walk)
        return series
    }

    /// The series of `part` from a few spans of each stretch of the time: their exemplars are what is
    /// wanted. That such a walk is cut short says nothing about numbers.
    private func exemplars(
        of part: TraceQL.Metrics.Part,
        _ context: MeasureContext,
        _ answer: inout MeasuredSeries
    ) async throws -> [MeasuredSeries.Series] {
        let walk = MeasureWalk([try part.run(context)], until: context.deadline)
        let range = context.grid.range
        let count = min(RunLimits.exemplarWalkCount, context.exemplarCount)
        let length = (range.upperBound - range.lowerBound) / UInt64(count)
        var end = range.upperBound
        for number in 1...count where now() < context.deadline {
            let start = number == count ? range.lowerBound : end - length
            let plan = WalkPlan(of: [part], tenant, start..<end, walk.fields)
            end = start
            // What one stretch did not have, the next may.
            let enough = context.exemplarCount * number / count
            try await walk.run(enough: enough, now: now) { (body) throws(StoreError) in
                try await store.walk(plan, body)
            }
        }
        answer.addExamined(of: walk)
        return walk.series[0]
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
        let found = try await exemplars(of: part, context, &answer)
        series.takeExemplars(of: found, part.measure, context.grid)
        return series
    }
}

extension MeasuredSeries {
    fileprivate mutating func addExamined(of walk: MeasureWalk) {
        let (traces, spans) = walk.examined
        examinedTraceCount += traces
        examinedSpanCount += spans
        QuestionMeter.current?.add(examinedSpanCount: spans)
    }
}
