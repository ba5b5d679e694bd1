// SPDX-License-Identifier: Apache-2.0

import Platform

/// A totals file: what is left of parts that retention removed, and call statistics.
///
/// | place | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `SkTF` |
/// | 4 | 4 | CRC-32C of bytes 8..<32 |
/// | 8 | 4 | format version, 2 |
/// | 12 | 4 | zero |
/// | 16 | 8 | store key |
/// | 24 | 8 | number of the file |
/// | 32 | | chunks: those of a totals section (`TotalsFormat`), of changes, of calls (`TotalsCalls`), of known windows (`KnownWindows`) |
/// | | | directory, one chunk |
/// | end - 32 | 8 | offset of the directory |
/// | end - 24 | 4 | its stored length |
/// | end - 20 | 4 | CRC-32C of its stored bytes |
/// | end - 16 | 4 | zero |
/// | end - 12 | 4 | format version, 2 |
/// | end - 8 | 4 | CRC-32C of the 24 bytes before |
/// | end - 4 | 4 | magic `SkTE` |
///
/// The directory is a frame of varints and runs, as `TotalsFileDirectory.encode` writes it:
///
/// | field | meaning |
/// |---|---|
/// | tenant | run |
/// | first start, last start, newest receipt | of all that is counted or missing, nanoseconds since 1970 |
/// | parts | parts that it was made of |
/// | section | reference to the index of its section; none where it has no section |
/// | changes | count, then each: first minute, last minute less first, reference |
/// | gaps | count, then each: first start, last start less first, spans, why as a run |
/// | calls | count, then each: first minute, last minute less first, reference |
/// | counters | of all calls |
/// | windows | reference to the known windows; none where it has no calls |
///
/// Version 1 ended with the gaps and is read all the same.
///
/// A chunk of changes (a frame of varints) is `TotalsFacts`:
///
/// | field | meaning |
/// |---|---|
/// | names | count, then each a run |
/// | groups | count, then each: service, operation (names), kind × 4 + status, calling service + 1 or 0 |
/// | edges | count, then each: calling service, called service |
/// | spans | count, then each: minute less that before, group, duration, zigzag of how often |
/// | requests | count, then each: minute less that before, edge, calls, zigzag of how often |
enum TotalsFileFormat {
    static let headMagic: UInt32 = 0x4654_6B53
    static let tailMagic: UInt32 = 0x4554_6B53
    static let version: UInt32 = 2
    static let readVersions: ClosedRange<UInt32> = 1...2
    static let headByteCount = 32
    static let tailByteCount = 32

    static func head(storeKey: UInt64, number: UInt64) -> [UInt8] {
        var body = ByteWriter()
        body.append(version)
        body.append(UInt32(0))
        body.append(storeKey)
        body.append(number)
        var writer = ByteWriter()
        writer.append(headMagic)
        writer.append(CRC32C.checksum(body.bytes))
        return writer.bytes + body.bytes
    }

    static func check(head bytes: [UInt8], storeKey: UInt64, number: UInt64) throws(CorruptBytes) {
        guard let found = version(of: bytes) else {
            throw CorruptBytes(what: "its head is damaged")
        }
        try check(version: found)
        var reader = ByteReader(bytes, from: 16)
        guard try reader.number(UInt64.self) == storeKey else {
            throw CorruptBytes(what: "it belongs to another store")
        }
        guard try reader.number(UInt64.self) == number else {
            throw CorruptBytes(what: "it is another totals file under this name")
        }
    }

