// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import SkeinModel

/// One trace as the native API's columns tell it: depth first, clocks corrected.
public struct TraceColumns: Sendable {
    /// One span, in display order.
    public struct Span: Sendable {
        /// The place of the parent, before this one; -1 for a root.
        public var parent: Int
        /// Nanoseconds after the start of the trace.
        public var start: UInt64
        /// Nanoseconds.
        public var duration: UInt64
        /// An index of `names`.
        public var name: Int
        /// An index of `services`.
        public var service: Int
        public var isError: Bool
        /// Whether the parent it names was not received.
        public var isParentMissing: Bool
        /// Whether its times were corrected.
        public var isClockAdjusted: Bool
    }

    public var traceID: String
    /// Nanoseconds since 1970.
    public var start: UInt64
    /// Nanoseconds.
    public var duration: UInt64
    public var services: [String]
    public var names: [String]
    /// What the server noticed, of the trace or of single spans.
    public var warnings: [String]
    public var spans: [Span]

    private struct Header: Decodable {
        var traceId: String
        var t0: TraceSummary.Number
        var duration: TraceSummary.Number
        var n: Int
        var unitNanos: UInt64
        var services: [String]
        var names: [String]
        var warnings: [String]
    }

    /// Reads format TRV1: a header, then columns of little-endian numbers.
    ///
    /// - Throws: a text that says what is wrong with the bytes.
    init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count >= 8, bytes.starts(with: "TRV1".utf8) else {
            throw Fault("the answer does not begin with TRV1")
        }
        let headerCount = Int(Self.number(bytes, 4, 4))
        guard headerCount <= bytes.count - 8,
            let header = try? JSONDecoder().decode(
                Header.self,
                from: Data(bytes[8..<8 + headerCount])
            )
        else { throw Fault("the header of the columns is damaged") }
        let columns = 8 + headerCount
        let rowByteCount = 22
        guard header.n >= 0, (bytes.count - columns) / rowByteCount == header.n,
            (bytes.count - columns) % rowByteCount == 0
        else { throw Fault("the columns are not as long as \(header.n) spans") }
        traceID = header.traceId
        start = header.t0.value
        duration = header.duration.value
        services = header.services
        names = header.names
        warnings = header.warnings
        spans = []
        spans.reserveCapacity(header.n)
        // Places from a root down to the span before: what is depth first hangs on one of them.
        var path: [Int] = []
        for place in 0..<header.n {
            func column(_ before: Int, _ width: Int) -> UInt64 {
                Self.number(bytes, columns + before * header.n + place * width, width)
            }
            let parent = Int(Int32(truncatingIfNeeded: column(8, 4)))
            let flags = column(21, 1)
            let span = Span(
                parent: parent,
                start: column(0, 4).multipliedReportingOverflow(by: header.unitNanos).partialValue,
                duration:
                    column(4, 4).multipliedReportingOverflow(by: header.unitNanos).partialValue,
                name: Int(column(12, 4)),
                service: Int(column(16, 2)),
                isError: flags & 1 != 0,
                isParentMissing: flags & 2 != 0,
                isClockAdjusted: flags & 4 != 0
            )
            while let last = path.last, last != parent { path.removeLast() }
            guard parent == -1 || !path.isEmpty, span.name < names.count,
                span.service < services.count
            else { throw Fault("span \(place) of the columns is damaged") }
            path.append(place)
            spans.append(span)
        }
    }

    /// What is wrong with columns.
    struct Fault: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    /// The `width` bytes at `offset`; the caller has checked that they are there.
    private static func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> UInt64 {
        var value: UInt64 = 0
        for place in 0..<width { value |= UInt64(bytes[offset + place]) << UInt64(place * 8) }
        return value
    }
}

extension NativeAPI {
    /// One trace, arranged for a reader; `isRaw` leaves out what reading adjusts.
    public func traceColumns(_ id: TraceID, isRaw: Bool = false) async throws -> TraceColumns {
        var parameters = [("format", "columns")]
        if isRaw { parameters.append(("raw", "true")) }
        let answer = try await get(path(of: id) + Self.query(parameters)).body
        do { return try TraceColumns(answer) } catch { throw notUnderstood(error.text) }
    }
}
