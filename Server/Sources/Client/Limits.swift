// SPDX-License-Identifier: Apache-2.0

/// Every bound of the client.
enum Limits {
    /// Bytes read from a file at once.
    static let readByteCount = 256 * 1024
    /// Bytes looked at to tell a file's format.
    static let headByteCount = 4 * 1024
    /// Bytes of one element of a file: a span, a trace, a resource with its spans, a corpus record,
    /// a line. The same as a server takes in one request.
    static let elementByteCount = 64 << 20
    /// Bytes of elements decoded together; an element that is larger goes alone.
    static let groupByteCount = 1 << 20
    /// Rows of a CSV file decoded together.
    static let groupRowCount = 4_096
    /// Bytes of a receiver's answer to one request.
    static let answerByteCount = 4 << 20
    /// Bytes of one answer of the native API: a trace of about 300,000 spans as JSON.
    static let queryAnswerByteCount = 512 << 20
    /// Times a request is sent. With the waits below a receiver has 25 seconds to come back.
    static let sendAttempts = 10
    /// Times the very first request is sent: a wrong address is told within a second.
    static let firstSendAttempts = 3
    /// The first wait between two attempts, in milliseconds; it doubles each time.
    static let firstWaitMilliseconds = 200
    /// The longest wait of our own, in milliseconds.
    static let longestWaitMilliseconds = 5_000
    /// The longest wait a receiver can ask for, in seconds.
    static let longestRetryAfterSeconds = 60
    /// Seconds until a request without an answer counts as failed.
    static let requestTimeoutSeconds: Int64 = 60
    /// Bytes of one line of a tail: a trace with a thousand spans told.
    static let eventLineByteCount = 16 << 20
    /// Bytes at the end of an export that are kept to read its counts from: with reasons for what is
    /// missing, a sentence each.
    static let exportEndByteCount = 256 << 10
}
