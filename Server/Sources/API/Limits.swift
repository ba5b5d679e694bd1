// SPDX-License-Identifier: Apache-2.0

/// Bounds of one request.
enum RequestLimits {
    /// Parameters of one request: a search has a dozen, and a tag each.
    static let parameterCount = 200
    /// Bytes of the query part of an address.
    static let queryByteCount = 65_536
    /// Traces asked for by id in one request.
    static let traceIDCount = 1_000
    /// Spans in one answer of whole traces, beyond the first trace: about 300 MB of JSON.
    static let answerSpanCount = 300_000
    /// Points of one metric: a week by the minute.
    static let metricPointCount: UInt64 = 10_080
    /// Steps that the window of one point may have: each is a read of its own.
    static let metricWidthSteps: UInt64 = 60
    /// Parts of a Zipkin annotation query.
    static let annotationPartCount = 100
    /// Names of values in one list.
    static let valueCount = 1...10_000
}
