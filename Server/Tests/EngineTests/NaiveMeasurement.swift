// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import StoreContract

/// A random query for numbers over time, and its answer by looking at every span by itself.
struct NaiveMeasurement: CustomStringConvertible {
    private enum Function: CaseIterable {
        case rate, count, quantile, min, max, avg, sum, histogram
    }

    private enum Condition: CaseIterable {
        case service, otherService, name, kind, error, notError, slow
    }

    private enum Key: String, CaseIterable {
        case service = "resource.service.name"
        case name, kind, status
    }

    private var function: Function
    private var conditions: [Condition]
    private var keys: [Key]
    private var quantiles: [Double]
    /// Nanoseconds since 1970.
    private(set) var range: Range<UInt64>
    /// Nanoseconds; `nil` where all of the range is one.
    private(set) var step: UInt64?

    static func random(_ random: inout SeededGenerator) -> NaiveMeasurement {
        let minute: UInt64 = 60_000_000_000
        // Mostly what totals can tell.
        let function =
            Bool.random(using: &random)
            ? [Function.rate, .count, .quantile].randomElement(using: &random)
            : Function.allCases.randomElement(using: &random)
        let start = UInt64.random(in: 0..<39, using: &random)
        let end = UInt64.random(in: start + 1...40, using: &random)
        let isWhole = Int.random(in: 0..<8, using: &random) > 0
        let odd = isWhole ? 0 : UInt64.random(in: 0..<minute, using: &random)
        return NaiveMeasurement(
            function: function ?? .rate,
            conditions: Condition.allCases.filter {
                let chance = [.otherService, .notError, .slow].contains($0) ? 16 : 5
                return Int.random(in: 0..<chance, using: &random) == 0
            },
            keys: Key.allCases.filter {
                Int.random(in: 0..<($0 == .status ? 16 : 3), using: &random) == 0
            }.shuffled(using: &random),
            quantiles: [0.5, 0.9, 1, 0].shuffled(using: &random)
                .prefix(Int.random(in: 1...2, using: &random))
                .map { $0 },
            range: start * minute + odd..<end * minute + odd,
            step: [1, 1, 2, 5, 7, 0].randomElement(using: &random).flatMap {
                $0 == 0
                    ? nil : $0 * (Int.random(in: 0..<8, using: &random) > 0 ? minute : minute / 2)
            }
        )
    }

    var text: String {
        let asked = conditions.map { condition in
            switch condition {
            case .service: "resource.service.name = \"web\""
            case .otherService: "resource.service.name != \"db\""
            case .name: "name = \"a\""
            case .kind: "kind = server"
            case .error: "status = error"
            case .notError: "status != error"
            case .slow: "duration > 1ms"
            }
        }
        let told =
            switch function {
            case .rate: "rate()"
            case .count: "count_over_time()"
            case .quantile:
                "quantile_over_time(duration, \(quantiles.map { "\($0)" }.joined(separator: ", ")))"
            case .min: "min_over_time(duration)"
            case .max: "max_over_time(duration)"
            case .avg: "avg_over_time(duration)"
            case .sum: "sum_over_time(duration)"
            case .histogram: "histogram_over_time(duration)"
            }
        let by =
            keys.isEmpty ? "" : " by (\(keys.map(\.rawValue).joined(separator: ", ")))"
        return "{ \(asked.joined(separator: " && ")) } | \(told)\(by)"
    }

    var description: String { "\(text) \(range) \(step.map { "\($0)" } ?? "all")" }

    func answer(
        _ measurement: TraceQL.Measurement,
        _ engine: QueryEngine
    ) async throws -> MeasuredSeries {
        step == nil
            ? try await engine.measureInstant(measurement) : try await engine.measure(measurement)
    }

    // MARK: One by one

