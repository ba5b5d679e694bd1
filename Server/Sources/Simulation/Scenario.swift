// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import SkeinModel
import Store
import StoreContract

/// One run: a workload made of a seed over a disk and a clock made of the same seed, with crashes,
/// each followed by a recovery and a look at everything.
public struct Scenario {
    static let directory = "/data"
    static let tenants = [Tenant.default, Tenant("second")]
    static let retentionNanoseconds: UInt64 = 3_600_000_000_000

    let options: SimulationOptions
    let trouble: SimulationOptions.Trouble
    let disk: SimulatedDisk
    let clock: SimulatedClock
    /// What the engine is given: the disk, maybe with a bug in between.
    let enginesDisk: any Disk
    let engineOptions: EngineOptions
    var random: SeededGenerator
    var ledger = SpanLedger(tenants: Scenario.tenants.count)
    var calls = CallLedger()
    var outcome: SimulationOutcome
    var core: StoreCore?
    private var nextNumber: UInt64 = 1
    private var nextWindow: UInt64 = 1
    private var opened: (wall: UInt64, monotonic: UInt64) = (0, 0)
    /// A call is told to fail.
    var isFaulty = false
    /// A call failed while the store was opened, and no maintenance came since: a part may be unread.
    var mayBeUnread = false
    /// Parts may have gone while the disk would not read them.
    var mayBeUncounted = false
    /// The disk is told to be full, and nothing else.
    private var isFull = false
    /// The log said that it takes nothing until the next start.
    private var needsStart = false
    /// The medium spoilt something since the run began.
    var isSpoilt = false
    /// Batches held back by the bug that acknowledges too early.
    private var heldBack: [SpanBatch] = []

    private init(seed: UInt64, options: SimulationOptions) {
        self.options = options
        var random = SeededGenerator(seed: seed)
        let mixture: [SimulationOptions.Trouble] = [.crashes, .crashes, .errors, .media]
        let chosen = random.pick(from: mixture)
        trouble = options.trouble ?? chosen
        let disk = SimulatedDisk(seed: random.next(), isRecording: options.isRecording)
        self.disk = disk
        clock = SimulatedClock()
        enginesDisk = options.bug.map { PlantedDisk(disk, $0) } ?? disk
        var engineOptions = Self.engineOptions(&random)
        // Totals that go with their spans must agree with them, others with all that ever was.
        engineOptions.totalsRetention = seed.isMultiple(of: 2) ? nil : engineOptions.retention
        self.engineOptions = engineOptions
        disk.setBypass(isPossible: random.happens(oneIn: 2))
        self.random = random
        outcome = SimulationOutcome(seed: seed)
    }

    /// Small segments, blocks and limits, so that tens of spans reach every branch.
    private static func engineOptions(_ random: inout SeededGenerator) -> EngineOptions {
        var options = EngineOptions()
        options.segmentBytes = random.pick(from: [1_024, 2_048, 4_096])
        options.segmentsAhead = random.number(below: 3)
        options.blockRows = random.pick(from: [1, 4, 16])
        options.headFlushBytes = random.pick(from: [8 << 10, 64 << 10])
        options.headLimitBytes = 1 << 20
        options.logLimitBytes = 32 << 10
        options.retention = .seconds(3_600)
        options.reserveBytes = random.pick(from: [0, 2_048])
        options.replayThreads = 0
        options.headFlushAge = .seconds(600)
        return options
    }

    /// Runs the scenario of a seed.
    public static func run(
        seed: UInt64,
        options: SimulationOptions = SimulationOptions()
    ) -> SimulationOutcome {
        var scenario = Scenario(seed: seed, options: options)
        do {
            try scenario.run()
        } catch let violation as Violation {
            scenario.outcome.violation = "step \(scenario.outcome.steps): \(violation.text)"
        } catch {
            scenario.outcome.violation = "step \(scenario.outcome.steps): \(error)"
        }
        scenario.outcome.digest = scenario.disk.digest
        scenario.outcome.lines = scenario.disk.lines
        if options.isRecording, scenario.outcome.violation != nil {
            let disk = scenario.disk.copy()
            let report = try? EngineInspection.inspect(directory: Self.directory, disk: disk)
            scenario.outcome.lines.append(report ?? "the directory cannot be inspected")
        }
        return scenario.outcome
    }

