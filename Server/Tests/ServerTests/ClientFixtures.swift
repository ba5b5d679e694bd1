// SPDX-License-Identifier: Apache-2.0

import Foundation
import SkeinModel
import SkeinWire

/// Small files of spans in each format. All hold the two spans of one trace unless they say
/// otherwise: `parent` of service `shop` and its child `child`.
enum ClientFixtures {
    static let trace = "0af7651916cd43dd8448eb211c80319c"

    static let otlpJSON = otlpDocument(["parent", "child"])

    /// One document a line, a span each.
    static let otlpLines = otlpDocument(["parent"]) + "\n" + otlpDocument(["child"]) + "\n"

    static func otlpDocument(_ names: [String]) -> String {
        let spans = names.map { name in
            let isChild = name == "child"
            return """
                {"traceId":"\(trace)","spanId":"\(isChild ? "00000000000000b2" : "00000000000000a1")",\
                "parentSpanId":"\(isChild ? "00000000000000a1" : "")","name":"\(name)",\
                "kind":\(isChild ? 3 : 2),"startTimeUnixNano":"1700000000000000000",\
                "endTimeUnixNano":"\(isChild ? "1700000000004000000" : "1700000000009000000")",\
                "events":[{"timeUnixNano":"1700000000001000000","name":"tick"}]}
                """
        }
        return """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",\
            "value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[\(spans.joined(separator: ","))]}]}]}
            """
    }

    static var otlpProtobuf: [UInt8] {
        get throws {
            try Array(otlpJSON.utf8).span.bytes.withUnsafeBytes { (raw) throws(WireError) in
                OTLP.encodeProtobuf(try OTLP.decodeJSON(raw, receivedAt: 1).columns)
            }
        }
    }

    /// The corpus: the two spans twice.
    static var corpus: [UInt8] {
        get throws {
            let payload = try otlpProtobuf
            var bytes = Array("OTLPB01\n".utf8)
            for _ in 0..<2 {
                for number in [UInt32(payload.count), 2] {
                    for shift in stride(from: UInt32(0), to: 32, by: 8) {
                        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
                    }
                }
                bytes += payload
            }
            return bytes
        }
    }

    static let zipkinSpans = [
        """
        {"traceId":"\(trace)","id":"00000000000000a1","name":"parent","kind":"SERVER",\
        "timestamp":1700000000000000,"duration":9000,"localEndpoint":{"serviceName":"shop"}}
        """,
        """
        {"traceId":"\(trace)","parentId":"00000000000000a1","id":"00000000000000b2",\
        "name":"child","kind":"CLIENT","timestamp":1700000000000000,"duration":4000,\
        "localEndpoint":{"serviceName":"shop"},"tags":{"odd":"a\\"]}\\\\ [{"}}
        """,
    ]

    static let zipkinList = "[" + zipkinSpans.joined(separator: ",\n ") + "]"
    static let zipkinTraces = "[[" + zipkinSpans.joined(separator: "],\n [") + "], []]"

    static let jaegerTrace = """
        {"traceID":"\(trace)","spans":[
         {"traceID":"\(trace)","spanID":"a1","operationName":"parent","references":[],
          "startTime":1700000000000000,"duration":9000,"processID":"p1",
          "tags":[{"key":"span.kind","type":"string","value":"server"},
                  {"key":"big","type":"int64","value":"9007199254740993"},
                  {"key":"raw","type":"binary","value":"aGk="},
                  {"key":"ratio","type":"float64","value":1}],
          "logs":[{"timestamp":1700000000001000,
                   "fields":[{"key":"event","type":"string","value":"tick"}]}]},
         {"traceID":"\(trace)","spanID":"b2","operationName":"child",
          "references":[{"refType":"CHILD_OF","traceID":"\(trace)","spanID":"a1"},
                        {"refType":"FOLLOWS_FROM","traceID":"\(trace)","spanID":"c3"}],
          "startTime":1700000000000000,"duration":4000,"processID":"p1",
          "tags":[{"key":"error","type":"bool","value":true},
                  {"key":"otel.status_description","type":"string","value":"late"},
                  {"key":"otel.scope.name","type":"string","value":"lib"}],"logs":null}],
         "processes":{"p1":{"serviceName":"shop","tags":[
          {"key":"host.name","type":"string","value":"h1"}]}},"warnings":null}
        """

    static let jaegerAnswer = #"{"data":["# + jaegerTrace + #"],"total":0,"errors":null}"#

    static let csv = """
        TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration
        \(trace),00000000000000a1,root,shop-579b9bff58-t2dbm,parent,1700000000000000000,1700000000009000000,9000
        \(trace),00000000000000b2,00000000000000a1,shop-579b9bff58-t2dbm,child,1700000000000000000,1700000000004000000,4000

        """

    /// `bytes` as a gzip file with one stored block.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count < 65_536, "one stored block holds 65,535 bytes")
        func little(_ value: UInt32, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
        }
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        let length = UInt32(bytes.count)
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
            + little(length, 2) + little(~length, 2) + bytes
            + little(~crc, 4) + little(length, 4)
    }
}

/// A folder of its own for one test, gone with it.
final class ScratchFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("skein-client-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file and returns its path.
    func write(_ bytes: [UInt8], _ name: String = "file") throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file.path
    }

    func write(_ text: String, _ name: String = "file") throws -> String {
        try write(Array(text.utf8), name)
    }
}
