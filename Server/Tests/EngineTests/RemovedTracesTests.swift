// SPDX-License-Identifier: Apache-2.0

import Engine
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// What is said of a trace that is not there.
@Suite struct RemovedTracesTests {
    private static let directory = "/store"
    private static let day = 86_400

    private func open(
        _ disk: SimulatedDisk,
        _ clock: SimulatedClock,
        change: (inout EngineOptions) -> Void = { _ in }
    ) throws -> StoreCore {
        var options = EngineOptions.small
        options.replayThreads = 0
        options.retention = .seconds(Self.day)
        change(&options)
        return try StoreCore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: clock,
            decoder: SpanGenerator.Decoder()
        )
    }

    /// Writes a part of a span of each trace, received now.
    private func add(
        _ traces: ClosedRange<UInt64>,
        to store: StoreCore,
        _ clock: SimulatedClock,
        tenant: Tenant = .default
    ) throws {
        var columns = SpanColumns()
        let service = columns.strings.intern("shop")
        let resource = columns.resources.append(service: service, attributes: .empty)
        let scope = columns.scopes.append(name: 0, version: 0, attributes: .empty)
        for trace in traces {
            columns.append(
                SpanRow(
                    traceID: id(trace),
                    spanID: SpanID(1),
                    start: clock.wallNanoseconds(),
                    end: clock.wallNanoseconds() + 10,
                    resource: resource,
                    scope: scope
                )
            )
        }
        let payload = Payload(
            format: .otlpProtobuf,
            bytes: [],
            receivedAt: clock.wallNanoseconds(),
            tenant: tenant
        )
        try store.append([SpanBatch(columns: columns, payload: payload)])
        try store.flush()
    }

    private func id(_ trace: UInt64) -> TraceID {
        TraceID(high: 7, low: trace &* 0x9E37_79B9_7F4A_7C15)
    }

    /// Lets what is there expire.
    private func expire(_ store: StoreCore, _ clock: SimulatedClock) {
        clock.advance(.seconds(Self.day + 60))
        store.maintain()
    }

    private func files(_ disk: SimulatedDisk) -> [String] {
        disk.paths().filter { $0.hasPrefix(Self.directory + "/removed/") }
    }

    @Test(arguments: [false, true])
    func `a trace that expired is told from one that never came`(reopens: Bool) throws {
        let (disk, clock) = (SimulatedDisk(), SimulatedClock())
        var store = try open(disk, clock)
        try add(1...500, to: store, clock)
        #expect(try store.absence(of: id(501)).reason == .neverSeen)
        #expect(try store.absence(of: id(501)).rememberedSince == nil)
        expire(store, clock)
        let removedAt = clock.wallNanoseconds()
        try add(600...700, to: store, clock)
        if reopens {
            store.close()
            store = try open(disk, clock)
        }
        #expect(store.statistics.expiredSpans == 500 || reopens)
        for trace in UInt64(1)...500 {
            let absence = try store.absence(of: id(trace))
            #expect(absence.reason == .expired)
            #expect(absence.cause == .age)
            #expect(absence.removedAt == removedAt)
            #expect(absence.errorRate > 0 && absence.errorRate < 0.000_1)
        }
        // The half of an id that older tracers send is as good.
        #expect(try store.absence(of: TraceID(high: 0, low: id(7).low)).reason == .expired)
        for trace in UInt64(1_000)...2_000 {
            let absence = try store.absence(of: id(trace))
            #expect(absence.reason == .neverSeen)
            #expect(absence.rememberedSince == removedAt)
            #expect(absence.retention == UInt64(Self.day) * 1_000_000_000)
        }
        store.close()
    }

    @Test func `what went for want of room is told so`() throws {
        let (disk, clock) = (SimulatedDisk(), SimulatedClock())
        let store = try open(disk, clock) {
            $0.retention = nil
            $0.retentionBytes = 1
        }
        try add(1...10, to: store, clock)
        try add(11...20, to: store, clock)
        store.maintain()
        let absence = try store.absence(of: id(3))
        #expect(absence.reason == .expired)
        #expect(absence.cause == .room)
        #expect(absence.retention == nil)
        store.close()
    }

    @Test func `a tenant learns nothing of another's traces`() throws {
        let (disk, clock) = (SimulatedDisk(), SimulatedClock())
        let store = try open(disk, clock)
        let other = Tenant("other")
        try add(1...10, to: store, clock)
        try add(11...20, to: store, clock, tenant: other)
        expire(store, clock)
        #expect(try store.absence(of: id(3)).reason == .expired)
        #expect(try store.absence(of: id(13)).reason == .neverSeen)
        #expect(try store.absence(of: id(13), in: other).reason == .expired)
        #expect(try store.absence(of: id(3), in: other).reason == .neverSeen)
        store.close()
    }

    @Test func `a deleted trace leaves no memory behind`() throws {
        let (disk, clock) = (SimulatedDisk(), SimulatedClock())
        let store = try open(disk, clock)
        try add(1...10, to: store, clock)
        _ = try store.deleteTrace(id(3), of: .default)
        #expect(try store.absence(of: id(3)).reason == .neverSeen)
        expire(store, clock)
        #expect(try store.absence(of: id(3)).reason == .neverSeen)
        #expect(try store.absence(of: id(4)).reason == .expired)
        store.close()
    }

    @Test func `the oldest removals are forgotten for bytes and for age`() throws {
        let (disk, clock) = (SimulatedDisk(), SimulatedClock())
        // Of three files of two pages there is room for two.
        let store = try open(disk, clock) { $0.removedBytes = 4 * 4_096 }
        for round in UInt64(0)..<3 {
            try add(10 * round + 1...10 * round + 10, to: store, clock)
            expire(store, clock)
        }
        #expect(files(disk).count == 2)
        #expect(try store.absence(of: id(1)).reason == .neverSeen)
        #expect(try store.absence(of: id(11)).reason == .expired)
        #expect(try store.absence(of: id(21)).reason == .expired)
        clock.advance(.seconds(91 * Self.day))
        store.maintain()
        #expect(files(disk) == [])
        #expect(try store.absence(of: id(21)).reason == .neverSeen)
        store.close()
    }

    /// Whatever call fails: a trace that is gone was never unknown.
    @Test func `a crash while parts go leaves each trace stored or remembered`() throws {
        var isPast = false
        var call = 1
        while !isPast {
            let (disk, clock) = (SimulatedDisk(), SimulatedClock())
            let store = try open(disk, clock)
            try add(1...20, to: store, clock)
            clock.advance(.seconds(Self.day + 60))
            disk.crash(atCall: call)
            store.maintain()
            isPast = !disk.isCrashed
            store.close(flushing: false)
            disk.restart(after: .powerCut)
            let again = try open(disk, clock)
            for trace in UInt64(1)...20 {
                let isStored =
                    try again.traces(TraceRequest(ids: [id(trace)])).columns.count > 0
                let absence = try again.absence(of: id(trace))
                #expect(isStored || absence.reason == .expired, "call \(call)")
            }
            #expect(files(disk).allSatisfy { $0.hasSuffix(".ids") })
            again.close()
            call += 1
        }
        #expect(call > 5)
    }

    @Test func `a damaged memory is set aside, and no trace is said never to have come`() throws {
        let (disk, clock) = (SimulatedDisk(), SimulatedClock())
        let store = try open(disk, clock)
        try add(1...10, to: store, clock)
        expire(store, clock)
        store.close()
        let path = try #require(files(disk).first)
        var bytes = disk.bytes(of: path)
        bytes[5_000] ^= 1
        let damaged = disk.copy(changing: path, to: bytes)
        var lines: [String] = []
        let summary = try StoreVerification.verify(
            directory: Self.directory,
            disk: damaged,
            decoder: SpanGenerator.Decoder()
        ) { lines.append($0) }
        #expect(!summary.isSound)
        #expect(lines.contains { $0.hasPrefix("DAMAGED  removed/") })
        let report = try EngineInspection.inspect(directory: Self.directory, disk: damaged)
        #expect(report.contains("removed ") && report.contains("DAMAGED: page 1"))
        let again = try open(damaged, clock)
        let absence = try again.absence(of: id(3))
        #expect(absence.reason == nil)
        #expect(absence.incomplete.count == 1)
        #expect(files(damaged) == [])
        again.close()
    }

    @Test func `verification and inspection tell of removed traces`() throws {
        let (disk, clock) = (SimulatedDisk(), SimulatedClock())
        let store = try open(disk, clock)
        try add(1...10, to: store, clock)
        expire(store, clock)
        store.close()
        var lines: [String] = []
        let summary = try StoreVerification.verify(
            directory: Self.directory,
            disk: disk,
            decoder: SpanGenerator.Decoder()
        ) { lines.append($0) }
        #expect(summary.isSound)
        #expect(lines.contains { $0.contains("10 removed traces, 8192 bytes") })
        let report = try EngineInspection.inspect(directory: Self.directory, disk: disk)
        #expect(report.contains("10 traces of 1 parts"))
    }

    /// Each place of the first page, behind a checksum that is right.
    @Test(arguments: [UInt64(0), 1, 0x7FFF_FFFF, 0xFFFF_FFFF, .max >> 1, .max])
    func `a file of removed traces may state any number`(number: UInt64) throws {
        let (disk, clock) = (SimulatedDisk(), SimulatedClock())
        let store = try open(disk, clock)
        try add(1...10, to: store, clock)
        expire(store, clock)
        store.close()
        let path = try #require(files(disk).first)
        let bytes = disk.bytes(of: path)
        for place in 8..<80 {
            var changed = bytes
            for index in 0..<8 {
                changed[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
            }
            let sum = CRC32C.checksum(changed, 8..<4_096)
            for index in 0..<4 {
                changed[4 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index))
            }
            let hostile = disk.copy(changing: path, to: changed)
            let again = try open(hostile, clock)
            _ = try again.absence(of: id(3))
            again.maintain()
            again.close()
            _ = try EngineInspection.inspect(directory: Self.directory, disk: hostile)
        }
    }

    // MARK: Sampling

    /// A quarter of all traces is kept: those whose last 56 bits are `c0000000000000` or more.
    private func sampled(_ states: [String], isFlushed: Bool) throws -> StoreCore {
        let clock = SimulatedClock()
        let store = try open(SimulatedDisk(), clock)
        let spans = states.enumerated().map { number, state in
            TestSpan(
                trace: 0xF0_0000_0000_0000 + UInt64(number),
                id: 1,
                service: "shop",
                start: clock.wallNanoseconds(),
                duration: 10,
                traceState: state
            )
        }
        try store.append([TestSpan.batch(spans, receivedAt: clock.wallNanoseconds())])
        if isFlushed { try store.flush() }
        return store
    }

    @Test(arguments: [false, true])
    func `an id below every threshold was sampled out`(isFlushed: Bool) throws {
        let states = ["ot=th:c", "vendor=x,ot=th:e8"] + (0..<40).map { "v=\($0),ot=th:c" }
        let store = try sampled(states, isFlushed: isFlushed)
        let out = try store.absence(of: TraceID(high: 5, low: 0xAABF_FFFF_FFFF_FFFF))
        #expect(out.reason == .sampledOut)
        #expect(out.keptShare == 0.25)
        // Above one threshold, and below another.
        let above = try store.absence(of: TraceID(high: 5, low: 0xAAC0_0000_0000_0000))
        #expect(above.reason == .neverSeen)
        #expect(above.keptShare == nil)
        store.close()
    }

    @Test(
        arguments: [false, true],
        ["", "vendor=x", "ot=th:0", "ot=rv:6e6d1a75832a2f;th:c", "ot=th:", "ot=th:g"]
    )
    func `nothing is said of sampling where a span does not say how it was sampled`(
        isFlushed: Bool,
        state: String
    ) throws {
        for states in [["ot=th:c", state], [state, "ot=th:c"]] {
            let store = try sampled(states, isFlushed: isFlushed)
            #expect(try store.absence(of: TraceID(high: 5, low: 1)).reason == .neverSeen)
            store.close()
        }
    }
}
