// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Where an answer of any length goes: standard output, or a file that gets its name when it is whole.
final class OutputFile {
    /// Why a file cannot be written.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let path: String?
    private let descriptor: Int32

    private static func part(_ path: String) -> String { path + ".part" }

    init(path: String?) throws(Failure) {
        self.path = path
        guard let path else {
            descriptor = 1
            return
        }
        descriptor = open(Self.part(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw Self.failure("cannot create \(Self.part(path))") }
    }

    deinit {
        if path != nil { _ = close(descriptor) }
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Bound: pointer and count are those of the slice.
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                throw Self.failure("cannot write \(path.map(Self.part) ?? "standard output")")
            }
            rest = rest.dropFirst(written)
        }
    }

    /// The file is whole: gives it its name.
    func finish() throws(Failure) {
        guard let path else { return }
        guard fsync(descriptor) == 0 || errno == EINVAL, rename(Self.part(path), path) == 0 else {
            throw Self.failure("cannot rename \(Self.part(path)) to \(path)")
        }
    }

    private static func failure(_ what: String) -> Failure {
        Failure(description: "\(what): \(String(cString: strerror(errno)))")
    }
}
