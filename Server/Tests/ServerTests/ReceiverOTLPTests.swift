// SPDX-License-Identifier: Apache-2.0

import Ingest
import Receivers
import SkeinModel
import SkeinWire
import Store
import Testing

@Suite struct ReceiverOTLPTests {
    static let json = Array(
        """
        {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5eed5eed5eed5eed5eed5eed5eed5eed",\
        "spanId":"00000000000000a1","name":"GET /","startTimeUnixNano":"1700000000000000000"}]}]}]}
        """.utf8
    )

    /// The same span as protobuf.
    static func protobuf() throws -> [UInt8] {
        let decoded = try WirePayloadDecoder().decode(
            Payload(format: .otlpJSON, bytes: json, receivedAt: 1)
        )
        return OTLP.encodeProtobuf(decoded)
    }

    @Test func `spans are stored before the answer`() async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send("/v1/traces", Self.json)
            #expect(answer.status == 200)
            #expect(answer.text == "{}")
            #expect(receiver.store.batches.map(\.count) == [1])
            #expect(receiver.store.batches.first?.payload.bytes == Self.json)
        }
    }

    @Test(arguments: ["application/x-protobuf", "application/X-Protobuf; charset=utf-8"])
    func `protobuf is answered as protobuf`(_ type: String) async throws {
        let body = try Self.protobuf()
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send("/v1/traces", type: type, body)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/x-protobuf")
            #expect(answer.body.isEmpty)
            #expect(receiver.store.batches.map(\.count) == [1])
        }
    }

    @Test(
        arguments: [
            ("/v1/traces", "GET", "application/json", nil, 405),
            ("/v1/traces", "PUT", "application/json", nil, 405),
            ("/v1/nothing", "POST", "application/json", nil, 404),
            ("/v1/traces/", "POST", "application/json", nil, 404),
            ("/v1/traces", "POST", nil, nil, 415),
            ("/v1/traces", "POST", "text/plain", nil, 415),
            ("/v1/traces", "POST", "application/json", "br", 415),
            ("/v1/traces", "POST", "application/json", "gzip", 400),
            ("/v1/traces", "POST", "application/x-protobuf", nil, 400),
        ] as [(String, String, String?, String?, UInt)]
    )
    func `a request that is not in order gets its status`(
        _ path: String,
        _ method: String,
        _ type: String?,
        _ encoding: String?,
        _ status: UInt
    ) async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send(
                path,
                method: method,
                type: type,
                encoding: encoding,
                Self.json
            )
            #expect(answer.status == status)
            #expect(!answer.body.isEmpty)
            #expect(receiver.store.batches.isEmpty)
            if status == 405 { #expect(answer.headers["allow"] == "POST") }
        }
    }

    @Test func `a refusal is a status message that says what was wrong`() async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send("/v1/traces", Array("{\"resourceSpans\":[{".utf8))
            #expect(answer.status == 400)
            #expect(answer.headers["content-type"] == "application/json")
            #expect(answer.text.contains("\"code\":3"))
            #expect(answer.text.contains("byte"))
            #expect(receiver.ingest.counters.requestCount(.otlpHTTP, .malformed) == 1)
        }
    }

    @Test(
        arguments: [
            (StoreError.overloaded(retryAfterSeconds: 7), 429, "7"),
            (.storageFailed("disk full"), 503, "30"),
            (.closed, 503, "1"),
        ] as [(StoreError, UInt, String)]
    )
    func `a store without room is a retryable status with the time to wait`(
        _ failure: StoreError,
        _ status: UInt,
        _ retryAfter: String
    ) async throws {
        try await ReceiverHarness.withOTLP(failure: failure) { receiver in
            let answer = try await receiver.send("/v1/traces", Self.json)
            #expect(answer.status == status)
            #expect(answer.headers["retry-after"] == retryAfter)
            #expect(answer.headers["connection"] == "close")
        }
    }

    @Test func `a body is refused before it is read when there is no room for it`() async throws {
        var limits = IngestLimits()
        limits.inFlightByteCount = Self.json.count - 1
        try await ReceiverHarness.withOTLP(ingestLimits: limits) { receiver in
            let answer = try await receiver.send("/v1/traces", Self.json)
            #expect(answer.status == 429)
            #expect(answer.headers["retry-after"] != nil)
            #expect(receiver.ingest.counters.requestCount(.otlpHTTP, .overloaded) == 1)
            #expect(receiver.ingest.budget.reservedByteCount == 0)
        }
    }

    @Test func `the size limit holds to the byte`() async throws {
        var limits = IngestLimits()
        limits.requestByteCount = Self.json.count
        try await ReceiverHarness.withOTLP(ingestLimits: limits) { receiver in
            let fitting = try await receiver.send("/v1/traces", Self.json)
            #expect(fitting.status == 200)
            let answer = try await receiver.send("/v1/traces", Self.json + [UInt8(ascii: " ")])
            #expect(answer.status == 413)
            #expect(answer.headers["connection"] == "close")
            #expect(receiver.store.batches.count == 1)
        }
    }

    @Test(arguments: ["metrics", "logs"])
    func `other signals are answered with a warning and not kept`(_ signal: String) async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send("/v1/\(signal)", Array("{}".utf8))
            #expect(answer.status == 200)
            #expect(answer.text.contains("traces only"))
            #expect(!answer.text.contains("rejected"))
            #expect(receiver.store.batches.isEmpty)
            #expect(receiver.ingest.counters.requestCount(.otlpHTTP, .notKept) == 1)
        }
    }

    @Test func `an empty request is a success`() async throws {
        try await ReceiverHarness.withOTLP { receiver in
            let answer = try await receiver.send("/v1/traces", type: "application/x-protobuf")
            #expect(answer.status == 200)
            #expect(answer.body.isEmpty)
        }
    }
}
