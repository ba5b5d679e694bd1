// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinWire
import Testing

/// Call statistics in OTLP metrics: the one shape that is taken, and everything else.
@Suite struct CallMetricsTests {
    private typealias P = ProtobufBytes

    /// A request with one point, each part of which a test may change.
    private struct Sample {
        var scope = "skein.calls"
        var sender = "000000000000000a000000000000000b"
        var window: UInt64 = 7
        var metric = "traces.span.metrics.duration"
        var unit = "ns"
        var temporality: UInt64 = 1
        var service = "shop"
        var name: String? = "GET /"
        var kind = "SPAN_KIND_CLIENT"
        var status = "STATUS_CODE_ERROR"
        var peer = "stock"
        var scale = 6
        var offset = 640
        var zeros: UInt64 = 2
        var buckets: [UInt64] = [1, 0, 300]
        var count: UInt64 = 303
        var sum = 400_000.0
        var longest = 2_000.0

        private static func zigZag(_ value: Int) -> UInt64 {
            UInt64(bitPattern: Int64(value << 1 ^ value >> 63))
        }

        private static func pair(_ key: String, _ value: [UInt8]) -> [UInt8] {
            P.text(1, key) + P.bytes(2, value)
        }

        var protobuf: [UInt8] {
            var point: [UInt8] = []
            if let name { point += P.bytes(1, Self.pair("span.name", P.text(1, name))) }
            point += P.bytes(1, Self.pair("span.kind", P.text(1, kind)))
            point += P.bytes(1, Self.pair("status.code", P.text(1, status)))
            point += P.bytes(1, Self.pair("peer.service", P.text(1, peer)))
            point += P.fixed64(2, 1_700_000_000_000_000_000) + P.fixed64(4, count)
            point += P.fixed64(5, sum.bitPattern) + P.number(6, Self.zigZag(scale))
            point += P.fixed64(7, zeros)
            let counts = buckets.flatMap { P.varint($0) }
            point += P.bytes(8, P.number(1, Self.zigZag(offset)) + P.bytes(2, counts))
            point += P.fixed64(13, longest.bitPattern)
            let histogram = P.bytes(1, point) + P.number(2, temporality)
            let own = P.text(1, metric) + P.text(3, unit) + P.bytes(10, histogram)
            let head =
                P.text(1, scope) + P.bytes(3, Self.pair("skein.sender", P.text(1, sender)))
                + P.bytes(3, Self.pair("skein.window", P.number(3, window)))
            let resource = P.bytes(1, Self.pair("service.name", P.text(1, service)))
            return P.bytes(
                1,
                P.bytes(1, resource) + P.bytes(2, P.bytes(1, head) + P.bytes(2, own))
            )
        }

        /// What comes first in protobuf comes last here.
        var json: String {
            let own = name.map { #"{"key":"span.name","value":{"stringValue":"\#($0)"}},"# } ?? ""
            return """
                {"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"exponentialHistogram":{"dataPoints":[\
                {"max":\(longest),"positive":{"bucketCounts":\(buckets.map { "\($0)" }),\
                "offset":\(offset)},"zeroCount":"\(zeros)","scale":\(scale),"sum":\(sum),\
                "count":"\(count)","startTimeUnixNano":"1700000000000000000","attributes":[\(own)\
                {"key":"span.kind","value":{"stringValue":"\(kind)"}},\
                {"key":"status.code","value":{"stringValue":"\(status)"}},\
                {"key":"peer.service","value":{"stringValue":"\(peer)"}}]}],\
                "aggregationTemporality":\(temporality)},"unit":"\(unit)","name":"\(metric)"}],\
                "scope":{"attributes":[{"key":"skein.sender","value":{"stringValue":"\(sender)"}},\
                {"key":"skein.window","value":{"intValue":"\(window)"}}],"name":"\(scope)"}}],\
                "resource":{"attributes":[{"key":"service.name",\
                "value":{"stringValue":"\(service)"}}]}}]}
                """
        }

        func decode(_ format: OTLP.Format) throws -> DecodedCalls {
            try OTLP.decodeCalls(format == .json ? Array(json.utf8) : protobuf, format: format)
        }
    }

