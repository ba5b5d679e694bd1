// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// One line of input: a kind and its arguments between tabs.
///
/// ```
/// trace       ID
/// scan        newest|slowest FROM TO [service=S] [operation=O] [tag=KEY=VALUE] [duration=NS]
/// operations  FROM TO
/// graph       FROM TO
/// services
/// walk        FROM TO [parents] [key=KEY]
/// ```
enum Question {
    case trace(TraceID)
    case scan(ScanPlan)
    case totals(TotalsRequest)
    case services
    case walk(WalkPlan)

    /// A line that asks nothing this program knows.
    struct Unknown: Error, CustomStringConvertible {
        let description: String
    }

    init(_ line: String) throws(Unknown) {
        let words = line.split(separator: "\t", omittingEmptySubsequences: false)
        let unknown = Unknown(description: "cannot read the question '\(line)'")
        switch (words.first, words.count) {
        case ("trace", 2):
            guard let id = TraceID(hex: words[1]) else { throw unknown }
            self = .trace(id)
        case ("scan", 4...):
            guard let order = TraceOrder(rawValue: String(words[1])),
                let range = Self.range(words[2], words[3])
            else { throw unknown }
            var conditions: [SpanPredicate] = []
            for word in words[4...] {
                guard let condition = Self.condition(word) else { throw unknown }
                conditions.append(condition)
            }
            self = .scan(
                ScanPlan(
                    range: range,
                    span: conditions.isEmpty ? .all : .and(conditions),
                    order: order
                )
            )
        case ("graph", 3), ("operations", 3):
            guard let range = Self.range(words[1], words[2]) else { throw unknown }
            let lines: TotalsRequest.Lines = words[0] == "graph" ? .edges : .operations
            self = .totals(TotalsRequest(range: range, lines: lines))
        case ("services", 1): self = .services
        case ("walk", 3...):
            guard let range = Self.range(words[1], words[2]) else { throw unknown }
            self = .walk(WalkPlan(range: range, fields: try Self.fields(words[3...], unknown)))
        default: throw unknown
        }
    }

    private static func range(_ from: Substring, _ to: Substring) -> Range<UInt64>? {
        guard let start = UInt64(from), let end = UInt64(to), start <= end else { return nil }
        return start..<end
    }

    private static func fields(
        _ words: ArraySlice<Substring>,
        _ unknown: Unknown
    ) throws(Unknown) -> SpanFields {
        var fields = SpanFields()
        for word in words {
            if word == "parents" {
                fields.columns.insert(.parentID)
            } else if word.hasPrefix("key=") {
                fields.attributeKeys?.insert(String(word.dropFirst(4)))
            } else {
                throw unknown
            }
        }
        return fields
    }

    private static func condition(_ word: Substring) -> SpanPredicate? {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "service": return .service(.exactly(String(parts[1])))
        case "operation": return .operation(.exactly(String(parts[1])))
        case "duration":
            return UInt64(parts[1]).map { .duration($0...UInt64.max) }
        case "tag":
            let pair = parts[1].split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard pair.count == 2 else { return nil }
            return .attribute(.any, key: String(pair[0]), .text(String(pair[1])))
        default: return nil
        }
    }

    /// Asks `store`. Nothing but the question itself happens in here: it is what is measured.
    func answer(from store: any TraceStore) async throws(StoreError) -> Answer {
        switch self {
        case .trace(let id): .trace(try await store.traces(TraceRequest(ids: [id])))
        case .scan(let plan): .scan(try await store.scan(plan))
        case .totals(let request): .totals(try await store.totals(request))
        case .services: .services(try await store.names(NamesRequest(scope: .services)))
        case .walk(let plan): .walk(try await Walked.count(plan, store))
        }
    }
}

/// What a store said.
enum Answer {
    case trace(TraceSpans)
    case scan(ScanResult)
    case totals(Totals)
    case services(NamesResult)
    case walk(Walked)
}

/// What a walk went through.
struct Walked {
    var traces = 0
    var spans = 0
    /// Of them those that start in the range that was asked for.
    var inRange = 0
    var withParent = 0
    var values = 0
    var incomplete: [String] = []

    static func count(_ plan: WalkPlan, _ store: any TraceStore) async throws(StoreError) -> Walked
    {
        let counted = Mutex(Walked())
        let result = try await store.walk(plan) { walked throws(StoreError) in
            var some = Walked()
            some.add(walked, plan)
            counted.withLock { $0.add(some) }
            return .goOn
        }
        return counted.withLock {
            $0.incomplete = result.incomplete
            return $0
        }
    }

    private mutating func add(_ walked: WalkedTraces, _ plan: WalkPlan) {
        traces += walked.rows.count
        spans += walked.spans.columns.count
        walked.spans.columns.start.withElements { starts in
            for start in starts where plan.range.contains(start) { inRange &+= 1 }
        }
        if plan.fields.columns.contains(.parentID) {
            walked.spans.columns.parentID.withElements { parents in
                for parent in parents where parent != 0 { withParent &+= 1 }
            }
        }
        walked.spans.columns.spanAttributes.withElements { runs in
            for run in runs { values &+= Int(run.count) }
        }
    }

    private mutating func add(_ other: Walked) {
        traces += other.traces
        spans += other.spans
        inRange += other.inRange
        withParent += other.withParent
        values += other.values
    }
}
