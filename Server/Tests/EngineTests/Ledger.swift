// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import SkeinModel
import Store
import StoreContract
import Synchronization

/// What was appended and what was acknowledged, by seed of the batch.
struct Ledger {
    private(set) var acknowledged: Set<UInt64> = []
    private(set) var unknown: Set<UInt64> = []

    /// Appends the batch of a seed and notes the answer.
    @discardableResult
    mutating func append(_ seed: UInt64, to store: EmbeddedStore) async -> Bool {
        do {
            try await store.append(SpanGenerator.batch(seed: seed))
            acknowledged.insert(seed)
            return true
        } catch {
            unknown.insert(seed)
            return false
        }
    }

    /// Appends the batches of several seeds together and notes the answer.
    mutating func append(_ seeds: [UInt64], to core: StoreCore) {
        do {
            try core.append(seeds.map { SpanGenerator.batch(seed: $0) })
            acknowledged.formUnion(seeds)
        } catch {
            unknown.formUnion(seeds)
        }
    }

    /// What is wrong with a store that was opened after a crash: acknowledged spans that are missing,
    /// spans that were never sent, spans shown twice. Empty when all is well.
    func violations(in store: EmbeddedStore, lenient: Bool = false) async throws -> [String] {
        violations(in: try await store.traces(request), lenient: lenient)
    }

    /// The same of a store without threads.
    func violations(in core: StoreCore) throws -> [String] {
        violations(in: try core.traces(request), lenient: false)
    }

    private var request: TraceRequest {
        TraceRequest(ids: Array(Set(Self.spans(acknowledged.union(unknown)).map(\.traceID))))
    }

    private func violations(in answer: TraceSpans, lenient: Bool) -> [String] {
        let wanted = Self.spans(acknowledged)
        let allowed = wanted.union(Self.spans(unknown))
        var found: Set<SpanValue> = []
        var problems: [String] = []
        for row in 0..<answer.columns.count {
            let span = SpanValue(answer.columns, row)
            if !allowed.contains(span) { problems.append("never sent: \(span.spanID)") }
            if !found.insert(span).inserted { problems.append("twice: \(span.spanID)") }
        }
        let missing = wanted.subtracting(found)
        if !missing.isEmpty, !lenient || answer.incomplete.isEmpty {
            problems.append("\(missing.count) acknowledged spans are missing")
        }
        return problems
    }

    static func spans(_ seeds: Set<UInt64>) -> Set<SpanValue> {
        var spans: Set<SpanValue> = []
        for seed in seeds { spans.formUnion(Self.spans(seed)) }
        return spans
    }

    private static let known = Mutex<[UInt64: Set<SpanValue>]>([:])

    private static func spans(_ seed: UInt64) -> Set<SpanValue> {
        if let spans = known.withLock({ $0[seed] }) { return spans }
        let columns = SpanGenerator.columns(seed: seed)
        var spans: Set<SpanValue> = []
        for row in 0..<columns.count { spans.insert(SpanValue(columns, row)) }
        known.withLock { $0[seed] = spans }
        return spans
    }
}

extension Ledger {
    /// Counts a batch as acknowledged that was appended elsewhere.
    mutating func note(_ seed: UInt64) { acknowledged.insert(seed) }
}

extension EmbeddedStore {
    /// Ends the store as a crash would leave its files: nothing more is written.
    func abandon() async { await close(flushing: false) }
}
