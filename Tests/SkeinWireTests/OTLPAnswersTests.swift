// SPDX-License-Identifier: Apache-2.0
import SkeinWire
import Testing

@Suite struct OTLPAnswersTests {
    private typealias P = ProtobufBytes

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `full success leaves partial success unset`() {
        #expect(OTLP.exportResponse(rejected: 0, message: "", format: .protobuf) == [])
        #expect(text(OTLP.exportResponse(rejected: 0, message: "", format: .json)) == "{}")
    }

    @Test(arguments: [
        (OTLP.Signal.traces, "rejectedSpans"), (.metrics, "rejectedDataPoints"),
        (.logs, "rejectedLogRecords"),
    ])
    func `partial success says how many and why`(signal: OTLP.Signal, name: String) {
        let protobuf = OTLP.exportResponse(
            rejected: 300,
            message: "no \"ids\"",
            format: .protobuf,
            signal: signal
        )
        #expect(protobuf == P.bytes(1, P.number(1, 300) + P.text(2, "no \"ids\"")))
        let json = OTLP.exportResponse(
            rejected: 300,
            message: "no \"ids\"",
            format: .json,
            signal: signal
        )
        #expect(
            text(json) == #"{"partialSuccess":{"\#(name)":"300","errorMessage":"no \"ids\""}}"#
        )
    }

    @Test func `a warning rejects nothing`() {
        let json = OTLP.exportResponse(rejected: 0, message: "traces only", format: .json)
        #expect(text(json) == #"{"partialSuccess":{"errorMessage":"traces only"}}"#)
        let protobuf = OTLP.exportResponse(rejected: 0, message: "traces only", format: .protobuf)
        #expect(protobuf == P.bytes(1, P.text(2, "traces only")))
    }

    @Test func `a status carries code and message`() {
        let protobuf = OTLP.status(code: 3, message: "bad", format: .protobuf)
        #expect(protobuf == P.number(1, 3) + P.text(2, "bad"))
        let json = OTLP.status(code: 3, message: "bad", format: .json)
        #expect(text(json) == #"{"code":3,"message":"bad"}"#)
    }

    @Test func `a status can say when to come again`() {
        let type = "type.googleapis.com/google.rpc.RetryInfo"
        let protobuf = OTLP.status(
            code: 14,
            message: "busy",
            retryDelaySeconds: 5,
            format: .protobuf
        )
        let info = P.bytes(3, P.text(1, type) + P.bytes(2, P.bytes(1, P.number(1, 5))))
        #expect(protobuf == P.number(1, 14) + P.text(2, "busy") + info)
        let json = OTLP.status(code: 14, message: "busy", retryDelaySeconds: 5, format: .json)
        let details = #"[{"@type":"\#(type)","retryDelay":"5s"}]"#
        #expect(text(json) == #"{"code":14,"message":"busy","details":\#(details)}"#)
    }
}
