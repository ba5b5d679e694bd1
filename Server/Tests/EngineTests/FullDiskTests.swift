// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// Retention on a disk that has next to no room.
@Suite struct FullDiskTests {
    private static let directory = "/store"

    /// Six parts that are too old, and a batch in the head that has to be written.
    private func filled(_ disk: SimulatedDisk, _ clock: SimulatedClock) throws -> StoreCore {
        var options = EngineOptions.small
        options.retention = .seconds(3_600)
        options.headFlushAge = .seconds(60)
        let core = try StoreCore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: clock,
            decoder: SpanGenerator.Decoder()
        )
        for seed in UInt64(1)...6 {
            try append(seed, to: core, clock)
            try core.flush()
            clock.advance(.seconds(1))
        }
        clock.advance(.seconds(7_200))
        try append(7, to: core, clock)
        clock.advance(.seconds(120))
        return core
    }

    private func append(_ seed: UInt64, to core: StoreCore, _ clock: SimulatedClock) throws {
        var payload = SpanGenerator.payload(seed: seed, tenant: .default)
        payload.receivedAt = clock.wallNanoseconds()
        try core.append([SpanBatch(columns: SpanGenerator.columns(seed: seed), payload: payload)])
    }

    private func totals(_ core: StoreCore) throws -> Totals {
        try core.totals(TotalsRequest(range: 0..<UInt64.max, lines: .operationsByKind))
    }

    @Test func `parts go one by one where there is no room for their totals together`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try filled(disk, clock)
        // As much as all together need is known once they went on another disk.
        let other = SimulatedDisk()
        let otherClock = SimulatedClock()
        let spacious = try filled(other, otherClock)
        spacious.maintain()
        let needed = Int(spacious.statistics.totalsBytes)
        #expect(spacious.statistics.totalsFiles == 1)
        for _ in 0..<12 {
            disk.setFreeBytes(needed - 1)
            core.maintain()
        }
        #expect(core.statistics.parts <= 1, "those that are too old have gone")
        disk.setFreeBytes(.max)
        core.maintain()
        #expect(core.statistics.headSpans == 0)
        #expect(core.statistics.parts == 1)
        #expect(core.statistics.uncountedSpans == 0)
        let (found, wanted) = (try totals(core), try totals(spacious))
        #expect(found.incomplete.isEmpty)
        #expect(found.lines.map(\.total) == wanted.lines.map(\.total))
        core.close()
    }

    @Test func `a part goes uncounted where there is no room for its totals`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try filled(disk, clock)
        // Enough for a manifest and to say what is missing.
        for _ in 0..<12 {
            disk.setFreeBytes(700)
            core.maintain()
        }
        #expect(core.statistics.parts < 6)
        #expect(core.statistics.expiredSpans > 0)
        #expect(core.statistics.uncountedSpans == core.statistics.expiredSpans)
        #expect(try !totals(core).incomplete.isEmpty)
        disk.setFreeBytes(.max)
        core.maintain()
        #expect(core.statistics.parts <= 1)
        #expect(core.statistics.headSpans == 0)
        #expect(core.statistics.failure == nil)
        core.close()
    }
}