    @Test(arguments: [OTLP.Format.protobuf, .json])
    func `what the SDK documents is taken`(format: OTLP.Format) throws {
        let decoded = try Sample().decode(format)
        #expect(decoded.rejected == 0 && !decoded.hasOthers)
        let counts = try #require(decoded.counts)
        #expect(counts.sender == TraceID(high: 10, low: 11))
        #expect(counts.window == 7)
        #expect(counts.start == 1_700_000_000_000_000_000)
        let row = try #require(counts.rows.first)
        #expect(counts.rows.count == 1)
        #expect(row.service == "shop" && row.operation == "GET /" && row.peer == "stock")
        #expect(row.kind == .client && row.isError)
        #expect(row.durationSum == 400_000 && row.longest == 2_000)
        #expect(row.durations.zeroCount == 2 && row.durations.count == 303)
        #expect(row.durations.buckets.map(\.index) == [640, 642])
        #expect(row.durations.buckets.map(\.count) == [1, 300])
    }

    /// Each point of these is rejected, and nothing else is wrong.
    @Test(
        arguments: [
            { $0.scale = 5 }, { $0.count = 4 }, { $0.temporality = 2 }, { $0.sum = .nan },
            { $0.sum = -1 }, { $0.sum = 1e30 }, { $0.kind = "SPAN_KIND_INTERNAL" },
            { $0.name = nil }, { $0.sender = "12" }, { $0.window = 0 }, { $0.offset = -2 },
            { $0.offset = 4_094 }, { $0.longest = .infinity },
            { $0.buckets = [.max, 1, 0] }, { $0.name = String(repeating: "x", count: 1_025) },
            { $0.buckets = Array(repeating: 1, count: 5_000) },
        ] as [@Sendable (inout Sample) -> Void]
    )
    private func `what is not of this shape is rejected`(
        change: @Sendable (inout Sample) -> Void
    ) throws {
        var sample = Sample()
        change(&sample)
        let decoded = try sample.decode(.protobuf)
        #expect(decoded.rejected == 1)
        #expect(!decoded.rejectionReason.isEmpty)
        #expect(decoded.counts?.rows.isEmpty ?? true)
    }

    @Test(
        arguments: [
            { $0.scope = "other" }, { $0.metric = "http.server.duration" }, { $0.unit = "ms" },
        ] as [@Sendable (inout Sample) -> Void]
    )
    private func `other metrics are passed over`(change: @Sendable (inout Sample) -> Void) throws {
        var sample = Sample()
        change(&sample)
        for format in [OTLP.Format.protobuf, .json] {
            let decoded = try sample.decode(format)
            #expect(decoded.counts == nil && decoded.hasOthers && decoded.rejected == 0)
        }
    }

    @Test func `an overflow point has no operation`() throws {
        var sample = Sample()
        sample.name = nil
        let text = sample.json.replacing(
            #"{"key":"span.kind""#,
            with: #"{"key":"otel.metric.overflow","value":{"boolValue":true}},{"key":"span.kind""#
        )
        let decoded = try OTLP.decodeCalls(Array(text.utf8), format: .json)
        #expect(decoded.counts?.rows.map(\.operation) == [nil])
    }

    @Test func `every truncation throws`() {
        let sample = Sample()
        for count in 1..<sample.protobuf.count {
            #expect(throws: WireError.self, "cut at byte \(count)") {
                _ = try OTLP.decodeCalls(Array(sample.protobuf[..<count]), format: .protobuf)
            }
        }
        let json = Array(sample.json.utf8)
        for count in 0..<json.count {
            #expect(throws: WireError.self, "cut at byte \(count)") {
                _ = try OTLP.decodeCalls(Array(json[..<count]), format: .json)
            }
        }
    }

    /// Whatever comes of it, it is an answer.
    @Test func `no changed byte brings the decoder down`() {
        for format in [OTLP.Format.protobuf, .json] {
            let whole = format == .json ? Array(Sample().json.utf8) : Sample().protobuf
            var answers = 0
            for place in whole.indices {
                for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF, whole[place] ^ 0x10] {
                    var bytes = whole
                    bytes[place] = value
                    if (try? OTLP.decodeCalls(bytes, format: format)) != nil { answers += 1 }
                }
            }
            #expect(answers > 0)
        }
    }

    @Test func `what one request may hold is bounded`() throws {
        var limits = DecodeLimits()
        limits.callRowsPerPayload = 3
        let sample = Sample().protobuf
        let many = (0..<5).flatMap { _ in sample }
        let decoded = try OTLP.decodeCalls(many, format: .protobuf, limits: limits)
        #expect(decoded.counts?.rows.count == 3 && decoded.rejected == 2)
        limits = DecodeLimits()
        limits.callBucketsPerPayload = 7
        let few = try OTLP.decodeCalls(many, format: .protobuf, limits: limits)
        #expect(few.counts?.rows.count == 2 && few.rejected == 3)
    }
}
