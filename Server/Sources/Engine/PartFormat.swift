// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// A part: spans of one tenant in one immutable file.
///
/// Rows are sorted by trace id (low half first, so that a short id is a range), start and span id,
/// and cut into blocks. Each column of each block is one chunk.
///
/// | place | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `SkPT` |
/// | 4 | 4 | CRC-32C of bytes 8..<32 |
/// | 8 | 4 | format version, 1 |
/// | 12 | 4 | zero |
/// | 16 | 8 | store key |
/// | 24 | 8 | part number |
/// | 32 | | chunks, in any order |
/// | | | directory (`PartDirectory`), one chunk |
/// | end - 32 | 8 | offset of the directory |
/// | end - 24 | 4 | its stored length |
/// | end - 20 | 4 | its length before compression |
/// | end - 16 | 4 | CRC-32C of its stored bytes |
/// | end - 12 | 4 | format version, 1 |
/// | end - 8 | 4 | CRC-32C of the 24 bytes before |
/// | end - 4 | 4 | magic `SkPE` |
///
/// A chunk is stored as it is, or as one zstd frame where that is shorter (stored length below the
/// length before compression). Its checksum, over the stored bytes, stands in the directory.
enum PartFormat {
    static let headMagic: UInt32 = 0x5450_6B53
    static let tailMagic: UInt32 = 0x4550_6B53
    static let version: UInt32 = 1
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
        writer.append(directory.storedByteCount)
        writer.append(directory.byteCount)
        writer.append(directory.checksum)
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
            storedByteCount: try reader.number(),
            byteCount: try reader.number(),
            checksum: try reader.number()
        )
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
    var storedByteCount: UInt32
    /// Length before compression.
    var byteCount: UInt32
    var checksum: UInt32

    func encode(to writer: inout ByteWriter) {
        writer.append(varint: offset)
        writer.append(varint: storedByteCount)
        writer.append(varint: byteCount)
        writer.append(checksum)
    }

    init(offset: UInt64, storedByteCount: UInt32, byteCount: UInt32, checksum: UInt32) {
        self.offset = offset
        self.storedByteCount = storedByteCount
        self.byteCount = byteCount
        self.checksum = checksum
    }

    init(parsing reader: inout ByteReader) throws(CorruptBytes) {
        offset = try reader.varint()
        storedByteCount = try reader.small()
        byteCount = try reader.small()
        checksum = try reader.number()
    }
}

/// What a table of a part holds: each has its own rows, cut where the blocks of spans are cut
/// (traces: into blocks of their own).
enum PartTable: UInt8, Sendable, CaseIterable {
    case spans, events, links, traces
}

/// The fields of a part. The raw values are on disk: they never change.
///
/// All are unsigned 64-bit numbers but the texts (`holdsText`).
enum PartField: UInt8, Sendable, CaseIterable {
    case spanID
    /// 0: no parent. 1: the next of `parentID`. Else 2 + the zigzag of the distance in rows to the
    /// first row of the same trace that has the parent's id.
    case parent
    /// Parent ids that are not in the same trace of the same part.
    case parentID
    /// Less the earliest start of the trace in this part.
    case start
    /// End less start, wrapping, and 1 where that wrapped: the end lies before the start.
    case end, endsEarly
    /// Ids in the part's names.
    case name
    case kind, status
    case statusMessage, traceState
    case flags
    /// Rows of the directory's resources and scopes.
    case resource, scope
    /// Ids of the span's list of attribute keys and types.
    case shape
    case eventCount, linkCount
    case droppedAttributes, droppedEvents, droppedLinks
    case marks
    /// The zigzag of event time less span start, wrapping.
    case eventTime
    case eventName, eventShape, eventDropped
    case linkTraceHigh, linkTraceLow, linkSpanID
    case linkTraceState
    case linkFlags, linkShape, linkDropped
    case traceHigh, traceLow
    case traceSpanCount, traceStart, traceDuration, traceErrorCount
    /// Ids in the part's names, of the root or else earliest span.
    case traceRootService, traceRootName
    /// For each service: name id, spans, errors (varints).
    case traceServices
    /// Values of one attribute key of one type.
    case attribute

    var holdsText: Bool {
        switch self {
        case .statusMessage, .traceState, .linkTraceState, .traceServices: true
        default: false
        }
    }

    var table: PartTable {
        switch self {
        case .eventTime, .eventName, .eventShape, .eventDropped: .events
        case .linkTraceHigh, .linkTraceLow, .linkSpanID, .linkTraceState, .linkFlags, .linkShape,
            .linkDropped:
            .links
        case .traceHigh, .traceLow, .traceSpanCount, .traceStart, .traceDuration, .traceErrorCount,
            .traceRootService, .traceRootName, .traceServices:
            .traces
        default: .spans
        }
    }
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
