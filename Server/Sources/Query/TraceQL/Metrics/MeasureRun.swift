// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// One function of metrics while its spans come, a batch at a time.
protocol MeasureRun: AnyObject {
    /// What has to be read of spans.
    var fields: SpanFields { get }
    /// Traces and spans that were looked at.
    var examined: (traces: Int, spans: Int) { get }
    /// Spans so far that exemplars are chosen from; very many where none are wanted.
    var exemplarCount: Int { get }
    /// Takes no more spans for exemplars, for now, than there are then.
    func limitExemplars(to count: Int)
    /// Measures the traces of one call of a walk.
    func add(_ walked: WalkedTraces) throws
    /// What came out, once all spans came.
    func series() -> [MeasuredSeries.Series]
    /// Why that is not whole; empty when it is.
    var incomplete: [String] { get }
}

/// What all functions need to know beside their own text.
struct MeasureContext: Sendable {
    var grid: StepGrid
    var share: TraceShare
    /// Spans to name beside the numbers; 0 for none.
    var exemplarCount: Int
    /// When the question has to end, nanoseconds since 1970.
    var deadline: UInt64
}

/// Any function but `compare`.
final class FunctionRun: MeasureRun {
    private let measure: TraceQL.Measure
    private let grid: StepGrid
    private let share: TraceShare
    private let selection: SelectionProgram
    private let operands: OperandTable
    private let keys: SeriesKeys
    private let reader: NumberReader?
    private let weighs: Bool
    let fields: SpanFields
    private(set) var examined = (traces: 0, spans: 0)

    /// By series and step: counts, sums or the best so far, NaN for none.
    private var cells: [Double] = []
    /// By series and step, for averages and sums: numbers that went in.
    private var cellWeights: [Double] = []
    /// By series, step and bucket: numbers in it.
    private var sketches = BucketCounts(limit: RunLimits.sketchBucketCount)
    /// Of histograms: series and the power of two.
    private var powers: SeriesTable
    private var picker: ExemplarPicker?
    var exemplarCount: Int { picker?.candidateCount ?? .max }
    func limitExemplars(to count: Int) { picker?.room = count }
    private var isWhole = true
    private var isFull = false
    private var reasons: [String] = []

    init(
        _ pipeline: TraceQL.Pipeline,
        _ measure: TraceQL.Measure,
        by operands: [TraceQL.Operand],
        _ context: MeasureContext
    ) throws(QueryError) {
        self.measure = measure
        grid = context.grid
        share = context.share
        var table = OperandTable()
        selection = try SelectionProgram(pipeline, context.share, &table)
        let limit = min(
            RunLimits.measuredSeriesCount,
            max(RunLimits.measuredNumberCount / (context.grid.count * measure.lineCount), 1)
        )
        keys = SeriesKeys(operands, limit: limit, &table)
        powers = SeriesTable(limit: limit)
        switch measure {
        case .overTime(_, let operand), .quantileOverTime(let operand, _),
            .histogramOverTime(let operand):
            reader = NumberReader(operand, &table)
        case .rate, .countOverTime, .compare: reader = nil
        }
        weighs =
            switch measure {
            case .overTime(.min, _), .overTime(.max, _): false
            default: true
            }
        var fields = table.fields
        if weighs { fields.columns.insert(.traceState) }
        self.fields = fields
        self.operands = table
        if context.exemplarCount > 0 {
            picker = ExemplarPicker(limit: context.exemplarCount, context.grid)
        }
    }

    func add(_ walked: WalkedTraces) throws {
        let batch = MeasuredBatch(walked, operands)
        let found = try selection.spans(of: batch, grid, examined: &examined)
        reasons = batch.examined.incomplete.first.map { [$0] } ?? reasons
        guard found.count > 0 else { return }
        let series = try keys.series(of: found, batch)
        let weights = weighs ? SamplingWeights.weights(of: found, batch.spans) : nil
        switch measure {
        case .rate, .countOverTime, .compare:
            makeRoom(for: keys.count, empty: 0)
            count(found, series, weights)
            guard picker != nil else { return }
            for place in 0..<found.count where series[place] != SeriesKeys.untold {
                picker?.add(.nan, of: Int(series[place]), place, found, batch.spans)
            }
        case .overTime(let function, _):
            guard let numbers = try reader?.numbers(of: found, batch) else { return }
            makeRoom(for: keys.count, empty: function == .min || function == .max ? .nan : 0)
            combine(function, numbers, found, series, weights)
            propose(numbers, found, series, batch.spans)
        case .quantileOverTime:
            if let reader, reader.isDuration, picker == nil {
                sketch(found, series, weights, batch.spans)
                return
            }
            guard let numbers = try reader?.numbers(of: found, batch) else { return }
            sketch(numbers, found, series, weights)
            propose(numbers, found, series, batch.spans)
        case .histogramOverTime:
            guard let numbers = try reader?.numbers(of: found, batch) else { return }
            let bars = bars(numbers, series)
            makeRoom(for: powers.count, empty: 0)
            fill(bars, numbers, found, weights)
            guard picker != nil else { return }
            for (place, number, bar) in zip3(numbers.places, numbers.values, bars)
            where bar != SeriesKeys.untold {
                picker?.add(number, of: Int(bar), place, found, batch.spans)
            }
        }
    }

