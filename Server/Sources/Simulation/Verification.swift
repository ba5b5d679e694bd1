// SPDX-License-Identifier: Apache-2.0

import Engine
import SkeinModel
import Store

extension Scenario {
    /// What an answer showed of one span, as far as other answers must agree.
    private struct Seen {
        let trace: TraceID
        let parent: UInt64
        let service: String
        let isError: Bool
    }

    /// Compares what the store answers with the ledger.
    ///
    /// - Parameter isAfterStart: what is not found now was not in the files, and must not come later.
    mutating func verify(isAfterStart: Bool) throws {
        guard let core else { return }
        disk.note(step: isAfterStart ? "verify a start" : "verify")
        var rows: UInt64 = 0
        var isWhole = true
        for tenant in Self.tenants.indices {
            let (seen, incomplete) = try verifySpans(tenant, isAfterStart: isAfterStart)
            rows += UInt64(seen.count)
            if random.happens(oneIn: 2) { try verifyCalls(tenant) }
            if incomplete.isEmpty {
                switch random.number(below: 3) {
                case 0: try verifyScan(tenant, seen)
                case 1:
                    try verifyTotals(tenant, seen)
                    try verifyLines(tenant, seen)
                default: try verifyServices(tenant, seen)
                }
            } else {
                isWhole = false
            }
        }
        let numbers = core.statistics
        guard !isWhole || isSpoilt || numbers.spans >= rows,
            numbers.spans <= UInt64(ledger.sentRows)
        else {
            throw Violation(
                text: "\(numbers.spans) spans are counted, \(rows) are found, "
                    + "\(ledger.sentRows) were sent"
            )
        }
    }

    private mutating func verifySpans(
        _ tenant: Int,
        isAfterStart: Bool
    ) throws -> (seen: [UInt64: Seen], incomplete: [String]) {
        guard let core else { return ([:], []) }
        outcome.checks += 1
        let answer: TraceSpans
        do {
            answer = try core.traces(
                TraceRequest(tenant: Self.tenants[tenant], ids: SimulatedSpans.traceIDs)
            )
        } catch {
            throw Violation(text: "traces cannot be read: \(error)")
        }
        var seen: [UInt64: Seen] = [:]
        for row in 0..<answer.columns.count {
            let id = answer.columns.spanID[row]
            guard let entry = ledger.entries[tenant][id] else {
                throw Violation(text: "span \(id) of tenant \(tenant) was never sent")
            }
            guard ledger.mayBeFound(entry) else {
                throw Violation(
                    text: "span \(entry.number) of tenant \(tenant) is found although it "
                        + "is \(entry.standing)"
                )
            }
            guard SimulatedSpans.fingerprint(answer.columns, row) == entry.fingerprint else {
                throw Violation(text: "span \(entry.number) is not as it was sent")
            }
            let resource = Int(answer.columns.resource[row])
            let span = Seen(
                trace: answer.columns[row].traceID,
                parent: answer.columns.parentID[row],
                service: answer.columns.strings.text(answer.columns.resources.service[resource]),
                isError: answer.columns[row].status == .error
            )
            if seen.updateValue(span, forKey: id) != nil {
                throw Violation(text: "span \(entry.number) is found twice")
            }
        }
        if !answer.incomplete.isEmpty, options.bug != .damageHidden {
            try mustHaveReason(answer.incomplete)
            return (seen, answer.incomplete)
        }
        try verifyMissing(tenant, seen, isAfterStart: isAfterStart)
        return (seen, [])
    }

