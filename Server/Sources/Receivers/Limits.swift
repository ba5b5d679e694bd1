// SPDX-License-Identifier: Apache-2.0

/// The numbers that bound what a connection may cost.
public struct ReceiverLimits: Sendable {
    /// Bytes of one header field. Ours need a few hundred.
    public var headerFieldByteCount = 16 << 10
    /// Bytes of all header fields of a request.
    public var headerListByteCount = 64 << 10
    /// Header fields of a request.
    public var headerFieldCount = 128
    /// Connections of one listener. More wait in the kernel's backlog until one closes.
    public var connectionCount = 4096
    /// Connections the kernel holds for us before we accept them.
    public var backlog = 1024
    /// Seconds from accepting a connection to its first whole request head.
    public var firstHeadSeconds = 10
    /// Seconds without a request on a connection that has had one.
    public var idleSeconds = 120
    /// Seconds before a body must have come in at the rate below.
    public var bodyGraceSeconds = 30
    /// Bytes a second a body must keep up after the grace.
    public var bodyBytesPerSecond = 1024
    /// Seconds a client may leave our answer unread.
    public var stalledWriteSeconds = 60
    /// Seconds between two looks at a connection's times: what those times are exact to.
    public var watchSeconds = 2
    /// Seconds to read on after an answer that closes the connection, so that a client still sending
    /// its body can read the answer instead of meeting a reset.
    public var lingerSeconds = 2
    /// Seconds a body may still come in once the server stops.
    public var stopBodySeconds = 1
    /// Bytes of memory taken for a body before it comes, however long it is said to be.
    public var bodyRoomByteCount = 1 << 20
    /// Bytes of a plain body that is decoded on its connection's event loop: below a millisecond.
    public var inlineByteCount = 1 << 20
    /// Bytes reserved for a body of unknown length before it begins; it grows from there.
    public var chunkedBodyByteCount = 64 << 10
    /// Milliseconds a Zipkin request waits for room: below the 10 s after which its senders give up.
    public var zipkinPatienceMilliseconds = 8_000
    /// Streams of one HTTP/2 connection at once.
    public var streamCount = 100
    /// Streams at once of an HTTP/2 connection that asks: each may hold an answer of many traces.
    public var readStreamCount = 16
    /// Bytes of a question over gRPC: a query's longest text and a filter with its most conditions
    /// are far below.
    public var questionByteCount = 256 << 10
    /// Bytes of all questions of a port that are being read or answered.
    public var questionsByteCount = 64 << 20
    /// Bytes of an HTTP/2 connection's and stream's window: a whole large batch in one round trip.
    public var windowByteCount = 8 << 20
    /// Bytes of one HTTP/2 frame: fewer, larger frames cost a fifth of the default's time.
    public var frameByteCount = 1 << 20
    /// Seconds an HTTP/2 connection may have no stream.
    public var grpcIdleSeconds = 300
    /// Seconds open streams have to finish when the server stops.
    public var grpcGraceSeconds = 2

    /// The defaults.
    public init() {}
}