    static func tail(_ directory: ChunkReference) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(directory.offset)
        writer.append(directory.byteCount)
        writer.append(directory.checksum)
        writer.append(UInt32(0))
        writer.append(version)
        writer.append(CRC32C.checksum(writer.bytes))
        writer.append(tailMagic)
        return writer.bytes
    }

    static func directory(
        tail bytes: [UInt8]
    ) throws(CorruptBytes) -> (reference: ChunkReference, version: UInt32) {
        guard bytes.count == tailByteCount else { throw CorruptBytes(what: "it is cut short") }
        var reader = ByteReader(bytes)
        let reference = ChunkReference(
            offset: try reader.number(),
            byteCount: try reader.number(),
            checksum: try reader.number()
        )
        _ = try reader.number(UInt32.self)
        let version: UInt32 = try reader.number()
        guard try reader.number(UInt32.self) == CRC32C.checksum(bytes, 0..<24),
            try reader.number(UInt32.self) == tailMagic
        else { throw CorruptBytes(what: "its end is damaged") }
        try check(version: version)
        return (reference, version)
    }

    /// The version that an undamaged head states; `nil` where it is no such head.
    static func version(of head: [UInt8]) -> UInt32? {
        var reader = ByteReader(head)
        guard head.count == headByteCount, (try? reader.number(UInt32.self)) == headMagic,
            (try? reader.number(UInt32.self)) == CRC32C.checksum(head, 8..<headByteCount)
        else { return nil }
        return try? reader.number()
    }

    /// The key of the store that wrote an undamaged head of this version.
    static func storeKey(of head: [UInt8]) -> UInt64? {
        guard let found = version(of: head), readVersions.contains(found) else { return nil }
        var reader = ByteReader(head, from: 16)
        return try? reader.number()
    }

    private static func check(version found: UInt32) throws(CorruptBytes) {
        guard readVersions.contains(found) else {
            throw CorruptBytes(
                what: "its format version is \(found), this program reads \(version)"
            )
        }
    }
}

/// What a totals file says of itself; held in memory while the file lives.
struct TotalsFileDirectory: Sendable {
    /// Facts of a run of minutes.
    struct Changes: Sendable {
        /// Minutes since 1970.
        var minutes: ClosedRange<UInt64>
        var chunk: ChunkReference
    }

    /// Spans that went without having been counted.
    struct Gap: Sendable, Equatable {
        var firstStart: UInt64
        var lastStart: UInt64
        var spanCount: UInt64
        var reason: String
    }

    var tenant: String
    var firstStart = UInt64.max
    var lastStart: UInt64 = 0
    /// Newest receipt among the spans counted, nanoseconds since 1970.
    var receivedAt: UInt64 = 0
    var partCount: UInt64 = 0
    var section = ChunkReference.none
    var changes: [Changes] = []
    var gaps: [Gap] = []
    /// Call statistics of a run of minutes each.
    var calls: [Changes] = []
    /// Counters in all of `calls`.
    var callCells: UInt64 = 0
    var windows = ChunkReference.none

    init(tenant: String) { self.tenant = tenant }

    /// Widens the range, so that `starts` lies in it.
    mutating func include(_ starts: ClosedRange<UInt64>) {
        firstStart = min(firstStart, starts.lowerBound)
        lastStart = max(lastStart, starts.upperBound)
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(run: tenant.utf8)
        for number in [firstStart, lastStart, receivedAt, partCount] {
            writer.append(varint: number)
        }
        section.encode(to: &writer)
        writer.append(varint: changes.count)
        for changes in changes {
            writer.append(varint: changes.minutes.lowerBound)
            writer.append(varint: changes.minutes.upperBound - changes.minutes.lowerBound)
            changes.chunk.encode(to: &writer)
        }
        writer.append(varint: gaps.count)
        for gap in gaps {
            writer.append(varint: gap.firstStart)
            writer.append(varint: gap.lastStart &- gap.firstStart)
            writer.append(varint: gap.spanCount)
            writer.append(run: gap.reason.utf8)
        }
        writer.append(varint: calls.count)
        for calls in calls {
            writer.append(varint: calls.minutes.lowerBound)
            writer.append(varint: calls.minutes.upperBound - calls.minutes.lowerBound)
            calls.chunk.encode(to: &writer)
        }
        writer.append(varint: callCells)
        windows.encode(to: &writer)
        return writer.bytes
    }

    /// - Parameters:
    ///   - bytes: the frame's content.
    ///   - version: of the file.
    init(parsing bytes: [UInt8], version: UInt32) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        tenant = try reader.text()
        firstStart = try reader.varint()
        lastStart = try reader.varint()
        receivedAt = try reader.varint()
        partCount = try reader.varint()
        section = try ChunkReference(parsing: &reader)
        changes = try Self.changes(&reader)
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            let first = try reader.varint()
            gaps.append(
                Gap(
                    firstStart: first,
                    lastStart: first &+ (try reader.varint()),
                    spanCount: try reader.varint(),
                    reason: try reader.text()
                )
            )
        }
        if version > 1 {
            calls = try Self.changes(&reader)
            callCells = try reader.varint()
            windows = try ChunkReference(parsing: &reader)
        }
        guard reader.remaining == 0 else { throw CorruptBytes(what: "its directory is too long") }
    }

    private static func changes(_ reader: inout ByteReader) throws(CorruptBytes) -> [Changes] {
        var changes: [Changes] = []
        for _ in 0..<(try reader.count(ofAtLeast: 3)) {
            let first = try reader.varint()
            let (last, overflow) = first.addingReportingOverflow(try reader.varint())
            guard !overflow else { throw CorruptBytes(what: "changes are out of range") }
            changes.append(
                Changes(minutes: first...last, chunk: try ChunkReference(parsing: &reader))
            )
        }
        return changes
    }
}

