// SPDX-License-Identifier: Apache-2.0

import API
import Foundation
import SkeinModel
import Store
import Synchronization
import Testing

/// A store that counted one thing and remembers what it was asked.
private final class CountingStore: TraceStore {
    let capabilities: Capabilities = [.totals]
    let statistics = StoreStatistics()
    private let asked = Mutex<[TotalsRequest]>([])
    private let failure: StoreError?
    private let incomplete: [String]
    private let isEmpty: Bool

    var requests: [TotalsRequest] { asked.withLock { $0 } }

    init(failure: StoreError? = nil, incomplete: [String] = [], isEmpty: Bool = false) {
        self.failure = failure
        self.incomplete = incomplete
        self.isEmpty = isEmpty
    }

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        done(.failure(.closed))
    }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult { throw .closed }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans { throw .closed }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult { throw .closed }

    func deleteTrace(_ id: TraceID, of tenant: Tenant) async throws(StoreError) -> DeletedTrace {
        throw .closed
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        asked.withLock { $0.append(request) }
        if let failure { throw failure }
        let minute = TotalsRequest.minute
        var totals = Totals(
            range: request.minutes.lowerBound * minute..<min(
                request.minutes.upperBound,
                UInt64.max / minute
            ) * minute,
            incomplete: incomplete
        )
        if isEmpty { return totals }
        let calls = CallTotals(
            callCount: 3,
            errorCount: 1,
            reportedCount: 2,
            durationSum: 1 << 60,
            longest: 1 << 59,
            quantiles: request.quantiles.map { UInt64($0 * 100) }
        )
        let steps = request.step == nil ? [] : [calls]
        if request.lines == .edges {
            totals.edges = [
                Totals.Edge(
                    parent: "web \"1\"",
                    child: "cart",
                    total: calls,
                    steps: steps,
                    requestCount: 2,
                    requestCallCount: 3,
                    requestQuantiles: [1, 2]
                )
            ]
        } else {
            totals.lines = [
                Totals.Line(
                    service: "web \"1\"",
                    operation: request.lines == .services ? nil : "GET /<b>",
                    kind: request.lines == .operationsByKind ? .server : nil,
                    total: calls,
                    steps: steps
                )
            ]
        }
        return totals
    }
}

@Suite struct APITotalsTests {
    private let prefix = "/api/skein/v1/totals"
    private static let calls =
        #""callCount":3,"errorCount":1,"durationSumNanos":"1152921504606846976","#
        + #""longestNanos":"576460752303423488","quantileNanos":["50"],"#
        + #""reportedCount":2"#

