// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// A part: spans of one tenant in one immutable file.
///
/// Traces are sorted by start (the earliest among their spans of this part), then id; the spans of a
/// trace by start, then span id, then as `SpanIdentity` orders. Rows are cut into blocks of 8,192
/// (`PartDirectory.blockRows`); each column of each block is one chunk.
///
/// | place | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `SkPT` |
/// | 4 | 4 | CRC-32C of bytes 8..<32 |
/// | 8 | 4 | format version, 2 |
/// | 12 | 4 | zero |
/// | 16 | 8 | store key |
/// | 24 | 8 | part number |
/// | 32 | | chunks, in any order |
/// | | | directory (`PartDirectory`), one chunk |
/// | end - 32 | 8 | offset of the directory |
/// | end - 24 | 4 | its stored length |
/// | end - 20 | 4 | CRC-32C of its stored bytes |
/// | end - 16 | 4 | zero |
/// | end - 12 | 4 | format version, 2 |
/// | end - 8 | 4 | CRC-32C of the 24 bytes before |
/// | end - 4 | 4 | magic `SkPE` |
///
/// A chunk's checksum stands beside its reference, over the stored bytes. What is compressed in it
/// are its frames (`ChunkEncoder`).
enum PartFormat {
    static let headMagic: UInt32 = 0x5450_6B53
    static let tailMagic: UInt32 = 0x4550_6B53
    static let version: UInt32 = 2
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
        var reader = ByteReader(bytes)
        guard try reader.number(UInt32.self) == headMagic, bytes.count == headByteCount,
            try reader.number(UInt32.self) == CRC32C.checksum(bytes, 8..<headByteCount)
        else { throw CorruptBytes(what: "its head is damaged") }
        try check(version: try reader.number())
        _ = try reader.number(UInt32.self)
        guard try reader.number(UInt64.self) == storeKey else {
            throw CorruptBytes(what: "it belongs to another store")
        }
        guard try reader.number(UInt64.self) == number else {
            throw CorruptBytes(what: "it is another part under this name")
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

    static func directory(tail bytes: [UInt8]) throws(CorruptBytes) -> ChunkReference {
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
        return reference
    }

    private static func check(version found: UInt32) throws(CorruptBytes) {
        guard found == version else {
            throw CorruptBytes(
                what: "its format version is \(found), this program reads \(version)"
            )
        }
    }
}

/// Where a chunk lies and what it must be.
struct ChunkReference: Equatable, Sendable {
    var offset: UInt64
    /// Stored length; 0 for no chunk at all.
    var byteCount: UInt32
    /// CRC-32C of the stored bytes.
    var checksum: UInt32

    /// No chunk.
    static let none = ChunkReference(offset: 0, byteCount: 0, checksum: 0)

    var isNone: Bool { byteCount == 0 }

    /// Where the chunk ends.
    var end: UInt64 { offset &+ UInt64(byteCount) }

    /// - Parameter place: where the chunk that was written down before this one ends; mostly they
    ///   follow each other.
    func encode(to writer: inout ByteWriter, after place: UInt64 = 0) {
        writer.append(varint: byteCount)
        if isNone { return }
        writer.append(varint: Zigzag.encode(offset &- place))
        writer.append(checksum)
    }

    init(offset: UInt64, byteCount: UInt32, checksum: UInt32) {
        self.offset = offset
        self.byteCount = byteCount
        self.checksum = checksum
    }

    init(parsing reader: inout ByteReader, after place: UInt64 = 0) throws(CorruptBytes) {
        byteCount = try reader.small()
        if byteCount == 0 {
            offset = 0
            checksum = 0
            return
        }
        offset = place &+ Zigzag.decode(try reader.varint())
        checksum = try reader.number()
    }
}

/// What a table of a part holds: each has its own rows. Events and links are cut where the blocks of
/// spans are cut; traces and the trace index have blocks of their own, of as many rows as a block of
/// spans.
enum PartTable: UInt8, Sendable, CaseIterable {
    case spans, events, links, traces, index
}

/// The fields of a part. The raw values are on disk: they never change.
///
/// All are unsigned 64-bit numbers (`PackedIntegers`) but the texts (`holdsText`) and the ids
/// (`holdsIDs`, `RawIntegers`). A column has no chunk for a block in which all its values are zero or
/// empty, or in which it has none.
enum PartField: UInt8, Sendable, CaseIterable {
    case spanID
    /// 0: no parent. 1: the next of `parentID`. Else 2 + the zigzag of the distance in rows to the
    /// first row of the same trace that has the parent's id.
    case parent
    /// Parent ids that are not in the same trace of the same part, in the order of the rows.
    case parentID
    /// Less the start of the row before where that is of the same trace and block, else less the
    /// start of the trace. Never negative.
    case start
    /// End less start, wrapping, and 1 where that wrapped: the end lies before the start.
    case duration, endsEarly
    /// Ids of the vocabulary's forms.
    case form
    /// Which of the resources of the form's service.
    case instance
    case statusMessage, traceState
    case eventCount, linkCount
    case droppedAttributes, droppedEvents, droppedLinks
    case marks
    /// The zigzag of event time less span start, wrapping.
    case eventTime
    /// Ids of the vocabulary's event forms.
    case eventForm
    /// 0: another trace; the next of `linkTraceHigh`, `linkTraceLow` and `linkSpanID`. 1: the span's
    /// own trace; the next of `linkSpanID`. Else 2 + the zigzag of the distance in rows from the span
    /// to the first row of its own trace that has the linked id.
    case linkTarget
    case linkTraceHigh, linkTraceLow, linkSpanID
    case linkTraceState
    case linkFlags, linkShape, linkDropped
    case traceHigh, traceLow
    /// Less the start of the trace before in the block; of the first less the block's `firstStart`.
    case traceStart
    /// Latest end less earliest start; a span that ends before it starts ends where it starts.
    case traceDuration
    case traceSpanCount
    /// Form of the first span without parent, else of the earliest span.
    case traceRoot
    /// See `TraceIndex`.
    case indexKey, indexRow
    /// Values of one attribute key of one type.
    ///
    /// Those of a block lie in the order (form of the owner, row of the owner, place in its list), a
    /// form being the span's, the event's or, of a link, its shape.
    case attribute

    var holdsText: Bool {
        switch self {
        case .statusMessage, .traceState, .linkTraceState: true
        default: false
        }
    }

    /// Whether the values are random and stored as they are.
    var holdsIDs: Bool {
        switch self {
        case .spanID, .parentID, .linkTraceHigh, .linkTraceLow, .linkSpanID, .traceHigh, .traceLow:
            true
        default: false
        }
    }

    var table: PartTable {
        switch self {
        case .eventTime, .eventForm: .events
        case .linkTarget, .linkTraceHigh, .linkTraceLow, .linkSpanID, .linkTraceState, .linkFlags,
            .linkShape, .linkDropped:
            .links
        case .traceHigh, .traceLow, .traceStart, .traceDuration, .traceSpanCount, .traceRoot:
            .traces
        case .indexKey, .indexRow: .index
        default: .spans
        }
    }

    /// Fields that are not attributes: column `i` of every part is field `i` of these.
    static let fixed = Array(allCases.dropLast())
}

extension AttributeType {
    /// Whether values of this type are runs of bytes.
    var holdsText: Bool {
        switch self {
        case .string, .bytes, .array, .map: true
        case .empty, .bool, .int, .double: false
        }
    }
}
