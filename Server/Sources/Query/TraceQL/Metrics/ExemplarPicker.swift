// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// Chooses spans that numbers stand for: of each series the one of the greatest number for each of
/// some slots of time. The same ones whatever the order in which spans come.
struct ExemplarPicker {
    private struct Candidate {
        var series: Int
        var step: Int
        /// NaN where nothing is measured of a span but that it is there.
        var number: Double
        var exemplar: MeasuredSeries.Exemplar

        func goes(before other: Candidate) -> Bool {
            if !number.isNaN, number != other.number { return number > other.number }
            return (exemplar.traceID, exemplar.time) < (other.exemplar.traceID, other.exemplar.time)
        }
    }

    /// Exemplars in the answer, at most.
    private let limit: Int
    private let grid: StepGrid
    private let slotLength: UInt64
    private var candidates: [Candidate] = []
    private var numbers: KeyedSlots<Int>
    /// Candidates after which no more are taken for now: those of later times need room too.
    var room = Int.max

    /// - Parameter limit: above 0.
    init(limit: Int, _ grid: StepGrid) {
        self.limit = limit
        self.grid = grid
        slotLength = (grid.end - grid.start - 1) / UInt64(limit) + 1
        numbers = KeyedSlots(-1, limit: limit * RunLimits.exemplarCandidates)
    }

    /// Spans that are chosen from.
    var candidateCount: Int { candidates.count }

    /// Proposes the span at `place` of `selection`. One that there is no room for is not chosen.
    @inline(__always)
    mutating func add(
        _ number: Double,
        of series: Int,
        _ place: Int,
        _ selection: borrowing SelectedSpans,
        _ spans: TraceSpans
    ) {
        guard candidates.count < room else { return }
        let row = selection.rows[place]
        let start = spans.columns.start[row]
        let slot = (start - grid.start) / slotLength
        let next = candidates.count
        var known = -1
        let hasRoom = numbers.change(UInt64(series) << 16 | slot) { number in
            known = number
            if number < 0 { number = next }
        }
        guard hasRoom else { return }
        let candidate = Candidate(
            series: series,
            step: selection.steps[place],
            number: number,
            exemplar: .init(
                traceID: TraceID(
                    high: spans.columns.traceHigh[row],
                    low: spans.columns.traceLow[row]
                ),
                spanID: SpanID(spans.columns.spanID[row]),
                value: number,
                time: start
            )
        )
        if known < 0 {
            candidates.append(candidate)
        } else if candidate.goes(before: candidates[known]) {
            candidates[known] = candidate
        }
    }

    /// Gives each of `series` its share.
    ///
    /// - Parameters:
    ///   - divisor: what measured numbers are divided by.
    ///   - index: the series of the answer that tells of a span: its series here, its step and its
    ///     number in the unit of the answer; `nil` for none.
    func tell(
        _ series: inout [MeasuredSeries.Series],
        divisor: Double,
        index: (_ series: Int, _ step: Int, _ number: Double) -> Int?
    ) {
        var chosen: [Int: [MeasuredSeries.Exemplar]] = [:]
        for candidate in candidates {
            var exemplar = candidate.exemplar
            exemplar.value /= divisor
            guard let index = index(candidate.series, candidate.step, exemplar.value) else {
                continue
            }
            if exemplar.value.isNaN {
                guard let value = series[index].values[candidate.step] else { continue }
                exemplar.value = value
            }
            chosen[index, default: []].append(exemplar)
        }
        // Those with few take theirs first, and leave the rest of their share to the others.
        let order = chosen.keys.sorted { a, b in
            (chosen[a]?.count ?? 0, a) < (chosen[b]?.count ?? 0, b)
        }
        var left = limit
        for (place, index) in order.enumerated() where left > 0 {
            let all = (chosen[index] ?? []).sorted {
                ($0.time, $0.traceID) < ($1.time, $1.traceID)
            }
            let count = min(all.count, max(left / (order.count - place), 1))
            left -= count
            // Spread over time.
            series[index].exemplars = (0..<count).map { all[$0 * all.count / count] }
        }
    }
}

extension [MeasuredSeries.Series] {
    /// Takes over the exemplars of those of `others` that have the same labels.
    ///
    /// - Parameter measure: what says whether an exemplar has a number of its own.
    mutating func takeExemplars(
        of others: [MeasuredSeries.Series],
        _ measure: TraceQL.Measure,
        _ grid: StepGrid
    ) {
        let known = Dictionary(others.map { ($0.labels, $0) }) { first, _ in first }
        for index in indices {
            guard let other = known[self[index].labels] else { continue }
            self[index].exemplars = other.exemplars.map { exemplar in
                var exemplar = exemplar
                if measure.isCount, let value = self[index].values[grid.index(of: exemplar.time)] {
                    exemplar.value = value
                }
                return exemplar
            }
        }
    }
}