    @Test(arguments: [
        ("by=service", #""operation":null,"kind":null"#),
        ("by=operation", #""operation":"GET /<b>","kind":null"#),
        ("", #""operation":"GET /<b>","kind":null"#),
        ("by=KIND", #""operation":"GET /<b>","kind":"server""#),
    ])
    func `operations have the stated shape`(by: String, names: String) async throws {
        let api = TestAPI(asking: CountingStore())
        let answer = try await api.ask(
            prefix + "/operations?quantiles=0.5&start=61000000000&end=70000000000&" + by
        )
        #expect(answer.status == 200)
        #expect(
            answer.text
                == #"{"startTimeUnixNano":"60000000000","endTimeUnixNano":"120000000000","#
                + #""stepNanos":null,"quantiles":[0.5],"operations":[{"service":"web \"1\"","#
                + names + "," + Self.calls + #","steps":[]}],"complete":true,"#
                + #""incompleteReasons":[]}"#
        )
    }

    @Test func `edges have the stated shape, steps and reasons too`() async throws {
        let api = TestAPI(asking: CountingStore(incomplete: ["part 7 is gone"]))
        let answer = try await api.ask(
            prefix + "/edges?quantiles=0.5&start=0&end=60000000000&step=1m"
        )
        #expect(answer.status == 200)
        #expect(
            answer.text
                == #"{"startTimeUnixNano":"0","endTimeUnixNano":"60000000000","#
                + #""stepNanos":"60000000000","quantiles":[0.5],"edges":[{"parent":"web \"1\"","#
                + #""child":"cart","# + Self.calls
                + #","requestCount":2,"requestCallCount":3,"requestQuantiles":[1,2],"steps":[{"#
                + Self.calls + #"}]}],"complete":false,"incompleteReasons":["part 7 is gone"]}"#
        )
    }

    @Test(arguments: ["operations", "edges"])
    func `nothing counted is an empty list`(route: String) async throws {
        let api = TestAPI(asking: CountingStore(isEmpty: true))
        let answer = try await api.ask(prefix + "/\(route)?start=1&end=2")
        #expect(answer.status == 200)
        #expect(answer.text.contains(#""\#(route)":[],"complete":true"#))
    }

    @Test func `parameters become one request`() async throws {
        let store = CountingStore()
        let api = TestAPI(asking: store)
        _ = try await api.ask(
            prefix + "/operations?service=a+b&operation=GET%20%2F&by=kind&start=5&end=9"
                + "&quantiles=0,0.25,1&step=2m"
        )
        let first = try #require(store.requests.first)
        #expect(first.lines == .operationsByKind)
        #expect(first.service == "a b")
        #expect(first.operation == "GET /")
        #expect(first.range == 5..<9)
        #expect(first.quantiles == [0, 0.25, 1])
        #expect(first.step == 120_000_000_000)
        _ = try await api.ask(prefix + "/edges?last=10m")
        let second = try #require(store.requests.last)
        #expect(second.lines == .edges)
        #expect(second.service == nil && second.operation == nil && second.step == nil)
        #expect(second.quantiles == [0.5, 0.95, 0.99])
        // The clock stands at 1,000,000 seconds; what is received now may be a minute ahead.
        #expect(second.range == 999_400_000_000_000..<1_000_060_000_000_000)
        _ = try await api.ask(prefix + "/edges?end=9")
        #expect(store.requests.last?.range == 0..<9)
        _ = try await api.ask(prefix + "/edges?start=9")
        #expect(store.requests.last?.range == 9..<UInt64.max)
    }

    @Test(arguments: [
        ("/operations?by=edge", "service, operation, kind"),
        ("/operations?by=kind&by=kind", "given 2 times"),
        ("/operations?servise=a", "did you mean service?"),
        ("/edges?operation=a", "\"operation\\\" is not known"),
        ("/edges?by=kind", "\"by\\\" is not known"),
        ("/operations?quantiles=2", "is no number from 0 to 1"),
        ("/operations?quantiles=-0.5", "is no number from 0 to 1"),
        ("/operations?quantiles=nan", "is no number from 0 to 1"),
        ("/operations?quantiles=0.5,,0.9", "is no number from 0 to 1"),
        ("/operations?quantiles=p99", "0.5,0.95,0.99"),
        (
            "/edges?quantiles=" + Array(repeating: "0.5", count: 17).joined(separator: ","),
            "at most 16"
        ),
        ("/operations?step=fast", "a number is missing"), ("/operations?step=-1m", "negative"),
        ("/edges?start=x", "digits only"), ("/edges?start=-1", "digits only"),
        ("/edges?end=99999999999999999999", "end"), ("/edges?start=7&end=7", "the range is empty"),
        ("/operations?start=9&end=7", "the range is empty"),
        ("/operations?last=1h&start=5", "give one of them"), ("/edges?last=1y", "is no unit"),
        ("/operations?service=%FF", "UTF-8"),
    ])
    func `a wrong question is answered with what is wrong`(
        path: String,
        message: String
    ) async throws {
        struct Body: Decodable {
            var error: Inner
            struct Inner: Decodable {
                var code: Int
                var message: String
            }
        }
        let store = CountingStore()
        let answer = try await TestAPI(asking: store).ask(prefix + path)
        #expect(answer.status == 400)
        #expect(answer.text.contains(message), "\(answer.text)")
        let body = try JSONDecoder().decode(Body.self, from: Data(answer.bytes))
        #expect(body.error.code == 400)
        #expect(store.requests.isEmpty)
    }

    @Test(arguments: [
        (StoreError.refused("the range has 20000 steps"), 400, "20000 steps"),
        (.overloaded(retryAfterSeconds: 7), 503, "again in 7 s"),
        (.storageFailed("sector 9"), 500, "sector 9"), (.unsupported("totals"), 501, "totals"),
        (.closed, 503, "shutting down"),
    ])
    func `what the store says is told`(
        failure: StoreError,
        status: Int,
        message: String
    ) async throws {
        let answer = try await TestAPI(asking: CountingStore(failure: failure))
            .ask(prefix + "/operations")
        #expect(answer.status == status)
        #expect(answer.text.contains(message), "\(answer.text)")
    }
}
