// SPDX-License-Identifier: Apache-2.0

public import Store

import SkeinModel

// StoreContract is the suite that every `TraceStore` passes: what `Store.swift` promises, checked
// against a reference that keeps spans as plain values and looks at each of them for every question.
// It holds no test framework: a check throws `ContractViolation`, and the tests of a store run the
// checks in each state the store can be in.

/// What a check found wrong; the seed makes it happen again.
public struct ContractViolation: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The suite, for one way of making a store.
public struct StoreContract: Sendable {
    /// One promise.
    public enum Check: String, Sendable, CaseIterable {
        case appendedSpansAreFoundWithEveryField
        case shortTraceIDsFindLongOnes
        case absentTracesAreEmptyAnswers
        case exactDuplicatesAreShownOnce
        case predicatesAgreeWithTheReference
        case randomPlansAgreeWithTheReference
        case pagesFollowTheStatedOrder
        case namesAreThoseOfTheSpans
        case totalsAgreeWithTheReference
        case totalsCountDuplicatesOnce
        case callStatisticsCountEveryCallOnce
        case callStatisticsStandForSpansOfLongCalls
        case walksTellEveryTraceOnce
        case walksTellLongTracesWhole
        case tenantsDoNotSeeEachOther
        case whatCannotBeDoneIsRefused
    }

    let makeStore: @Sendable () async throws -> any TraceStore
    let settle: @Sendable (any TraceStore) async throws -> any TraceStore
    let finish: @Sendable (any TraceStore) async throws -> Void

    /// - Parameters:
    ///   - makeStore: opens an empty store.
    ///   - settle: brings a store into the state under test; called now and then between appends,
    ///     and before questions. Returns the store to go on with.
    ///   - finish: closes it.
    public init(
        makeStore: @escaping @Sendable () async throws -> any TraceStore,
        settle: @escaping @Sendable (any TraceStore) async throws -> any TraceStore,
        finish: @escaping @Sendable (any TraceStore) async throws -> Void
    ) {
        self.makeStore = makeStore
        self.settle = settle
        self.finish = finish
    }

    /// Runs one check.
    ///
    /// - Throws: `ContractViolation` where the store breaks the promise.
    public func run(_ check: Check, seed: UInt64) async throws {
        do {
            switch check {
            case .appendedSpansAreFoundWithEveryField: try await fields(seed)
            case .shortTraceIDsFindLongOnes: try await shortIDs(seed)
            case .absentTracesAreEmptyAnswers: try await absentTraces(seed)
            case .exactDuplicatesAreShownOnce: try await duplicates(seed)
            case .predicatesAgreeWithTheReference: try await predicates(seed)
            case .randomPlansAgreeWithTheReference: try await plans(seed)
            case .pagesFollowTheStatedOrder: try await pages(seed)
            case .namesAreThoseOfTheSpans: try await names(seed)
            case .totalsAgreeWithTheReference: try await totals(seed)
            case .totalsCountDuplicatesOnce: try await totalsOfDuplicates(seed)
            case .callStatisticsCountEveryCallOnce: try await callStatistics(seed)
            case .callStatisticsStandForSpansOfLongCalls:
                try await callStatistics(seed, first: 900)
            case .walksTellEveryTraceOnce: try await walks(seed)
            case .walksTellLongTracesWhole: try await walksOfLongTraces(seed)
            case .tenantsDoNotSeeEachOther: try await tenants(seed)
            case .whatCannotBeDoneIsRefused: try await refusals(seed)
            }
        } catch let violation as ContractViolation {
            throw ContractViolation("SEED=\(seed) \(check.rawValue): \(violation)")
        }
    }

    // MARK: Filling

    struct Filled {
        var store: any TraceStore
        var reference: Reference
    }

