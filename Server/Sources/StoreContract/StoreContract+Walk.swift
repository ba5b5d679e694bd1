// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

extension StoreContract {
    /// What a walk told, as plain values.
    struct Told: Sendable {
        struct Trace: Sendable {
            var spans: [SpanValue]
            var summary: TraceSummary
        }

        var traces: [Trace] = []
        /// Calls, and of each its bound and how many traces were told with it and before.
        var steps: [(bound: UInt64, count: Int)] = []
    }

    /// Walks of every kind over two tenants, duplicates and late spans.
    func walks(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed ^ 0xA1B)
        let tenants = [Tenant.default, Tenant("blue")]
        var references = [Reference(), Reference()]
        var seeds: [UInt64] = []
        var store = try await makeStore()
        for number in 0..<16 {
            let isAgain = !seeds.isEmpty && random.oneIn(6)
            let batchSeed = isAgain ? random.pick(seeds) : seed &* 1_000 &+ 700 &+ UInt64(number)
            seeds.append(batchSeed)
            let owner = random.oneIn(4) ? 1 : 0
            references[owner].add(SpanGenerator.columns(seed: batchSeed))
            try await store.append(SpanGenerator.batch(seed: batchSeed, tenant: tenants[owner]))
            if random.oneIn(2) { store = try await settle(store) }
        }
        for number in 0..<40 {
            let owner = references[1].spans.isEmpty || !random.oneIn(4) ? 0 : 1
            guard !references[owner].spans.isEmpty else { continue }
            let filled = Filled(store: store, reference: references[owner])
            var plan = Self.walk(of: filled.reference, tenants[owner], using: &random)
            // The plainest walks, over everything.
            if number < 3 {
                plan = WalkPlan(tenant: tenants[owner], range: 0..<UInt64.max, fields: plan.fields)
            }
            try await compare(filled, plan)
            if random.oneIn(4) { try await stops(filled, plan) }
        }
        let none = try await told(store, WalkPlan(tenant: Tenant("none"), range: 0..<UInt64.max))
        try require(none.traces.isEmpty, "a tenant without spans has traces")
        try await finish(store)
    }

    /// Spans of long traces, many of one start and many blocks long.
    func walksOfLongTraces(_ seed: UInt64) async throws {
        var store = try await makeStore()
        var reference = Reference()
        for number in 0..<6 {
            // Few traces, met again and again.
            let batchSeed = (seed &* 100 &+ UInt64(number)) &* 3 &+ 1
            reference.add(SpanGenerator.columns(seed: batchSeed))
            try await store.append(SpanGenerator.batch(seed: batchSeed))
        }
        store = try await settle(store)
        let filled = Filled(store: store, reference: reference)
        var random = SeededGenerator(seed: seed ^ 0xA1C)
        for _ in 0..<20 {
            try await compare(filled, Self.walk(of: reference, .default, using: &random))
        }
        try await finish(filled.store)
    }

    private static func walk(
        of reference: Reference,
        _ tenant: Tenant,
        using random: inout SeededGenerator
    ) -> WalkPlan {
        let scan = PredicateGenerator.plan(of: reference, tenant: tenant, using: &random)
        var columns: SpanFields.Columns = []
        let all: [SpanFields.Columns] = [
            .parentID, .statusMessage, .traceState, .events, .links,
        ]
        for column in all where random.oneIn(3) { columns.insert(column) }
        var keys: Set<String>? = []
        for key in SpanGenerator.keys + ["no.such.key"] where random.oneIn(4) { keys?.insert(key) }
        if random.oneIn(5) { keys = nil }
        return WalkPlan(
            tenant: tenant,
            range: scan.range,
            span: random.oneIn(3) ? .all : scan.span,
            trace: scan.trace,
            fields: random.oneIn(6) ? .all : SpanFields(columns, attributeKeys: keys),
            latestStart: random.oneIn(4) ? random.pick(reference.spans).start : nil
        )
    }

    /// What a walk tells until `limit` traces or more were told.
    private func told(
        _ store: any TraceStore,
        _ plan: WalkPlan,
        limit: Int = .max
    ) async throws -> Told {
        let told = Mutex(Told())
        let result = try await store.walk(plan) { walked throws(StoreError) in
            var traces: [Told.Trace] = []
            for (index, rows) in walked.rows.enumerated() {
                traces.append(
                    Told.Trace(
                        spans: rows.map { SpanValue(walked.spans.columns, $0) },
                        summary: try walked.summary(index)
                    )
                )
            }
            return told.withLock {
                $0.traces += traces
                $0.steps.append((walked.bound, $0.traces.count))
                return $0.traces.count >= limit ? .stop : .goOn
            }
        }
        try requireWhole(result.incomplete)
        return told.withLock { $0 }
    }

    private func stops(_ filled: Filled, _ plan: WalkPlan) async throws {
        let told = try await told(filled.store, plan, limit: 1)
        let extra = told.steps.dropFirst().first
        try require(extra == nil, "\(plan) goes on after it was told to stop")
    }

    private func compare(_ filled: Filled, _ plan: WalkPlan) async throws {
        let told = try await told(filled.store, plan)
        var missing: Set<TraceID> = []
        for trace in filled.reference.scan(plan.scan).traces
        where trace.start <= plan.latestStart ?? .max {
            missing.insert(trace.traceID)
        }
        var seen: Set<TraceID> = []
        for trace in told.traces {
            guard let id = trace.spans.first?.traceID else {
                throw ContractViolation("\(plan) tells a trace without spans")
            }
            try require(seen.insert(id).inserted, "\(plan) tells \(id) twice")
            missing.remove(id)
            let wanted = filled.reference.traces[id] ?? []
            try compare(trace.spans, wanted, plan)
            let summary = Reference.summary(id, wanted, [])
            try require(
                trace.summary == summary,
                "\(plan) describes \(id) as \(trace.summary), wanted \(summary)"
            )
            try require(
                summary.start <= plan.latestStart ?? .max,
                "\(plan) tells \(id), which starts at \(summary.start)"
            )
        }
        try require(missing.isEmpty, "\(plan) leaves out \(missing.map(\.shortHex).sorted())")
        for step in told.steps {
            for later in told.traces[step.count...] where later.summary.start > step.bound {
                throw ContractViolation(
                    "\(plan) tells \(later.summary.traceID), which starts at "
                        + "\(later.summary.start), behind the bound \(step.bound)"
                )
            }
        }
    }

    /// Compares what was asked for, in the order of answers.
    private func compare(
        _ spans: [SpanValue],
        _ wanted: [SpanValue],
        _ plan: WalkPlan
    ) throws {
        let id = wanted.first?.traceID.shortHex ?? "a trace that was never appended"
        for (span, next) in zip(spans, spans.dropFirst()) {
            try require(
                !SpanValue.isBefore(next, span),
                "\(plan): \(next.spanID) stands behind \(span.spanID) in \(id)"
            )
        }
        // Spans that share start and id stand in any order.
        var counts: [SpanValue: Int] = [:]
        for span in wanted { counts[span.asked(plan.fields), default: 0] += 1 }
        for span in spans {
            let asked = span.asked(plan.fields)
            guard let count = counts[asked], count > 0 else {
                let like = wanted.first { $0.spanID == span.spanID && $0.start == span.start }
                throw ContractViolation(
                    "\(plan): a span of \(id) is doubled or changed: \(asked); appended: "
                        + (like.map { "\($0.asked(plan.fields))" } ?? "none like it")
                )
            }
            counts[asked] = count - 1
        }
        try require(
            spans.count == wanted.count,
            "\(plan) tells \(spans.count) of \(wanted.count) spans of \(id)"
        )
    }
}