    // MARK: Counting

    private func makeRoom(for seriesCount: Int, empty: Double) {
        let missing = seriesCount * grid.count - cells.count
        guard missing > 0 else { return }
        cells.append(contentsOf: repeatElement(empty, count: missing))
        if case .overTime(let function, _) = measure, function == .avg || function == .sum {
            cellWeights.append(contentsOf: repeatElement(0, count: missing))
        }
    }

    private func count(
        _ found: borrowing SelectedSpans,
        _ series: [UInt32],
        _ weights: [Double]?
    ) {
        let width = grid.count
        for place in series.indices where series[place] != SeriesKeys.untold {
            cells[Int(series[place]) &* width &+ found.steps[place]] += weights?[place] ?? 1
        }
    }

    private func combine(
        _ function: TraceQL.OverTime,
        _ numbers: NumberReader.Numbers,
        _ found: borrowing SelectedSpans,
        _ series: [UInt32],
        _ weights: [Double]?
    ) {
        let width = grid.count
        for (place, value) in zip(numbers.places, numbers.values)
        where series[place] != SeriesKeys.untold {
            let cell = Int(series[place]) * width + found.steps[place]
            switch function {
            // NaN is less than nothing and more than nothing.
            case .min: if !(cells[cell] <= value) { cells[cell] = value }
            case .max: if !(cells[cell] >= value) { cells[cell] = value }
            case .sum, .avg:
                let weight = weights?[place] ?? 1
                cells[cell] += value * weight
                cellWeights[cell] += weight
            }
        }
    }

    /// Durations straight from the columns.
    private func sketch(
        _ found: borrowing SelectedSpans,
        _ series: [UInt32],
        _ weights: [Double]?,
        _ spans: TraceSpans
    ) {
        let width = grid.count
        var noted: [UInt64] = []
        var notedWeights: [Double] = []
        noted.reserveCapacity(found.count)
        for (place, row) in found.rows.enumerated() where series[place] != SeriesKeys.untold {
            let cell = UInt64(Int(series[place]) &* width &+ found.steps[place])
            let bucket = NumberBucket.code(ofNanoseconds: spans.columns.duration(row))
            noted.append(cell << NumberBucket.bitCount | bucket)
            if let weights { notedWeights.append(weights[place]) }
        }
        sketches.add(noted, weights == nil ? nil : notedWeights)
    }

    private func sketch(
        _ numbers: NumberReader.Numbers,
        _ found: borrowing SelectedSpans,
        _ series: [UInt32],
        _ weights: [Double]?
    ) {
        let width = grid.count
        isWhole = isWhole && numbers.isWhole
        var noted: [UInt64] = []
        var notedWeights: [Double] = []
        noted.reserveCapacity(numbers.places.count)
        for (place, value) in zip(numbers.places, numbers.values)
        where series[place] != SeriesKeys.untold {
            let cell = UInt64(Int(series[place]) * width + found.steps[place])
            noted.append(cell << NumberBucket.bitCount | NumberBucket.code(of: value))
            if let weights { notedWeights.append(weights[place]) }
        }
        sketches.add(noted, weights == nil ? nil : notedWeights)
    }

    /// By number: its bar of the histogram of its series.
    private func bars(_ numbers: NumberReader.Numbers, _ series: [UInt32]) -> [UInt32] {
        zip(numbers.places, numbers.values).map { place, value in
            guard series[place] != SeriesKeys.untold else { return SeriesKeys.untold }
            let bar = powers.number(series[place], NumberBucket.power(of: value))
            if bar == SeriesKeys.untold { isFull = true }
            return bar
        }
    }

    private func fill(
        _ bars: [UInt32],
        _ numbers: NumberReader.Numbers,
        _ found: borrowing SelectedSpans,
        _ weights: [Double]?
    ) {
        let width = grid.count
        for (place, bar) in zip(numbers.places, bars) where bar != SeriesKeys.untold {
            cells[Int(bar) * width + found.steps[place]] += weights?[place] ?? 1
        }
    }

