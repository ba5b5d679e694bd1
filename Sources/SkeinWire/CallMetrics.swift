// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// Call statistics out of an OTLP metrics request.
public struct DecodedCalls: Sendable {
    /// What was counted; `nil` where the request holds no call statistics of Skein's.
    public var counts: CallCounts?
    /// Points of call statistics that were refused one by one.
    public var rejected = 0
    /// Why the first of them was; empty where none was.
    public var rejectionReason = ""
    /// The request holds other metrics too.
    public var hasOthers = false
}

/// The one metric that is understood: what `Skein`'s `OTLPRequest.encode(_: CallWindow)` writes.
///
/// | what | has to be |
/// |---|---|
/// | scope | name `skein.calls`; attributes `skein.sender`, 32 hexadecimal digits, and `skein.window`, an int; one such pair in a request |
/// | metric | `traces.span.metrics.duration`, unit `ns`, exponential histogram of delta temporality |
/// | resource attribute `service.name` | a text |
/// | point attributes | `span.name` or `otel.metric.overflow`; `span.kind` of a call; `status.code` |
/// | | `peer.service` and `server.address` where they are known; the latter is not told apart here |
/// | point | scale 6, no negative buckets, count = zero count + all buckets, a finite sum |
enum CallMetric {
    static let scope = "skein.calls"
    static let name = "traces.span.metrics.duration"
    static let unit = "ns"
    static let scale: Int64 = 6
    static let deltaTemporality: UInt64 = 1

    static func kind(_ text: String) -> SpanKind? {
        switch text {
        case "SPAN_KIND_SERVER": .server
        case "SPAN_KIND_CLIENT": .client
        case "SPAN_KIND_PRODUCER": .producer
        case "SPAN_KIND_CONSUMER": .consumer
        default: nil
        }
    }
}

/// A scope's attributes, as far as they matter here.
struct CallScope {
    var name = ""
    var sender: TraceID?
    var window: UInt64?

    var isOurs: Bool { name == CallMetric.scope }

    mutating func set(_ key: String, text: String) {
        guard key == "skein.sender" else { return }
        sender = text.utf8.count == 32 ? TraceID(hex: text) : nil
    }

    mutating func set(_ key: String, number: Int64) {
        if key == "skein.window" { window = UInt64(exactly: number) }
    }
}

/// One point of the metric, as it stands in the request.
struct CallPoint {
    var operation: String?
    var kind: SpanKind?
    var isError = false
    var isOverflow = false
    var peer: String?
    var start: UInt64 = 0
    var count: UInt64 = 0
    var sum = 0.0
    var max = 0.0
    var scale: Int64 = 0
    var zeroCount: UInt64 = 0
    var offset: Int64 = 0
    var buckets: [UInt64] = []
    var hasNegatives = false
    var nameByteCount = 0

    mutating func set(_ key: String, text: String) {
        nameByteCount = Swift.max(nameByteCount, text.utf8.count)
        switch key {
        case "span.name": operation = text
        case "span.kind": kind = CallMetric.kind(text)
        case "status.code": isError = text == "STATUS_CODE_ERROR"
        case "peer.service": peer = text.isEmpty ? nil : text
        default: break
        }
    }

    mutating func set(_ key: String, flag: Bool) {
        if key == "otel.metric.overflow" { isOverflow = flag }
    }
}

/// Gathers what the decoders of both encodings find.
struct CallMetricsBuilder {
    private let limits: DecodeLimits
    private(set) var result = DecodedCalls()
    private var service: String?
    private var bucketsLeft: Int

    init(limits: DecodeLimits) {
        self.limits = limits
        bucketsLeft = limits.callBucketsPerPayload
    }

    /// Buckets that the next point may have.
    var bucketLimit: Int { Swift.min(bucketsLeft, LatencyBucket.count + 1) }

    mutating func beginResource(service: String?) { self.service = service }

    mutating func noteOther() { result.hasOthers = true }

