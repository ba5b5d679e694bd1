// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// The first bytes of a log segment.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `SkLS` |
/// | 4 | 4 | CRC-32C of bytes 8..<32 |
/// | 8 | 4 | format version, 2 |
/// | 12 | 4 | zero |
/// | 16 | 8 | segment number |
/// | 24 | 8 | segment key |
///
/// The segment key is made of a secret number of the store and the segment number. Every record
/// carries it, so neither the remains of an earlier use of the file nor bytes that a sender chose can
/// pass for a record. A segment whose header is damaged is still read, for its name tells its number.
///
/// Version 1 had no call statistics (formats 5 and 6 of `PayloadFormat`) and is read all the same; a
/// program that knows version 1 alone refuses a segment of version 2.
struct LogSegmentHeader {
    static let byteCount = 32
    static let magic: UInt32 = 0x534C_6B53
    static let version: UInt32 = 2
    static let readVersions: ClosedRange<UInt32> = 1...2

    let number: UInt64
    let key: UInt64

    static func key(store: UInt64, number: UInt64) -> UInt64 {
        let product = (store ^ number &* 0x9E37_79B9_7F4A_7C15)
            .multipliedFullWidth(by: 0xD1B5_4A32_D192_ED03 ^ store)
        return product.high ^ product.low
    }

    func encode() -> [UInt8] {
        var body = ByteWriter()
        body.append(Self.version)
        body.append(UInt32(0))
        body.append(number)
        body.append(key)
        var writer = ByteWriter()
        writer.append(Self.magic)
        writer.append(CRC32C.checksum(body.bytes))
        return writer.bytes + body.bytes
    }

    /// An undamaged header of a version that is read.
    init?(parsing bytes: [UInt8]) {
        guard let version = Self.version(of: bytes), Self.readVersions.contains(version) else {
            return nil
        }
        var reader = ByteReader(bytes, from: 16)
        guard let number = try? reader.number(UInt64.self),
            let key = try? reader.number(UInt64.self)
        else { return nil }
        self.init(number: number, key: key)
    }

    init(number: UInt64, key: UInt64) {
        self.number = number
        self.key = key
    }

    /// Refuses a segment of a version that is not read.
    static func refuseOtherVersion(of bytes: [UInt8], _ path: String) throws(EngineError) {
        guard let found = version(of: bytes), !readVersions.contains(found) else { return }
        throw EngineError.otherVersion(path, found: found, read: version)
    }

    /// The version that an undamaged header states; `nil` where there is none.
    static func version(of bytes: [UInt8]) -> UInt32? {
        var reader = ByteReader(bytes)
        guard bytes.count >= byteCount, (try? reader.number(UInt32.self)) == magic,
            (try? reader.number(UInt32.self)) == CRC32C.checksum(bytes, 8..<byteCount)
        else { return nil }
        return try? reader.number(UInt32.self)
    }
}

/// How requests are numbered: an epoch in the upper half, in the lower a count from 1, without gaps.
///
/// ```
/// epoch 1: 1 2 3 4 | a write of 5 and 6 fails, who knows how far they came | epoch 2: 1 2 3
/// ```
/// A start and a failure begin a new epoch: what failed may stand in the log all the same, and must
/// be told from what is acknowledged later.
enum LogSequence {
    private static let countBits: UInt64 = 32

    static func epoch(of sequence: UInt64) -> UInt64 { sequence >> countBits }

    static func count(of sequence: UInt64) -> UInt64 { sequence & (1 << countBits - 1) }

    static func of(_ epoch: UInt64, _ count: UInt64) -> UInt64 { epoch << countBits | count }

    /// The first number of the epoch after the one of `sequence`.
    static func nextEpoch(after sequence: UInt64) -> UInt64 {
        of(epoch(of: sequence) &+ 1, 1)
    }
}

/// One request in the log.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `SkWR` |
/// | 4 | 4 | CRC-32C of everything after it, padding excluded |
/// | 8 | 8 | segment key |
/// | 16 | 8 | sequence: which request it is; see `LogSequence` |
/// | 24 | 8 | receive time, nanoseconds since 1970 |
/// | 32 | 4 | payload length |
/// | 36 | 2 | tenant length |
/// | 38 | 1 | `PayloadFormat` |
/// | 39 | 1 | zero |
/// | 40 | | tenant, payload, zeros up to a multiple of 8 |
struct LogRecord {
    static let headerByteCount = 40
    static let magic: UInt32 = 0x5257_6B53

