// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Skein

/// Debian's redis-server on loopback, for as long as this lives.
final class LoopbackRedis: Sendable {
    struct NotStarted: Error { var log: String }

    let port: Int
    private let process: Process
    private let folder: URL

    /// Starts a server on a port that was free a moment ago, or another one if somebody was quicker.
    ///
    /// - Parameters:
    ///   - port: Wants this very port: of a server that was stopped.
    ///   - arguments: Further ones for the server.
    init(port: Int? = nil, _ arguments: [String] = []) throws {
        var log = ""
        for _ in 0..<20 {
            let candidate = try port ?? Self.freePort()
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("skein-redis-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
            process.arguments =
                ["--bind", "127.0.0.1", "--port", "\(candidate)", "--save", ""]
                + ["--unixsocket", folder.appendingPathComponent("redis.sock").path]
                + ["--dir", folder.path] + arguments
            let output = Pipe()
            process.standardOutput = output
            // Else one that outlives a crash would hold the output of the tests open.
            process.standardError = FileHandle.nullDevice
            try process.run()
            log = ""
            while !log.contains("Ready to accept connections") {
                let part = output.fileHandleForReading.availableData
                if part.isEmpty { break }
                log += String(decoding: part, as: UTF8.self)
            }
            if log.contains("Ready to accept connections") {
                self.port = candidate
                self.process = process
                self.folder = folder
                return
            }
            process.waitUntilExit()
            try FileManager.default.removeItem(at: folder)
        }
        throw NotStarted(log: log)
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Ends the server; its messages are gone.
    func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Holds the server up until `resume`: it takes connections and answers nothing.
    func pause() { kill(process.processIdentifier, SIGSTOP) }

    func resume() { kill(process.processIdentifier, SIGCONT) }

    /// Returns when somebody waits for messages. Holds no thread of Swift's, which who is to wait needs.
    func waitForWaiter() async throws {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        while try !self.info("clients").contains("blocked_clients:1") {}
                    }
                )
            }
        }
    }

    /// What the server says of itself.
    private func info(_ section: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
        process.arguments = ["-p", "\(port)", "INFO", section]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw NotStarted(log: "no redis-cli") }
        return String(decoding: text, as: UTF8.self)
    }

    var server: RedisServer { RedisServer(.address(host: "127.0.0.1", port: port)) }

    var socket: RedisServer {
        RedisServer(.socket(path: folder.appendingPathComponent("redis.sock").path))
    }

    private static func freePort() throws -> Int {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0
                    ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        guard code == 0 else { throw NotStarted(log: "no port is free") }
        return Int(address.sin_port.bigEndian)
    }
}
