// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore

/// What a tail tells.
public enum TailEvent: Sendable {
    /// A trace that arrived, and the JSON it was told in.
    case trace(TraceSummary, json: String)
    /// Traces found beyond the rate, and traces that came too fast to be looked at.
    case leftOut(traceCount: Int, unreadTraceCount: Int)
    /// Something stands in the way of telling everything.
    case incomplete(String)
    /// The server ended the tail.
    case end(String)
}

extension NativeAPI {
    /// Tells `event` of traces as they arrive, until the server ends the tail.
    ///
    /// - Parameter query: A TraceQL query; `nil` for every trace.
    /// - Throws: `ClientError` when the server refuses, cannot be reached or goes away.
    public func tail(_ query: String?, _ event: (TailEvent) throws -> Void) async throws {
        let parameters = query.map { [("q", $0)] } ?? []
        let path = "/api/skein/v1/tail" + Self.query(parameters)
        var events = EventStream()
        try await stream(path, accept: "text/event-stream") { piece in
            for (name, data) in try events.read(piece) {
                guard let told = try Self.event(name, data) else { continue }
                try event(told)
                if case .end = told { return false }
            }
            return true
        }
    }

    private static func event(_ name: String, _ data: [UInt8]) throws -> TailEvent? {
        struct LeftOut: Decodable {
            var traceCount: Int
            var unreadTraceCount: Int
        }
        struct Message: Decodable { var message: String }
        let (json, decoder) = (Data(data), JSONDecoder())
        do {
            switch name {
            case "trace":
                let trace = try decoder.decode(TraceSummary.self, from: json)
                return .trace(trace, json: String(decoding: data, as: UTF8.self))
            case "leftOut":
                let counts = try decoder.decode(LeftOut.self, from: json)
                return .leftOut(
                    traceCount: counts.traceCount,
                    unreadTraceCount: counts.unreadTraceCount
                )
            case "incomplete":
                return .incomplete(try decoder.decode(Message.self, from: json).message)
            case "end": return .end(try decoder.decode(Message.self, from: json).message)
            // A later version may tell more.
            default: return nil
            }
        } catch {
            throw ClientError("the tail told something that is not understood: \(error)")
        }
    }
}

/// Reads server-sent events: fields line by line, an empty line ends an event.
struct EventStream {
    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8] = []

    /// The events that end in `piece`.
    mutating func read(
        _ piece: some Sequence<UInt8>
    ) throws(ClientError) -> [(name: String, data: [UInt8])] {
        var events: [(name: String, data: [UInt8])] = []
        for byte in piece {
            guard byte == UInt8(ascii: "\n") else {
                guard line.count < Limits.eventLineByteCount else {
                    throw ClientError(
                        "a line of the tail is longer than \(Limits.eventLineByteCount) bytes"
                    )
                }
                line.append(byte)
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty {
                if !data.isEmpty { events.append((name, data)) }
                name = ""
                data = []
            } else {
                field()
            }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    /// `event: trace`; a line that begins with a colon is a comment.
    private mutating func field() {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
        var value = line[(colon + 1)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "data": data = Array(value)
        default: break
        }
    }
}