extension WalkPlan {
    /// The plan of a scan that finds the same traces.
    fileprivate var scan: ScanPlan {
        ScanPlan(
            tenant: tenant,
            range: range,
            span: span,
            trace: trace,
            order: .newest,
            limit: .max,
            matchedSpanLimit: 0
        )
    }
}

extension SpanValue {
    /// The span with nothing but what always is told and `fields`.
    fileprivate func asked(_ fields: SpanFields) -> SpanValue {
        var span = self
        if !fields.columns.contains(.parentID) { span.parentID = .none }
        if !fields.columns.contains(.statusMessage) { span.statusMessage = "" }
        if !fields.columns.contains(.traceState) { span.traceState = "" }
        if !fields.columns.contains(.events) { span.events = [] }
        if !fields.columns.contains(.links) { span.links = [] }
        if fields != .all {
            span.dropped = []
            span.marks = []
            span.scope.attributes = []
            span.scope.dropped = 0
            span.scope.schemaURL = ""
            for event in span.events.indices { span.events[event].dropped = 0 }
            for link in span.links.indices {
                span.links[link].dropped = 0
                span.links[link].flags = 0
                span.links[link].traceState = ""
            }
        }
        func keep(_ pairs: inout [AttributeValue.KeyValue]) {
            guard let keys = fields.attributeKeys else { return }
            pairs.removeAll { !keys.contains($0.key) }
        }
        keep(&span.attributes)
        for event in span.events.indices { keep(&span.events[event].attributes) }
        for link in span.links.indices { keep(&span.links[link].attributes) }
        return span
    }
}
