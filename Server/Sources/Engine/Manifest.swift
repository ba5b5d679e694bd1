// SPDX-License-Identifier: Apache-2.0

import Platform

/// What a store consists of; the one file that is replaced.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `SkMF` |
/// | 4 | 4 | CRC-32C of everything after it |
/// | 8 | 4 | format version, 2 |
/// | 12 | 4 | length of what follows |
/// | 16 | 8 | store key: secret, random, for the life of the store |
/// | 24 | 8 | flushed sequence: log records up to it are in parts |
/// | 32 | 8 | next number of a part or a totals file |
/// | 40 | | parts: count (varint), then each as below |
/// | | | totals files: count (varint), then each as below |
///
/// | part | size |
/// |---|---|
/// | number, bytes, spans, earliest start, latest start, newest receipt | six varints |
/// | checksum of its directory | 4 |
/// | state: 0 live, 1 set aside | 1 |
/// | tenant, reason | runs: length (varint), then bytes |
///
/// | totals file | size |
/// |---|---|
/// | number (none that a part has), bytes, earliest start, latest start, newest receipt | five varints |
/// | checksum of the whole file | 4 |
/// | tenant | run |
///
/// Replaced by writing `MANIFEST.new`, syncing it, renaming it over `MANIFEST` and syncing the
/// directory. A crash leaves the old one or the new one.
struct Manifest: Equatable {
    static let magic: UInt32 = 0x464D_6B53
    static let version: UInt32 = 2

    /// Above every part number there will be: counting up from one that was read ends nowhere near.
    private static let numberLimit: UInt64 = 1 << 62
    /// Above the bytes and the spans of every part: sums of them never leave their type.
    private static let countLimit = 1 << 40

    struct Entry: Equatable {
        var number: UInt64
        var byteCount: UInt64
        var spanCount: UInt64
        var firstStart: UInt64
        var lastStart: UInt64
        /// Newest receipt among its spans, nanoseconds since 1970.
        var receivedAt: UInt64
        var checksum: UInt32
        var tenant: String
        /// Why the part was set aside; `nil` while it is live.
        var lost: String?
    }

    /// Minute totals that outlive the parts they were counted in.
    struct TotalsFile: Equatable {
        var number: UInt64
        var byteCount: UInt64
        var firstStart: UInt64
        var lastStart: UInt64
        /// Newest receipt among the spans counted, nanoseconds since 1970.
        var receivedAt: UInt64
        var checksum: UInt32
        var tenant: String
    }

    var storeKey: UInt64
    var flushedSequence: UInt64 = 0
    var nextPart: UInt64 = 1
    var parts: [Entry] = []
    var totals: [TotalsFile] = []

    func encode() -> [UInt8] {
        var body = ByteWriter()
        body.append(storeKey)
        body.append(flushedSequence)
        body.append(nextPart)
        body.append(varint: parts.count)
        for part in parts {
            body.append(varint: part.number)
            body.append(varint: part.byteCount)
            body.append(varint: part.spanCount)
            body.append(varint: part.firstStart)
            body.append(varint: part.lastStart)
            body.append(varint: part.receivedAt)
            body.append(part.checksum)
            body.append(UInt8(part.lost == nil ? 0 : 1))
            body.append(run: part.tenant.utf8)
            body.append(run: (part.lost ?? "").utf8)
        }
        body.append(varint: totals.count)
        for file in totals {
            body.append(varint: file.number)
            body.append(varint: file.byteCount)
            body.append(varint: file.firstStart)
            body.append(varint: file.lastStart)
            body.append(varint: file.receivedAt)
            body.append(file.checksum)
            body.append(run: file.tenant.utf8)
        }
        var rest = ByteWriter()
        rest.append(Self.version)
        rest.append(UInt32(body.bytes.count))
        rest.bytes += body.bytes
        var writer = ByteWriter()
        writer.append(Self.magic)
        writer.append(CRC32C.checksum(rest.bytes))
        return writer.bytes + rest.bytes
    }

    init(storeKey: UInt64) { self.storeKey = storeKey }

    /// - Throws: `CorruptBytes` saying what is wrong.
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        guard try reader.number(UInt32.self) == Self.magic else {
            throw CorruptBytes(what: "it does not begin as a manifest")
        }
        guard try reader.number(UInt32.self) == CRC32C.checksum(bytes, 8..<bytes.count) else {
            throw CorruptBytes(what: "its checksum does not match")
        }
        let version = try reader.number(UInt32.self)
        guard version == Self.version else {
            throw CorruptBytes(
                what: "its format version is \(version), this program reads \(Self.version)"
            )
        }
        guard try reader.number(UInt32.self) == UInt32(bytes.count - 16) else {
            throw CorruptBytes(what: "its length is wrong")
        }
        storeKey = try reader.number()
        flushedSequence = try reader.number()
        nextPart = try reader.number()
        guard nextPart < Self.numberLimit else { throw CorruptBytes(what: "a number is too large") }
        for _ in 0..<(try reader.count(ofAtLeast: 13)) {
            var entry = Entry(
                number: try reader.varint(),
                byteCount: UInt64(try reader.index(below: Self.countLimit)),
                spanCount: UInt64(try reader.index(below: Self.countLimit)),
                firstStart: try reader.varint(),
                lastStart: try reader.varint(),
                receivedAt: try reader.varint(),
                checksum: try reader.number(),
                tenant: "",
                lost: nil
            )
            let state: UInt8 = try reader.number()
            entry.tenant = try reader.text()
            let reason = try reader.text()
            if state != 0 { entry.lost = reason }
            parts.append(entry)
        }
        for _ in 0..<(try reader.count(ofAtLeast: 10)) {
            totals.append(
                TotalsFile(
                    number: try reader.varint(),
                    byteCount: UInt64(try reader.index(below: Self.countLimit)),
                    firstStart: try reader.varint(),
                    lastStart: try reader.varint(),
                    receivedAt: try reader.varint(),
                    checksum: try reader.number(),
                    tenant: try reader.text()
                )
            )
        }
        guard reader.remaining == 0 else { throw CorruptBytes(what: "it is longer than it says") }
    }

    /// The version that undamaged bytes of a manifest state; `nil` where they are not such bytes.
    static func version(of bytes: [UInt8]) -> UInt32? {
        var reader = ByteReader(bytes)
        guard bytes.count >= 12, (try? reader.number(UInt32.self)) == magic,
            (try? reader.number(UInt32.self)) == CRC32C.checksum(bytes, 8..<bytes.count)
        else { return nil }
        return try? reader.number()
    }

    /// Puts this manifest in place of the one on disk.
    ///
    /// - Parameter renamed: set once the new manifest may be the one that a crash leaves; the files
    ///   it lists must then stay, even if an error follows.
    func write(_ names: FileNames, _ disk: any Disk, renamed: inout Bool) throws(DiskError) {
        let file = try disk.create(names.newManifest)
        try file.write([encode()], at: 0)
        try file.sync()
        renamed = true
        try disk.rename(names.newManifest, to: names.manifest)
        try disk.syncDirectory(names.directory)
    }
}
