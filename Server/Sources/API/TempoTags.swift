// SPDX-License-Identifier: Apache-2.0

import Query
import QueryLanguage
import SkeinModel
import Store

/// What narrows a question about tags.
struct TempoTagQuestion {
    /// The spans whose tags are asked for; `nil` for all.
    var pipeline: TraceQL.Pipeline?
    /// The service, where that is all that `pipeline` asks for.
    var service: String?
    /// All that is stored, unless said otherwise: names are not kept by time.
    var time = TraceQuery.TimeSpan.between(start: 0, end: .max)
    /// Names in a list, at most.
    var limit = RequestLimits.valueCount.upperBound

    /// A query that cannot be read, and one that is still being written, narrows nothing.
    init(query: String?, time: TraceQuery.TimeSpan?, limit: Int) {
        if let time { self.time = time }
        if limit > 0 { self.limit = min(limit, self.limit) }
        guard let query, let question = try? TraceQL.parse(query) else { return }
        switch question.body {
        case .search(let pipeline), .metrics(.measure(let pipeline, _, _)):
            self.pipeline = pipeline == .everything ? nil : pipeline
        case .metrics: break
        }
        service = pipeline?.service
    }

    /// Whether indexes of names can answer.
    var isIndexed: Bool { pipeline == nil || service != nil }
}

extension TraceQL.Pipeline {
    /// `{ }`
    fileprivate static let everything = TraceQL.Pipeline([.spans(.filter(nil))])

    /// The service that is all this asks for.
    fileprivate var service: String? {
        guard stages.count == 1, case .spans(.filter(.some(let field))) = stages[0],
            case .binary(.equal, .operand(.attribute(let attribute)), let right) = field,
            case .literal(.string(let name)) = right, attribute.key == "service.name",
            attribute.scope == .resource
        else { return nil }
        return name
    }
}

/// The tags of one scope.
struct TempoScope {
    var name: String
    var tags: [String]

    /// The tags of `scopes` in one list. Intrinsics are in it only where they were asked for.
    static func names(_ scopes: [TempoScope], isIntrinsicWanted: Bool) -> [String] {
        let wanted = scopes.filter {
            isIntrinsicWanted || $0.name != TempoScopeName.intrinsic.rawValue
        }
        return Set(wanted.flatMap(\.tags)).sorted()
    }
}

/// Names found, and why some may be missing; nothing where none are.
struct TempoNames<Name> {
    var names: [Name]
    var incomplete: [String] = []

    /// Leaves out those beyond a number, and says so.
    init(_ names: [Name], limit: Int, _ incomplete: [String]) {
        self.names = Array(names.prefix(limit))
        self.incomplete = incomplete
        if names.count > limit { add(["the first \(limit) of \(names.count) names are told"]) }
    }

    init(_ names: [Name]) { self.names = names }

    mutating func add(_ reasons: [String]) {
        incomplete += reasons.filter { !incomplete.contains($0) }
    }
}

extension ReadAPI {
    /// The keys of each scope, of those that `scope` names, or of all.
    func tempoScopes(
        _ question: TempoTagQuestion,
        scope: TempoScopeName?
    ) async throws -> TempoNames<TempoScope> {
        let wanted = scope.map { [$0] } ?? TempoScopeName.allCases
        var tags: [TempoScopeName: Set<String>] = [:]
        var found = TempoNames<TempoScope>([])
        if question.isIndexed, !wanted.allSatisfy({ $0.attributeScope == nil }) {
            let keys = try await engine.keys(service: question.service)
            let names = keys.names
            found.add(keys.incomplete)
            for scope in wanted {
                guard let attributeScope = scope.attributeScope else { continue }
                tags[scope] = Set(names.filter { $0.scope == attributeScope }.map(\.text))
            }
        }
        let isSampled = wanted.contains {
            $0 != .intrinsic && (!question.isIndexed || $0.attributeScope == nil)
        }
        if isSampled {
            let sampled = try await sampledKeys(question)
            found.add(sampled.incomplete)
            for (scope, keys) in sampled.texts { tags[scope, default: []].formUnion(keys) }
        }
        for scope in wanted {
            let all = scope == .intrinsic ? Self.intrinsicTags : (tags[scope] ?? []).sorted()
            let told = TempoNames(all, limit: question.limit, [])
            found.add(told.incomplete)
            guard !told.names.isEmpty else { continue }
            found.names.append(TempoScope(name: scope.rawValue, tags: told.names))
        }
        return found
    }

    /// Everything about a span that a query can ask for without an attribute, and whose values say
    /// something to people.
    private static let intrinsicTags = TraceQL.Intrinsic.spellings.filter { spelling in
        switch TraceQL.Intrinsic(spelling: spelling) {
        case .nestedSetLeft, .nestedSetRight, .nestedSetParent, .parent: false
        default: true
        }
    }
    .sorted()

    /// Keys of the newest traces alone: of links and libraries no index tells.
    private func sampledKeys(
        _ question: TempoTagQuestion
    ) async throws -> (texts: [TempoScopeName: Set<String>], incomplete: [String]) {
        let found = try await engine.search(
            TraceQL.Search(
                TraceQL.Question(.search(question.pipeline ?? .everything)),
                time: question.time,
                limit: RequestLimits.sampledTraceCount,
                toldSpanLimit: RequestLimits.sampledValueSpanCount
            )
        )
        var spanCount = 0
        let read = found.traces.prefix { trace in
            defer { spanCount += trace.summary.spanCount }
            return spanCount == 0
                || spanCount + trace.summary.spanCount <= RequestLimits.sampledSpanCount
        }
        let traces = try await engine.traces(exactly: read.map(\.summary.traceID), isRaw: true)
        guard let spans = traces.first?.spans else { return ([:], found.incomplete) }
        // Spans found may share an id with one of another trace: it takes part, too.
        var ids: Set<UInt64> = []
        for trace in read {
            for spanset in trace.spansets { ids.formUnion(spanset.spans.map(\.spanID.raw)) }
        }
        var keys = SampledKeys(spans)
        for row in traces.flatMap(\.storedRows) where ids.contains(spans.columns.spanID[row]) {
            keys.add(row)
        }
        return (keys.texts, found.incomplete + spans.incomplete)
    }