    func isRight(_ answer: MeasuredSeries, of spans: [SpanValue]) -> Bool {
        let width = step ?? (range.upperBound - range.lowerBound)
        let first = step.map { range.lowerBound / $0 * $0 } ?? range.lowerBound
        var steps = 0
        while first + UInt64(steps) * width < range.upperBound { steps += 1 }
        guard answer.start == first, answer.step == width,
            answer.end == first + UInt64(steps) * width
        else { return false }
        // By labels, then by step: durations in nanoseconds.
        var groups: [[String]: [[UInt64]]] = [:]
        if keys.isEmpty, function == .rate || function == .count {
            groups[[]] = Array(repeating: [], count: steps)
        }
        for span in spans where answer.start <= span.start && span.start < answer.end {
            guard conditions.allSatisfy({ holds($0, span) }) else { continue }
            let labels = keys.map { label($0, span) }
            let step = Int((span.start - first) / width)
            groups[labels, default: Array(repeating: [], count: steps)][step]
                .append(duration(span))
        }
        var expected: [[String]: [Double?]] = [:]
        for (labels, durations) in groups {
            for (label, values) in series(durations, width)
            where values.contains(where: { $0 != nil }) {
                expected[labels + label] = values
            }
        }
        guard expected.count == answer.series.count else { return false }
        return answer.series.allSatisfy { series in
            let labels = series.labels.filter { $0.name != "__name__" }
                .map { label -> String in
                    switch label.value {
                    case .string(let text): text
                    case .double(let number): "\(number)"
                    default: "-"
                    }
                }
            guard let values = expected[labels] else { return false }
            return values.count == series.values.count
                && zip(values, series.values).allSatisfy { Self.isClose($0, $1, function) }
        }
    }

    /// Sums may differ by their rounding, quantiles by what a bucket is wide.
    private static func isClose(_ a: Double?, _ b: Double?, _ function: Function) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        let bound: Double =
            switch function {
            case .rate, .count, .histogram: 0
            case .min, .max, .avg, .sum: 1e-9
            // The rounding of small ones to whole nanoseconds is told beside.
            case .quantile: LatencyBucket.relativeError * 1.000_001
            }
        return abs(a - b) <= bound * abs(a) + (function == .quantile ? 0.51e-9 : 1e-18)
    }

    private func holds(_ condition: Condition, _ span: SpanValue) -> Bool {
        switch condition {
        case .service: service(span) == "web"
        // What is not there is not unequal either.
        case .otherService: service(span).map { $0 != "db" } ?? false
        case .name: span.name == "a"
        case .kind: span.kind == .server
        case .error: span.status == .error
        case .notError: span.status != .error
        case .slow: duration(span) > 1_000_000
        }
    }

    private func service(_ span: SpanValue) -> String? {
        guard case .string(let text)? = span.resource.attributes.first?.value else { return nil }
        return text
    }

    private func label(_ key: Key, _ span: SpanValue) -> String {
        switch key {
        case .service: service(span) ?? "-"
        case .name: span.name
        case .kind: span.kind.word
        case .status: span.status.word
        }
    }

    private func duration(_ span: SpanValue) -> UInt64 {
        span.end > span.start ? span.end - span.start : 0
    }

    /// Series with the labels that the function adds.
    private func series(_ steps: [[UInt64]], _ width: UInt64) -> [([String], [Double?])] {
        switch function {
        case .rate: [([], steps.map { Double($0.count) / (Double(width) / 1e9) })]
        case .count: [([], steps.map { Double($0.count) })]
        case .min: [([], steps.map { $0.min().map { Double($0) / 1e9 } })]
        case .max: [([], steps.map { $0.max().map { Double($0) / 1e9 } })]
        case .sum: [([], steps.map { $0.isEmpty ? nil : sum($0) })]
        case .avg: [([], steps.map { $0.isEmpty ? nil : sum($0) / Double($0.count) })]
        case .quantile:
            quantiles.map { quantile in
                (
                    ["\(quantile)"],
                    steps.map { durations in
                        let place = Int((quantile * Double(durations.count)).rounded(.up))
                        guard !durations.isEmpty else { return nil }
                        return Double(durations.sorted()[max(place, 1) - 1]) / 1e9
                    }
                )
            }
        case .histogram:
            Set(steps.flatMap { $0.map(bound) }).map { bound in
                (
                    ["\(bound / 1e9)"],
                    steps.map { Double($0.count { self.bound($0) == bound }) }
                )
            }
        }
    }

    private func sum(_ durations: [UInt64]) -> Double {
        durations.reduce(0) { $0 + Double($1) } / 1e9
    }

    /// The first power of two that is no smaller.
    private func bound(_ duration: UInt64) -> Double {
        guard duration > 0 else { return 0 }
        var bound: UInt64 = 1
        while bound < duration { bound *= 2 }
        return Double(bound)
    }
}
