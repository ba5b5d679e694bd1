// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// Minute totals of spans that retention removed.
@Suite struct TotalsLifeTests {
    private static let directory = "/store"
    private static let hour: UInt64 = 3_600_000_000_000

    private static var options: EngineOptions {
        var options = EngineOptions.small
        options.retention = .seconds(6 * 3_600)
        return options
    }

    private func open(
        _ disk: any Disk,
        _ clock: SimulatedClock,
        _ options: EngineOptions = Self.options
    ) throws -> StoreCore {
        try StoreCore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: clock,
            decoder: SpanGenerator.Decoder()
        )
    }

    /// Appends the batch of a seed, received now.
    private func append(
        _ seed: UInt64,
        to core: StoreCore,
        _ clock: SimulatedClock,
        tenant: Tenant = .default
    ) throws {
        var payload = SpanGenerator.payload(seed: seed, tenant: tenant)
        payload.receivedAt = clock.wallNanoseconds()
        try core.append([SpanBatch(columns: SpanGenerator.columns(seed: seed), payload: payload)])
    }

    /// A part an hour, the first six hours and more ago when the last is made.
    private func fill(_ core: StoreCore, _ clock: SimulatedClock, parts: UInt64 = 6) throws {
        for seed in 1...parts {
            try append(seed, to: core, clock)
            try core.flush()
            clock.advance(.seconds(3_600))
        }
    }

    /// Every kind of question: all time and some of it, whole, by steps, cut at odd minutes.
    private static func questions() -> [TotalsRequest] {
        let starts = Ledger.spans(Set(1...6)).map(\.start).sorted()
        let middle = starts[starts.count / 2]
        let lines: [TotalsRequest.Lines] = [.services, .operations, .operationsByKind, .edges]
        var questions: [TotalsRequest] = []
        for line in lines {
            var whole = TotalsRequest(range: 0..<UInt64.max, lines: line)
            whole.quantiles = [0, 0.25, 0.5, 0.95, 0.99, 1]
            questions.append(whole)
            for minutes in [1, 7, 10, 35] as [UInt64] {
                var part = whole
                let length = minutes * TotalsRequest.minute
                part.range = middle - length..<middle + length
                questions.append(part)
                part.step = 3 * TotalsRequest.minute
                questions.append(part)
            }
        }
        return questions
    }

    private func answers(_ core: StoreCore) throws -> [String] {
        try Self.questions().map { "\(try core.totals($0))" }
    }

    // MARK: The same answers

    @Test func `answers do not change when spans expire, part by part, to the last nanosecond`()
        throws
    {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var core = try open(disk, clock)
        try fill(core, clock)
        let before = try answers(core)
        let spans = core.statistics.spans
        #expect(before.contains { $0.contains("Edge(") })
        var partCounts: Set<Int> = []
        for round in 0..<8 {
            clock.advance(.seconds(3_600))
            core.maintain()
            partCounts.insert(core.statistics.parts)
            #expect(try answers(core) == before, "\(core.statistics.parts) parts are left")
            if round == 3 {
                core.close()
                core = try open(disk, clock)
            }
        }
        #expect(partCounts.isSuperset(of: [0, 2, 4]))
        #expect(core.statistics.spans == 0)
        #expect(core.statistics.totalsFiles > 0)
        #expect(core.statistics.totalsBytes > 0)
        #expect(core.statistics.expiredSpans > 0 && spans > 0)
        #expect(core.statistics.uncountedSpans == 0)
        core.close()
    }

    @Test func `answers do not change when totals files are joined`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = Self.options
        options.retention = .seconds(1)
        options.totalsRetention = .seconds(30 * 86_400)
        let core = try open(disk, clock, options)
        var before: [String] = []
        // One by one, so that each gets a file of its own.
        for seed in UInt64(1)...6 {
            try append(seed * 100, to: core, clock)
            try core.flush()
            clock.advance(.seconds(2))
            core.maintain()
            before = try answers(core)
        }
        #expect(core.statistics.totalsFiles == 6)
        clock.advance(.seconds(86_400))
        core.maintain()
        #expect(core.statistics.totalsFiles == 1)
        #expect(disk.paths().count { $0.hasSuffix(".totals") } == 1)
        #expect(try answers(core) == before)
        core.close()
        let again = try open(disk, clock, options)
        #expect(try answers(again) == before)
        again.close()
    }

    @Test func `files of a day are joined when nothing of it is left, or when they are many`()
        throws
    {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = Self.options
        options.retention = .seconds(30 * 3_600)
        let core = try open(disk, clock, options)
        // Of one day: the clock begins in the middle of one.
        for seed in UInt64(1)...12 {
            try append(seed, to: core, clock)
            try core.flush()
            clock.advance(.seconds(60))
        }
        let before = try answers(core)
        clock.advance(.seconds(30 * 3_600 - 12 * 60 - 30))
        var counts: [Int] = []
        for _ in 0..<12 {
            clock.advance(.seconds(60))
            core.maintain()
            counts.append(core.statistics.totalsFiles)
            #expect(try answers(core) == before, "\(core.statistics.parts) parts are left")
        }
        #expect(counts == [1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 1])
        #expect(core.statistics.parts == 0)
        core.close()
    }

    /// Two parts count the same groups: together they are no more than each.
    @Test func `files that count the same are joined, however many groups that is`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = Self.options
        options.retention = .seconds(1)
        options.totalsRetention = .seconds(30 * 86_400)
        options.totalsFileGroups = 12
        let core = try open(disk, clock, options)
        for round in UInt64(0)..<2 {
            let now = clock.wallNanoseconds()
            let spans = (UInt64(1)...12).map { number in
                TestSpan(
                    trace: 100 * round + number,
                    id: 1,
                    service: "shop",
                    name: "GET /\(number)",
                    start: now,
                    duration: 5
                )
            }
            try core.append([TestSpan.batch(spans, receivedAt: now)])
            try core.flush()
            clock.advance(.seconds(2))
            core.maintain()
        }
        clock.advance(.seconds(86_400))
        core.maintain()
        #expect(core.statistics.totalsFiles == 1)
        core.close()
    }

    @Test(arguments: [0, 1, 2, 3], [UInt64(1), 2, 3])
    func `totals of spans that are gone agree with the spans`(left: Int, seed: UInt64) async throws
    {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let count = Counter()
        let suite = StoreContract(
            makeStore: {
                try EmbeddedStore.open(
                    directory: Self.directory,
                    options: Self.options,
                    disk: disk,
                    clock: clock,
                    decoder: SpanGenerator.Decoder()
                )
            },
            settle: { store in
                guard let store = store as? EmbeddedStore else { return store }
                try await store.flush()
                guard count.next() == 4 else { return store }
                // Everything is there, in four parts of two batches, received nanoseconds apart.
                let first = SpanGenerator.payload(seed: seed * 1_000).receivedAt
                let age = UInt64(6 * 3_600) * 1_000_000_000
                clock.advance(.seconds(6 * 3_600))
                clock.jump(to: first + age + ([7, 6, 4, 2] as [UInt64])[left])
                try await store.maintain()
                #expect(store.statistics.parts == left)
                #expect(store.statistics.totalsFiles == 1)
                return store
            },
            finish: { await ($0 as? EmbeddedStore)?.close() }
        )
        try await suite.run(.totalsAgreeWithTheReference, seed: seed)
    }

    @Test func `what is removed for its bytes stays counted, within a quarter of them`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = Self.options
        options.retention = nil
        let core = try open(disk, clock, options)
        try fill(core, clock)
        let before = try answers(core)
        let partBytes = core.statistics.partBytes
        core.close()
        options.retentionBytes = partBytes * 3 / 4
        let smaller = try open(disk, clock, options)
        smaller.maintain()
        #expect(smaller.statistics.evictedSpans > 0)
        #expect(smaller.statistics.totalsFiles > 0)
        #expect(try answers(smaller) == before)
        smaller.close()
        options.retentionBytes = 1
        let smallest = try open(disk, clock, options)
        smallest.maintain()
        smallest.maintain()
        #expect(smallest.statistics.totalsFiles == 0)
        #expect(smallest.statistics.expiredTotalsFiles > 0)
        #expect(!disk.paths().contains { $0.hasSuffix(".totals") })
        smallest.close()
    }

    // MARK: How long

    @Test func `totals go when they are too old, and none are made of what is`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = Self.options
        options.totalsRetention = .seconds(10 * 3_600)
        let core = try open(disk, clock, options)
        try append(1, to: core, clock)
        try core.flush()
        clock.advance(.seconds(7 * 3_600))
        core.maintain()
        #expect(core.statistics.parts == 0 && core.statistics.totalsFiles == 1)
        clock.advance(.seconds(4 * 3_600))
        core.maintain()
        #expect(core.statistics.totalsFiles == 0)
        #expect(core.statistics.expiredTotalsFiles == 1)
        #expect(!disk.paths().contains { $0.hasSuffix(".totals") })
        let all = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        #expect(try core.totals(all).lines.isEmpty)
        try append(2, to: core, clock)
        try core.flush()
        clock.advance(.seconds(11 * 3_600))
        core.maintain()
        #expect(core.statistics.parts == 0 && core.statistics.totalsFiles == 0)
        core.close()
    }

    @Test func `totals that would go before their spans are refused`() throws {
        var options = Self.options
        options.totalsRetention = .seconds(60)
        #expect(throws: EngineError.self) {
            try open(SimulatedDisk(), SimulatedClock(), options)
        }
    }

    @Test func `each tenant keeps its own`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        let other = Tenant("other")
        try append(1, to: core, clock)
        try append(2, to: core, clock, tenant: other)
        try core.flush()
        let own = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        let others = TotalsRequest(tenant: other, range: 0..<UInt64.max, lines: .services)
        let before = [try core.totals(own).lines, try core.totals(others).lines]
        clock.advance(.seconds(7 * 3_600))
        core.maintain()
        #expect(core.statistics.totalsFiles == 2)
        #expect([try core.totals(own).lines, try core.totals(others).lines] == before)
        core.close()
    }

    // MARK: What is not told any more

    @Test func `a deleted trace is not counted, one that expired before stays counted`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        let all = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        func calls() throws -> UInt64 {
            try core.totals(all).lines.reduce(0) { $0 + $1.total.callCount }
        }
        try append(1, to: core, clock)
        try core.flush()
        let spans = Ledger.spans([1])
        let id = try #require(spans.first?.traceID)
        let own = UInt64(spans.count { $0.traceID == id })
        _ = try core.deleteTrace(id, of: .default)
        #expect(try calls() == UInt64(spans.count) - own)
        clock.advance(.seconds(7 * 3_600))
        core.maintain()
        #expect(try calls() == UInt64(spans.count) - own)
        let rest = try #require(spans.first { $0.traceID != id }?.traceID)
        #expect(try core.deleteTrace(rest, of: .default).spanCount == 0)
        #expect(try calls() == UInt64(spans.count) - own)
        // Nothing knows any more that these were counted.
        try append(1, to: core, clock)
        #expect(try calls() == UInt64(2 * spans.count) - own)
        core.close()
    }

    // MARK: Crashes and damage

    @Test func `a crash at any call of expiry neither loses nor doubles a call`() throws {
        var crashes = 0
        for call in 1...80 {
            let disk = SimulatedDisk()
            let clock = SimulatedClock()
            let core = try open(disk, clock)
            try fill(core, clock, parts: 3)
            let before = try answers(core)
            clock.advance(.seconds(4 * 3_600 + 60))
            disk.crash(atCall: call)
            core.maintain()
            if !disk.isCrashed {
                #expect(core.statistics.parts < 3 && core.statistics.totalsFiles > 0)
                break
            }
            crashes += 1
            let found = disk.afterCrash(seed: UInt64(call))
            let reopened = try open(found, clock)
            #expect(try answers(reopened) == before, "crash at call \(call)")
            reopened.maintain()
            #expect(try answers(reopened) == before, "crash at call \(call), then expiry")
            #expect(!found.paths().contains { $0.hasSuffix(".new") })
            reopened.close()
        }
        #expect(crashes > 10)
    }

    @Test func `a failing call leaves the part, and a later round removes it`() throws {
        for call in SimulatedDisk.Call.allCases {
            let disk = SimulatedDisk()
            let clock = SimulatedClock()
            let core = try open(disk, clock)
            try fill(core, clock, parts: 2)
            let before = try answers(core)
            clock.advance(.seconds(6 * 3_600))
            disk.fail(SimulatedDisk.Fault(call: call, number: 1, code: 5, isSticky: true))
            core.maintain()
            disk.fail(nil)
            core.maintain()
            #expect(core.statistics.parts == 0, "after failing \(call)")
            #expect(try answers(core) == before, "after failing \(call)")
            core.close()
        }
    }

    @Test func `a damaged totals file is set aside, and answers over its time say so`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        try append(1, to: core, clock)
        try core.flush()
        clock.advance(.seconds(7 * 3_600))
        core.maintain()
        core.close()
        let path = try #require(disk.paths().first { $0.hasSuffix(".totals") })
        let bytes = disk.bytes(of: path)
        let all = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        for place in stride(from: 8, to: bytes.count, by: max(1, bytes.count / 60)) {
            var flipped = bytes
            flipped[place] ^= 0x10
            let damaged = disk.copy(changing: path, to: flipped)
            let store = try open(damaged, clock)
            // Not every question reads every byte.
            for question in Self.questions() { _ = try store.totals(question) }
            let answer = try store.totals(all)
            #expect(answer.incomplete.count == 1, "byte \(place)")
            #expect(answer.incomplete.allSatisfy { $0.contains("set aside") })
            #expect(damaged.paths().contains { $0.contains("quarantine/") })
            let never = TotalsRequest(range: 1..<2, lines: .services)
            #expect(try store.totals(never).incomplete.isEmpty)
            #expect(try store.scan(ScanPlan(range: 0..<UInt64.max, limit: 1)).incomplete.isEmpty)
            store.close()
            let again = try open(damaged, clock)
            #expect(try again.totals(all).incomplete == answer.incomplete)
            again.close()
        }
    }

    @Test func `a totals file of another store or version is refused`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        try append(1, to: core, clock)
        try core.flush()
        clock.advance(.seconds(7 * 3_600))
        core.maintain()
        core.close()
        let path = try #require(disk.paths().first { $0.hasSuffix(".totals") })
        for (place, word) in [(8, "format version"), (16, "another store")] {
            var head = disk.bytes(of: path)
            head[place] ^= 2
            let sum = CRC32C.checksum(head, 8..<32)
            for index in 0..<4 { head[4 + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
            let strange = disk.copy(changing: path, to: head)
            let before = strange.paths()
            do {
                _ = try open(strange, clock)
                Issue.record("byte \(place) was taken")
            } catch let error as EngineError {
                #expect(error.description.contains(word))
            }
            #expect(strange.paths() == before)
        }
    }

    @Test func `a part that is damaged when it goes is missed aloud for as long as its totals`()
        throws
    {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        try fill(core, clock, parts: 1)
        core.close()
        let path = try #require(disk.paths().first { $0.hasSuffix(".part") })
        var bytes = disk.bytes(of: path)
        bytes[bytes.count - 40] ^= 1
        let damaged = disk.copy(changing: path, to: bytes)
        let store = try open(damaged, clock)
        let all = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        #expect(try store.totals(all).incomplete.count == 1)
        clock.advance(.seconds(7 * 3_600))
        store.maintain()
        #expect(store.statistics.quarantinedParts == 0)
        #expect(store.statistics.uncountedSpans > 0)
        #expect(try store.totals(all).incomplete.contains { $0.contains("removed uncounted") })
        clock.advance(.seconds(91 * 86_400))
        store.maintain()
        #expect(try store.totals(all).incomplete.isEmpty)
        store.close()
    }

    // MARK: Backup, verification, inspection

    @Test func `backup, restore, verify and inspect know totals files`() throws {
        let folder = TemporaryDirectory()
        let clock = SimulatedClock()
        let decoder = SpanGenerator.Decoder()
        func path(_ name: String) -> String { folder.path + "/" + name }
        func open(_ name: String) throws -> StoreCore {
            try StoreCore.open(
                directory: path(name),
                options: Self.options,
                clock: clock,
                decoder: decoder
            )
        }
        try FileManager.default.createDirectory(
            atPath: folder.path,
            withIntermediateDirectories: true
        )
        let core = try open("store")
        try fill(core, clock)
        clock.advance(.seconds(3_600))
        core.maintain()
        let before = try answers(core)
        #expect(core.statistics.totalsFiles > 0 && core.statistics.parts > 0)
        let report = try EngineInspection.inspect(directory: path("store"))
        #expect(report.contains("parts that are gone"))
        _ = try StoreBackup.make(of: path("store"), at: path("backup"), clock: clock)
        core.close()
        _ = try StoreBackup.restore(path("backup"), into: path("restored"), decoder: decoder)
        let restored = try open("restored")
        #expect(try answers(restored) == before)
        restored.close()
        for name in ["store", "backup", "restored"] {
            let summary = try StoreVerification.verify(
                directory: path(name),
                decoder: decoder
            ) { _ in }
            #expect(summary.isSound, "\(name)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: path("backup/totals"))
        let file = path("backup/totals/") + (try #require(names.first))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[bytes.count / 2] ^= 4
        try bytes.write(to: URL(fileURLWithPath: file))
        #expect(throws: EngineError.self) {
            try StoreBackup.restore(path("backup"), into: path("other"), decoder: decoder)
        }
        var lines: [String] = []
        let summary = try StoreVerification.verify(
            directory: path("backup"),
            decoder: decoder
        ) { lines.append($0) }
        #expect(!summary.isSound)
        #expect(lines.contains { $0.hasPrefix("DAMAGED") && $0.contains(".totals") })
    }
}
