// SPDX-License-Identifier: Apache-2.0

import Client
import SkeinModel
import Testing

struct SendPolicyTests {
    @Test(arguments: [(1, 200), (2, 400), (3, 800), (6, 5_000), (9, 5_000)])
    func `doubles its waits up to five seconds`(attempt: Int, milliseconds: Int) {
        let policy = SendPolicy(attempts: 10)
        #expect(policy.wait(afterAttempt: attempt) == .milliseconds(milliseconds))
    }

    @Test
    func `gives up after the last attempt`() {
        #expect(SendPolicy(attempts: 3).wait(afterAttempt: 3) == nil)
    }

    @Test(arguments: [("0", 0), ("7", 7), ("86400", 60)])
    func `waits as long as the receiver asks, within bounds`(text: String, seconds: Int) {
        let policy = SendPolicy(attempts: 3)
        #expect(policy.wait(afterAttempt: 1, retryAfter: text) == .seconds(seconds))
    }

    @Test(arguments: ["-1", "soon", "Sat, 21 Nov 2026 05:00:00 GMT", ""])
    func `falls back to its own wait where the header is no number`(text: String) {
        let policy = SendPolicy(attempts: 3)
        #expect(policy.wait(afterAttempt: 1, retryAfter: text) == .milliseconds(200))
    }

    @Test
    func `repeats exactly the statuses that OTLP names`() {
        let retryable = (100..<600).filter { SendPolicy.isRetryable(status: $0) }
        #expect(retryable == [429, 502, 503, 504])
    }
}

struct EndpointTests {
    @Test(arguments: [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://collector/", "http://collector/v1/traces"),
        ("https://c/otlp/v1/traces", "https://c/otlp/v1/traces"),
    ])
    func `adds the path where it is missing`(text: String, url: String) throws {
        #expect(try Endpoint(text).url == url)
    }

    @Test(arguments: ["127.0.0.1:4318", "ftp://host", "http://", "http://a b", ""])
    func `refuses what is no address`(text: String) {
        #expect(throws: ClientError.self) { try Endpoint(text) }
    }
}

struct OTLPSenderTests {
    @Test
    func `sends again what the receiver postponed`() async throws {
        let sink = OTLPSink(replies: [
            .init(status: 503, retryAfter: "0"), .init(status: 429, retryAfter: "0"),
        ])
        let receipt = try await OTLPSink.serve(sink) { address in
            let sender = OTLPSender(endpoint: try Endpoint(address), gzip: false)
            let receipt = try await sender.send([], policy: SendPolicy(attempts: 5))
            await sender.close()
            return receipt
        }
        #expect(receipt.attempts == 3)
        #expect(sink.requestCount == 3)
    }

    @Test(arguments: [400, 401, 404, 413, 500])
    func `does not repeat what the receiver refused`(status: Int) async throws {
        let sink = OTLPSink(replies: [.init(status: status)])
        try await OTLPSink.serve(sink) { address in
            let sender = OTLPSender(endpoint: try Endpoint(address), gzip: false)
            await #expect(throws: ClientError.self) {
                try await sender.send([], policy: SendPolicy(attempts: 5))
            }
            await sender.close()
        }
        #expect(sink.requestCount == 1)
    }

    @Test
    func `reads how many spans were rejected and why`() async throws {
        // partial_success { rejected_spans: 3, error_message: "old" }
        let body: [UInt8] = [0x0A, 7, 0x08, 3, 0x12, 3] + Array("old".utf8)
        let sink = OTLPSink(replies: [.init(body: body)])
        let receipt = try await OTLPSink.serve(sink) { address in
            let sender = OTLPSender(endpoint: try Endpoint(address), gzip: false)
            let receipt = try await sender.send([], policy: SendPolicy(attempts: 1))
            await sender.close()
            return receipt
        }
        #expect(receipt.rejected == 3)
        #expect(receipt.message == "old")
    }

    @Test
    func `tells that nobody answers`() async throws {
        // Port 9 of loopback: discard, which nobody serves.
        let sender = OTLPSender(endpoint: try Endpoint("http://127.0.0.1:9"), gzip: false)
        let error = await #expect(throws: ClientError.self) {
            try await sender.send([], policy: SendPolicy(attempts: 1))
        }
        await sender.close()
        #expect(error?.place == "http://127.0.0.1:9/v1/traces")
        #expect(error?.hint.contains("skein serve") == true)
    }
}
