// SPDX-License-Identifier: Apache-2.0

import Query
import SkeinModel
import SkeinWire
import Store

/// `jaeger.api_v3.QueryService`. Spans come as they were sent, whatever `raw_traces` says.
extension ReadAPI {
    var jaegerV3Calls: [GRPCCall] {
        [
            GRPCCall("GetTrace", trace),
            GRPCCall("FindTraces", findTraces),
            GRPCCall("FindTraceSummaries", findSummaries),
            GRPCCall("GetServices", jaegerServiceNames),
            GRPCCall("GetOperations", operations),
            GRPCCall("GetDependencies", jaegerDependencyLinks),
        ]
    }

    @Sendable private func trace(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        _ = try question.moment(2, "start_time")
        _ = try question.moment(3, "end_time")
        let id = try JaegerSearch.traceID(question.text(1))
        let traces = try await engine.traces(id, isRaw: true)
        guard let first = traces.first else { throw Failure.notFound("trace not found") }
        for trace in traces { try await send(trace, to: answer) }
        return GRPCIncomplete(reasons: first.spans.incomplete)
    }

    @Sendable private func findTraces(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let asked = try JaegerQuestion(version3: Self.searchQuery(question))
        let found = try await wholeTraces(search(asked, .three), isRaw: true)
        for trace in found.traces { try await send(trace, to: answer) }
        return GRPCIncomplete(reasons: found.incomplete)
    }

    /// A trace as messages of OTLP's `TracesData` within the bound; no message has spans of two.
    private func send(_ trace: Trace, to answer: GRPCAnswer) async throws {
        var pieces = stride(
            from: trace.storedRows.lowerBound,
            to: trace.storedRows.upperBound,
            by: RequestLimits.chunkSpanCount
        )
        .map { $0..<min($0 + RequestLimits.chunkSpanCount, trace.storedRows.upperBound) }
        pieces.reverse()
        while let rows = pieces.popLast() {
            let message = OTLP.encodeProtobuf(trace.spans.columns, rows: rows)
            if message.count > RequestLimits.chunkByteCount, rows.count > 1 {
                let middle = rows.lowerBound + rows.count / 2
                pieces.append(middle..<rows.upperBound)
                pieces.append(rows.lowerBound..<middle)
            } else {
                try await answer.send(message)
            }
        }
    }

    @Sendable private func findSummaries(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let asked = try JaegerQuestion(version3: Self.searchQuery(question))
        let found = try await jaegerSummaries(asked)
        var message = ProtobufWriter()
        for (summary, orphanCount) in found.summaries {
            message.message(1) { $0.summary(summary, orphanCount: orphanCount) }
            if message.bytes.count >= RequestLimits.chunkByteCount {
                try await answer.send(message)
                message = ProtobufWriter()
            }
        }
        if !message.bytes.isEmpty { try await answer.send(message) }
        return GRPCIncomplete(reasons: found.incomplete)
    }

    @Sendable private func operations(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let found = try await jaegerV3Operations(
            service: question.nonEmptyText(1),
            kind: question.nonEmptyText(2)
        )
        var message = ProtobufWriter()
        for name in found.names {
            message.message(1) { message in
                message.string(1, name.name)
                message.string(2, name.kind)
            }
        }
        try await answer.send(message)
        return GRPCIncomplete(reasons: found.incomplete)
    }
}

extension ProtobufWriter {
    fileprivate mutating func summary(_ summary: TraceSummary, orphanCount: Int) {
        string(1, summary.traceID.hex)
        string(2, summary.rootService)
        string(3, summary.rootOperation)
        fixed64(4, summary.start)
        fixed64(5, summary.end)
        varint(6, UInt64(clamping: summary.spanCount))
        varint(7, UInt64(clamping: summary.errorCount))
        varint(8, UInt64(clamping: orphanCount))
        for service in summary.services {
            message(9) { message in
                message.string(1, service.name)
                message.varint(2, UInt64(clamping: service.spanCount))
                message.varint(3, UInt64(clamping: service.errorCount))
            }
        }
    }
}