    /// A store with several batches, settled after every other, and the reference of the same.
    func fill(_ seed: UInt64, batches: Int = 7) async throws -> Filled {
        var store = try await makeStore()
        var reference = Reference()
        for number in 0..<batches {
            let batchSeed = seed &* 1_000 &+ UInt64(number)
            reference.add(SpanGenerator.columns(seed: batchSeed))
            try await store.append(SpanGenerator.batch(seed: batchSeed))
            if number % 2 == 1 { store = try await settle(store) }
        }
        store = try await settle(store)
        return Filled(store: store, reference: reference)
    }

    func require(_ condition: Bool, _ text: @autoclosure () -> String) throws {
        if !condition { throw ContractViolation(text()) }
    }

    func requireWhole(_ incomplete: [String]) throws {
        try require(incomplete.isEmpty, "an answer calls itself incomplete: \(incomplete)")
    }

    // MARK: Checks

    private func fields(_ seed: UInt64) async throws {
        let filled = try await fill(seed)
        for id in filled.reference.traces.keys {
            let answer = try await filled.store.traces(TraceRequest(ids: [id]))
            try requireWhole(answer.incomplete)
            let wanted = filled.reference.spans.filter { id.finds($0.traceID) }
            try compare(answer, wanted, "trace \(id)")
        }
        let all = Array(filled.reference.traces.keys)
        let answer = try await filled.store.traces(TraceRequest(ids: all))
        try compare(answer, filled.reference.spans, "all traces at once")
        var last: SpanValue?
        for row in 0..<answer.columns.count {
            let span = SpanValue(answer.columns, row)
            if let last {
                try require(
                    !SpanValue.isBefore(span, last),
                    "\(span.spanID) stands behind \(last.spanID)"
                )
            }
            last = span
        }
        try await finish(filled.store)
    }

    private func compare(_ answer: TraceSpans, _ wanted: [SpanValue], _ what: String) throws {
        var missing = Set(wanted)
        for row in 0..<answer.columns.count {
            let span = SpanValue(answer.columns, row)
            if missing.remove(span) == nil {
                let like = wanted.first {
                    $0.spanID == span.spanID && $0.traceID == span.traceID
                }
                throw ContractViolation(
                    "\(what): a span is doubled or changed: \(span); appended: "
                        + (like.map { "\($0)" } ?? "none like it")
                )
            }
        }
        if let first = missing.first {
            throw ContractViolation("\(what): \(missing.count) spans are missing, first \(first)")
        }
    }

    private func shortIDs(_ seed: UInt64) async throws {
        let filled = try await fill(seed)
        for id in filled.reference.traces.keys where id.high != 0 {
            let short = TraceID(high: 0, low: id.low)
            let answer = try await filled.store.traces(TraceRequest(ids: [short]))
            let wanted = filled.reference.spans.filter { short.finds($0.traceID) }
            try compare(answer, wanted, "short id \(short)")
            let other = TraceID(high: id.high &+ 1, low: id.low)
            let none = try await filled.store.traces(TraceRequest(ids: [other]))
            try require(none.columns.count == 0, "\(other) finds another trace")
        }
        try await finish(filled.store)
    }

    private func absentTraces(_ seed: UInt64) async throws {
        let filled = try await fill(seed)
        var random = SeededGenerator(seed: seed ^ 0xAB)
        for _ in 0..<50 {
            let id = TraceID(high: 0, low: random.next())
            let answer = try await filled.store.traces(TraceRequest(ids: [id]))
            try require(answer.columns.count == 0, "\(id) was never appended")
            try requireWhole(answer.incomplete)
        }
        try await finish(filled.store)
    }

    private func duplicates(_ seed: UInt64) async throws {
        var filled = try await fill(seed)
        for number in [0, 3, 6] {
            let batchSeed = seed &* 1_000 &+ UInt64(number)
            try await filled.store.append(SpanGenerator.batch(seed: batchSeed))
            if number == 3 { filled.store = try await settle(filled.store) }
        }
        filled.store = try await settle(filled.store)
        let ids = Array(filled.reference.traces.keys)
        let answer = try await filled.store.traces(TraceRequest(ids: ids))
        try compare(answer, filled.reference.spans, "after appending batches again")
        let plan = ScanPlan(range: 0..<UInt64.max, limit: 1_000)
        try await compare(filled, plan)
        try await finish(filled.store)
    }

