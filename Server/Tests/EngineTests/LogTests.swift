// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import Store
import StoreContract
import Testing

/// The log's segments on a real disk, with the thread that makes them ready.
struct LogTests {
    private func open(_ directory: String, ahead: Int, bytes: Int) throws -> EmbeddedStore {
        var options = EngineOptions.small
        options.segmentBytes = bytes
        options.segmentsAhead = ahead
        return try EmbeddedStore.open(
            directory: directory,
            options: options,
            decoder: SpanGenerator.Decoder()
        )
    }

    private func logFiles(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/log").sorted()
    }

    /// Small segments take few records each, tiny ones none: every record gets one of its own
    /// length, past those that stand ready.
    @Test(arguments: [(2, 65_536), (2, 4_096), (1, 16_384), (0, 16_384)])
    func `what was acknowledged is found after a stop without a flush`(
        ahead: Int,
        bytes: Int
    ) async throws {
        let directory = TemporaryDirectory()
        var ledger = Ledger()
        for round in UInt64(0)..<3 {
            let store = try open(directory.path, ahead: ahead, bytes: bytes)
            #expect(store.statistics.damagedRecords == 0)
            for number in UInt64(0)..<12 { await ledger.append(round * 100 + number, to: store) }
            if round == 1 { try await store.flush() }
            for number in UInt64(20)..<26 { await ledger.append(round * 100 + number, to: store) }
            await store.abandon()
        }
        #expect(ledger.unknown.isEmpty)
        let store = try open(directory.path, ahead: ahead, bytes: bytes)
        #expect(store.statistics.damagedRecords == 0)
        let problems = try await ledger.violations(in: store)
        #expect(problems.isEmpty, "\(problems)")
        await store.close()
    }

    @Test(arguments: [0, 2])
    func `a clean stop leaves nothing of the log behind`(ahead: Int) async throws {
        let directory = TemporaryDirectory()
        var ledger = Ledger()
        for round in UInt64(0)..<2 {
            let store = try open(directory.path, ahead: ahead, bytes: 65_536)
            for number in UInt64(0)..<5 { await ledger.append(round * 10 + number, to: store) }
            #expect(store.statistics.logBytes > 0)
            #expect(try !logFiles(directory.path).isEmpty)
            await store.close()
            #expect(try logFiles(directory.path) == [])
        }
        // Without a single span too.
        let store = try open(directory.path, ahead: ahead, bytes: 65_536)
        #expect(try await ledger.violations(in: store).isEmpty)
        await store.close()
        #expect(try logFiles(directory.path) == [])
    }
}
