// SPDX-License-Identifier: Apache-2.0
import Engine
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract

/// Opens a store one of whose files an input has changed, and asks it everything. Whatever the bytes,
/// the store has to open or refuse, and to answer or say why not; whether an answer is right cannot be
/// judged, for the checksums are out of force (see `CRC32C`).
///
/// ```
/// input  | which file | what is done with it | change | change | ...
/// change | place in the file (3 bytes) | kind | value |
/// ```
enum StoreTargets {
    /// One for each kind of file.
    static let targets: [String: Target] = [
        "store-part": { run(young, ".part", $0) },
        "store-log": { run(young, ".log", $0) },
        "store-manifest": { run(aged, "/MANIFEST", $0) },
        "store-totals": { run(aged, ".totals", $0) },
        "store-backup": { restore($0) },
    ]

    private static let directory = "/store"
    private static let backup = "/backup"
    private static let tenant = Tenant.default

    private static func run(_ base: Base, _ suffix: String, _ input: UnsafeRawBufferPointer) {
        let paths = base.disk.paths().filter { $0.hasSuffix(suffix) }
        guard input.count >= 2, !paths.isEmpty else { return }
        let path = paths[Int(input[0]) % paths.count]
        let bytes = edited(base.disk.bytes(of: path), UnsafeRawBufferPointer(rebasing: input[2...]))
        let disk = base.disk.copy(changing: path, to: bytes)
        // A quarter of the inputs each, for speed.
        switch input[1] / 64 {
        case 0: read(disk)
        case 1: rewrite(base, disk)
        default:
            guard let store = try? open(disk, SimulatedClock()) else { return }
            ask(store, base.ids, first: Int(input[1]))
            store.close(flushing: false)
        }
    }

    /// Verifies and restores a backup whose file `BACKUP` an input has changed.
    private static func restore(_ input: UnsafeRawBufferPointer) {
        let path = backup + "/BACKUP"
        let disk = backedUp.copy(
            changing: path,
            to: edited(backedUp.bytes(of: path), input)
        )
        let decoder = SpanGenerator.Decoder()
        _ = try? StoreVerification.verify(
            directory: backup,
            disk: disk,
            decoder: decoder,
            tell: { _ in }
        )
        _ = try? StoreBackup.restore(backup, into: "/restored", disk: disk, decoder: decoder)
    }

    /// What reads parts, totals files and log to write others.
    private static func rewrite(_ base: Base, _ disk: SimulatedDisk) {
        let clock = SimulatedClock()
        guard let store = try? open(disk, clock, retention: base.retention) else { return }
        _ = try? store.flush()
        for _ in 0..<2 {
            // Files of totals are joined when their day is over.
            clock.advance(base.retention == nil ? .seconds(60) : .seconds(100_000))
            store.maintain()
        }
        if let id = base.ids.first { _ = try? store.deleteTrace(id, of: tenant) }
        _ = try? store.traces(TraceRequest(tenant: tenant, ids: base.ids))
        store.close(flushing: false)
        _ = try? open(disk, clock)
    }

    /// What reads a directory without a store.
    private static func read(_ disk: SimulatedDisk) {
        _ = try? EngineInspection.inspect(directory: directory, disk: disk)
        let decoder = SpanGenerator.Decoder()
        _ = try? StoreVerification.verify(
            directory: directory,
            disk: disk,
            decoder: decoder,
            tell: { _ in }
        )
    }

    // MARK: The stores that are changed

    private struct Base: Sendable {
        let disk: SimulatedDisk
        let ids: [TraceID]
        let retention: Duration?
    }

    /// A joined part, a small one of another tenant, and records that are in no part.
    private static let young = base(retention: nil) { store, _ in
        for seed in UInt64(1)...11 {
            let batch = SpanGenerator.batch(seed: seed, tenant: seed == 9 ? Tenant("b") : tenant)
            try store.append([batch])
            if seed <= 9 { try store.flush() }
            if seed == 8 { store.maintain() }
        }
    }

