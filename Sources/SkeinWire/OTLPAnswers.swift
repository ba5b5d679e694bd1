// SPDX-License-Identifier: Apache-2.0

extension OTLP {
    /// What a request carried. The answers differ in one JSON name only.
    public enum Signal: Sendable, Hashable {
        case traces, metrics, logs

        fileprivate var rejectedName: String {
            switch self {
            case .traces: "rejectedSpans"
            case .metrics: "rejectedDataPoints"
            case .logs: "rejectedLogRecords"
            }
        }
    }

    /// Encodes an export response: empty for full success, with `partial_success` otherwise.
    ///
    /// - Parameters:
    ///   - rejected: Spans, data points or log records that were refused.
    ///   - message: Why, in English; with nothing rejected it is a warning.
    ///   - format: The encoding of the request.
    ///   - signal: What the request carried.
    /// - Returns: The body of the answer.
    public static func exportResponse(
        rejected: Int,
        message: String,
        format: Format,
        signal: Signal = .traces
    ) -> [UInt8] {
        let rejected = max(rejected, 0)
        let isPartial = rejected > 0 || !message.isEmpty
        switch format {
        case .protobuf:
            var writer = ProtobufWriter()
            guard isPartial else { return [] }
            let mark = writer.begin(1)
            writer.varint(1, UInt64(rejected))
            writer.string(2, message)
            writer.end(mark)
            return writer.bytes
        case .json:
            var json = JSONWriter()
            json.beginObject()
            if isPartial {
                json.key("partialSuccess")
                json.beginObject()
                if rejected > 0 {
                    json.key(signal.rejectedName)
                    json.uintText(UInt64(rejected))
                }
                if !message.isEmpty {
                    json.key("errorMessage")
                    json.string(message)
                }
                json.endObject()
            }
            json.endObject()
            return json.bytes
        }
    }

    private static let retryInfoType = "type.googleapis.com/google.rpc.RetryInfo"

    /// Encodes a `google.rpc.Status`, the body of every refusal.
    ///
    /// - Parameters:
    ///   - code: A gRPC status code.
    ///   - message: What was wrong, where, and what to do, in English.
    ///   - retryDelaySeconds: Adds a `RetryInfo`: the sender may try again after so long.
    ///   - format: The encoding of the request.
    /// - Returns: The body of the answer.
    public static func status(
        code: Int,
        message: String,
        retryDelaySeconds: Int? = nil,
        format: Format
    ) -> [UInt8] {
        switch format {
        case .protobuf:
            var writer = ProtobufWriter()
            writer.varint(1, UInt64(max(code, 0)))
            writer.string(2, message)
            if let seconds = retryDelaySeconds {
                let any = writer.begin(3)
                writer.string(1, retryInfoType)
                let info = writer.begin(2)
                let delay = writer.begin(1)
                writer.varint(1, UInt64(max(seconds, 0)))
                writer.end(delay)
                writer.end(info)
                writer.end(any)
            }
            return writer.bytes
        case .json:
            var json = JSONWriter()
            json.beginObject()
            json.key("code")
            json.int(Int64(code))
            json.key("message")
            json.string(message)
            if let seconds = retryDelaySeconds {
                json.key("details")
                json.beginArray()
                json.beginObject()
                json.key("@type")
                json.string(retryInfoType)
                json.key("retryDelay")
                json.string("\(max(seconds, 0))s")
                json.endObject()
                json.endArray()
            }
            json.endObject()
            return json.bytes
        }
    }
}