    /// The engine broke a promise.
    struct Violation: Error {
        let text: String
    }

    /// The directory was refused as it must be: the run ends well.
    private struct Refused: Error {}

    private mutating func run() throws {
        do {
            try recover()
            if let number = options.onlyCrashAt {
                return try crashOnce(at: number)
            }
            while outcome.crashes < options.crashes {
                try session()
                try crash()
                try recover()
            }
        } catch is Refused {
            outcome.refusals += 1
        }
    }

    // MARK: Crashing and starting

    private mutating func crashOnce(at number: Int) throws {
        disk.crash(atCall: number)
        for _ in 0..<options.sessionSteps * 2 {
            outcome.steps += 1
            try step()
            if disk.isCrashed { break }
        }
        guard disk.isCrashed else { return }
        try crash()
        try recover()
    }

    private mutating func crash() throws {
        core = nil
        heldBack = []
        isFaulty = false
        isFull = false
        outcome.crashes += 1
        let crash: SimulatedDisk.Crash = random.happens(oneIn: 3) ? .kill : .powerCut
        disk.restart(after: crash)
        note(disk.takeDamage())
        clock.advance(nanoseconds: UInt64(random.number(below: 1_000)) * 1_000_000)
    }

    /// Starts until it works, maybe with crashes in between, and looks at everything.
    private mutating func recover() throws {
        var crashesLeft = random.happens(oneIn: 2) ? random.number(below: 3) : 0
        if options.onlyCrashAt != nil {
            crashesLeft = outcome.crashes == 1 && options.recoveryCrashAt != nil ? 1 : 0
        }
        while true {
            if crashesLeft > 0 {
                disk.crash(atCall: options.recoveryCrashAt ?? 1 + random.number(below: 10))
            }
            do {
                try open()
            } catch {
                if !disk.isCrashed { throw error }
            }
            disk.crash(atCall: nil)
            if !disk.isCrashed { break }
            crashesLeft -= 1
            outcome.recoveryCrashes += 1
            try crash()
        }
        try verify(isAfterStart: true)
    }

    mutating func open() throws {
        let before = disk.paths()
        needsStart = false
        mayBeUnread = isFaulty
        opened = (clock.wallNanoseconds(), clock.monotonicNanoseconds())
        do {
            core = try StoreCore.open(
                directory: Self.directory,
                options: engineOptions,
                disk: enginesDisk,
                clock: clock,
                randomness: SimulatedRandomness(seed: random.next()),
                decoder: SimulatedSpans.Decoder(
                    copies: options.bug == .replayTwice ? 2 : 1
                )
            )
        } catch {
            if disk.isCrashed { throw error }
            if isFaulty {
                // A call failed: nothing is wrong once it works again.
                clearFault()
                return try open()
            }
            guard isSpoilt, error is EngineError else {
                throw Violation(text: "cannot be opened: \(error)")
            }
            let now = disk.paths()
            guard before.allSatisfy(now.contains) else {
                throw Violation(text: "refused, but files are gone: \(error)")
            }
            throw Refused()
        }
    }

    // MARK: Steps

    private mutating func session() throws {
        disk.crash(atCall: 1 + random.number(below: random.pick(from: [4, 12, 40, 120])))
        for _ in 0..<options.sessionSteps {
            outcome.steps += 1
            clock.advance(nanoseconds: UInt64(random.number(below: 2_000_000_000)))
            try step()
            note(disk.takeDamage())
            if disk.isCrashed { break }
        }
    }

    private mutating func step() throws {
        guard let core else { return }
        switch random.number(below: 100) {
        case ..<40: try append(to: core)
        case ..<48: try appendCalls(to: core)
        case ..<62:
            disk.note(step: "flush")
            try? core.flush()
        case ..<76: maintain(core)
        case ..<80: clock.advance(nanoseconds: UInt64(random.number(below: 2_000)) * 1_000_000_000)
        case ..<82: setClock()
        case ..<84: core.prepareLog()
        case ..<85: try delete(from: core)
        case ..<88: try verify(isAfterStart: false)
        case ..<92: try reopen(core)
        default: try misfortune(core)
        }
    }

