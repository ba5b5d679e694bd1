// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The protocol a request came by.
public enum IngestProtocol: String, Sendable, CaseIterable {
    case otlpHTTP = "otlp_http"
    case otlpGRPC = "otlp_grpc"
    case zipkin
}

/// What became of a request, as counted.
public enum IngestResult: String, Sendable, CaseIterable {
    case accepted
    /// Not parsable: the client's fault.
    case malformed
    /// Over the size limit.
    case tooLarge = "too_large"
    /// A content type, encoding, method or path that is not served.
    case unsupported
    /// Pushed back for want of room.
    case overloaded
    /// The store could not write.
    case storageFailed = "storage_failed"
    /// The server was stopping.
    case closed
    /// The client went away before its request was complete.
    case aborted
    /// Metrics or logs: answered, not kept.
    case notKept = "not_kept"
}

/// Numbers for operators, each growing from zero at start.
public final class IngestCounters: Sendable {
    private let requests = IngestCounters.row(
        count: IngestProtocol.allCases.count * IngestResult.allCases.count
    )
    private let spans = IngestCounters.row(count: IngestProtocol.allCases.count)
    private let rejected = IngestCounters.row(count: IngestProtocol.allCases.count)
    private let bytes = IngestCounters.row(count: IngestProtocol.allCases.count)
    private let nanoseconds = IngestCounters.row(count: IngestProtocol.allCases.count)

    init() {}

    /// Counts one request by its result.
    public func count(_ way: IngestProtocol, _ result: IngestResult) {
        requests[index(way, result)].add(1)
    }

    /// Counts an outcome and the spans in it.
    func record(_ way: IngestProtocol, _ outcome: IngestOutcome) {
        switch outcome {
        case .accepted(let stored, let refused, _):
            count(way, .accepted)
            spans[index(way)].add(stored)
            rejected[index(way)].add(refused)
        case .notKept: count(way, .notKept)
        case .malformed: count(way, .malformed)
        case .overloaded: count(way, .overloaded)
        case .storageFailed: count(way, .storageFailed)
        case .closed: count(way, .closed)
        }
    }

    /// Counts a payload's bytes after decompression and the time from its last byte to its answer.
    func record(_ way: IngestProtocol, byteCount: Int, nanoseconds: UInt64) {
        bytes[index(way)].add(byteCount)
        self.nanoseconds[index(way)].add(Int(clamping: nanoseconds))
    }

    /// Requests of one protocol with one result.
    public func requestCount(_ way: IngestProtocol, _ result: IngestResult) -> Int {
        requests[index(way, result)].value
    }

    /// Spans stored.
    public func spanCount(_ way: IngestProtocol) -> Int { spans[index(way)].value }
    /// Spans rejected out of accepted requests.
    public func rejectedSpanCount(_ way: IngestProtocol) -> Int { rejected[index(way)].value }
    /// Payload bytes after decompression.
    public func byteCount(_ way: IngestProtocol) -> Int { bytes[index(way)].value }
    /// Nanoseconds spent from requests' last bytes to their answers, summed.
    public func elapsedNanoseconds(_ way: IngestProtocol) -> Int { nanoseconds[index(way)].value }

    private func index(_ way: IngestProtocol, _ result: IngestResult) -> Int {
        index(way) * IngestResult.allCases.count + result.ordinal
    }

    private func index(_ way: IngestProtocol) -> Int { way.ordinal }

    private static func row(count: Int) -> [Counter] {
        (0..<count).map { _ in Counter() }
    }
}

extension CaseIterable where Self: Equatable, AllCases == [Self] {
    /// The place of the case in `allCases`.
    fileprivate var ordinal: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

private final class Counter: Sendable {
    private let stored = Atomic<Int>(0)
    var value: Int { stored.load(ordering: .relaxed) }
    func add(_ amount: Int) { stored.wrappingAdd(amount, ordering: .relaxed) }
}