    private mutating func verifyMissing(
        _ tenant: Int,
        _ seen: [UInt64: Seen],
        isAfterStart: Bool
    ) throws {
        let missing = ledger.entries[tenant].filter { seen[$0.key] == nil }
        for (id, entry) in missing.sorted(by: { $0.value.number < $1.value.number }) {
            guard ledger.mayBeMissing(entry) else {
                throw Violation(
                    text: "span \(entry.number) of tenant \(tenant) was acknowledged and is missing"
                )
            }
            switch entry.standing {
            case .acknowledged:
                ledger.noteLoss(of: entry)
                ledger.noteAbsent(tenant, id, isAfterStart: isAfterStart)
            case .unknown: if isAfterStart { ledger.noteAbsent(tenant, id, isAfterStart: true) }
            case .refused, .gone: break
            }
        }
        guard ledger.lossCount <= ledger.lossLimit else {
            throw Violation(
                text: "damage to \(ledger.lossLimit) records of the log cost \(ledger.lossCount)"
            )
        }
    }

    private mutating func verifyScan(_ tenant: Int, _ seen: [UInt64: Seen]) throws {
        guard let core else { return }
        outcome.checks += 1
        var counts: [TraceID: Int] = [:]
        for span in seen.values { counts[span.trace, default: 0] += 1 }
        var found: [TraceID: Int] = [:]
        var cursor: ScanCursor?
        repeat {
            let page = try core.scan(
                ScanPlan(
                    tenant: Self.tenants[tenant],
                    range: 0..<UInt64.max,
                    limit: 4,
                    cursor: cursor
                )
            )
            // Damage that was met here first.
            if !page.incomplete.isEmpty { return try mustHaveReason(page.incomplete) }
            for trace in page.traces { found[trace.traceID, default: 0] += trace.spanCount }
            cursor = page.cursor
        } while cursor != nil
        guard found == counts else {
            throw Violation(text: "the list of traces shows \(found), the traces have \(counts)")
        }
    }

    private mutating func verifyTotals(_ tenant: Int, _ seen: [UInt64: Seen]) throws {
        // Spans that come after their callers expired are counted without them.
        guard let core, engineOptions.totalsRetention != nil || ledger.expiryLimit == 0 else {
            return
        }
        outcome.checks += 1
        let totals = try core.totals(
            TotalsRequest(tenant: Self.tenants[tenant], range: 0..<UInt64.max)
        )
        if !totals.incomplete.isEmpty { return try mustHaveReason(ofTotals: totals.incomplete) }
        var calls: [String: [UInt64]] = [:]
        for span in seen.values {
            guard let parent = seen[span.parent], parent.trace == span.trace,
                parent.service != span.service
            else { continue }
            let edge = parent.service + " > " + span.service
            var counts = calls[edge] ?? [0, 0]
            counts[0] += 1
            if span.isError { counts[1] += 1 }
            calls[edge] = counts
        }
        var told: [String: [UInt64]] = [:]
        for edge in totals.edges where edge.parent != SimulatedCalls.service {
            told[edge.parent + " > " + edge.child] = [edge.total.callCount, edge.total.errorCount]
        }
        guard told == calls else {
            throw Violation(text: "totals are \(told), the spans say \(calls)")
        }
    }

    private mutating func verifyLines(_ tenant: Int, _ seen: [UInt64: Seen]) throws {
        guard let core else { return }
        outcome.checks += 1
        let totals = try core.totals(
            TotalsRequest(
                tenant: Self.tenants[tenant],
                range: 0..<UInt64.max,
                lines: .services,
                quantiles: []
            )
        )
        if !totals.incomplete.isEmpty { return try mustHaveReason(ofTotals: totals.incomplete) }
        if engineOptions.totalsRetention == nil { return try verifyAll(tenant, seen, totals) }
        var counts: [String: [UInt64]] = [:]
        for span in seen.values {
            var count = counts[span.service] ?? [0, 0]
            count[0] += 1
            if span.isError { count[1] += 1 }
            counts[span.service] = count
        }
        var told: [String: [UInt64]] = [:]
        for line in totals.lines where line.service != SimulatedCalls.service {
            told[line.service] = [line.total.callCount, line.total.errorCount]
        }
        guard told == counts else {
            throw Violation(text: "totals are \(told), the spans say \(counts)")
        }
    }

