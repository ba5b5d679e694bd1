// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import SkeinModel
import SkeinWire
import Store

/// `jaeger.api_v2.QueryService`: spans in Jaeger's own model, each with its process.
extension ReadAPI {
    var jaegerV2Calls: [GRPCCall] {
        [
            GRPCCall("GetTrace", trace),
            GRPCCall("FindTraces", findTraces),
            GRPCCall("ArchiveTrace", archive),
            GRPCCall("GetServices", jaegerServiceNames),
            GRPCCall("GetOperations", operations),
            GRPCCall("GetDependencies", jaegerDependencyLinks),
        ]
    }

    @Sendable private func trace(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let id = try Self.traceID(question)
        let traces = try await engine.traces(id, isRaw: question.flag(4))
        guard let first = traces.first else { throw Failure.notFound("trace not found") }
        for trace in traces { try await send(trace, to: answer) }
        return GRPCIncomplete(reasons: first.spans.incomplete)
    }

    /// The id that requests have as bytes in field 1, the most significant first.
    private static func traceID(_ question: ProtobufFields) throws -> TraceID {
        let bytes = question.bytes(1)
        guard bytes.count == 16 || bytes.count == 8 else {
            throw Failure.badRequest(
                "trace_id has \(bytes.count) bytes; give 16, or 8 for an id of 64 bits"
            )
        }
        let id = JaegerSearch.traceID(bytes)
        guard id.isValid else { throw Failure.badRequest("trace_id is all zero") }
        return id
    }

    @Sendable private func findTraces(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let query = try Self.searchQuery(question)
        let summaries = try await search(JaegerQuestion(query), .two)
        let found = try await wholeTraces(summaries, isRaw: query.flag(9))
        for trace in found.traces { try await send(trace, to: answer) }
        return GRPCIncomplete(reasons: found.incomplete)
    }

    /// A trace as messages of spans within the bound; no message has spans of two.
    private func send(_ trace: Trace, to answer: GRPCAnswer) async throws {
        var message = ProtobufWriter()
        for row in 0..<trace.count {
            var span = ProtobufWriter()
            span.jaegerSpan(trace, row)
            let isFull =
                message.bytes.count + span.bytes.count > RequestLimits.chunkByteCount
            if isFull, !message.bytes.isEmpty {
                try await answer.send(message)
                message = ProtobufWriter()
            }
            message.bytes(1, span.bytes)
        }
        if !message.bytes.isEmpty { try await answer.send(message) }
    }

    @Sendable private func archive(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        _ = try Self.traceID(question)
        throw Failure.noArchive
    }

    @Sendable private func operations(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let found = try await jaegerOperations(
            service: question.text(1),
            kind: question.nonEmptyText(2)
        )
        var message = ProtobufWriter()
        for (place, name) in found.names.enumerated() {
            // Sorted by text, so kinds of one name stand together.
            if place == 0 || found.names[place - 1].name != name.name {
                message.string(1, always: name.name)
            }
            message.message(2) { message in
                message.string(1, name.name)
                message.string(2, name.kind)
            }
        }
        try await answer.send(message)
        return GRPCIncomplete(reasons: found.incomplete)
    }
}

extension ProtobufWriter {
    /// The span at frame row `row`.
    fileprivate mutating func jaegerSpan(_ trace: Trace, _ row: Int) {
        let span = JaegerSpan(trace, row)
        let start = trace.frame.start[row]
        id(1, trace.traceID.high, trace.traceID.low)
        id(2, trace.frame.spanID[row])
        string(3, trace.text(span.fields.name))
        for reference in span.references {
            message(4) { message in
                message.id(1, reference.traceID.high, reference.traceID.low)
                message.id(2, reference.spanID.raw)
                message.varint(3, reference.isChild ? 0 : 1)
            }
        }
        nanoseconds(6, start)
        nanoseconds(7, trace.frame.end[row] - start)
        for tag in span.tags { message(8) { $0.jaegerTag(tag) } }
        for log in span.logs {
            message(9) { message in
                message.nanoseconds(1, log.time)
                for field in log.fields { message.message(2) { $0.jaegerTag(field) } }
            }
        }
        message(10) { message in
            message.string(1, span.service)
            for tag in span.resource { message.message(2) { $0.jaegerTag(tag) } }
        }
        for warning in trace.frame.warnings[row] ?? [] { string(12, always: warning) }
    }

    private mutating func jaegerTag(_ tag: AttributeValue.KeyValue) {
        string(1, tag.key)
        switch JaegerTagValue(tag.value) {
        case .string(let text): string(3, text)
        case .bool(let flag):
            varint(2, 1)
            varint(4, flag ? 1 : 0)
        case .int(let number):
            varint(2, 2)
            varint(5, UInt64(bitPattern: number))
        case .double(let number):
            varint(2, 3)
            fixed64(6, number.bitPattern)
        case .bytes(let value):
            varint(2, 4)
            if !value.isEmpty { bytes(7, value) }
        }
    }
}
