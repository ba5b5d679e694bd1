// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store
import Synchronization

/// One walk that all functions of a query take their spans from: they see the same ones.
final class MeasureWalk: Sendable {
    /// Looks at some traces of a walk.
    typealias Body = @Sendable (WalkedTraces) throws(StoreError) -> WalkStep

    private struct State {
        var runs: [any MeasureRun]
        var failure: (any Error)?
        var incomplete: [String] = []
        /// Exemplars to choose from with which a walk ends; `nil` to go through all spans.
        var enough: Int?
    }

    private let gate = Mutex(())
    // Touched only while `gate` is held: what a walk lends cannot be handed to a `Mutex` itself.
    nonisolated(unsafe) private var state: State
    private let deadline: UInt64
    let fields: SpanFields

    /// - Parameter deadline: nanoseconds since 1970.
    init(_ runs: sending [any MeasureRun], until deadline: UInt64) {
        self.deadline = deadline
        fields = runs.dropFirst().reduce(runs.first?.fields ?? SpanFields()) {
            $0.union($1.fields)
        }
        state = State(runs: runs)
    }

    /// - Parameters:
    ///   - enough: how many exemplars to choose from end the walk; `nil` to go through all spans.
    ///   - walk: goes through the traces.
    func run(
        enough: Int? = nil,
        now: @escaping @Sendable () -> UInt64,
        _ walk: (@escaping Body) async throws(StoreError) -> WalkResult
    ) async throws {
        gate.withLock { _ in
            state.enough = enough
            guard let enough else { return }
            let room = enough.multipliedReportingOverflow(by: RunLimits.exemplarCandidates)
            for run in state.runs {
                run.limitExemplars(to: room.overflow ? .max : room.partialValue)
            }
        }
        let result = try await walk { (walked) throws(StoreError) in
            if Task.isCancelled { throw .cancelled }
            return self.add(walked, now: now())
        }
        try gate.withLock { _ in
            if let failure = state.failure { throw failure }
            state.incomplete += result.incomplete
        }
    }

    private func add(_ walked: WalkedTraces, now: UInt64) -> WalkStep {
        gate.withLock { _ in
            do {
                for run in state.runs { try run.add(walked) }
            } catch {
                state.failure = error
                return .stop
            }
            if let enough = state.enough,
                state.runs.allSatisfy({ $0.exemplarCount >= enough })
            {
                return .stop
            }
            guard now >= deadline else { return .goOn }
            let examined = Self.examined(state.runs)
            state.incomplete.append(
                "stopped after \(RunLimits.questionSeconds) seconds and \(examined.traces) traces of "
                    + "\(examined.spans) spans: ask for less time, or for a part of the traces, "
                    + "like with (sample = 0.1)"
            )
            return .stop
        }
    }

    var incomplete: [String] {
        gate.withLock { _ in
            state.runs.reduce(into: state.incomplete) { $0 += $1.incomplete }
        }
    }

    var examined: (traces: Int, spans: Int) { gate.withLock { _ in Self.examined(state.runs) } }

    /// By function of the query; those that are not told are left out.
    var series: [[MeasuredSeries.Series]] {
        gate.withLock { _ in
            state.runs.map { run in
                run.series().filter(\.isTold).sorted { $0.precedes($1) }
            }
        }
    }

    /// Every function is given the same traces.
    private static func examined(_ runs: [any MeasureRun]) -> (traces: Int, spans: Int) {
        runs.first?.examined ?? (0, 0)
    }
}

/// What `with (…)` and the measurement say together.
struct MeasureHints {
    var share = TraceShare.whole
    var exemplarCount: Int

    /// - Throws: for a part of nothing.
    init(_ measurement: TraceQL.Measurement) throws(QueryError) {
        exemplarCount = measurement.exemplarCount ?? 0
        for hint in measurement.question.hints {
            switch (hint.name, hint.value) {
            case (.exemplars, .int(let count)):
                exemplarCount = min(Int(clamping: count), QueryLimits.exemplarCount.upperBound)
            case (.exemplars, .bool(let isWanted)):
                let count = measurement.exemplarCount ?? 0
                exemplarCount = isWanted ? count > 0 ? count : RunLimits.exemplarCount : 0
            case (.sample, let value), (.traceSample, let value), (.spanSample, let value):
                guard let part = value.part, part < share.part else { continue }
                guard part > 0 else {
                    throw QueryError(
                        parameter: "q",
                        text: "\(measurement.question)",
                        problem: "\(hint.name.rawValue) = 0 looks at no traces",
                        hint: "write a part above 0, like \(hint.name.rawValue) = 0.1"
                    )
                }
                share = TraceShare(part)
            case (.exemplars, _), (.mostRecent, _): break
            }
        }
    }
}

extension TraceQL.Literal {
    /// The part of the traces that a hint asks for. `true` leaves the part to whoever answers: all.
    fileprivate var part: Double? {
        switch self {
        case .int(let value): Double(value)
        case .float(let value): value
        case .string, .bool, .nil, .duration, .status, .kind: nil
        }
    }
}

extension TraceQL.Metrics {
    /// One function of metrics, and the spans it measures.
    struct Part {
        var pipeline: TraceQL.Pipeline
        var measure: TraceQL.Measure
        var keys: [TraceQL.Operand]

        func run(_ context: MeasureContext) throws(QueryError) -> any MeasureRun {
            guard case .compare(let selection, let top, let start, let end) = measure else {
                return try FunctionRun(pipeline, measure, by: keys, context)
            }
            return try CompareRun(pipeline, selection, top: top, (start, end), context)
        }
    }

    /// Every function of the query, from left to right.
    var parts: [Part] {
        switch self {
        case .measure(let pipeline, let measure, let keys):
            [Part(pipeline: pipeline, measure: measure, keys: keys)]
        case .number: []
        case .arithmetic(_, let left, let right): left.parts + right.parts
        case .refined(let inner, _): inner.parts
        }
    }
}

extension WalkPlan {
    /// A walk that meets every span any of `parts` measures.
    init(
        of parts: [TraceQL.Metrics.Part],
        _ tenant: Tenant,
        _ range: Range<UInt64>,
        _ fields: SpanFields
    ) {
        let conditions = parts.map { NecessaryCondition($0.pipeline) }
        let duration = conditions.count == 1 ? conditions[0].traceDuration : nil
        self.init(
            tenant: tenant,
            range: range,
            span: SpanPredicate.anyOf(conditions.map(\.span)),
            trace: duration.map { [.duration($0)] } ?? [],
            fields: fields
        )
    }
}
