// SPDX-License-Identifier: Apache-2.0

public import GRPCCore
import Query
import QueryLanguage
import SkeinWire
import Store

/// Tempo's streaming queries: what its paths over HTTP answer, as soon as a part of it is known.
extension ReadAPI {
    /// The services of Tempo's port for streaming queries.
    public var tempoGRPCServices: [any RegistrableRPCService] {
        [
            GRPCService(
                name: "tempopb.StreamingQuerier",
                calls: [
                    GRPCCall("Search", tempoStreamSearch),
                    GRPCCall("SearchTags", tempoStreamTags),
                    GRPCCall("SearchTagsV2", tempoStreamTagsV2),
                    GRPCCall("SearchTagValues", tempoStreamValues),
                    GRPCCall("SearchTagValuesV2", tempoStreamValuesV2),
                ] + tempoMetricCalls,
                questions: questions,
                interface: "tempo"
            )
        ]
    }

    /// The traces found, each message those that are new: the first few, then ever more.
    @Sendable private func tempoStreamSearch(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let asked = try TempoSearch(question)
        // In another order than these, a page is as dear as the whole.
        let isPaged = !asked.search.order.isAscending && asked.search.order.key == .start
        let limit = try asked.search.validated().limit
        var search = asked.search
        var told = TempoProgress(traceLimit: limit)
        var pageLimit = isPaged ? RequestLimits.firstStreamedTraceCount : limit
        var reasons: [String] = []
        while true {
            search.limit = min(pageLimit, limit - told.traceCount)
            let found = try await engine.search(search)
            let isLast =
                found.cursor == nil || found.stopReason != nil
                || told.traceCount + found.traces.count >= limit
            told.add(found, isLast: isLast)
            reasons += found.incomplete.filter { !reasons.contains($0) }
            var message = ProtobufWriter()
            for trace in found.traces {
                message.message(1) { $0.tempoTrace(trace, asked) }
            }
            message.message(2) { $0.tempoProgress(told) }
            try await answer.send(message)
            if isLast { return GRPCIncomplete(reasons: reasons) }
            search.cursor = found.cursor
            pageLimit *= 4
        }
    }

    @Sendable private func tempoStreamTags(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let scope = try TempoScopeName.named(question.nonEmptyText(1))
        let scopes = try await tempoScopes(try .init(tags: question), scope: scope)
        var message = ProtobufWriter()
        for name in TempoScope.names(scopes, isIntrinsicWanted: scope == .intrinsic) {
            message.string(1, always: name)
        }
        message.message(2) { $0.tempoDone() }
        try await answer.send(message)
        return .whole
    }

    @Sendable private func tempoStreamTagsV2(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let scope = try TempoScopeName.named(question.nonEmptyText(1))
        let scopes = try await tempoScopes(try .init(tags: question), scope: scope)
        var message = ProtobufWriter()
        for scope in scopes {
            message.message(1) { message in
                message.string(1, scope.name)
                for tag in scope.tags { message.string(2, always: tag) }
            }
        }
        message.message(2) { $0.tempoDone() }
        try await answer.send(message)
        return .whole
    }

    @Sendable private func tempoStreamValues(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        var message = ProtobufWriter()
        for text in Set(try await tempoValues(question).map(\.text)).sorted() {
            message.string(1, always: text)
        }
        message.message(2) { $0.tempoDone() }
        try await answer.send(message)
        return .whole
    }

    @Sendable private func tempoStreamValuesV2(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        var message = ProtobufWriter()
        for value in try await tempoValues(question) {
            message.message(1) { message in
                message.string(1, value.type)
                message.string(2, value.text)
            }
        }
        message.message(2) { $0.tempoDone() }
        try await answer.send(message)
        return .whole
    }

    private func tempoValues(_ question: ProtobufFields) async throws -> [TempoValue] {
        try await tempoValues(
            try TempoTag.operand(try question.text(1)),
            TempoTagQuestion(
                query: try question.nonEmptyText(2),
                time: try TempoSearch.range(
                    start: question.number(4),
                    end: question.number(5)
                ),
                limit: Int(clamping: question.number(6))
            )
        )
    }
}

/// How far a streamed search is.
struct TempoProgress {
    let traceLimit: Int
    private(set) var traceCount = 0
    private(set) var examinedTraceCount = 0
    private(set) var examinedSpanCount = 0
    private(set) var isDone = false

    init(traceLimit: Int) { self.traceLimit = traceLimit }

    mutating func add(_ page: FoundTraces, isLast: Bool) {
        traceCount += page.traces.count
        examinedTraceCount += page.examinedTraceCount
        examinedSpanCount += page.examinedSpanCount
        isDone = isLast
    }
}

extension TempoSearch {
    /// What a `SearchRequest` asks for; 0 is what protobuf has for nothing.
    fileprivate init(_ question: ProtobufFields) throws {
        let text = try question.nonEmptyText(8)
        var tags: [(key: String, value: String)] = []
        for entry in try question.messages(1) {
            tags.append((try entry.text(1), try entry.text(2)))
        }
        guard tags.count <= QueryLimits.patternCount else {
            throw Failure.badRequest(
                "there are \(tags.count) Tags; at most \(QueryLimits.patternCount)"
            )
        }
        guard text == nil || tags.isEmpty else {
            throw Failure.badRequest("Query and Tags are both given; say the tags in Query")
        }
        let millisecond: UInt64 = 1_000_000
        let (least, most) = (question.number(2), question.number(3))
        let (limit, toldSpanLimit) = (question.number(4), question.number(9))
        try self.init(
            text: text,
            tags: tags,
            traceDuration: try QueryParameters.range(
                least == 0 ? nil : Saturating.nanoseconds(least, unit: millisecond),
                most == 0 ? nil : Saturating.nanoseconds(most, unit: millisecond),
                names: ("MinDurationMs", "MaxDurationMs")
            ),
            time: try Self.range(start: question.number(5), end: question.number(6)),
            limit: limit == 0 ? 20 : Int(clamping: limit),
            toldSpanLimit: toldSpanLimit == 0 ? 3 : Int(clamping: toldSpanLimit)
        )
    }
}

extension TempoTagQuestion {
    /// What narrows a `SearchTagsRequest`.
    fileprivate init(tags question: ProtobufFields) throws {
        self.init(
            query: try question.nonEmptyText(2),
            time: try TempoSearch.range(start: question.number(3), end: question.number(4)),
            limit: Int(clamping: question.number(5))
        )
    }
}
