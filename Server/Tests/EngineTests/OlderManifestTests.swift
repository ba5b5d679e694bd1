// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// Files that the manifest does not list: what a crash left goes, what an older manifest does not know
/// stays.
@Suite struct OlderManifestTests {
    private static let directory = "/store"
    private static let manifest = directory + "/MANIFEST"

    private func open(_ disk: any Disk, _ clock: SimulatedClock) throws -> StoreCore {
        var options = EngineOptions.small
        options.merging = true
        options.retention = .seconds(6 * 3_600)
        return try StoreCore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: clock,
            decoder: SpanGenerator.Decoder()
        )
    }

    /// Spans and a window of call statistics, received now.
    private func append(_ seed: UInt64, to core: StoreCore, _ clock: SimulatedClock) throws {
        clock.advance(.seconds(1))
        var payload = SpanGenerator.payload(seed: seed, tenant: .default)
        payload.receivedAt = clock.wallNanoseconds()
        let spans = SpanBatch(columns: SpanGenerator.columns(seed: seed), payload: payload)
        payload.format = .callsProtobuf
        let calls = SpanBatch(calls: SpanGenerator.calls(seed: seed).counts, payload: payload)
        try core.append([spans, calls])
    }

    private static let laterWork: [String] = ["flush", "merge", "delete", "expire"]

    /// What happens after the manifest was copied.
    private func work(_ what: String, _ core: StoreCore, _ clock: SimulatedClock) throws {
        switch what {
        case "flush":
            try append(2, to: core, clock)
            try core.flush()
        case "merge":
            for seed in UInt64(2)...9 {
                try append(seed, to: core, clock)
                try core.flush()
            }
            core.maintain()
        case "delete":
            let columns = SpanGenerator.columns(seed: 1)
            let id = TraceID(high: columns.traceHigh[0], low: columns.traceLow[0])
            _ = try core.deleteTrace(id, of: .default)
        default:
            clock.advance(.seconds(7 * 3_600))
            core.maintain()
        }
    }

    @Test(arguments: laterWork, [true, false])
    func `an older manifest is refused, and what it does not know is left alone`(
        what: String,
        isStopped: Bool
    ) throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        try append(1, to: core, clock)
        try core.flush()
        let older = disk.bytes(of: Self.manifest)
        try work(what, core, clock)
        if !isStopped { try append(20, to: core, clock) }
        core.close(flushing: isStopped)
        let changed = disk.copy(changing: Self.manifest, to: older)
        let before = changed.paths()
        let error = #expect(throws: EngineError.self) { _ = try open(changed, clock) }
        let text = error?.description ?? ""
        for word in [Self.manifest, "older", "Nothing was changed", "into a new folder"] {
            #expect(text.contains(word), "\(text)")
        }
        #expect(!text.contains("\n"))
        #expect(changed.paths() == before)
        let untouched = disk.copy(changing: Self.manifest, to: older)
        for path in before { #expect(changed.bytes(of: path) == untouched.bytes(of: path)) }
        // The newest manifest brings everything back.
        let again = try open(disk, clock)
        #expect(again.statistics.quarantinedParts == 0)
        again.close()
    }

    /// Crashes in every call of a workload: what is left half made goes at the next start, nothing
    /// else does.
    @Test(arguments: SimulatedDisk.Crash.allCases)
    func `what a crash leaves goes at the next start`(crash: SimulatedDisk.Crash) throws {
        func workload(_ disk: SimulatedDisk, _ clock: SimulatedClock) throws {
            let core = try open(disk, clock)
            for what in ["flush", "merge", "delete", "expire", "flush"] {
                if what == "delete" { try append(1, to: core, clock) }
                try? work(what, core, clock)
                if disk.isCrashed { return }
            }
        }
        let clean = SimulatedDisk()
        try workload(clean, SimulatedClock())
        #expect(clean.callCount > 100)
        // A part of the calls a run, others each time; a failure names its call.
        for call in stride(from: Int.random(in: 1...9), through: clean.callCount, by: 9) {
            let disk = SimulatedDisk(seed: UInt64(call))
            let clock = SimulatedClock()
            disk.crash(atCall: call)
            try? workload(disk, clock)
            disk.restart(after: crash)
            let core = try open(disk, clock)
            let numbers = core.statistics
            let paths = disk.paths()
            #expect(paths.count { $0.hasSuffix(".part") } == numbers.parts, "call \(call)")
            #expect(paths.count { $0.hasSuffix(".totals") } == numbers.totalsFiles, "call \(call)")
            #expect(!paths.contains { $0.hasSuffix(".new") }, "call \(call)")
            #expect(!paths.contains { $0.contains("/quarantine/") }, "call \(call)")
            core.close()
        }
    }
}
