// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import Ingest
internal import SkeinWire
internal import Store

/// OTLP over gRPC: the `Export` calls of traces, metrics and logs.
///
/// Messages come through a `GRPCMessageGate`: plain, within the limits, their bytes reserved.
struct OTLPGRPCService: RegistrableRPCService {
    let ingest: Ingest

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for signal in OTLP.Signal.all {
            router.registerHandler(
                forMethod: MethodDescriptor(
                    fullyQualifiedService: signal.serviceName,
                    method: "Export"
                ),
                deserializer: PayloadDeserializer(),
                serializer: PayloadSerializer()
            ) { request, _ in
                try await answer(request, signal)
            }
        }
    }

    private func answer(
        _ request: StreamingServerRequest<[UInt8]>,
        _ signal: OTLP.Signal
    ) async throws -> StreamingServerResponse<[UInt8]> {
        let single = try await ServerRequest(stream: request)
        guard signal.isKept else {
            ingest.counters.count(.otlpGRPC, .notKept)
            return success(rejected: 0, message: signal.notKeptMessage)
        }
        let outcome = await ingest.accept(
            single.message,
            format: signal == .metrics ? .callsProtobuf : .otlpProtobuf,
            by: .otlpGRPC
        )
        switch outcome {
        case .accepted(_, let rejected, let reason):
            return success(rejected: rejected, message: reason ?? "")
        case .notKept:
            return success(rejected: 0, message: signal.notKeptMessage)
        case .malformed(let reason):
            return failure(.invalidArgument, reason)
        case .overloaded(let seconds):
            return overloaded(seconds, "the server is busy")
        case .storageFailed(let reason):
            return overloaded(30, "the spans cannot be stored: \(reason)")
        case .closed:
            return overloaded(1, "the server is stopping")
        }
    }

    private func success(rejected: Int, message: String) -> StreamingServerResponse<[UInt8]> {
        let body = OTLP.exportResponse(rejected: rejected, message: message, format: .protobuf)
        return StreamingServerResponse(single: ServerResponse(message: body))
    }

    /// UNAVAILABLE with the time to wait: every client tries that again, and new ones wait as told.
    private func overloaded(
        _ retryAfterSeconds: Int,
        _ message: String
    ) -> StreamingServerResponse<[UInt8]> {
        let details = OTLP.status(
            code: StatusCodeNumber.unavailable.rawValue,
            message: message,
            retryDelaySeconds: retryAfterSeconds,
            format: .protobuf
        )
        return failure(.unavailable, message, ["grpc-status-details-bin": .binary(details)])
    }

    private func failure(
        _ code: RPCError.Code,
        _ message: String,
        _ metadata: Metadata = [:]
    ) -> StreamingServerResponse<[UInt8]> {
        StreamingServerResponse(error: RPCError(code: code, message: message, metadata: metadata))
    }
}

extension OTLP.Signal {
    /// The gRPC service that takes this signal.
    fileprivate var serviceName: String {
        switch self {
        case .traces: "opentelemetry.proto.collector.trace.v1.TraceService"
        case .metrics: "opentelemetry.proto.collector.metrics.v1.MetricsService"
        case .logs: "opentelemetry.proto.collector.logs.v1.LogsService"
        }
    }
}