    private mutating func append(to core: StoreCore) throws {
        var group: [(tenant: Int, numbers: [UInt64], batch: SpanBatch)] = []
        for _ in 0..<(random.happens(oneIn: 4) ? 3 : 1) {
            var numbers: [UInt64] = []
            for _ in 0..<1 + random.number(below: 4) {
                if nextNumber > 8, random.happens(oneIn: 10) {
                    // A client's retry: the same span again, this time maybe beside others.
                    let old = nextNumber - 1 - UInt64(random.number(below: 8))
                    if !numbers.contains(old) { numbers.append(old) }
                } else {
                    numbers.append(nextNumber)
                    nextNumber += 1
                }
            }
            let tenant = random.number(below: Self.tenants.count)
            let batch = SimulatedSpans.batch(
                numbers,
                tenant: Self.tenants[tenant],
                receivedAt: clock.wallNanoseconds(),
                padding: random.number(below: random.pick(from: [8, 60, 600]))
            )
            group.append((tenant, numbers, batch))
        }
        _ = disk.takeWritten()
        disk.note(step: "append", Int(group[0].numbers[0]))
        let answer = send(group.map(\.batch), to: core)
        disk.note(step: "\(answer)", Int(nextNumber) - 1)
        let written = disk.takeWritten()
        ledger.note(group, answer, places: written)
        if answer == .acknowledged {
            outcome.acknowledgedSpans += group.reduce(0) { $0 + $1.numbers.count }
        }
        note(disk.takeDamage())
    }

    /// A group of windows of call statistics, one in four of which was sent before.
    private mutating func appendCalls(to core: StoreCore) throws {
        var group: [(tenant: Int, number: UInt64, batch: SpanBatch)] = []
        for _ in 0..<(random.happens(oneIn: 4) ? 3 : 1) {
            let tenant = random.number(below: Self.tenants.count)
            let known = calls.numbers(tenant)
            var number = nextWindow
            if random.happens(oneIn: 4), !known.isEmpty {
                number = random.pick(from: known.suffix(6))
            } else {
                nextWindow += 1
            }
            let batch = SimulatedCalls.batch(
                number,
                tenant: Self.tenants[tenant],
                receivedAt: clock.wallNanoseconds(),
                padding: random.number(below: random.pick(from: [8, 60, 600]))
            )
            group.append((tenant, number, batch))
        }
        _ = disk.takeWritten()
        disk.note(step: "append calls", Int(group[0].number))
        let answer = send(group.map(\.batch), to: core)
        disk.note(step: "\(answer)", Int(nextWindow) - 1)
        let written = disk.takeWritten()
        for (tenant, number, batch) in group {
            calls.note(
                number,
                tenant: tenant,
                receivedAt: batch.payload.receivedAt,
                answer,
                places: written
            )
        }
        note(disk.takeDamage())
    }

    private mutating func send(_ batches: [SpanBatch], to core: StoreCore) -> SpanLedger.Standing {
        do throws(StoreError) {
            if options.bug == .acknowledgeEarly {
                let waiting = heldBack
                heldBack = batches
                if !waiting.isEmpty { try core.append(waiting) }
            } else {
                try core.append(batches)
            }
            return .acknowledged
        } catch .overloaded, .refused {
            return .refused
        } catch .storageFailed(let reason) {
            needsStart = reason.contains("restart")
            return .unknown
        } catch {
            return .unknown
        }
    }

    private mutating func maintain(_ core: StoreCore) {
        // What the engine promises: the wall clock, but at most an hour ahead of what passed.
        let passed = clock.monotonicNanoseconds() - opened.monotonic
        let now = min(clock.wallNanoseconds(), opened.wall &+ passed &+ 3_600_000_000_000)
        calls.note(maintainedAt: now)
        if now > Self.retentionNanoseconds {
            ledger.note(expiredUpTo: now - Self.retentionNanoseconds)
        }
        if isFaulty || mayBeUnread { mayBeUncounted = true }
        disk.note(step: "maintain", Int(now / 1_000_000_000))
        core.maintain()
        if !isFaulty { mayBeUnread = false }
    }