    /// Values of one tag with their types, sorted.
    func tempoValues(
        _ operand: TraceQL.Operand,
        _ question: TempoTagQuestion
    ) async throws -> TempoNames<TempoValue> {
        var values: TempoNames<TempoValue>
        switch operand {
        case .intrinsic(.status), .parentIntrinsic(.status):
            return TempoNames(StatusCode.allCases.map { TempoValue("keyword", $0.word) })
        case .intrinsic(.kind), .parentIntrinsic(.kind):
            return TempoNames(SpanKind.allCases.map { TempoValue("keyword", $0.word) })
        case .intrinsic(let intrinsic) where !intrinsic.hasTellingValues: return TempoNames([])
        case .intrinsic(.name) where question.isIndexed:
            let service = question.service.map { SpanCondition.Text($0) }
            values = TempoNames(try await engine.operations(service: service))
        case .intrinsic(.rootService) where question.pipeline == nil:
            values = TempoNames(try await engine.services())
        case .attribute(let attribute) where question.isIndexed:
            let scopes = attribute.scope.indexed(isWhole: question.pipeline == nil)
            values =
                scopes.isEmpty
                ? try await sampledValues(operand, question)
                : try await indexedValues(attribute.key, scopes, operand, question)
        default:
            // A span without a message has an empty one, which nobody looks for.
            values = try await sampledValues(operand, question)
            values.names.removeAll { $0.text.isEmpty }
        }
        return TempoNames(
            Set(values.names).sorted(),
            limit: question.limit,
            values.incomplete
        )
    }

    private func indexedValues(
        _ key: String,
        _ scopes: [SpanCondition.Scope],
        _ operand: TraceQL.Operand,
        _ question: TempoTagQuestion
    ) async throws -> TempoNames<TempoValue> {
        var texts: Set<String> = []
        var values = TempoNames<TempoValue>([])
        for scope in scopes {
            let found = try await engine.values(
                scope: scope,
                key: key,
                service: question.service.map { SpanCondition.Text($0) },
                limit: question.limit
            )
            texts.formUnion(found.names.map(\.text))
            values.add(found.incomplete)
        }
        guard !texts.isEmpty else { return values }
        // The index has them as text. Which types they had, the newest spans tell.
        var sample = question
        sample.time = .between(start: 0, end: .max)
        let types = Set(
            try await sampledValues(operand, sample, RequestLimits.sampledTypeTraceCount)
                .names.map(\.type)
        )
        values.names = texts.flatMap { TempoValue.readings(of: $0, as: types) }
        return values
    }

    /// Values of the newest traces that have the tag.
    private func sampledValues(
        _ operand: TraceQL.Operand,
        _ question: TempoTagQuestion,
        _ traceCount: Int = RequestLimits.sampledValueTraceCount
    ) async throws -> TempoNames<TempoValue> {
        var pipeline = question.pipeline ?? .everything
        let exists = TraceQL.Field.binary(.notEqual, .operand(operand), .literal(.nil))
        pipeline.stages += [.spans(.filter(exists)), .select([operand])]
        let found = try await engine.search(
            TraceQL.Search(
                TraceQL.Question(.search(pipeline)),
                time: question.time,
                limit: traceCount,
                toldSpanLimit: RequestLimits.sampledValueSpanCount
            )
        )
        var values: Set<TempoValue> = []
        let name = "\(operand)"
        for spanset in found.traces.lazy.flatMap(\.spansets) {
            for span in spanset.spans {
                for told in span.values where told.name == name {
                    values.formUnion(TempoValue.all(in: told.value))
                }
            }
        }
        var told = TempoNames(Array(values))
        told.add(found.incomplete)
        return told
    }
}

extension TempoNames<TempoValue> {
    /// Names of an index, which are texts.
    fileprivate init(_ found: NamesResult) {
        names = found.names.map { TempoValue("string", $0.text) }
        incomplete = found.incomplete
    }
}

/// Keys that some spans of one read have.
private struct SampledKeys {
    private let spans: TraceSpans
    private var ids: [TempoScopeName: Set<UInt32>] = [:]

    init(_ spans: TraceSpans) { self.spans = spans }

    mutating func add(_ row: Int) {
        add(.span, spans.columns.spanAttributes[row])
        add(.resource, spans.columns.resources.attributes[Int(spans.columns.resource[row])])
        add(.instrumentation, spans.columns.scopes.attributes[Int(spans.columns.scope[row])])
        for event in spans.columns.spanEvents[row].rows {
            add(.event, spans.columns.events.attributes[event])
        }
        for link in spans.columns.spanLinks[row].rows {
            add(.link, spans.columns.links.attributes[link])
        }
    }

    private mutating func add(_ scope: TempoScopeName, _ run: Run) {
        for attribute in run.rows {
            ids[scope, default: []].insert(spans.columns.attributes.key[attribute])
        }
    }

    var texts: [TempoScopeName: Set<String>] {
        ids.mapValues { Set($0.map { spans.columns.strings.text($0) }) }
    }
}
