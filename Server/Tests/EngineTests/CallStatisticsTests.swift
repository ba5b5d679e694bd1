// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// What applications counted of all their calls: kept, counted once, and taken instead of spans.
@Suite struct CallStatisticsTests {
    private static let directory = "/store"
    private static let base: UInt64 = 1_700_000_000_000_000_000 / 60_000_000_000
    private static let minute = TotalsRequest.minute

    private func open(
        _ disk: any Disk,
        _ clock: SimulatedClock = SimulatedClock(),
        _ options: EngineOptions = .small
    ) throws -> StoreCore {
        try StoreCore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: clock,
            decoder: SpanGenerator.Decoder()
        )
    }

    private func append(_ seeds: [UInt64], to core: StoreCore, _ clock: SimulatedClock) throws {
        for seed in seeds {
            let batch = SpanGenerator.callBatch(seed: seed)
            var payload = batch.payload
            payload.receivedAt = clock.wallNanoseconds()
            try core.append([
                SpanBatch(calls: SpanGenerator.calls(seed: seed).counts, payload: payload)
            ])
        }
    }

    /// Calls of all windows of these seeds, each counted once.
    private func callCount(_ seeds: some Sequence<UInt64>) -> UInt64 {
        seeds.reduce(0) { sum, seed in
            SpanGenerator.calls(seed: seed).durations.reduce(sum) { $0 + UInt64($1.count) }
        }
    }

    private func callCount(_ core: StoreCore) throws -> UInt64 {
        let request = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        let totals = try core.totals(request)
        #expect(totals.incomplete.isEmpty)
        return totals.lines.reduce(0) { $0 + $1.total.callCount }
    }

    private func answers(_ core: StoreCore) throws -> [String] {
        let lines: [TotalsRequest.Lines] = [.services, .operations, .operationsByKind, .edges]
        return try lines.flatMap { line in
            var request = TotalsRequest(range: 0..<UInt64.max, lines: line)
            let whole = try core.totals(request)
            request.range = Self.base * Self.minute..<(Self.base + 31) * Self.minute
            request.step = 7 * Self.minute
            return ["\(whole)", "\(try core.totals(request))"]
        }
    }

    // MARK: Kept and counted once

    @Test(arguments: [true, false])
    func `what was acknowledged is counted after a crash, and once`(isFlushed: Bool) throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var core = try open(disk, clock)
        try append([1, 2, 3, 2], to: core, clock)
        let wanted = callCount([1, 2, 3])
        #expect(try callCount(core) == wanted)
        #expect(core.statistics.repeatedWindows == 1)
        if isFlushed { try core.flush() }
        try append([3], to: core, clock)
        let before = try answers(core)
        for _ in 0..<3 {
            core.close(flushing: false)
            core = try open(disk, clock)
            #expect(try answers(core) == before)
            try append([1, 2, 3], to: core, clock)
            #expect(try callCount(core) == wanted)
        }
        #expect(core.statistics.damagedRecords == 0)
        core.close()
    }

    /// The file that knows of a window cannot be read at a start; the window came again before, so that
    /// its record is in the log.
    @Test(arguments: [SimulatedDisk.Call.open, .size, .read], [true, false])
    func `a window counts once though the file that counted it cannot be read at a start`(
        call: SimulatedDisk.Call,
        isFlushed: Bool
    ) throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        try append([1], to: core, clock)
        try core.flush()
        try append([1, 2], to: core, clock)
        try core.append([SpanGenerator.batch(seed: 5)])
        let wanted = callCount([1, 2])
        core.close(flushing: false)
        var missed = 0
        for number in 1...16 {
            let copy = disk.copy()
            copy.fail(SimulatedDisk.Fault(call: call, number: number, code: 5))
            guard var again = try? open(copy, clock), copy.hasFailed else { continue }
            copy.fail(nil)
            let request = TotalsRequest(range: 0..<UInt64.max, lines: .services)
            if try !again.totals(request).incomplete.isEmpty { missed += 1 }
            if isFlushed { try again.flush() }
            again.maintain()
            for _ in 0..<2 {
                let reported = try again.totals(request).lines.reduce(0) {
                    $0 + $1.total.reportedCount
                }
                #expect(reported == wanted, "call \(number)")
                again.close(flushing: isFlushed)
                again = try open(copy, clock)
            }
            again.close()
        }
        #expect(missed > 0, "no call is that of the file")
    }

    /// A file that is never read again must not keep the log from being emptied.
    @Test func `a file that stays unreadable does not stop appends`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = EngineOptions.small
        options.logLimitBytes = 16 * options.segmentBytes
        var core = try open(disk, clock, options)
        try append([1], to: core, clock)
        try core.flush()
        try append([1, 2], to: core, clock)
        core.close(flushing: false)
        let unreadable = UnreadableDisk(disk, suffix: ".totals")
        core = try open(unreadable, clock, options)
        var ledger = Ledger()
        for seed in UInt64(10)..<110 {
            ledger.append([seed], to: core)
            if seed % 10 == 0 { core.maintain() }
        }
        #expect(ledger.unknown.isEmpty)
        #expect(try ledger.violations(in: core).isEmpty)
        core.close(flushing: false)
        core = try open(disk, clock, options)
        #expect(try ledger.violations(in: core).isEmpty)
        let totals = try core.totals(TotalsRequest(range: 0..<UInt64.max, lines: .services))
        #expect(!totals.incomplete.isEmpty, "what the file counted is missed aloud")
        #expect(
            totals.lines.reduce(0) { $0 + $1.total.reportedCount } == callCount([1, 2]),
            "the window that came again is counted by its record"
        )
        core.close()
    }

    @Test func `windows that come again fill neither the log nor the head`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        try append([1], to: core, clock)
        try core.flush()
        let files = core.statistics.totalsFiles
        for _ in 0..<200 { try append([1], to: core, clock) }
        try core.flush()
        #expect(core.statistics.headBytes == 0)
        #expect(core.statistics.totalsFiles == files)
        #expect(core.statistics.logBytes < 100_000)
        #expect(try callCount(core) == callCount([1]))
        core.close()
    }

    @Test func `files of a day are joined, and answers stay`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var core = try open(disk, clock)
        for seed in UInt64(1)...20 {
            try append([seed], to: core, clock)
            try core.flush()
        }
        let before = try answers(core)
        let files = core.statistics.totalsFiles
        core.maintain()
        #expect(core.statistics.totalsFiles < files)
        #expect(try answers(core) == before)
        core.close()
        core = try open(disk, clock)
        #expect(try answers(core) == before)
        try append(Array(1...20), to: core, clock)
        #expect(try answers(core) == before)
        core.close()
    }

    /// A dozen windows fill a file.
    @Test func `full files of a day keep no others from being joined`() throws {
        let clock = SimulatedClock()
        var options = EngineOptions.small
        options.totalsFileCells = 24
        let core = try open(SimulatedDisk(), clock, options)
        for window in UInt64(1)...50 {
            var row = CallCounts.Row(service: "shop", operation: "GET /", kind: .server)
            row.durations.add(1_000 * window)
            let start = clock.wallNanoseconds()
            try core.append([TestCalls.batch(start: start, rows: [row], window: window)])
            try core.flush()
            core.maintain()
        }
        #expect(core.statistics.totalsFiles <= 16)
        #expect(core.statistics.totalsFiles >= 5)
        let before = try answers(core)
        #expect(try callCount(core) == 50)
        clock.advance(.seconds(86_400))
        for _ in 0..<4 { core.maintain() }
        let files = core.statistics.totalsFiles
        #expect(files <= 9)
        core.maintain()
        #expect(core.statistics.totalsFiles == files)
        #expect(try answers(core) == before)
        core.close()
    }

    @Test func `they outlive spans, and go when totals go`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = EngineOptions.small
        options.retention = .seconds(3_600)
        options.totalsRetention = .seconds(7_200)
        let core = try open(disk, clock, options)
        try append([1, 2], to: core, clock)
        try core.append([SpanGenerator.batch(seed: 5)])
        try core.flush()
        clock.advance(.seconds(5_400))
        core.maintain()
        let request = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        let reported = try core.totals(request).lines.reduce(0) { $0 + $1.total.reportedCount }
        #expect(reported == callCount([1, 2]))
        clock.advance(.seconds(3_600))
        core.maintain()
        #expect(try core.totals(request).lines.allSatisfy { $0.total.reportedCount == 0 })
        core.close()
    }

    @Test func `a sender that was silent for a day is forgotten`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        try append([1], to: core, clock)
        try core.flush()
        clock.advance(.seconds(50 * 3_600))
        core.maintain()
        try append([1], to: core, clock)
        #expect(try callCount(core) == 2 * callCount([1]))
        core.close()
    }

    @Test func `of more senders than the bound the oldest are forgotten, and counted`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = EngineOptions.small
        options.callSenders = 8
        let core = try open(disk, clock, options)
        // A thousand seeds share a sender.
        let seeds = (UInt64(1)...40).map { $0 * 1_000 }
        for seed in seeds {
            clock.advance(.seconds(1))
            try append([seed], to: core, clock)
        }
        #expect(core.statistics.countedWindows == 40)
        #expect((31...32).contains(core.statistics.forgottenSenders))
        // The last eight are known, the first is not.
        try append(seeds.suffix(8), to: core, clock)
        #expect(core.statistics.repeatedWindows == 8)
        #expect(try callCount(core) == callCount(seeds))
        try append([seeds[0]], to: core, clock)
        #expect(core.statistics.countedWindows == 41)
        core.close()
    }

    /// Windows with gaps between them: every other one of one sender.
    @Test func `windows of a sender that leaves many gaps count once`() throws {
        let clock = SimulatedClock()
        let core = try open(SimulatedDisk(), clock)
        func window(_ number: UInt64) -> SpanBatch {
            var counts = SpanGenerator.calls(seed: 1).counts
            counts.window = number
            var payload = SpanGenerator.payload(seed: 1, tenant: .default)
            payload.format = .callsProtobuf
            payload.receivedAt = clock.wallNanoseconds()
            return SpanBatch(calls: counts, payload: payload)
        }
        let numbers = stride(from: UInt64(2), through: 400, by: 2)
        for number in numbers { try core.append([window(number)]) }
        #expect(core.statistics.countedWindows == 200)
        for number in numbers { try core.append([window(number)]) }
        #expect(core.statistics.countedWindows == 200)
        #expect(core.statistics.repeatedWindows == 200)
        // The newest gaps are still open; the oldest were closed to bound memory.
        try core.append([window(399)])
        #expect(core.statistics.countedWindows == 201)
        try core.append([window(3)])
        #expect(core.statistics.countedWindows == 201)
        core.close()
    }

    @Test func `a sender is known as long as the log holds a window that came again`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var options = EngineOptions.small
        options.headFlushAge = .seconds(200 * 3_600)
        var core = try open(disk, clock, options)
        for seed in UInt64(1)...2 {
            try append([seed], to: core, clock)
            try core.flush()
        }
        try append([1], to: core, clock)
        // Twice: the files of the first day are joined, then those that come of it.
        for _ in 0..<2 {
            clock.advance(.seconds(50 * 3_600))
            core.maintain()
            core.close(flushing: false)
            core = try open(disk, clock, options)
            #expect(try callCount(core) == callCount([1, 2]))
        }
        core.close()
    }

    @Test func `tenants count apart`() throws {
        let core = try open(SimulatedDisk())
        let other = Tenant("other")
        try core.append([SpanGenerator.callBatch(seed: 1)])
        try core.append([SpanGenerator.callBatch(seed: 1, tenant: other)])
        var request = TotalsRequest(range: 0..<UInt64.max, lines: .services)
        for tenant in [Tenant.default, other] {
            request.tenant = tenant
            let counted = try core.totals(request).lines.reduce(0) { $0 + $1.total.callCount }
            #expect(counted == callCount([1]))
        }
        core.close()
    }

    @Test func `what was asked once is not read from the disk again`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        try append([1, 2, 3], to: core, clock)
        try core.flush()
        let before = try answers(core)
        disk.fail(SimulatedDisk.Fault(call: .read, number: 1, code: 5, isSticky: true))
        #expect(try answers(core) == before)
        #expect(!disk.hasFailed)
        core.close(flushing: false)
    }

    /// Files of one day with calls of the same minutes, more than one chunk holds.
    @Test func `files with several chunks of a minute are joined in order`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        let core = try open(disk, clock)
        for window in UInt64(1)...4 {
            let rows = (0..<1_500).map { number in
                var row = CallCounts.Row(
                    service: "shop",
                    operation: "GET /\((UInt64(number) * window) % 1_501)",
                    kind: .server
                )
                row.durations.add(1_000)
                row.durations.add(12_000 << window)
                return row
            }
            let start = clock.wallNanoseconds() + window / 3 * Self.minute
            try core.append([TestCalls.batch(start: start, rows: rows, window: window)])
            try core.flush()
        }
        let before = try answers(core)
        clock.advance(.seconds(86_400))
        core.maintain()
        #expect(core.statistics.totalsFiles == 1)
        #expect(try answers(core) == before)
        core.close()
    }

    // MARK: Instead of spans

    /// Ten spans of two services in one minute, calls of which one service counted 1,000.
    @Test func `counts of an application stand for its spans of that minute`() throws {
        let core = try open(SimulatedDisk())
        let start = (Self.base + 5) * Self.minute
        try core.append([TestCalls.spans(["shop", "stock"], at: start, count: 5)])
        try core.append([TestCalls.spans(["shop"], at: start + Self.minute, count: 3)])
        var row = CallCounts.Row(service: "shop", operation: "GET /", kind: .server)
        for duration in UInt64(1)...1_000 { row.durations.add(duration * 1_000) }
        var failed = row
        failed.isError = true
        failed.durations = LatencySketch()
        failed.durations.add(7, times: 24)
        try core.append([TestCalls.batch(start: start, rows: [row, failed])])
        let request = TotalsRequest(
            range: start..<start + 2 * Self.minute,
            lines: .operations,
            quantiles: [0.5, 0.99],
            step: Self.minute
        )
        let lines = try core.totals(request).lines
        #expect(lines.map(\.service) == ["shop", "stock"])
        let shop = try #require(lines.first)
        #expect(shop.total.callCount == 1_024 + 3)
        #expect(shop.total.reportedCount == 1_024)
        #expect(shop.total.errorCount == 24)
        #expect(shop.steps.map(\.callCount) == [1_024, 3])
        #expect(shop.steps.map(\.reportedCount) == [1_024, 0])
        let median = try #require(shop.steps.first?.quantiles.first)
        #expect(abs(Double(median) - 488_000) <= 4_880)
        #expect(lines[1].total.callCount == 5)
        #expect(lines[1].total.reportedCount == 0)
        core.close()
    }

    // MARK: Files

    @Test func `a damaged file of statistics is set aside and said to be missing`() throws {
        let disk = SimulatedDisk()
        let clock = SimulatedClock()
        var core = try open(disk, clock)
        try append([1], to: core, clock)
        try core.flush()
        core.close()
        let names = try disk.list(Self.directory + "/totals")
        let name = try #require(names.first)
        let path = Self.directory + "/totals/" + name
        let file = try disk.open(path)
        try file.write([[0xFF, 0xFF, 0xFF, 0xFF]], at: 40)
        try file.sync()
        core = try open(disk, clock)
        let totals = try core.totals(TotalsRequest(range: 0..<UInt64.max, lines: .services))
        #expect(!totals.incomplete.isEmpty)
        #expect(totals.lines.isEmpty)
        core.close()
    }

    @Test func `a backup holds them, and verifies`() throws {
        let folder = TemporaryDirectory()
        let data = folder.path + "/data"
        let backup = folder.path + "/backup"
        let restored = folder.path + "/restored"
        try PosixDisk().createDirectory(folder.path)
        let decoder = SpanGenerator.Decoder()
        var core = try StoreCore.open(directory: data, options: .small, decoder: decoder)
        try core.append([SpanGenerator.callBatch(seed: 1)])
        try core.flush()
        try core.append([SpanGenerator.callBatch(seed: 2)])
        let before = try answers(core)
        core.close(flushing: false)
        let made = try StoreBackup.make(of: data, at: backup)
        #expect(made.recordCount == 1)
        _ = try StoreBackup.restore(backup, into: restored, decoder: decoder)
        let summary = try StoreVerification.verify(directory: restored, decoder: decoder) { _ in }
        #expect(summary.isSound)
        core = try StoreCore.open(directory: restored, options: .small, decoder: decoder)
        #expect(try answers(core) == before)
        core.close()
    }
}

