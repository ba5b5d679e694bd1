// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Logging

/// Sends the log to standard error: standard output is for answers.
func bootstrapLogging(_ level: LogLevel) {
    let level = Logger.Level(rawValue: level.rawValue) ?? .warning
    LoggingSystem.bootstrap { label in
        var handler = StreamLogHandler.standardError(label: label)
        handler.logLevel = level
        return handler
    }
}

/// Runs a server; why it did not start, or failed, becomes one line for the person who called.
func explainingFailure(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch {
        printError("error: \(error)")
        throw ExitCode.failure
    }
}