    private mutating func delete(from core: StoreCore) throws {
        let tenant = random.number(below: Self.tenants.count)
        let trace = random.number(below: SimulatedSpans.traceCount)
        disk.note(step: "delete", trace)
        do {
            let deleted = try core.deleteTrace(
                SimulatedSpans.traceID(trace),
                of: Self.tenants[tenant]
            )
            // Segments that were set aside keep their bytes, but are never replayed.
            let rest = deleted.incomplete.filter { !$0.contains("quarantine/") }
            if !rest.isEmpty { try mustHaveReason(rest) }
            ledger.noteDeletion(tenant, trace: trace, isDone: rest.isEmpty)
        } catch let error as StoreError {
            ledger.noteDeletion(tenant, trace: trace, isDone: false)
            if !isFaulty, !disk.isCrashed {
                throw Violation(text: "a trace cannot be deleted: \(error)")
            }
        }
        if !disk.isCrashed { try verify(isAfterStart: false) }
    }

    private mutating func setClock() {
        disk.note(step: "set the clock")
        let now = clock.wallNanoseconds()
        let year: UInt64 = 31_536_000_000_000_000
        switch random.number(below: 4) {
        case 0: clock.jump(to: now + 10 * year)
        case 1: clock.jump(to: now > year ? now - year : now)
        case 2: clock.jump(to: now - min(now, 3_600_000_000_000))
        default: clock.jump(to: 1_790_000_100_000_000_000 + clock.monotonicNanoseconds())
        }
    }

    private mutating func reopen(_ core: StoreCore) throws {
        disk.note(step: "close")
        core.close(flushing: random.happens(oneIn: 2))
        self.core = nil
        heldBack = []
        if disk.isCrashed { return }
        do {
            try open()
        } catch {
            // A crash in here is followed by a start as any other.
            if !disk.isCrashed { throw error }
            return
        }
        try verify(isAfterStart: true)
    }

    // MARK: Misfortune

    private mutating func misfortune(_ core: StoreCore) throws {
        switch trouble {
        case .crashes: try append(to: core)
        case .errors where isFull: try makeRoom(core)
        case .errors where isFaulty: clearFault()
        case .errors: setFault()
        case .media: spoil()
        }
    }

    private mutating func setFault() {
        isFaulty = true
        if random.happens(oneIn: 4) {
            isFull = true
            disk.setFreeBytes(random.number(below: 3_000))
            return
        }
        let calls = SimulatedDisk.Call.allCases
        disk.fail(
            SimulatedDisk.Fault(
                call: random.happens(oneIn: 4) ? nil : random.pick(from: calls),
                number: 1 + random.number(below: 6),
                code: random.pick(from: [5, 28, 30, 24]),
                isSticky: random.happens(oneIn: 3)
            )
        )
    }

    /// A full disk passes by itself: without a start, the next append is taken.
    private mutating func makeRoom(_ core: StoreCore) throws {
        clearFault()
        do {
            try core.flush()
        } catch {
            if !disk.isCrashed { throw Violation(text: "there is room again, but: \(error)") }
        }
        let before = outcome.acknowledgedSpans
        try append(to: core)
        if outcome.acknowledgedSpans == before, !needsStart, !disk.isCrashed {
            throw Violation(text: "there is room again, but appends are refused")
        }
    }

    private mutating func clearFault() {
        if disk.hasFailed { outcome.failures += 1 }
        isFaulty = false
        isFull = false
        disk.fail(nil)
        disk.setFreeBytes(.max)
    }

    private mutating func spoil() {
        let fault = random.pick(from: MediaFault.allCases)
        switch fault {
        case .lostWrite, .misdirectedWrite: disk.spoilNextSync(fault)
        case .bitRot, .zeroedSector, .shortened:
            let paths = disk.paths()
            // The manifest is one file of many: spoilt too often, nothing else would be seen.
            let path = random.pick(from: paths)
            if path.hasSuffix("/MANIFEST"), !random.happens(oneIn: 8) { return }
            if let damage = disk.spoil(fault, path) { note([damage]) }
        }
    }

    private mutating func note(_ damages: [MediaDamage]) {
        for damage in damages {
            outcome.damages += 1
            isSpoilt = true
            ledger.note(damage: damage)
            calls.note(damage: damage)
        }
    }
}