    let sequence: UInt64
    let payload: Payload

    /// Bytes that a record of this payload takes in the log.
    static func byteCount(of payload: Payload) -> Int {
        padded(headerByteCount + payload.tenant.name.utf8.count + payload.bytes.count)
    }

    private static func padded(_ count: Int) -> Int {
        count.roundedUp(to: Limits.logAlignment)
    }

    /// Adds the pieces to write; the payload is not copied.
    func encode(key: UInt64, to pieces: inout [[UInt8]]) {
        let tenant = Array(payload.tenant.name.utf8)
        var body = ByteWriter()
        body.append(key)
        body.append(sequence)
        body.append(payload.receivedAt)
        body.append(UInt32(payload.bytes.count))
        body.append(UInt16(tenant.count))
        body.append(payload.format.rawValue)
        body.append(UInt8(0))
        body.bytes += tenant
        let checksum = CRC32C.checksum(
            payload.bytes,
            continuing: CRC32C.checksum(body.bytes)
        )
        var head = ByteWriter()
        head.append(Self.magic)
        head.append(checksum)
        head.bytes += body.bytes
        let used = head.bytes.count + payload.bytes.count
        pieces.append(head.bytes)
        pieces.append(payload.bytes)
        let missing = Self.padded(used) - used
        if missing > 0 { pieces.append([UInt8](repeating: 0, count: missing)) }
    }

    /// What stands at one place of a segment.
    enum Found {
        case record(LogRecord, byteCount: Int)
        /// A record's beginning whose rest does not match its checksum; the sequence it states.
        case damaged(sequence: UInt64)
        case nothing
    }

    static func parse(_ bytes: [UInt8], at offset: Int, key: UInt64) -> Found {
        var reader = ByteReader(bytes, from: offset)
        guard let begins = try? reader.number(UInt32.self), begins == magic,
            let checksum = try? reader.number(UInt32.self),
            let foundKey = try? reader.number(UInt64.self), foundKey == key,
            let sequence = try? reader.number(UInt64.self), LogSequence.count(of: sequence) > 0,
            let receivedAt = try? reader.number(UInt64.self),
            let length = try? reader.number(UInt32.self),
            let tenantLength = try? reader.number(UInt16.self),
            let formatByte = try? reader.number(UInt8.self)
        else { return .nothing }
        let end = offset + headerByteCount + Int(tenantLength) + Int(length)
        guard Int(length) <= Limits.payloadBytes, end <= bytes.count,
            CRC32C.checksum(bytes, offset + 8..<end) == checksum,
            let format = PayloadFormat(rawValue: formatByte)
        else { return .damaged(sequence: sequence) }
        let tenantStart = offset + headerByteCount
        let payloadStart = tenantStart + Int(tenantLength)
        let payload = Payload(
            format: format,
            bytes: Array(bytes[payloadStart..<end]),
            receivedAt: receivedAt,
            tenant: Tenant(String(decoding: bytes[tenantStart..<payloadStart], as: UTF8.self))
        )
        return .record(
            LogRecord(sequence: sequence, payload: payload),
            byteCount: padded(end - offset)
        )
    }
}

/// Reads the records of a segment, past damage.
///
/// ```
/// header | record 5 | record 6, damaged | record 7 | remains of an earlier use
///          found      searched through    found      searched through
/// ```
struct LogScanner {
    private let bytes: [UInt8]
    private let key: UInt64
    private var offset = LogSegmentHeader.byteCount
    /// Where the last record that was found ends.
    private(set) var recordEnd = LogSegmentHeader.byteCount
    /// Sequences stated by records whose checksum failed.
    private(set) var damaged: [UInt64] = []

    init(_ bytes: [UInt8], key: UInt64) {
        self.bytes = bytes
        self.key = key
    }

    mutating func next() -> LogRecord? {
        while offset + LogRecord.headerByteCount <= bytes.count {
            switch LogRecord.parse(bytes, at: offset, key: key) {
            case .record(let record, let byteCount):
                offset += byteCount
                recordEnd = min(offset, bytes.count)
                return record
            case .damaged(let sequence):
                damaged.append(sequence)
                offset += Limits.logAlignment
            case .nothing:
                offset += Limits.logAlignment
            }
        }
        return nil
    }
}