    /// Two totals files that parts left, one of which takes back what a live part has too, and two of
    /// call statistics.
    private static let aged = base(retention: .seconds(3_600)) { store, clock in
        for round in UInt64(0)..<3 {
            for seed in [2 * round + 1, 2 * round + 3] {
                var payload = SpanGenerator.payload(seed: seed, tenant: tenant)
                payload.receivedAt = clock.wallNanoseconds()
                let columns = SpanGenerator.columns(seed: seed)
                try store.append([SpanBatch(columns: columns, payload: payload)])
                payload.format = .callsProtobuf
                let counts = SpanGenerator.calls(seed: seed).counts
                try store.append([SpanBatch(calls: counts, payload: payload)])
            }
            try store.flush()
            clock.advance(.seconds(2_000))
            store.maintain()
        }
    }

    /// A backup of the first.
    private static let backedUp: SimulatedDisk = {
        let disk = young.disk.copy()
        // The last step fails, for this disk renames files alone: it is made here.
        _ = try? StoreBackup.make(of: directory, at: backup, disk: disk, clock: SimulatedClock())
        let partial = backup + ".partial"
        do {
            for folder in ["", "/log", "/parts", "/totals"] {
                try disk.createDirectory(backup + folder)
            }
            for path in disk.paths() where path.hasPrefix(partial + "/") {
                try disk.rename(path, to: backup + path.dropFirst(partial.count))
            }
            _ = try StoreBackup.restore(
                backup,
                into: "/sound",
                disk: disk.copy(),
                decoder: SpanGenerator.Decoder()
            )
        } catch {
            preconditionFailure("the store cannot be backed up: \(error)")
        }
        return disk
    }()

    private static func base(
        retention: Duration?,
        _ fill: (StoreCore, SimulatedClock) throws -> Void
    ) -> Base {
        let disk = SimulatedDisk(seed: 1)
        let clock = SimulatedClock()
        do {
            let store = try open(disk, clock, retention: retention)
            try fill(store, clock)
            store.close(flushing: false)
        } catch {
            preconditionFailure("the store cannot be filled: \(error)")
        }
        var ids: Set<TraceID> = []
        for seed in UInt64(1)...11 {
            let columns = SpanGenerator.columns(seed: seed)
            for row in 0..<columns.count {
                ids.insert(TraceID(high: columns.traceHigh[row], low: columns.traceLow[row]))
            }
        }
        return Base(disk: disk, ids: Array(ids.sorted().prefix(4)), retention: retention)
    }

    private static func open(
        _ disk: SimulatedDisk,
        _ clock: SimulatedClock,
        retention: Duration? = nil
    ) throws -> StoreCore {
        var options = EngineOptions()
        options.retention = retention
        options.blockRows = 32
        options.segmentBytes = 8 << 10
        options.segmentsAhead = 0
        options.reserveBytes = 0
        options.replayThreads = 0
        return try StoreCore.open(
            directory: directory,
            options: options,
            disk: disk,
            clock: clock,
            randomness: FixedRandomness(),
            decoder: SpanGenerator.Decoder()
        )
    }

    private struct FixedRandomness: Randomness {
        func next() -> UInt64 { 0x5EED }
    }

    // MARK: Changes

    /// Numbers at which arithmetic goes wrong.
    private static let borders: [UInt64] = [
        0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 1 << 16, 1 << 24, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 32,
        1 << 40, .max >> 1, 1 << 63, .max,
    ]

    private static func edited(_ bytes: [UInt8], _ input: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes = bytes
        var index = 0
        // Bound: five bytes from index lie inside the input; places are taken modulo the file's length.
        while index + 5 <= input.count, !bytes.isEmpty {
            let drawn = Int(input[index]) | Int(input[index + 1]) << 8 | Int(input[index + 2]) << 16
            let place = drawn % bytes.count
            let value = input[index + 4]
            let border = borders[Int(value) % borders.count]
            switch input[index + 3] % 8 {
            case 0, 1, 2: bytes[place] = value
            case 3: bytes[place] &+= value
            case 4:
                let width = 1 << (Int(value) / 16 % 4)
                for offset in 0..<min(width, bytes.count - place) {
                    bytes[place + offset] = UInt8(truncatingIfNeeded: border >> UInt64(8 * offset))
                }
            case 5:
                let number = varint(border)
                for (offset, byte) in number.enumerated() where place + offset < bytes.count {
                    bytes[place + offset] = byte
                }
            case 6:
                // The number that stands here becomes another; what follows moves.
                let end = bytes[place...].firstIndex { $0 < 0x80 } ?? place
                bytes.replaceSubrange(place...end, with: varint(border))
            default: bytes.removeSubrange(place..<min(bytes.count, place + Int(value) + 1))
            }
            index += 5
        }
        return bytes
    }

