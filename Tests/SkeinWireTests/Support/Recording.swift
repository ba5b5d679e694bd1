// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import SkeinModel

/// One folder of recorded traffic of stock clients: third-party data that may stand beside the
/// clone, under `../shared/data/wire`.
struct Recording {
    /// What the recorded program asked its SDK to send.
    struct Expected: Decodable {
        struct Span: Decodable {
            var traceId: String
            var spanId: String
            var parentSpanId: String?
            var name: String
            var service: String
            var kind: String?
            var startUnixNano: UInt64
            var endUnixNano: UInt64
            var attributes: [String: Value]
            var resource: [String: Value]
            var scope: Scope
            var events: [Event]
            var links: [Link]
            var status: Status
        }

        struct Scope: Decodable, Equatable {
            var name: String?
            var version: String?
        }

        struct Event: Decodable, Equatable {
            var name: String
            var timeUnixNano: UInt64
            var attributes: [String: Value]
        }

        struct Link: Decodable, Equatable {
            var traceId: String
            var spanId: String
            var attributes: [String: Value]
        }

        struct Status: Decodable, Equatable {
            var code: String
            var message: String?
        }

        var spans: [Span]
    }

    /// An attribute's value as JSON says it.
    struct Value: Decodable, Hashable {
        var value: AttributeValue

        init(_ value: AttributeValue) { self.value = value }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                value = .bool(flag)
            } else if let number = try? container.decode(Int64.self) {
                value = .int(number)
            } else if let number = try? container.decode(Double.self) {
                value = .double(number)
            } else if let text = try? container.decode(String.self) {
                value = .string(text)
            } else {
                value = .array(try container.decode([Value].self).map(\.value))
            }
        }
    }

    private struct Index: Decodable {
        struct Capture: Decodable {
            var file: String
            var kind: String
            var body_offset: Int?
        }

        var captures: [Capture]
    }

    let expected: Expected
    /// The messages as a receiver hands them to a decoder.
    let payloads: [[UInt8]]

    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "shared/data/wire")

    /// Whether the recordings stand beside this clone.
    static let isThere = FileManager.default.fileExists(atPath: folder.path)

    init(_ name: String) throws {
        let folder = Self.folder.appending(path: name)
        func read(_ file: String) throws -> Data {
            try Data(contentsOf: folder.appending(path: file))
        }
        expected = try JSONDecoder().decode(Expected.self, from: read("expected.json"))
        let index = try JSONDecoder().decode(Index.self, from: read("capture.json"))
        payloads = try index.captures.compactMap { capture in
            let bytes = try [UInt8](read(capture.file))
            switch capture.kind {
            case "http": return Array(bytes.dropFirst(capture.body_offset ?? 0))
            // The prefix of a gRPC message: one byte of flags, four of length.
            case "grpc": return Array(bytes.dropFirst(5))
            default: return nil
            }
        }
    }
}
