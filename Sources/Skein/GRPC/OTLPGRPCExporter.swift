// SPDX-License-Identifier: Apache-2.0

#if GRPC
internal import GRPCCore

/// Exports OTLP over gRPC: one call for each batch, packed by gzip where the endpoint says so.
///
/// Waiting and repeating are the pipeline's: nothing is repeated underneath. An answer is read up to
/// 64 KiB. Its own calls are never traced. `shutdown` must be called before the exporter goes away; a
/// pipeline does that.
///
/// Call statistics go to the service of metrics: over the same connection, unless the endpoint has
/// another address for them.
public final class OTLPGRPCExporter: CallStatisticsExporter {
    private let spans: GRPCSender
    private let statistics: GRPCSender

    /// Makes an exporter with a connection of its own; it is opened for the first batch.
    ///
    /// Of the endpoint's addresses, scheme, host and port count: `https` is encrypted, and without a
    /// port it is 4317.
    public init(_ endpoint: OTLPEndpoint = OTLPEndpoint(grpcURL: "http://127.0.0.1:4317")) {
        spans = GRPCSender(endpoint.tracesURL, endpoint)
        statistics =
            endpoint.metricsURL == endpoint.tracesURL
            ? spans : GRPCSender(endpoint.metricsURL, endpoint)
    }

    public func encode(_ spans: [SpanRecord]) -> [UInt8] { OTLPRequest.encode(spans) }

    public func encode(_ spans: RecordedSpans) -> [UInt8] { OTLPRequest.encode(spans) }

    public func encode(_ window: CallWindow) -> [UInt8] { OTLPRequest.encode(window) }

    public func send(_ payload: [UInt8]) async -> ExportOutcome {
        await spans.export(payload, to: "opentelemetry.proto.collector.trace.v1.TraceService")
    }

    public func send(statistics payload: [UInt8]) async -> ExportOutcome {
        await statistics.export(
            payload,
            to: "opentelemetry.proto.collector.metrics.v1.MetricsService"
        )
    }

    public func shutdown() async {
        await spans.shutdown()
        await statistics.shutdown()
    }
}

/// What a receiver's refusal means, by OTLP's table of codes.
struct GRPCRefusal {
    private let error: RPCError

    init(_ error: RPCError) { self.error = error }

    var outcome: ExportOutcome {
        let message = "the receiver answered \(error.code): \(error.message.prefix(1_024))"
        let delay = requestedDelay
        switch error.code {
        case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss:
            return .retryable(after: delay, message: message)
        case .resourceExhausted where delay != nil:
            // Without a time to wait for, what is exhausted does not come back.
            return .retryable(after: delay, message: message)
        default: return .refused(message: message)
        }
    }

    /// When to come back, by any of the ways there are to say it.
    private var requestedDelay: Duration? {
        for details in error.metadata[binaryValues: "grpc-status-details-bin"] {
            if let delay = RetryInfo.delay(inStatus: details) { return delay }
        }
        if let text = first("grpc-retry-pushback-ms"), let count = Int32(text), count >= 0 {
            return .milliseconds(count)
        }
        if let text = first("retry-after"), let count = Int32(text), count >= 0 {
            return .seconds(count)
        }
        return nil
    }

    private func first(_ key: String) -> String? {
        error.metadata[stringValues: key].first { _ in true }
    }
}

/// `google.rpc.RetryInfo` within a `google.rpc.Status`: field 3 holds details, each an `Any` of a type's
/// name (1) and its bytes (2); those hold a `Duration` (1) of seconds (1) and nanoseconds (2).
enum RetryInfo {
    static func delay(inStatus bytes: [UInt8]) -> Duration? {
        var status = FieldReader(bytes[...])
        while let (number, field) = status.next() {
            guard number == 3, case .bytes(let detail) = field else { continue }
            var type: ArraySlice<UInt8> = []
            var value: ArraySlice<UInt8> = []
            var parts = FieldReader(detail)
            while let (number, field) = parts.next() {
                guard case .bytes(let bytes) = field else { continue }
                if number == 1 { type = bytes } else if number == 2 { value = bytes }
            }
            if type.ends(with: "google.rpc.RetryInfo") { return delay(in: value) }
        }
        return nil
    }

    private static func delay(in info: ArraySlice<UInt8>) -> Duration? {
        var outer = FieldReader(info)
        while let (number, field) = outer.next() {
            guard number == 1, case .bytes(let duration) = field else { continue }
            var sum = Duration.zero
            var inner = FieldReader(duration)
            while let (number, field) = inner.next() {
                guard case .varint(let raw) = field, let count = Int32(exactly: raw) else {
                    continue
                }
                if number == 1 { sum += .seconds(count) }
                if number == 2 { sum += .nanoseconds(count) }
            }
            return sum
        }
        return nil
    }
}

extension ArraySlice<UInt8> {
    fileprivate func ends(with text: StaticString) -> Bool {
        suffix(text.utf8CodeUnitCount).elementsEqual("\(text)".utf8)
    }
}
#endif