    private static func varint(_ number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    // MARK: Questions

    private typealias Question = @Sendable (StoreCore, [TraceID]) -> Void

    private static let all: Range<UInt64> = 0..<UInt64.max

    /// A few questions, for speed; each is the first in some inputs, for the damage that a question
    /// finds hides the part from those after it.
    private static func ask(_ store: StoreCore, _ ids: [TraceID], first: Int) {
        for index in first..<first + 6 { questions[index % questions.count](store, ids) }
    }

    private static let questions: [Question] =
        scans + walks + names + totals + [
            { _ = try? $0.traces(TraceRequest(tenant: tenant, ids: $1)) }
        ]

    private static let scans: [Question] = predicates.enumerated().map { index, predicate in
        { store, _ in
            var plan = ScanPlan(tenant: tenant, range: all, span: predicate, limit: 5)
            if index % 2 == 0 {
                plan.order = .slowest
                plan.trace = [.duration(0...5_000_000_000)]
            }
            guard let cursor = try? store.scan(plan).cursor else { return }
            plan.cursor = cursor
            plan.limit = 50
            _ = try? store.scan(plan)
        }
    }

    private static let walks: [Question] = [
        SpanFields.all, SpanFields([.parentID, .events, .links]),
        SpanFields([.statusMessage], attributeKeys: ["http.method", "order.id", "blob"]),
    ].map { fields in
        { store, _ in
            let plan = WalkPlan(tenant: tenant, range: all, fields: fields)
            _ = try? store.walk(plan) { (walked) throws(StoreError) in
                if !walked.rows.isEmpty { _ = try walked.summary(0) }
                return .goOn
            }
        }
    }

    private static let predicates: [SpanPredicate] = [
        .all, .service(.exactly("gateway")), .service(.ignoringCase("STOCK")),
        .operation(.exactly("GET /")), .operation(.ignoringCase("post /ORDER")),
        .attribute(.any, key: "http.method", .text("GET")),
        .attribute(.any, key: "retry", .text("17")),
        .attribute(.span, key: "order.id", .exists),
        .attribute(.span, key: "order.id", .text("order-7")),
        .attribute(.resource, key: "ratio", .equals(.double(1.5))),
        .attribute(.event, key: "http.status_code", .range(NumberRange(.atLeast, Int64(100)))),
        .attribute(.any, key: "blob", .equals(.bytes([0, 255, 17, 3]))),
        .attribute(.any, key: "tags", .text("POST")), .not(.status(.error)),
        .statusMessage(.exactly("broke: 7")), .eventName(.exactly("exception")),
        .and([.duration(1_000...1_000_000_000), .kind(.server)]),
        .or([.eventName(.ignoringCase("LOG")), .not(.attribute(.span, key: "nothing", .exists))]),
    ]

    private static let names: [Question] = [
        .services, .operations(service: nil), .operations(service: .exactly("gateway")),
        .keys(service: nil), .keys(service: .exactly("order")),
        .values(.any, key: "http.method", service: nil, prefix: ""),
        .values(.span, key: "order.id", service: .exactly("Stock"), prefix: "order-1"),
        .values(.resource, key: "service.name", service: nil, prefix: "g"),
        .values(.event, key: "nested", service: nil, prefix: ""),
    ].map { (scope: NamesRequest.Scope) -> Question in
        { store, _ in _ = try? store.names(NamesRequest(tenant: tenant, scope: scope)) }
    }

    private static let totals: [Question] = [
        TotalsRequest(tenant: tenant, range: all),
        TotalsRequest(tenant: tenant, range: all, lines: .services),
        TotalsRequest(tenant: tenant, range: all, lines: .operations, service: "gateway"),
        TotalsRequest(
            tenant: tenant,
            range: 1_700_000_000_000_000_000..<1_700_003_600_000_000_000,
            lines: .operationsByKind,
            step: 60_000_000_000
        ),
        TotalsRequest(
            tenant: tenant,
            range: 1_700_000_100_000_000_000..<1_700_000_900_000_000_000,
            lines: .edges,
            service: "order",
            step: 120_000_000_000
        ),
    ].map { request -> Question in { store, _ in _ = try? store.totals(request) } }
}