    private func predicates(_ seed: UInt64) async throws {
        let filled = try await fill(seed)
        var random = SeededGenerator(seed: seed ^ 0xF00D)
        let single = PredicateGenerator.one(of: filled.reference, using: &random)
        for predicate in single {
            try await compare(
                filled,
                ScanPlan(range: 0..<UInt64.max, span: predicate, limit: 1_000)
            )
        }
        for _ in 0..<40 {
            let plan = PredicateGenerator.plan(of: filled.reference, using: &random)
            try await compare(filled, plan)
        }
        try await finish(filled.store)
    }

    /// Two tenants, duplicates, late spans, settled at random between appends: plans of every kind.
    private func plans(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed ^ 0xBEEF)
        let tenants = [Tenant.default, Tenant("blue")]
        var references = [Reference(), Reference()]
        var seeds: [UInt64] = []
        var store = try await makeStore()
        for number in 0..<18 {
            let isAgain = !seeds.isEmpty && random.oneIn(6)
            let batchSeed = isAgain ? random.pick(seeds) : seed &* 1_000 &+ 500 &+ UInt64(number)
            seeds.append(batchSeed)
            let owner = random.oneIn(3) ? 1 : 0
            references[owner].add(SpanGenerator.columns(seed: batchSeed))
            try await store.append(SpanGenerator.batch(seed: batchSeed, tenant: tenants[owner]))
            if random.oneIn(2) { store = try await settle(store) }
        }
        for _ in 0..<100 {
            let owner = references[1].spans.isEmpty || !random.oneIn(3) ? 0 : 1
            guard !references[owner].spans.isEmpty else { continue }
            let plan = PredicateGenerator.plan(
                of: references[owner],
                tenant: tenants[owner],
                using: &random
            )
            try await compare(Filled(store: store, reference: references[owner]), plan)
        }
        try await finish(store)
    }

    private func compare(_ filled: Filled, _ plan: ScanPlan) async throws {
        let answer = try await filled.store.scan(plan)
        let wanted = filled.reference.scan(plan)
        try requireWhole(answer.incomplete)
        try require(
            answer.traces == wanted.traces,
            "\(plan) gives \(answer.traces.map(\.traceID.shortHex)), wanted "
                + "\(wanted.traces.map(\.traceID.shortHex)); first difference: "
                + firstDifference(answer.traces, wanted.traces)
        )
        try require(
            answer.cursor == wanted.cursor,
            "\(plan) ends at \(String(describing: answer.cursor)), wanted "
                + String(describing: wanted.cursor)
        )
    }

    private func firstDifference(_ a: [TraceSummary], _ b: [TraceSummary]) -> String {
        for (one, other) in zip(a, b) where one != other { return "\(one) for \(other)" }
        return "\(a.count) traces for \(b.count)"
    }

    private func pages(_ seed: UInt64) async throws {
        let filled = try await fill(seed)
        let orders: [TraceOrder] =
            filled.store.capabilities.contains(.orderBySlowest) ? [.newest, .slowest] : [.newest]
        // A span that starts at the last nanosecond of all lies in no range.
        let everything = ScanPlan(range: 0..<UInt64.max, limit: 1_000)
        let wanted = filled.reference.scan(everything).traces.count
        for order in orders {
            var plan = ScanPlan(range: 0..<UInt64.max, order: order, limit: 7)
            var seen: [TraceID] = []
            while true {
                try await compare(filled, plan)
                let page = try await filled.store.scan(plan)
                seen += page.traces.map(\.traceID)
                guard let cursor = page.cursor else { break }
                plan.cursor = cursor
                try require(seen.count <= filled.reference.traces.count, "pages never end")
            }
            try require(
                Set(seen).count == seen.count && seen.count == wanted,
                "\(order.rawValue): pages show \(seen.count) traces of \(wanted), "
                    + "\(Set(seen).count) distinct"
            )
        }
        try await finish(filled.store)
    }

    private func names(_ seed: UInt64) async throws {
        let filled = try await fill(seed)
        var scopes: [NamesRequest.Scope] = [
            .services, .operations(service: nil), .keys(service: nil),
        ]
        for service in filled.reference.services {
            scopes.append(.operations(service: .exactly(service)))
            scopes.append(.keys(service: .ignoringCase(service.uppercased())))
        }
        for key in SpanGenerator.keys + ["no.such.key"] {
            for scope in AttributeScope.allCases {
                scopes.append(.values(scope, key: key, service: nil, prefix: ""))
                let service = filled.reference.services.first ?? ""
                scopes.append(
                    .values(scope, key: key, service: .exactly(service), prefix: "1")
                )
            }
        }
        for scope in scopes {
            let answer = try await filled.store.names(NamesRequest(scope: scope))
            let wanted = filled.reference.names(scope)
            try requireWhole(answer.incomplete)
            try require(
                Set(answer.names) == wanted && answer.names.count == wanted.count,
                "\(scope): \(answer.names.map(\.text)), wanted \(wanted.map(\.text).sorted())"
            )
            try require(
                answer.names.map(\.text) == answer.names.map(\.text).sorted(),
                "\(scope): not sorted"
            )
        }
        let cut = try await filled.store.names(NamesRequest(scope: .keys(service: nil), limit: 1))
        try require(
            cut.names.count == 1 && !cut.incomplete.isEmpty,
            "a list cut at its limit must say so"
        )
        try await finish(filled.store)
    }

    private func tenants(_ seed: UInt64) async throws {
        var store = try await makeStore()
        let tenants = [Tenant.default, Tenant("blue"), Tenant("green")]
        var references: [Reference] = []
        for (number, tenant) in tenants.enumerated() {
            var reference = Reference()
            for offset in 0..<2 {
                let batchSeed = seed &* 77 &+ UInt64(number * 2 + offset)
                reference.add(SpanGenerator.columns(seed: batchSeed))
                try await store.append(SpanGenerator.batch(seed: batchSeed, tenant: tenant))
            }
            references.append(reference)
            store = try await settle(store)
        }
        let everything = references.flatMap { Array($0.traces.keys) }
        for (tenant, reference) in zip(tenants, references) {
            let request = TraceRequest(tenant: tenant, ids: everything)
            try compare(
                try await store.traces(request),
                reference.spans,
                "tenant \(tenant.name)"
            )
            let plan = ScanPlan(tenant: tenant, range: 0..<UInt64.max, limit: 1_000)
            try await compare(Filled(store: store, reference: reference), plan)
            let names = try await store.names(NamesRequest(tenant: tenant, scope: .services))
            try require(
                Set(names.names) == reference.names(.services),
                "services of tenant \(tenant.name)"
            )
        }
        try await finish(store)
    }

    private func refusals(_ seed: UInt64) async throws {
        let filled = try await fill(seed, batches: 2)
        if !filled.store.capabilities.contains(.orderBySlowest) {
            let plan = ScanPlan(range: 0..<UInt64.max, order: .slowest)
            try await requireUnsupported("order by slowest") {
                _ = try await filled.store.scan(plan)
            }
        }
        if !filled.store.capabilities.contains(.totals) {
            try await requireUnsupported("totals") {
                _ = try await filled.store.totals(TotalsRequest(range: 0..<UInt64.max))
            }
        }
        let empty = try await filled.store.scan(ScanPlan(range: 5..<5))
        try require(empty.traces.isEmpty, "an empty range holds no trace")
        try await finish(filled.store)
    }

    private func requireUnsupported(
        _ what: String,
        _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch StoreError.unsupported {
            return
        }
        throw ContractViolation("\(what) is not among the capabilities, yet it answers")
    }
}
