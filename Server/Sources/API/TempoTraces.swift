// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Query
import SkeinModel
import SkeinWire
import Store

/// Whole traces by id, as they were sent: JSON in protobuf's own form, or protobuf.
extension ReadAPI {
    func tempoTrace(_ request: ReadRequest) async throws -> Response {
        let traces = try await tempoTraces(request)
        let incomplete = traces.first?.spans.incomplete ?? []
        return TempoTrace.isProtobuf(request)
            ? .protobuf(TempoTrace.protobuf(traces)).incomplete(incomplete)
            : .bytes(TempoTrace.json(traces, name: "batches"), type: "application/json")
                .incomplete(incomplete)
    }

    func tempoTraceV2(_ request: ReadRequest) async throws -> Response {
        let traces = try await tempoTraces(request)
        var reasons = traces.first?.spans.incomplete ?? []
        let isPartial = !reasons.isEmpty
        if try request.query.one("q") != nil {
            reasons.append("q does not narrow a trace here: all its spans are told")
        }
        let message = reasons.joined(separator: "; ")
        if TempoTrace.isProtobuf(request) {
            return .protobuf(
                TempoTrace.response(traces, isPartial: isPartial, message: message)
            )
        }
        return .object { json in
            json.key("trace")
            json.embed(TempoTrace.json(traces, name: "resourceSpans"))
            json.object("metrics") { _ in }
            if isPartial { json.member("status", "PARTIAL") }
            if !message.isEmpty { json.member("message", message) }
        }
    }

    /// The traces of the id in the path, together one: 16 digits find what ends with them.
    private func tempoTraces(_ request: ReadRequest) async throws -> [Trace] {
        // They say where Tempo shall look; here one look-up covers everything.
        _ = try TempoSearch.range(request.query)
        let text = request.path["id"] ?? ""
        let traces = try await traces(text, isRaw: true)
        guard traces.count < 2 else { throw Self.severalTraces(traces) }
        guard !traces.isEmpty else { throw await noTrace(text) }
        return traces
    }
}

/// The forms in which Tempo tells a trace.
enum TempoTrace {
    static func isProtobuf(_ request: ReadRequest) -> Bool {
        request.accept.contains("application/protobuf")
            || request.accept.contains("application/x-protobuf")
    }

    /// `{"<name>":[ResourceSpans…]}`
    static func json(_ traces: [Trace], name: String) -> [UInt8] {
        guard let first = traces.first else { return Array("{}".utf8) }
        return OTLP.encodeJSON(
            first.spans.columns,
            rows: traces.storedRows,
            form: .protobuf,
            name: name
        )
    }

    /// `Trace{1 resourceSpans}`
    static func protobuf(_ traces: [Trace]) -> [UInt8] {
        guard let first = traces.first else { return [] }
        return OTLP.encodeProtobuf(first.spans.columns, rows: traces.storedRows)
    }

    /// `TraceByIDResponse{1 trace, 2 metrics, 3 status, 4 message}`
    static func response(_ traces: [Trace], isPartial: Bool, message: String) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.bytes(1, protobuf(traces))
        writer.message(2) { _ in }
        writer.varint(3, isPartial ? 1 : 0)
        writer.string(4, message)
        return writer.bytes
    }
}

extension Response {
    fileprivate static func protobuf(_ bytes: [UInt8]) -> Response {
        .bytes(bytes, type: "application/protobuf")
    }
}