    /// Compares the windows of call statistics that are counted with those that were sent.
    private mutating func verifyCalls(_ tenant: Int) throws {
        guard let core else { return }
        outcome.checks += 1
        let totals = try core.totals(
            TotalsRequest(
                tenant: Self.tenants[tenant],
                range: 0..<UInt64.max,
                lines: .operations,
                service: SimulatedCalls.service,
                quantiles: []
            )
        )
        if !totals.incomplete.isEmpty { try mustHaveReason(ofTotals: totals.incomplete) }
        var told: [String: UInt64] = [:]
        for line in totals.lines {
            guard line.total.reportedCount == line.total.callCount else {
                throw Violation(text: "\(line) counts spans, and there are none")
            }
            told[line.operation ?? ""] = line.total.callCount
        }
        for number in calls.numbers(tenant) {
            let count = told.removeValue(forKey: SimulatedCalls.operation(number)) ?? 0
            let problem = calls.problem(
                number,
                count: count,
                expiryLimit: engineOptions.totalsRetention == nil ? 0 : ledger.expiryLimit,
                isWhole: totals.incomplete.isEmpty && !isSpoilt
            )
            if let problem { throw Violation(text: "tenant \(tenant): \(problem)") }
        }
        guard told.isEmpty else { throw Violation(text: "\(told) were never sent to \(tenant)") }
    }

    /// Compares totals that outlive spans with all that was ever sent.
    private func verifyAll(_ tenant: Int, _ seen: [UInt64: Seen], _ totals: Totals) throws {
        var calls: [String: ClosedRange<Int>] = [:]
        var errors: [String: ClosedRange<Int>] = [:]
        func add(_ counts: ClosedRange<Int>, to sum: ClosedRange<Int>?) -> ClosedRange<Int> {
            let sum = sum ?? 0...0
            return sum.lowerBound + counts.lowerBound...sum.upperBound + counts.upperBound
        }
        for (id, entry) in ledger.entries[tenant] {
            let counts = ledger.counts(of: entry, isSeen: seen[id] != nil)
            calls[entry.service] = add(counts, to: calls[entry.service])
            if entry.isError { errors[entry.service] = add(counts, to: errors[entry.service]) }
        }
        var told: [String: CallTotals] = [:]
        for line in totals.lines where line.service != SimulatedCalls.service {
            told[line.service] = line.total
        }
        for service in Set(calls.keys).union(told.keys).sorted() {
            let counted = (
                calls: Int(told[service]?.callCount ?? 0),
                errors: Int(told[service]?.errorCount ?? 0)
            )
            let wanted = (calls: calls[service] ?? 0...0, errors: errors[service] ?? 0...0)
            guard wanted.calls.contains(counted.calls), wanted.errors.contains(counted.errors)
            else {
                throw Violation(
                    text: "totals of \(service) are \(counted), the spans ever sent say \(wanted)"
                )
            }
        }
    }

    /// Spans may have gone uncounted while the disk would not read them.
    private func mustHaveReason(ofTotals incomplete: [String]) throws {
        let rest = incomplete.filter { !$0.contains("removed uncounted") }
        if rest.isEmpty, mayBeUncounted { return }
        try mustHaveReason(incomplete)
    }

    private mutating func verifyServices(_ tenant: Int, _ seen: [UInt64: Seen]) throws {
        guard let core else { return }
        outcome.checks += 1
        let names = try core.names(NamesRequest(tenant: Self.tenants[tenant], scope: .services))
        if !names.incomplete.isEmpty { return try mustHaveReason(names.incomplete) }
        let services = Set(seen.values.map(\.service)).sorted()
        guard names.names.map(\.text) == services else {
            throw Violation(text: "services are \(names.names.map(\.text)), spans say \(services)")
        }
    }

    func mustHaveReason(_ incomplete: [String]) throws {
        guard isSpoilt || isFaulty || mayBeUnread || disk.isCrashed else {
            throw Violation(text: "incomplete without reason: \(incomplete)")
        }
    }
}
