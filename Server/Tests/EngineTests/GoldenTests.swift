// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import Platform
import Simulation
import Store
import Testing

/// Directories that earlier programs wrote, one of each format version: see `Golden/README.md`.
@Suite struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Golden").path

    private static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: folder))?
        .filter { $0.hasPrefix("v") }.sorted() ?? []

    /// The one that the generator of this program makes.
    private static let newest = "v3"

    private static func files(_ name: String) throws -> [GoldenStore.File] {
        let store = "\(folder)/\(name)/store"
        let paths = try #require(FileManager.default.enumerator(atPath: store))
        var files: [GoldenStore.File] = []
        for case let path as String in paths {
            guard let bytes = FileManager.default.contents(atPath: store + "/" + path) else {
                continue
            }
            files.append(GoldenStore.File(path: path, bytes: Array(bytes)))
        }
        return files.sorted { $0.path < $1.path }
    }

    private static func text(_ name: String, _ file: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(name)/\(file)", encoding: .utf8)
    }

    @Test func `there is a golden directory of the newest version`() {
        #expect(Self.names.contains(Self.newest))
    }

    @Test(arguments: names)
    func `a golden directory answers what it answered when it was made`(name: String) throws {
        let directory = TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: "\(Self.folder)/\(name)/store",
            toPath: directory.path
        )
        let wanted = try Self.text(name, "answers.txt")
        let store = try GoldenStore.open(directory.path, PosixDisk())
        let answers = try GoldenAnswers(of: store)
        try expectSame(answers.text, wanted, name)
        let numbers = store.statistics
        #expect(numbers.headSpans > 0 && numbers.quarantinedParts == 1)
        #expect(numbers.damagedRecords == 0)
        // What this program makes of it says the same.
        try store.flush()
        store.maintain()
        try expectSame(exact(GoldenAnswers(of: store)), exact(answers), "\(name) after a flush")
        store.close()
        let again = try GoldenStore.open(directory.path, PosixDisk())
        try expectSame(exact(GoldenAnswers(of: again)), exact(answers), "\(name) opened again")
        again.close()
    }

    /// Without the totals: their durations are rounded otherwise once spans are in a part.
    private func exact(_ answers: GoldenAnswers) -> String {
        answers.answers.filter { !$0.question.hasPrefix("totals") }.map(\.text).joined()
    }

    private func expectSame(_ found: String, _ wanted: String, _ what: String) throws {
        if found == wanted { return }
        let found = found.split(separator: "\n", omittingEmptySubsequences: false)
        let wanted = wanted.split(separator: "\n", omittingEmptySubsequences: false)
        let line = zip(found, wanted).prefix { $0 == $1 }.count
        let pair = (found.dropFirst(line).first ?? "", wanted.dropFirst(line).first ?? "")
        Issue.record("\(what): line \(line + 1) is '\(pair.0)', wanted '\(pair.1)'")
    }

    @Test func `the bytes on disk are those of the newest version`() throws {
        let made = try GoldenStore.make()
        #expect(try GoldenStore.make() == made, "the generator does not repeat itself")
        let version = try Self.text(Self.newest, "zstd-version.txt")
        guard version == "\(GoldenStore.compressorVersion)\n" else {
            print("not compared byte by byte: another version of zstd is installed than then")
            return
        }
        let kept = try Self.files(Self.newest)
        #expect(made.map(\.path) == kept.map(\.path))
        for (file, old) in zip(made, kept) where file != old {
            let place = zip(file.bytes, old.bytes).prefix { $0 == $1 }.count
            Issue.record(
                """
                \(file.path) differs from byte \(place) on: the program writes something else than \
                \(Self.newest). Does the program of the last release read it? Then, and where only \
                the choice of bytes changed, run `make golden` and commit both. Else raise the \
                format version; Golden/README.md says how.
                """
            )
        }
    }

    @Test(arguments: ["MANIFEST", ".part", ".log", ".totals"])
    func `a golden directory of a version to come is refused and left alone`(
        suffix: String
    ) throws {
        let files = try Self.files(Self.newest)
        // Of another format than these there may be none in the directory.
        for file in files where file.path.hasSuffix(suffix) && !file.path.hasPrefix("quarantine") {
            var changed = file
            changed.bytes[8] = 200
            let end = suffix == "MANIFEST" ? file.bytes.count : 32
            let checksum = CRC32C.checksum(changed.bytes, 8..<end)
            for index in 0..<4 {
                changed.bytes[4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
            }
            let all = files.map { $0.path == file.path ? changed : $0 }
            let disk = try GoldenStore.disk(of: all)
            let error = #expect(throws: EngineError.self) {
                try GoldenStore.open(GoldenStore.directory, disk)
            }
            let text = error?.description ?? ""
            #expect(text.contains("format version 200") && text.contains(file.path), "\(text)")
            #expect(!text.contains("\n"))
            for file in all {
                #expect(disk.bytes(of: GoldenStore.directory + "/" + file.path) == file.bytes)
            }
        }
    }

    /// Damage to the log is counted, not told with each answer: `FaultTests` has it.
    @Test func `an answer over a golden directory with a byte changed is right or says incomplete`()
        throws
    {
        let files = try Self.files(Self.newest)
        let store = try GoldenStore.open(GoldenStore.directory, GoldenStore.disk(of: files))
        let wanted = Dictionary(
            uniqueKeysWithValues: try GoldenAnswers(of: store).answers.map {
                ($0.question, $0.lines)
            }
        )
        let step = ProcessInfo.processInfo.environment["SKEIN_EVERY_BYTE"] == nil ? 397 : 1
        for (index, file) in files.enumerated()
        where file.path.hasSuffix(".part") || file.path.hasSuffix(".totals") {
            for place in stride(from: Int.random(in: 0..<step), to: file.bytes.count, by: step) {
                var changed = files
                changed[index].bytes[place] ^= UInt8.random(in: 1...255)
                let store = try GoldenStore.open(
                    GoldenStore.directory,
                    GoldenStore.disk(of: changed)
                )
                // A list that is not whole leads to fewer questions.
                for answer in try GoldenAnswers(of: store).answers
                where answer.lines != wanted[answer.question] && !answer.isIncomplete {
                    Issue.record("\(file.path), byte \(place): \(answer.question): \(answer.lines)")
                }
            }
        }
    }
}
