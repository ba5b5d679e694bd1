// SPDX-License-Identifier: Apache-2.0

import Ingest
import SkeinModel
import SkeinWire
import Store
import Synchronization
import Testing

@Suite struct IngestOutcomeTests {
    static let receivedAt: UInt64 = 1_700_000_000_000_000_000
    static let time = IngestTime(
        wallNanoseconds: { receivedAt },
        monotonicNanoseconds: { 5 }
    )

    static func ingest(into store: TestStore) -> Ingest { Ingest(store: store, time: time) }

    /// One span of OTLP JSON.
    static func span(id: String = "00000000000000a1") -> String {
        """
        {"traceId":"5eed5eed5eed5eed5eed5eed5eed5eed","spanId":"\(id)","name":"GET /",\
        "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000000005"}
        """
    }

    static func request(_ spans: String...) -> [UInt8] {
        Array(
            #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#
                .utf8
        )
    }

    static let zipkin = Array(#"[{"traceId":"1","id":"2","name":"get","timestamp":1}]"#.utf8)

    @Test func `an accepted request is in the store as it came`() async throws {
        let store = TestStore()
        let ingest = Self.ingest(into: store)
        let body = Self.request(Self.span())
        let outcome = await ingest.accept(body, format: .otlpJSON, by: .otlpHTTP)
        #expect(outcome == .accepted(spans: 1, rejected: 0, reason: nil))
        let batch = try #require(store.batches.first)
        #expect(batch.count == 1)
        #expect(batch.payload.bytes == body)
        #expect(batch.payload.format == .otlpJSON)
        #expect(batch.payload.receivedAt == Self.receivedAt)
        #expect(ingest.counters.requestCount(.otlpHTTP, .accepted) == 1)
        #expect(ingest.counters.spanCount(.otlpHTTP) == 1)
        #expect(ingest.counters.byteCount(.otlpHTTP) == body.count)
        #expect(ingest.counters.requestCount(.otlpGRPC, .accepted) == 0)
    }

    @Test func `what is logged decodes to the same spans`() async throws {
        let store = TestStore()
        _ = await Self.ingest(into: store).accept(Self.zipkin, format: .zipkinJSON, by: .zipkin)
        let batch = try #require(store.batches.first)
        let replayed = try WirePayloadDecoder().decode(batch.payload)
        #expect(replayed.count == batch.count)
        #expect(replayed.spanID[0] == batch.columns.spanID[0])
        #expect(replayed.start[0] == batch.columns.start[0])
    }

    @Test func `a damaged log record is an error`() {
        let payload = Payload(format: .otlpProtobuf, bytes: [0x0a, 0x05], receivedAt: 1)
        #expect(throws: (any Error).self) { _ = try WirePayloadDecoder().decode(payload) }
    }

    @Test(arguments: PayloadFormat.allCases)
    func `what does not parse is refused whole`(_ format: PayloadFormat) async {
        let store = TestStore()
        let ingest = Self.ingest(into: store)
        let outcome = await ingest.accept([0xff, 0xff, 0xff], format: format, by: .otlpHTTP)
        guard case .malformed(let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!reason.isEmpty)
        #expect(store.attempts == 0)
        #expect(ingest.counters.requestCount(.otlpHTTP, .malformed) == 1)
    }

    @Test func `a span without ids is rejected alone`() async {
        let store = TestStore()
        let ingest = Self.ingest(into: store)
        let body = Self.request(Self.span(), Self.span(id: "0000000000000000"))
        let outcome = await ingest.accept(body, format: .otlpJSON, by: .otlpHTTP)
        guard case .accepted(spans: 1, rejected: 1, let reason?) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!reason.isEmpty)
        #expect(ingest.counters.rejectedSpanCount(.otlpHTTP) == 1)
    }

    @Test func `a request without spans needs no store`() async {
        let store = TestStore(failures: [.closed])
        let outcome = await Self.ingest(into: store).accept(
            [],
            format: .otlpProtobuf,
            by: .otlpGRPC
        )
        #expect(outcome == .accepted(spans: 0, rejected: 0, reason: nil))
        #expect(store.attempts == 0)
    }

