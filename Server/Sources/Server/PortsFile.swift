// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Receivers

/// Tells other programs where the server listens: one JSON object with a port for each listener, by
/// the name of its option, and the process id.
public enum PortsFile {
    /// Writes the file whole or not at all.
    ///
    /// - Parameters:
    ///   - addresses: where the server listens.
    ///   - path: where to write; an older file is replaced.
    /// - Throws: `ConfigurationError` when the file cannot be written.
    public static func write(_ addresses: BoundAddresses, to path: String) throws {
        let fields =
            addresses.all.map { "\"\($0.listener.rawValue)\":\($0.address.port)" }
            + ["\"pid\":\(ProcessInfo.processInfo.processIdentifier)"]
        let text = "{\(fields.joined(separator: ","))}\n"
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw ConfigurationError("--ports-file: cannot write \(path): \(error)")
        }
    }
}
