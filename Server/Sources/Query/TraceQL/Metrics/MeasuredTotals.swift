// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// A function of metrics as a question for minute totals, which count every span when it comes: no span
/// has to be read.
///
/// Totals know service, name, kind and whether the status is error. They give the numbers that spans
/// give where nothing else is asked, the steps are whole minutes, no span may stand for several, no
/// span was removed since and no application counted its calls itself; in the last two cases they know
/// more. Resources that name no service, which totals count as one that is called `unknown_service`,
/// and those that name several are left to the spans.
struct MeasuredTotals {
    /// What tells series apart.
    private enum Key {
        case service, name, kind

        init?(_ operand: TraceQL.Operand) {
            switch operand {
            case .attribute(.init(.resource, "service.name")): self = .service
            case .intrinsic(.name): self = .name
            case .intrinsic(.kind): self = .kind
            case .attribute, .intrinsic, .parentIntrinsic: return nil
            }
        }
    }

    /// Which calls are counted.
    private enum Outcome { case any, failed }

    private let measure: TraceQL.Measure
    private let grid: StepGrid
    private let keys: [(name: String, key: Key)]
    private var service: String?
    private var name: String?
    private var kind: SpanKind?
    private var outcome = Outcome.any
    private let quantiles: [Double]

    /// - Returns: `nil` where spans have to be read.
    init?(_ part: TraceQL.Metrics.Part, _ grid: StepGrid) {
        let minute = TotalsRequest.minute
        guard grid.start.isMultiple(of: minute), grid.step.isMultiple(of: minute),
            let fields = part.pipeline.plainFields
        else { return nil }
        measure = part.measure
        self.grid = grid
        switch part.measure {
        case .rate, .countOverTime: quantiles = []
        case .quantileOverTime(.intrinsic(.duration), let asked): quantiles = asked
        case .quantileOverTime, .overTime, .histogramOverTime, .compare: return nil
        }
        guard quantiles.count <= TotalsRequest.quantileLimit else { return nil }
        var keys: [(String, Key)] = []
        for operand in part.keys {
            guard let key = Key(operand) else { return nil }
            keys.append(("\(operand)", key))
        }
        self.keys = keys
        for field in fields where !take(field) { return nil }
        // Quantiles of several lines do not add up: each line must be a series.
        guard quantiles.isEmpty || outcome == .any && isLineForLine else { return nil }
    }

    /// Notes what a condition asks; `false` for one that totals do not know, or that says twice what
    /// is asked of one thing.
    private mutating func take(_ field: TraceQL.Field) -> Bool {
        switch field {
        case .binary(.equal, .operand(let operand), .literal(let literal)),
            .binary(.equal, .literal(let literal), .operand(let operand)):
            switch (operand, literal) {
            case (.attribute(.init(.resource, "service.name")), .string(let text)):
                guard service == nil, !text.isEmpty, text != Self.unnamed else { return false }
                service = text
            case (.intrinsic(.name), .string(let text)):
                guard name == nil else { return false }
                name = text
            case (.intrinsic(.kind), .kind(let wanted)):
                guard kind == nil else { return false }
                kind = wanted
            case (.intrinsic(.status), .status(.error)): outcome = .failed
            default: return false
            }
            return true
        default: return false
        }
    }

    /// What totals call the service of a resource that names none.
    private static let unnamed = "unknown_service"

    private func has(_ key: Key) -> Bool { keys.contains { $0.key == key } }

    private var lines: TotalsRequest.Lines {
        has(.kind) ? .operationsByKind : has(.name) ? .operations : .services
    }

    private var isLineForLine: Bool {
        let service = has(.service) || service != nil
        let name = has(.name) || name != nil
        return switch lines {
        case .services: service
        case .operations, .operationsByKind: service && name
        case .edges: false
        }
    }

    func request(_ tenant: Tenant) -> TotalsRequest {
        var request = TotalsRequest(
            tenant: tenant,
            range: grid.range,
            lines: lines,
            service: service,
            operation: name,
            kinds: kind.map { [$0] },
            quantiles: quantiles,
            step: grid.count > 1 ? grid.step : nil
        )
        request.tellsDurations = !quantiles.isEmpty
        request.asksForSampling = true
        return request
    }

    // MARK: Telling

    /// The series that `totals` make, in their order; `nil` where spans would say otherwise.
    func series(_ totals: Totals) -> [MeasuredSeries.Series]? {
        guard !totals.maySample, totals.incomplete.isEmpty, totals.range == grid.range else {
            return nil
        }
        var counts: [[MeasuredSeries.Label]: [Double]] = [:]
        if keys.isEmpty, quantiles.isEmpty {
            counts[[measure.nameLabel]] = Array(repeating: 0, count: grid.count)
        }
        var series: [MeasuredSeries.Series] = []
        for line in totals.lines where count(line.total) > 0 {
            if has(.service), line.service == Self.unnamed { return nil }
            let steps = grid.count > 1 ? line.steps : [line.total]
            guard steps.count == grid.count else { return nil }
            let labels = labels(of: line)
            if quantiles.isEmpty {
                let known =
                    counts[labels.isEmpty ? [measure.nameLabel] : labels]
                    ?? Array(repeating: 0, count: grid.count)
                counts[labels.isEmpty ? [measure.nameLabel] : labels] = zip(known, steps).map {
                    $0 + Double(count($1))
                }
                continue
            }
            for (place, quantile) in quantiles.enumerated() {
                series.append(
                    .init(
                        labels: labels + [.init(name: "p", value: .double(quantile))],
                        values: steps.map {
                            $0.callCount > 0 ? Double($0.quantiles[place]) / 1e9 : nil
                        }
                    )
                )
            }
        }
        var isRate = false
        if case .rate = measure { isRate = true }
        series += counts.map { labels, values in
            .init(labels: labels, values: values.map { isRate ? $0 / grid.stepSeconds : $0 })
        }
        return series.filter(\.isTold).sorted { $0.precedes($1) }
    }

    private func count(_ total: CallTotals) -> UInt64 {
        outcome == .failed ? total.errorCount : total.callCount
    }

    private func labels(of line: Totals.Line) -> [MeasuredSeries.Label] {
        keys.map { name, key in
            let value: String =
                switch key {
                case .service: line.service
                case .name: line.operation ?? ""
                case .kind: (line.kind ?? .unspecified).word
                }
            return .init(name: name, value: .string(value))
        }
    }
}
