// SPDX-License-Identifier: Apache-2.0

import Foundation
import SkeinWire
import Testing

/// Runs the program `Lifetimes` beside the tests and reads the file that its spans go to.
@Suite(.timeLimit(.minutes(1))) struct LifetimeTests {
    private struct Ending {
        var status: Int32
        var reason: Process.TerminationReason
        var output: String
        var names: [String]
        var parents: [UInt64]
    }

    private func run(
        _ mode: String,
        environment: [String: String] = [:],
        killing signal: Int32? = nil
    ) throws -> Ending {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("skein-lifetimes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("spans.jsonl")
        var ending = try run(mode, to: file.path, environment: environment, killing: signal)
        let lines = try Array(Data(contentsOf: file)).split(separator: UInt8(ascii: "\n"))
        for line in lines {
            let batch = try OTLP.decodeJSON(Array(line), receivedAt: 0)
            ending.names.append(batch.columns.strings.text(batch.columns.name[0]))
            ending.parents.append(batch.columns.parentID[0])
        }
        return ending
    }

    /// - Parameter target: a file, or the address of a receiver.
    private func run(
        _ mode: String,
        to target: String,
        environment: [String: String] = [:],
        killing signal: Int32? = nil
    ) throws -> Ending {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
            .deletingLastPathComponent().appendingPathComponent("Lifetimes")
        process.arguments = [mode, target]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var text = ""
        if let signal {
            text += String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            kill(process.processIdentifier, signal)
        }
        text += String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        return Ending(
            status: process.terminationStatus,
            reason: process.terminationReason,
            output: text,
            names: [],
            parents: []
        )
    }

    @Test(arguments: [("return", 0), ("exit", 7)] as [(String, Int32)])
    func `the end of the process waits for the export`(mode: String, status: Int32) throws {
        let ending = try run(mode)
        #expect(ending.status == status)
        #expect(ending.reason == .exit)
        #expect(ending.names == ["ended"])
    }

    @Test func `a signal exports and then ends the process as it would have`() throws {
        let ending = try run("terminate", killing: SIGTERM)
        #expect(ending.reason == .uncaughtSignal)
        #expect(ending.status == SIGTERM)
        #expect(ending.names == ["ended"])
    }

    @Test(arguments: ["return", "exit", "terminate"])
    func `however the process ends, its last calls are sent`(mode: String) async throws {
        let server = try await ScriptedHTTPServer { _ in
            Array("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".utf8)
        }
        _ = try run(mode, to: server.baseURL, killing: mode == "terminate" ? SIGTERM : nil)
        for path in ["/v1/traces", "/v1/metrics"] {
            let requests = server.requests.filter { $0.hasPrefix("POST \(path) ") }
            #expect(requests.count == 1)
            #expect(requests.allSatisfy { $0.contains("ended") })
        }
        try await server.stop()
    }

    @Test func `a program is one span in the trace of whoever started it`() throws {
        let trace = "0af7651916cd43dd8448eb211c80319c"
        let ending = try run(
            "program",
            environment: ["TRACEPARENT": "00-\(trace)-b7ad6b7169203331-01"]
        )
        #expect(ending.status == 0)
        #expect(Set(ending.names) == ["ended", "whole program"])
        let index = try #require(ending.names.firstIndex(of: "whole program"))
        #expect(ending.parents[index] == 0xb7ad_6b71_6920_3331)
        #expect(ending.output.hasPrefix("00-\(trace)-"))
    }
}
