// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// What a start makes of what the one before left; each of these was wrong once.
@Suite struct RecoveryTests {
    private static let directory = "/data"

    private func open(_ disk: SimulatedDisk, flushBytes: Int = 1 << 20) throws -> StoreCore {
        var options = EngineOptions.small
        options.headFlushBytes = flushBytes
        options.merging = true
        return try StoreCore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: SimulatedClock(),
            decoder: SpanGenerator.Decoder()
        )
    }

    private func expectWhole(_ disk: SimulatedDisk, _ ledger: Ledger, _ what: String) throws {
        let core = try open(disk)
        let problems = try ledger.violations(in: core)
        #expect(problems.isEmpty, "\(what): \(problems)")
    }

    /// ```
    /// segment 1: 1 | 2, 3, 4: the sync fails for want of room, who knows what is there
    /// segment 2: 5, acknowledged
    /// a start that flushes between the segments, and ends there
    /// ```
    @Test func `what failed is not taken for what was acknowledged after it`() throws {
        for call in 1...24 {
            let disk = SimulatedDisk(seed: UInt64(call))
            var ledger = Ledger()
            let core = try open(disk)
            ledger.append([1], to: core)
            disk.fail(SimulatedDisk.Fault(call: .sync, number: 1, code: 28))
            ledger.append([2, 3, 4], to: core)
            disk.fail(nil)
            ledger.append([5], to: core)
            #expect(ledger.acknowledged == [1, 5])
            disk.restart(after: .kill)
            disk.crash(atCall: call)
            _ = try? open(disk, flushBytes: 1)
            disk.restart(after: .powerCut)
            try expectWhole(disk, ledger, "the start ended at call \(call)")
        }
    }

    /// The name of the new manifest is in the cache only, but the files that it no longer lists are
    /// removed.
    @Test func `what a killed process left in the cache is made lasting before anything goes`()
        throws
    {
        func workload(_ disk: SimulatedDisk, _ ledger: inout Ledger) throws {
            let core = try open(disk)
            for seed in UInt64(1)...9 {
                ledger.append([seed], to: core)
                try? core.flush()
            }
            core.maintain()
            ledger.append([10], to: core)
        }
        let clean = SimulatedDisk()
        var all = Ledger()
        try workload(clean, &all)
        for call in 1...clean.callCount {
            let disk = SimulatedDisk(seed: UInt64(call))
            disk.crash(atCall: call)
            var ledger = Ledger()
            try? workload(disk, &ledger)
            disk.restart(after: .kill)
            let core = try open(disk)
            ledger.append([11], to: core)
            try core.flush()
            disk.restart(after: .powerCut)
            try expectWhole(disk, ledger, "killed at call \(call)")
        }
    }

    /// A sync of the folder fails, and after that the new manifest's name never gets to the disk, though
    /// everybody sees it: the next start removes what it no longer lists.
    @Test func `a manifest whose sync failed is made lasting before anything goes`() throws {
        for seed in 0..<16 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            var ledger = Ledger()
            let core = try open(disk)
            ledger.append([1], to: core)
            ledger.append([2], to: core)
            try core.flush()
            // Those of the log and of the parts succeed: before a part is made and after it.
            disk.fail(SimulatedDisk.Fault(call: .syncDirectory, number: 4, code: 24))
            let columns = SpanGenerator.columns(seed: 1)
            let trace = TraceID(high: columns.traceHigh[0], low: columns.traceLow[0])
            #expect(throws: StoreError.self) { try core.deleteTrace(trace, of: .default) }
            disk.fail(nil)
            disk.restart(after: .kill)
            let found = try open(disk).statistics.spans
            disk.restart(after: .powerCut)
            #expect(try open(disk).statistics.spans == found, "seed \(seed)")
        }
    }

    @Test func `a segment with two names is not overwritten`() throws {
        let disk = SimulatedDisk()
        var ledger = Ledger()
        ledger.append([1], to: try open(disk))
        let log = try #require(disk.paths().first { $0.hasSuffix(".log") })
        disk.restart(after: .powerCut)
        try disk.link(log, to: log.dropLast(4) + ".free")
        try disk.syncDirectory(Self.directory + "/log")
        ledger.append([2], to: try open(disk))
        disk.restart(after: .powerCut)
        try expectWhole(disk, ledger, "two names")
        #expect(!disk.paths().contains { $0.hasSuffix(".free") })
    }

    @Test(arguments: [SimulatedDisk.Call.open, .size, .read], [Int32(5), 24])
    func `a part that cannot be read at a start is missed aloud, and tried again`(
        call: SimulatedDisk.Call,
        code: Int32
    ) throws {
        let disk = SimulatedDisk()
        var ledger = Ledger()
        let core = try open(disk)
        ledger.append([1, 2], to: core)
        core.close()
        var missed = 0
        for number in 1...8 {
            let copy = disk.copy()
            copy.fail(SimulatedDisk.Fault(call: call, number: number, code: code))
            guard let again = try? open(copy), copy.hasFailed else { continue }
            let answer = try again.scan(ScanPlan(range: 0..<UInt64.max))
            // What could not be read is said; what was not needed does not matter.
            #expect(answer.traces.isEmpty == !answer.incomplete.isEmpty, "call \(number)")
            if !answer.incomplete.isEmpty { missed += 1 }
            copy.fail(nil)
            again.maintain()
            #expect(try ledger.violations(in: again).isEmpty, "call \(number)")
            again.close()
        }
        #expect(missed > 0, "no call is that of a part")
        try expectWhole(disk, ledger, "\(call) works again")
    }

    @Test func `a record that stands twice in the log is taken once`() throws {
        let disk = SimulatedDisk()
        var ledger = Ledger()
        ledger.append([1], to: try open(disk))
        disk.restart(after: .powerCut)
        let log = try #require(disk.paths().first { $0.hasSuffix(".log") })
        let bytes = disk.bytes(of: log)
        let used = try #require(bytes.lastIndex { $0 != 0 }) + 1
        let first = bytes[512..<used]
        var doubled = bytes
        doubled.replaceSubrange(2_048..<2_048 + first.count, with: first)
        let damaged = disk.copy(changing: log, to: doubled)
        let core = try open(damaged)
        #expect(core.statistics.spans == UInt64(SpanGenerator.columns(seed: 1).count))
        #expect(try ledger.violations(in: core).isEmpty)
    }

    /// A write that went to the wrong place puts a newer record before an older one; what is flushed
    /// between them must not be taken again.
    @Test func `records out of order are taken in their order`() throws {
        let disk = SimulatedDisk()
        var ledger = Ledger()
        let core = try open(disk)
        for seed in UInt64(1)...3 { ledger.append([seed], to: core) }
        disk.restart(after: .powerCut)
        let log = try #require(disk.paths().first { $0.hasSuffix(".log") })
        var bytes = disk.bytes(of: log)
        let magic = Array("SkWR".utf8)
        let starts = bytes.indices.filter { bytes[$0...].starts(with: magic) }
        try #require(starts.count == 3)
        let first = starts[0]..<starts[1]
        let target = (bytes.count - first.count) / 512 * 512
        #expect(bytes[target...].allSatisfy { $0 == 0 })
        bytes.replaceSubrange(target..<target + first.count, with: bytes[first])
        bytes.replaceSubrange(first, with: repeatElement(0, count: first.count))
        let damaged = disk.copy(changing: log, to: bytes)
        let sent = (UInt64(1)...3).reduce(0) { $0 + SpanGenerator.columns(seed: $1).count }
        for start in 1...3 {
            let core = try open(damaged, flushBytes: 1)
            #expect(core.statistics.spans == UInt64(sent), "start \(start)")
            #expect(try ledger.violations(in: core).isEmpty, "start \(start)")
            damaged.restart(after: .powerCut)
        }
    }

    // MARK: What is set aside

    /// Two records in one segment, the second or the first of which is spoilt.
    private func spoilt(_ disk: SimulatedDisk, isLast: Bool) throws -> SimulatedDisk {
        let core = try open(disk)
        for seed in UInt64(1)...2 { try core.append([SpanGenerator.batch(seed: seed)]) }
        core.close(flushing: false)
        let log = try #require(disk.paths().last { $0.hasPrefix(Self.directory + "/log/") })
        var bytes = disk.bytes(of: log)
        let magic = Array("SkWR".utf8)
        let starts = bytes.indices.filter { bytes[$0...].starts(with: magic) }
        try #require(starts.count == 2)
        bytes[starts[isLast ? 1 : 0] + 50] ^= 1
        return disk.copy(changing: log, to: bytes)
    }

    private func aside(_ disk: SimulatedDisk) -> [String] {
        disk.paths().filter { $0.contains("/quarantine/") }
    }

    @Test func `a record torn by a crash is counted, and its segment not kept`() throws {
        var disk = try spoilt(SimulatedDisk(), isLast: true)
        for _ in 0..<3 {
            let core = try open(disk)
            #expect(core.statistics.damagedRecords == 1)
            core.close()
            #expect(aside(disk) == [])
            disk = try spoilt(disk, isLast: true)
        }
    }

    @Test func `damaged segments are kept up to a bound, the newest of them`() throws {
        var options = EngineOptions.small
        options.quarantineBytes = UInt64(2 * options.segmentBytes)
        var disk = SimulatedDisk()
        var last: [String] = []
        for round in 1...5 {
            disk = try spoilt(disk, isLast: false)
            let core = try StoreCore.open(
                directory: Self.directory,
                options: options,
                disk: disk,
                clock: SimulatedClock(),
                decoder: SpanGenerator.Decoder()
            )
            #expect(core.statistics.damagedRecords == 1)
            try core.flush()
            core.maintain()
            let now = aside(disk)
            #expect(now.count == min(round, 2), "round \(round): \(now)")
            #expect(now.last != last.last)
            #expect(core.statistics.quarantineBytes == UInt64(now.count * options.segmentBytes))
            last = now
            core.close()
        }
    }
}
