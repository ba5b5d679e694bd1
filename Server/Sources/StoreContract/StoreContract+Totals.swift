// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

extension StoreContract {
    func totals(_ seed: UInt64) async throws {
        let filled = try await fill(seed)
        try await compareTotals(filled, seed)
        try await finish(filled.store)
    }

    /// Batches that come again, before and after the store is brought into its state.
    func totalsOfDuplicates(_ seed: UInt64) async throws {
        var filled = try await fill(seed)
        for number in [0, 3, 6] {
            let batchSeed = seed &* 1_000 &+ UInt64(number)
            try await filled.store.append(SpanGenerator.batch(seed: batchSeed))
            if number == 3 { filled.store = try await settle(filled.store) }
        }
        try await compareTotals(filled, seed)
        filled.store = try await settle(filled.store)
        try await compareTotals(filled, seed)
        try await finish(filled.store)
    }

    /// Call statistics among spans, some windows sent again, before and after the store is brought into
    /// its state.
    ///
    /// - Parameter first: place of the first window among a thousand.
    func callStatistics(_ seed: UInt64, first: UInt64 = 0) async throws {
        var filled = try await fill(seed)
        guard filled.store.capabilities.contains(.callStatistics) else {
            return try await finish(filled.store)
        }
        for number in UInt64(0)..<8 {
            let callSeed = seed &* 1_000 &+ first &+ number
            filled.reference.add(SpanGenerator.calls(seed: callSeed))
            try await filled.store.append(SpanGenerator.callBatch(seed: callSeed))
            if number % 3 == 1 { filled.store = try await settle(filled.store) }
            if number % 2 == 1 {
                try await filled.store.append(SpanGenerator.callBatch(seed: callSeed - number / 2))
            }
        }
        try await compareTotals(filled, seed)
        filled.store = try await settle(filled.store)
        try await compareTotals(filled, seed)
        try await finish(filled.store)
    }

    private func compareTotals(_ filled: Filled, _ seed: UInt64) async throws {
        guard filled.store.capabilities.contains(.totals) else { return }
        var random = SeededGenerator(seed: seed ^ 0x707A)
        let starts = filled.reference.spans.map(\.start).sorted()
        let most = starts[starts.count / 2]
        let lines: [TotalsRequest.Lines] = [.services, .operations, .operationsByKind, .edges]
        for round in 0..<24 {
            var request = TotalsRequest(range: 0..<UInt64.max, lines: lines[round % 4])
            if round >= 4 {
                // Around most spans, by the minute; the odd ones lie at the ends of time.
                let first = most - UInt64.random(in: 0..<30, using: &random) * TotalsRequest.minute
                let length = UInt64.random(in: 0..<40, using: &random) * TotalsRequest.minute
                request.range = first..<first + length + UInt64(round)
                if random.oneIn(2) {
                    request.step = UInt64.random(in: 1...12, using: &random) * TotalsRequest.minute
                }
            }
            if random.oneIn(3) { request.service = random.pick(filled.reference.services) }
            if request.lines != .edges, random.oneIn(4) {
                request.operation = random.pick(filled.reference.spans).name
            }
            if request.lines != .edges, random.oneIn(4) {
                request.kinds = [random.pick(SpanKind.allCases), random.pick(SpanKind.allCases)]
            }
            request.quantiles = [0, 0.5, 0.99, 1]
            if random.oneIn(2) {
                request.bounds = (0..<4).map { _ in
                    UInt64.random(
                        in: 1...(1 << UInt64.random(in: 1...40, using: &random)),
                        using: &random
                    )
                }
            }
            let answer = try await filled.store.totals(request)
            let wanted = filled.reference.totals(request)
            // That operations are not told apart is said, and nothing else.
            let isUntold = wanted.values.contains { $0.total.isUntold }
            try requireWhole(
                answer.incomplete.filter {
                    !(isUntold && $0.contains("a sender of call statistics"))
                }
            )
            try compare(answer, wanted, request)
            request.tellsDurations = false
            try compareCalls(try await filled.store.totals(request), answer)
        }
    }

