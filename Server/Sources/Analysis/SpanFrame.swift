// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// The fields of a trace's spans that its shape and its times depend on. Row `i` is span `i`.
///
/// Adjusters work on this copy; the stored spans stay as they came.
public struct SpanFrame: Sendable {
    /// Span ids.
    public var spanID: [UInt64]
    /// Parent span ids, 0 for none.
    public var parentID: [UInt64]
    /// Nanoseconds since 1970.
    public var start: [UInt64]
    /// Nanoseconds since 1970; never before `start`.
    public var end: [UInt64]
    public var kind: [SpanKind]
    /// A number a service.
    public var service: [UInt32]
    /// A number a host, or `nil` where the resource names none: equal numbers share a clock.
    public var host: [UInt32?]
    /// Nanoseconds that a row's times were moved by.
    public var clockShift: [Int64]
    /// Rows that carried another span's id and have their own here.
    public var isShared: [Bool]
    /// Rows that were sent without a start, ascending: `start` is the time of receiving.
    public var untimed: [Int]
    /// What adjusters found, by row.
    public var warnings: [Int: [String]]

    /// Makes an empty frame with room for `capacity` spans.
    public init(capacity: Int = 0) {
        spanID = []
        parentID = []
        start = []
        end = []
        kind = []
        service = []
        host = []
        clockShift = []
        isShared = []
        untimed = []
        warnings = [:]
        spanID.reserveCapacity(capacity)
        parentID.reserveCapacity(capacity)
        start.reserveCapacity(capacity)
        end.reserveCapacity(capacity)
        kind.reserveCapacity(capacity)
        service.reserveCapacity(capacity)
        host.reserveCapacity(capacity)
    }

    /// Makes a frame of columns, all of one length; an `end` before its `start` reads as `start`.
    public init(
        spanID: [UInt64],
        parentID: [UInt64],
        start: [UInt64],
        end: [UInt64],
        kind: [SpanKind],
        service: [UInt32],
        host: [UInt32?]
    ) {
        self.spanID = spanID
        self.parentID = parentID
        self.start = start
        self.end = zip(start, end).map { max($0, $1) }
        self.kind = kind
        self.service = service
        self.host = host
        clockShift = Array(repeating: 0, count: spanID.count)
        isShared = Array(repeating: false, count: spanID.count)
        untimed = []
        warnings = [:]
    }

    /// Spans.
    public var count: Int { spanID.count }

    /// Adds a span; an `end` before `start` reads as `start`.
    public mutating func append(
        spanID: UInt64,
        parentID: UInt64,
        start: UInt64,
        end: UInt64,
        kind: SpanKind = .unspecified,
        service: UInt32 = 0,
        host: UInt32? = nil,
        isUntimed: Bool = false
    ) {
        if isUntimed { untimed.append(count) }
        self.spanID.append(spanID)
        self.parentID.append(parentID)
        self.start.append(start)
        self.end.append(max(start, end))
        self.kind.append(kind)
        self.service.append(service)
        self.host.append(host)
        clockShift.append(0)
        isShared.append(false)
    }

    /// Notes `warning` of span `row`.
    public mutating func warn(_ row: Int, _ warning: String) {
        warnings[row, default: []].append(warning)
    }
}
