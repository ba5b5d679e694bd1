// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel

// Call statistics as OTLP's metrics. Field numbers are those of opentelemetry/proto/metrics/v1 and
// collector/metrics/v1.

extension OTLPRequest {
    /// The `ExportMetricsServiceRequest` of a window: one `ResourceMetrics` for each service, with one
    /// scope and one metric.
    ///
    /// | what | value |
    /// |---|---|
    /// | scope | name `skein.calls`, version of the SDK |
    /// | scope attribute `skein.sender` | 32 hexadecimal digits: a random number of the sender |
    /// | scope attribute `skein.window` | int: which of the sender's windows this is, from 1 |
    /// | metric | `traces.span.metrics.duration`, unit `ns` |
    /// | data | exponential histogram, delta temporality, scale 6 |
    /// | point attribute `span.name` | the operation; absent beyond the limit of those told apart |
    /// | `otel.metric.overflow` | `true` where `span.name` is absent |
    /// | `span.kind` | `SPAN_KIND_SERVER`, `SPAN_KIND_CLIENT`, `SPAN_KIND_PRODUCER`, `SPAN_KIND_CONSUMER` |
    /// | `status.code` | `STATUS_CODE_ERROR`, or `STATUS_CODE_UNSET` for all others |
    /// | `peer.service` | the service at the other end; absent where it is not known |
    /// | `server.address` | the address at the other end, where no service is known |
    /// | point | start and end of the window, count, sum, max, zero count, positive buckets |
    ///
    /// Metric and attributes have the names that OpenTelemetry's span metrics connector gives them, so
    /// other receivers can use them; errors are points of their own there too. Sender and window let
    /// Skein's server count a window once, however often it is sent.
    public static func encode(_ window: CallWindow) -> [UInt8] {
        var writer = ProtobufWriter(capacity: window.byteCount)
        for service in window.services {
            writer.message(1, lengthDigitCount: 3) { writer in
                writer.message(1, encoded: service.resource.encoded)
                writer.message(2, lengthDigitCount: 3) { writer in
                    writer.message(1) { $0.callScope(of: window) }
                    writer.message(2, lengthDigitCount: 3) { $0.callMetric(service, window) }
                }
            }
        }
        return writer.bytes
    }
}

extension ProtobufWriter {
    fileprivate mutating func callScope(of window: CallWindow) {
        string(1, "skein.calls")
        string(2, SDKVersion.text)
        text(3, "skein.sender", window.sender.hex)
        message(3) { writer in
            writer.string(1, "skein.window")
            writer.message(2) { $0.presentVarint(3, window.number) }
        }
    }

    fileprivate mutating func callMetric(_ service: CallWindow.Service, _ window: CallWindow) {
        string(1, "traces.span.metrics.duration")
        string(2, "Durations of all calls, sampled or not")
        string(3, "ns")
        message(10, lengthDigitCount: 3) { writer in
            for row in service.rows {
                writer.message(1, lengthDigitCount: 2) { $0.callPoint(row, window) }
            }
            // Delta: what was counted in this window alone.
            writer.varint(2, 1)
        }
    }

    private mutating func callPoint(_ row: CallWindow.Row, _ window: CallWindow) {
        if let operation = row.operation {
            text(1, "span.name", operation)
        } else {
            message(1) { writer in
                writer.string(1, "otel.metric.overflow")
                writer.message(2) { $0.presentVarint(2, 1) }
            }
        }
        text(1, "span.kind", "SPAN_KIND_" + row.kind.word.uppercased())
        text(1, "status.code", row.isError ? "STATUS_CODE_ERROR" : "STATUS_CODE_UNSET")
        if !row.peerService.isEmpty { text(1, "peer.service", row.peerService) }
        if !row.peerAddress.isEmpty { text(1, "server.address", row.peerAddress) }
        fixed64(2, window.start)
        fixed64(3, window.end)
        fixed64(4, row.callCount)
        fixed64(5, Double(row.durationSum).bitPattern)
        zigZag(6, CallBuckets.scale)
        fixed64(7, row.zeroCount)
        message(8, lengthDigitCount: 2) { writer in
            writer.zigZag(1, row.bucketOffset)
            writer.packed(2, row.bucketCounts)
        }
        fixed64(13, Double(row.longest).bitPattern)
    }

    private mutating func text(_ field: UInt8, _ key: String, _ value: String) {
        message(field) { writer in
            writer.string(1, key)
            writer.message(2) { $0.presentString(1, value) }
        }
    }

    /// An sint32 field.
    private mutating func zigZag(_ field: UInt8, _ value: Int) {
        varint(field, UInt64(bitPattern: Int64(value << 1 ^ value >> 63)))
    }
}