    private func propose(
        _ numbers: NumberReader.Numbers,
        _ found: borrowing SelectedSpans,
        _ series: [UInt32],
        _ spans: TraceSpans
    ) {
        guard picker != nil else { return }
        for (place, value) in zip(numbers.places, numbers.values)
        where series[place] != SeriesKeys.untold {
            picker?.add(value, of: Int(series[place]), place, found, spans)
        }
    }

    // MARK: Telling

    private var divisor: Double { reader?.divisor ?? 1 }

    var incomplete: [String] {
        guard isFull || keys.isFull || sketches.isFull else { return reasons }
        return reasons + [
            "there are more series or values than fit; those that came last are left out: ask by "
                + "fewer attributes, for less time or for a larger step"
        ]
    }

    func series() -> [MeasuredSeries.Series] {
        switch measure {
        case .quantileOverTime(_, let quantiles): return quantileSeries(quantiles)
        case .histogramOverTime: return histogramSeries()
        case .rate, .countOverTime, .overTime, .compare: return plainSeries()
        }
    }

    private func plainSeries() -> [MeasuredSeries.Series] {
        if keys.isSingle { makeRoom(for: 1, empty: measure.isCount ? 0 : .nan) }
        var result = (0..<cells.count / grid.count).map { series in
            let first = series * grid.count
            return MeasuredSeries.Series(
                labels: keys.isSingle ? [measure.nameLabel] : keys.labels(of: series),
                values: (first..<first + grid.count).map { value(of: $0) }
            )
        }
        picker?.tell(&result, divisor: divisor) { series, _, _ in series }
        return result
    }

    /// `nil` for none, and for a sum that no double can tell.
    private func value(of cell: Int) -> Double? {
        let value: Double
        switch measure {
        case .rate: value = cells[cell] * share.scale / grid.stepSeconds
        case .countOverTime, .histogramOverTime, .quantileOverTime, .compare:
            value = cells[cell] * share.scale
        case .overTime(.min, _), .overTime(.max, _): value = cells[cell] / divisor
        case .overTime(.sum, _):
            guard cellWeights[cell] > 0 else { return nil }
            value = cells[cell] / divisor * share.scale
        case .overTime(.avg, _):
            guard cellWeights[cell] > 0 else { return nil }
            value = cells[cell] / cellWeights[cell] / divisor
        }
        return value.isFinite ? value : nil
    }

    private func histogramSeries() -> [MeasuredSeries.Series] {
        var result = powers.pairs.enumerated().map { number, pair in
            let first = number * grid.count
            let bucket = NumberBucket.value(ofPower: pair.1) / divisor
            return MeasuredSeries.Series(
                labels: keys.labels(of: Int(pair.0)) + [
                    .init(name: "__bucket", value: .double(bucket))
                ],
                values: (first..<first + grid.count).map { value(of: $0) }
            )
        }
        picker?.tell(&result, divisor: divisor) { series, _, _ in series }
        return result
    }

    private func quantileSeries(_ quantiles: [Double]) -> [MeasuredSeries.Series] {
        var result: [MeasuredSeries.Series] = (0..<keys.count).flatMap { series in
            quantiles.map { quantile in
                .init(
                    labels: keys.labels(of: series) + [.init(name: "p", value: .double(quantile))],
                    values: Array(repeating: nil, count: grid.count)
                )
            }
        }
        for cell in SketchCells(&sketches) {
            let (series, step) = cell.number.quotientAndRemainder(dividingBy: grid.count)
            for (place, quantile) in quantiles.enumerated() {
                result[series * quantiles.count + place].values[step] =
                    NumberBucket.representative(cell.quantile(quantile), isWhole: isWhole)
                    / divisor
            }
        }
        let values = result.map(\.values)
        // The line right above the span, else the highest.
        let ascending = quantiles.indices.sorted { quantiles[$0] < quantiles[$1] }
        picker?.tell(&result, divisor: divisor) { series, step, number in
            let place = ascending.first { place in
                (values[series * quantiles.count + place][step] ?? 0) >= number
            }
            return (place ?? ascending.last).map { series * quantiles.count + $0 }
        }
        return result
    }
}

/// Three sequences side by side.
private func zip3<A, B, C>(_ a: [A], _ b: [B], _ c: [C]) -> some Sequence<(A, B, C)> {
    zip(zip(a, b), c).lazy.map { ($0.0, $0.1, $1) }
}