    @Test(
        arguments: [
            (.overloaded(retryAfterSeconds: 3), .overloaded(retryAfterSeconds: 3), .overloaded),
            (.overloaded(retryAfterSeconds: 0), .overloaded(retryAfterSeconds: 1), .overloaded),
            (.storageFailed("disk full"), .storageFailed("disk full"), .storageFailed),
            (.closed, .closed, .closed),
            (.cancelled, .closed, .closed),
            (.refused("too long"), .malformed("too long"), .malformed),
        ] as [(StoreError, IngestOutcome, IngestResult)]
    )
    func `a store's failure is told and counted`(
        _ failure: StoreError,
        _ expected: IngestOutcome,
        _ counted: IngestResult
    ) async {
        let ingest = Self.ingest(into: TestStore(failures: [failure]))
        let outcome = await ingest.accept(
            Self.request(Self.span()),
            format: .otlpJSON,
            by: .otlpHTTP
        )
        #expect(outcome == expected)
        #expect(ingest.counters.requestCount(.otlpHTTP, counted) == 1)
        #expect(ingest.counters.spanCount(.otlpHTTP) == 0)
    }

    @Test func `patience outlasts a short overload`() async {
        let busy = StoreError.overloaded(retryAfterSeconds: 1)
        let store = TestStore(failures: [busy, busy])
        let outcome = await Self.ingest(into: store).accept(
            Self.zipkin,
            format: .zipkinJSON,
            by: .zipkin,
            patience: .milliseconds(1_000)
        )
        #expect(outcome == .accepted(spans: 1, rejected: 0, reason: nil))
        #expect(store.attempts == 3)
        #expect(store.batches.count == 1)
    }

    @Test func `patience ends`() async {
        let busy = StoreError.overloaded(retryAfterSeconds: 2)
        let store = TestStore(failures: Array(repeating: busy, count: 100))
        let ingest = Self.ingest(into: store)
        let outcome = await ingest.accept(
            Self.zipkin,
            format: .zipkinJSON,
            by: .zipkin,
            patience: .milliseconds(60)
        )
        #expect(outcome == .overloaded(retryAfterSeconds: 2))
        #expect(store.attempts == 4)
        #expect(ingest.counters.requestCount(.zipkin, .overloaded) == 1)
    }

    @Test func `patience is not spent on a failed disk`() async {
        let store = TestStore(failures: [.storageFailed("gone")])
        let outcome = await Self.ingest(into: store).accept(
            Self.zipkin,
            format: .zipkinJSON,
            by: .zipkin,
            patience: .milliseconds(1_000)
        )
        #expect(outcome == .storageFailed("gone"))
        #expect(store.attempts == 1)
    }

    @Test func `waiting for room ends when there is some`() async throws {
        var limits = IngestLimits()
        limits.inFlightByteCount = 10
        let ingest = Ingest(store: TestStore(), time: Self.time, limits: limits)
        if await ingest.reserve(11, patience: .milliseconds(40)) != nil {
            Issue.record("11 bytes were reserved of 10")
        }
        let holder = Holder(ingest.budget, byteCount: 5)
        async let waiting = isReserved(8, of: ingest)
        holder.release()
        #expect(await waiting)
    }

    private func isReserved(_ byteCount: Int, of ingest: Ingest) async -> Bool {
        await ingest.reserve(byteCount, patience: .milliseconds(60_000)) != nil
    }

    /// Holds a part of a budget until told.
    private final class Holder: Sendable {
        private let held: Mutex<Reservation?>

        init(_ budget: ByteBudget, byteCount: Int) {
            held = Mutex(budget.reserve(byteCount))
        }

        func release() {
            held.withLock { $0 = nil }
        }
    }

    @Test func `clients are told different times to wait`() {
        let ingest = Self.ingest(into: TestStore())
        let told = (0..<100).map { _ in ingest.retryAfterSeconds() }
        #expect(Set(told).count > 1)
        #expect(told.allSatisfy { (1...5).contains($0) })
    }
}
