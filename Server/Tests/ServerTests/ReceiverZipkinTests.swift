// SPDX-License-Identifier: Apache-2.0

import Ingest
import Receivers
import Store
import Testing

@Suite struct ReceiverZipkinTests {
    static let json = Array(#"[{"traceId":"1","id":"2","name":"get","timestamp":1}]"#.utf8)

    @Test(arguments: ["application/json", "application/json; charset=utf-8", nil])
    func `spans are stored before the answer`(_ type: String?) async throws {
        try await ReceiverHarness.withZipkin { receiver in
            let answer = try await receiver.send("/api/v2/spans", type: type, Self.json)
            #expect(answer.status == 202)
            #expect(answer.body.isEmpty)
            #expect(receiver.store.batches.map(\.count) == [1])
        }
    }

    @Test(arguments: ["", "[]"])
    func `no spans are taken`(_ body: String) async throws {
        try await ReceiverHarness.withZipkin { receiver in
            let answer = try await receiver.send("/api/v2/spans", Array(body.utf8))
            #expect(answer.status == 202)
            #expect(receiver.store.batches.isEmpty)
        }
    }

    @Test(arguments: ["not json", #"[{"traceId":"1"}]"#])
    func `what does not parse is told in plain text`(_ body: String) async throws {
        try await ReceiverHarness.withZipkin { receiver in
            let answer = try await receiver.send("/api/v2/spans", Array(body.utf8))
            #expect(answer.status == 400)
            #expect(answer.headers["content-type"]?.hasPrefix("text/plain") == true)
            #expect(!answer.text.isEmpty)
        }
    }

    @Test func `the first version is told apart`() async throws {
        let old = #"[{"traceId":"1","id":"2","name":"a","binaryAnnotations":[]}]"#
        try await ReceiverHarness.withZipkin { receiver in
            let answer = try await receiver.send("/api/v2/spans", Array(old.utf8))
            #expect(answer.status == 400)
            #expect(answer.text.contains("v1"))
            let v1 = try await receiver.send("/api/v1/spans", Array(old.utf8))
            #expect(v1.status == 404)
            #expect(v1.text.contains("/api/v2/spans"))
        }
    }

    @Test func `a request waits for room before it is refused`() async throws {
        var limits = ReceiverLimits()
        limits.zipkinPatienceMilliseconds = 60
        let busy = StoreError.overloaded(retryAfterSeconds: 1)
        try await ReceiverHarness.withZipkin(failure: busy, limits: limits) { receiver in
            let answer = try await receiver.send("/api/v2/spans", Self.json)
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] != nil)
            #expect(receiver.ingest.counters.requestCount(.zipkin, .overloaded) == 1)
        }
    }

    @Test func `a failed disk is 503 at once`() async throws {
        try await ReceiverHarness.withZipkin(failure: .storageFailed("gone")) { receiver in
            let answer = try await receiver.send("/api/v2/spans", Self.json)
            #expect(answer.status == 503)
            #expect(answer.text.contains("gone"))
        }
    }

    @Test func `any page may send and read`() async throws {
        try await ReceiverHarness.withZipkin { receiver in
            let preflight = try await receiver.send(
                "/api/v2/spans",
                method: "OPTIONS",
                headers: ["origin": "http://shop.example"]
            )
            #expect(preflight.status == 204)
            #expect(preflight.headers["access-control-allow-origin"] == "*")
            #expect(preflight.headers["access-control-allow-methods"]?.contains("POST") == true)
            let sent = try await receiver.send("/api/v2/spans", Self.json)
            #expect(sent.headers["access-control-allow-origin"] == "*")
            let read = try await receiver.send("/api/v2/services", method: "GET")
            #expect(read.text == "read side")
            #expect(read.headers["access-control-allow-origin"] == "*")
        }
    }

    @Test func `everything else is the read side's`() async throws {
        try await ReceiverHarness.withZipkin { receiver in
            for path in ["/health", "/api/v2/spans"] {
                let answer = try await receiver.send(path, method: "GET")
                #expect(answer.text == "read side", "\(path)")
            }
        }
    }
}
