// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import Platform
import Store
import StoreContract
import Testing

/// The engine and real directories.
@Suite struct DirectoryTests {
    private func open(_ path: String) throws -> EmbeddedStore {
        try EmbeddedStore.open(
            directory: path,
            options: .small,
            decoder: SpanGenerator.Decoder()
        )
    }

    @Test func `a directory in use is refused`() async throws {
        let directory = TemporaryDirectory()
        let store = try open(directory.path)
        let error = #expect(throws: EngineError.self) { try open(directory.path) }
        #expect(error?.description.contains(directory.path) == true)
        await store.close()
        let again = try open(directory.path)
        await again.close()
    }

    @Test func `a directory of somebody else is refused and left alone`() throws {
        let directory = TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: directory.path,
            withIntermediateDirectories: true
        )
        let file = directory.path + "/thesis.tex"
        try Data("precious".utf8).write(to: URL(fileURLWithPath: file))
        let error = #expect(throws: EngineError.self) { try open(directory.path) }
        #expect(error?.description.contains("thesis.tex") == true)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["thesis.tex"]
        )
    }

    @Test func `a missing manifest beside data is refused`() async throws {
        let directory = TemporaryDirectory()
        let store = try open(directory.path)
        try await store.append(SpanGenerator.batch(seed: 1))
        await store.close()
        try FileManager.default.removeItem(atPath: directory.path + "/MANIFEST")
        #expect(throws: EngineError.self) { try open(directory.path) }
    }

    @Test func `files that are not the store's are set aside, what a crash left is removed`()
        async throws
    {
        let directory = TemporaryDirectory()
        let store = try open(directory.path)
        try await store.append(SpanGenerator.batch(seed: 1))
        await store.close()
        let parts = directory.path + "/parts/"
        for name in ["0000000000000099.part", "0000000000000100.new"] {
            try Data("half".utf8).write(to: URL(fileURLWithPath: parts + name))
        }
        let again = try open(directory.path)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: parts) == ["0000000000000001.part"]
        )
        let aside = directory.path + "/quarantine"
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: aside) == ["0000000000000099.part"]
        )
        #expect(again.statistics.spans > 0)
        await again.close()
    }

    @Test func `everything acknowledged is found once after every reopening`() async throws {
        let directory = TemporaryDirectory()
        var ledger = Ledger()
        for round in UInt64(0)..<4 {
            let store = try open(directory.path)
            for number in UInt64(0)..<5 { await ledger.append(round * 10 + number, to: store) }
            let problems = try await ledger.violations(in: store)
            #expect(problems.isEmpty, "round \(round): \(problems)")
            if round % 2 == 0 { await store.abandon() } else { await store.close() }
        }
        let store = try open(directory.path)
        #expect(try await ledger.violations(in: store).isEmpty)
        #expect(store.statistics.damagedRecords == 0)
        #expect(ledger.unknown.isEmpty)
        await store.close()
    }

    @Test(.timeLimit(.minutes(5)))
    func `a long log is flushed before it refuses appends for good`() async throws {
        let directory = TemporaryDirectory()
        var options = EngineOptions.small
        options.logLimitBytes = 4 * options.segmentBytes
        let store = try EmbeddedStore.open(
            directory: directory.path,
            options: options,
            decoder: SpanGenerator.Decoder()
        )
        // Far more than the log may hold, far less than fills the head.
        for seed in UInt64(0)..<100 {
            while true {
                do throws(StoreError) {
                    try await store.append(SpanGenerator.batch(seed: seed))
                    break
                } catch .overloaded {
                    // Room comes as soon as the flush that was asked for is done.
                    await Task.yield()
                }
            }
        }
        #expect(store.statistics.appendedBatches == 100)
        #expect(store.statistics.parts > 0)
        await store.close()
    }
}