/// Batches made by hand; nothing replays them.
enum TestCalls {
    static func batch(start: UInt64, rows: [CallCounts.Row], window: UInt64 = 1) -> SpanBatch {
        let counts = CallCounts(
            sender: TraceID(high: 1, low: 2),
            window: window,
            start: start,
            rows: rows
        )
        let payload = Payload(format: .callsProtobuf, bytes: [], receivedAt: start)
        return SpanBatch(calls: counts, payload: payload)
    }

    /// So many spans of each service: servers without a parent, of 1 ms.
    static func spans(_ services: [String], at start: UInt64, count: UInt64) -> SpanBatch {
        var columns = SpanColumns()
        for (number, service) in services.enumerated() {
            let resource = columns.resources.append(
                service: columns.strings.intern(service),
                attributes: .empty,
                dropped: 0,
                schemaURL: 0
            )
            let scope = columns.scopes.append(
                name: 0,
                version: 0,
                attributes: .empty,
                dropped: 0,
                schemaURL: 0
            )
            for index in 0..<count {
                columns.append(
                    SpanRow(
                        traceID: TraceID(high: start, low: index + 1),
                        spanID: SpanID(UInt64(number + 1)),
                        start: start + index,
                        end: start + index + 1_000_000,
                        name: columns.strings.intern("GET /"),
                        kind: .server,
                        resource: resource,
                        scope: scope
                    )
                )
            }
        }
        let payload = Payload(format: .otlpProtobuf, bytes: [], receivedAt: start)
        return SpanBatch(columns: columns, payload: payload)
    }
}

/// A disk that does not read files of one kind that are there already.
private struct UnreadableDisk: Disk {
    private let disk: SimulatedDisk
    private let refused: Set<String>

    init(_ disk: SimulatedDisk, suffix: String) {
        self.disk = disk
        refused = Set(disk.paths().filter { $0.hasSuffix(suffix) })
    }

    func open(_ path: String) throws(DiskError) -> any DiskFile {
        guard !refused.contains(path) else {
            throw DiskError(path: path, operation: .open, code: 5)
        }
        return try disk.open(path)
    }

    func create(_ path: String) throws(DiskError) -> any DiskFile { try disk.create(path) }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        try disk.rename(path, to: newPath)
    }

    func remove(_ path: String) throws(DiskError) { try disk.remove(path) }

    func list(_ directory: String) throws(DiskError) -> [String] { try disk.list(directory) }

    func createDirectory(_ path: String) throws(DiskError) { try disk.createDirectory(path) }

    func syncDirectory(_ path: String) throws(DiskError) { try disk.syncDirectory(path) }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? { try disk.lock(path) }

    func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        try disk.freeByteCount(path)
    }
}