    /// Without durations the calls are the same.
    private func compareCalls(_ found: Totals, _ wanted: Totals) throws {
        func calls(_ total: CallTotals) -> CallTotals {
            CallTotals(
                callCount: total.callCount,
                errorCount: total.errorCount,
                reportedCount: total.reportedCount
            )
        }
        func lines(_ totals: Totals) -> [Totals.Line] {
            totals.lines.map { line in
                var line = line
                line.total = calls(line.total)
                line.steps = line.steps.map(calls)
                return line
            }
        }
        func edges(_ totals: Totals) -> [Totals.Edge] {
            totals.edges.map { edge in
                var edge = edge
                edge.total = calls(edge.total)
                edge.steps = edge.steps.map(calls)
                return edge
            }
        }
        try require(
            lines(found) == lines(wanted) && edges(found) == edges(wanted),
            "calls without durations differ"
        )
    }

    private func compare(
        _ answer: Totals,
        _ wanted: [[String]: ReferenceLine],
        _ request: TotalsRequest
    ) throws {
        try require(
            answer.range.lowerBound == request.minutes.lowerBound * TotalsRequest.minute,
            "\(request) says that it covers \(answer.range)"
        )
        var found: [[String]] = []
        for line in answer.lines {
            let parts = [
                line.service, line.operation, line.kind.map { "\($0.rawValue)" },
            ]
            let key = parts.compactMap { $0 }
            found.append(key)
            guard let wanted = wanted[key] else {
                throw ContractViolation("\(request) counts \(key), which is not there")
            }
            try compare(line.total, wanted.total, request, key)
            try compare(line.steps, wanted.steps, request, key)
        }
        for edge in answer.edges {
            let key = [edge.parent, edge.child]
            found.append(key)
            guard let wanted = wanted[key] else {
                throw ContractViolation("\(request) counts \(key), which is not there")
            }
            try compare(edge.total, wanted.total, request, key)
            try compare(edge.steps, wanted.steps, request, key)
            let calls = wanted.requests.sorted()
            let quantiles = request.quantiles.map { q in
                calls.isEmpty
                    ? 0 : calls[Int(LatencySketch.rank(q, of: UInt64(calls.count))) - 1]
            }
            try require(
                edge.requestCount == UInt64(calls.count)
                    && edge.requestCallCount == calls.reduce(0, +)
                    && edge.requestQuantiles == quantiles,
                "\(request): requests of \(key) are \(edge), wanted \(calls)"
            )
        }
        try require(
            found.count == wanted.count && Set(found).count == found.count,
            "\(request) gives \(found.count) lines, wanted \(wanted.count)"
        )
        // Those that are not told apart stand last.
        let keys = found.map { $0.map { $0 == "(other operations)" ? "\u{10FFFF}" : $0 } }
        let sorted = zip(keys, keys.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }
        try require(sorted, "\(request): lines are not sorted: \(found)")
    }

    private func compare(
        _ found: [CallTotals],
        _ wanted: [ReferenceCalls],
        _ request: TotalsRequest,
        _ key: [String]
    ) throws {
        try require(
            found.count == wanted.count,
            "\(request): \(key) has \(found.count) steps, wanted \(wanted.count)"
        )
        for (one, other) in zip(found, wanted) { try compare(one, other, request, key) }
    }

    private func compare(
        _ found: CallTotals,
        _ wanted: ReferenceCalls,
        _ request: TotalsRequest,
        _ key: [String]
    ) throws {
        try require(
            found.callCount == UInt64(wanted.durations.count)
                && found.errorCount == wanted.errorCount
                && found.reportedCount == wanted.reportedCount
                && found.quantiles == wanted.quantiles(request.quantiles)
                && found.boundCounts == wanted.boundCounts(request.bounds),
            "\(request): \(key) is \(found), wanted \(wanted)"
        )
        let longest = wanted.durations.max() ?? 0
        try require(
            isNear(found.longest, longest, by: 2 * LatencyBucket.relativeError),
            "\(request): the longest of \(key) is \(found.longest), wanted \(longest)"
        )
        // Beyond, a sum of a minute may have stayed at its maximum.
        guard longest < 1 << 58 else { return }
        let sum = wanted.durations.reduce(0, +)
        try require(
            isNear(found.durationSum, sum, by: 0.0002),
            "\(request): the sum of \(key) is \(found.durationSum), wanted \(sum)"
        )
    }

    private func isNear(_ found: UInt64, _ wanted: UInt64, by part: Double) -> Bool {
        let difference = found > wanted ? found - wanted : wanted - found
        return Double(difference) <= Double(wanted) * part + 1
    }
}