extension TotalsFacts {
    /// The content of a chunk of changes; facts must be ascending by minute.
    func encode() -> [UInt8] {
        var writer = ByteWriter()
        let names = Set(
            groups.flatMap { [$0.service, $0.operation] + ($0.caller.map { [$0] } ?? []) }
                + edges.flatMap { [$0.caller, $0.service] }
        ).sorted()
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        func place(_ name: String) -> Int { places[name] ?? 0 }
        writer.append(varint: names.count)
        for name in names { writer.append(run: name.utf8) }
        writer.append(varint: groups.count)
        for group in groups {
            writer.append(varint: place(group.service))
            writer.append(varint: place(group.operation))
            writer.append(varint: UInt64(group.kind) << 2 | UInt64(group.status & 3))
            writer.append(varint: group.caller.map { place($0) + 1 } ?? 0)
        }
        writer.append(varint: edges.count)
        for edge in edges {
            writer.append(varint: place(edge.caller))
            writer.append(varint: place(edge.service))
        }
        var minute: UInt32 = 0
        writer.append(varint: spans.count)
        for span in spans {
            writer.append(varint: span.minute &- minute)
            writer.append(varint: span.group)
            writer.append(varint: span.duration)
            writer.append(varint: Zigzag.encode(UInt64(bitPattern: Int64(span.times))))
            minute = span.minute
        }
        minute = 0
        writer.append(varint: requests.count)
        for request in requests {
            writer.append(varint: request.minute &- minute)
            writer.append(varint: request.edge)
            writer.append(varint: request.callCount)
            writer.append(varint: Zigzag.encode(UInt64(bitPattern: Int64(request.times))))
            minute = request.minute
        }
        return writer.bytes
    }

    /// Any bytes are safe: numbers are checked against what they number.
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        var names: [String] = []
        for _ in 0..<(try reader.count()) { names.append(try reader.text()) }
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            let service = names[try reader.index(below: names.count)]
            let operation = names[try reader.index(below: names.count)]
            let code = try reader.index(below: 256)
            let caller = try reader.index(below: names.count + 1)
            groups.append(
                Group(
                    service: service,
                    operation: operation,
                    kind: UInt8(code >> 2),
                    status: UInt8(code & 3),
                    caller: caller == 0 ? nil : names[caller - 1]
                )
            )
        }
        for _ in 0..<(try reader.count(ofAtLeast: 2)) {
            let caller = names[try reader.index(below: names.count)]
            edges.append(
                Edge(caller: caller, service: names[try reader.index(below: names.count)])
            )
        }
        var minute: UInt32 = 0
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            minute = try Self.minute(after: minute, &reader)
            spans.append(
                Span(
                    group: UInt32(try reader.index(below: groups.count)),
                    minute: minute,
                    duration: try reader.varint(),
                    times: try Self.times(&reader)
                )
            )
        }
        minute = 0
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            minute = try Self.minute(after: minute, &reader)
            requests.append(
                Request(
                    edge: UInt32(try reader.index(below: edges.count)),
                    minute: minute,
                    callCount: try reader.small(),
                    times: try Self.times(&reader)
                )
            )
        }
        guard reader.remaining == 0 else { throw CorruptBytes(what: "its changes are too long") }
    }

    private static func minute(
        after last: UInt32,
        _ reader: inout ByteReader
    ) throws(CorruptBytes) -> UInt32 {
        let (minute, overflow) = last.addingReportingOverflow(try reader.small())
        guard !overflow else { throw CorruptBytes(what: "a minute is out of range") }
        return minute
    }

    private static func times(_ reader: inout ByteReader) throws(CorruptBytes) -> Int32 {
        let times = Int64(bitPattern: Zigzag.decode(try reader.varint()))
        guard let times = Int32(exactly: times) else {
            throw CorruptBytes(what: "a change counts too often")
        }
        return times
    }
}