    /// Notes a scope of ours.
    ///
    /// - Returns: whether its points count; if not they are to be rejected.
    mutating func begin(_ scope: CallScope, start: UInt64) -> Bool {
        guard let sender = scope.sender, let window = scope.window, window > 0 else {
            return false
        }
        if let known = result.counts { return known.sender == sender && known.window == window }
        result.counts = CallCounts(sender: sender, window: window, start: start)
        return true
    }

    mutating func reject(_ reason: String) {
        result.rejected += 1
        if result.rejectionReason.isEmpty { result.rejectionReason = reason }
    }

    /// Takes a point of a scope of ours.
    mutating func add(_ point: CallPoint, of scope: CallScope) {
        guard begin(scope, start: point.start) else {
            return reject("a request has one skein.sender and one skein.window, and has them right")
        }
        if let problem = problem(of: point) { return reject(problem) }
        guard let service, let kind = point.kind, let sum = UInt64(exactly: point.sum.rounded())
        else { return reject("service.name is missing, or a sum is out of range") }
        var row = CallCounts.Row(
            service: service,
            operation: point.operation,
            kind: kind,
            isError: point.isError,
            peer: point.peer,
            durationSum: sum,
            longest: UInt64(exactly: point.max.rounded()) ?? 0
        )
        row.durations.add(bucket: nil, times: point.zeroCount)
        for (place, times) in point.buckets.enumerated() where times > 0 {
            // 1 ns lies in bucket -1 there and in bucket 0 here.
            row.durations.add(bucket: Swift.max(0, Int(point.offset) + place), times: times)
        }
        bucketsLeft -= row.durations.width
        result.counts?.rows.append(row)
    }

    private func problem(of point: CallPoint) -> String? {
        guard (result.counts?.rows.count ?? 0) < limits.callRowsPerPayload else {
            return "a request may have \(limits.callRowsPerPayload) points"
        }
        guard point.operation != nil || point.isOverflow else { return "span.name is missing" }
        guard point.kind != nil else { return "span.kind is none of a call" }
        guard Swift.max(point.nameByteCount, service?.utf8.count ?? 0) <= limits.callNameByteCount
        else { return "a name may have \(limits.callNameByteCount) bytes" }
        guard point.scale == CallMetric.scale else { return "the scale must be 6" }
        guard !point.hasNegatives else { return "there are no negative durations" }
        guard point.buckets.count <= bucketLimit else {
            return "a request may have \(limits.callBucketsPerPayload) buckets"
        }
        let first = point.offset + Int64(point.buckets.prefix { $0 == 0 }.count)
        let trailing = Int64(point.buckets.reversed().prefix { $0 == 0 }.count)
        let last = point.offset + Int64(point.buckets.count) - trailing - 1
        guard last < first || (first >= -1 && last < Int64(LatencyBucket.count)) else {
            return "a bucket is out of range"
        }
        var count = point.zeroCount
        for times in point.buckets {
            let (sum, overflow) = count.addingReportingOverflow(times)
            guard !overflow else { return "a count is out of range" }
            count = sum
        }
        guard count == point.count, count > 0, count <= UInt64(Int64.max) >> 8 else {
            return "the count is not that of all buckets"
        }
        guard point.sum.isFinite, point.sum >= 0, point.max.isFinite, point.max >= 0 else {
            return "a sum is out of range"
        }
        return nil
    }
}

extension OTLP {
    /// Finds call statistics in an `ExportMetricsServiceRequest`; other metrics are passed over.
    ///
    /// - Throws: `WireError` where the request is refused whole.
    public static func decodeCalls(
        _ bytes: UnsafeRawBufferPointer,
        format: Format,
        limits: DecodeLimits = .standard
    ) throws(WireError) -> DecodedCalls {
        guard bytes.count <= limits.payloadByteCount else {
            throw .tooLarge(bytes.count, limits)
        }
        switch format {
        case .protobuf:
            var decoder = CallProtobufDecoder(limits: limits)
            do throws(ProtobufFault) { try decoder.request(bytes) } catch {
                throw error.error(limits)
            }
            return decoder.builder.result
        case .json:
            var decoder = CallJSONDecoder(bytes, limits: limits)
            do throws(JSONFault) { try decoder.request() } catch { throw decoder.error(error) }
            return decoder.builder.result
        }
    }
}
