// SPDX-License-Identifier: Apache-2.0

import Platform

/// One short link in the file `LINKS`.
///
/// The file is made of slots of 64 bytes. The first begins with the eight characters `SKNLINKS` and the
/// format version, 1, as four bytes; the rest of it is zero. Each record begins with a slot and is filled
/// with zeros up to a whole number of them. Numbers are little-endian.
///
/// | offset | bytes | |
/// |---|---|---|
/// | 0 | 4 | CRC-32C of bytes 4 up to the end of the address |
/// | 4 | 4 | bytes of the address, *n*: 1 to 16,384 |
/// | 8 | 8 | the name, as a number below 2^60 |
/// | 16 | *n* | the address |
///
/// Records are only added, each in one write that is synced before its name is told. A slot that begins
/// no record, torn by a crash or damaged later, is passed over, so that what stands after it is still
/// found. No address can look like a record: those have bytes below 32.
struct LinkRecord: Equatable {
    static let magic = Array("SKNLINKS".utf8)
    static let version: UInt32 = 1
    static let slotByteCount = 64
    static let headByteCount = 16

    let name: LinkName
    let address: PageAddress

    /// The first slot of a file.
    static var head: [UInt8] {
        filled(magic + bytes(of: version))
    }

    /// Bytes of a record in the file, whose address has `count`.
    static func byteCount(ofAddress count: Int) -> Int {
        let slots = (headByteCount + count + slotByteCount - 1) / slotByteCount
        return slots * slotByteCount
    }

    func encode() -> [UInt8] {
        let address = Array(address.text.utf8)
        let body =
            Self.bytes(of: UInt32(address.count)) + Self.bytes(of: name.number) + address
        return Self.filled(Self.bytes(of: CRC32C.checksum(body)) + body)
    }

    /// The record that begins at `offset`.
    ///
    /// - Returns: `nil` where none does, or where it is damaged or not whole.
    init?(parsing bytes: [UInt8], at offset: Int) {
        guard let count = Self.addressByteCount(bytes, at: offset),
            bytes.count - offset >= Self.headByteCount + count,
            let name = LinkName(number: Self.number(bytes, offset + 8, UInt64.self))
        else { return nil }
        let end = offset + Self.headByteCount + count
        guard Self.number(bytes, offset, UInt32.self) == CRC32C.checksum(bytes, offset + 4..<end),
            let text = String(validating: bytes[offset + Self.headByteCount..<end], as: UTF8.self),
            let address = try? PageAddress(text)
        else { return nil }
        self.name = name
        self.address = address
    }

    init(name: LinkName, address: PageAddress) {
        self.name = name
        self.address = address
    }

    /// Bytes of the address of the record at `offset`, as it states them; `nil` where it states none
    /// that can be.
    static func addressByteCount(_ bytes: [UInt8], at offset: Int) -> Int? {
        guard bytes.count - offset >= headByteCount else { return nil }
        let count = number(bytes, offset + 4, UInt32.self)
        return (1...UInt32(ShortLinkLimits.addressByteCount)).contains(count) ? Int(count) : nil
    }

    /// The format version of a file that begins so; `nil` where it is none of short links.
    static func version(of bytes: [UInt8]) -> UInt32? {
        guard bytes.count >= slotByteCount, bytes.starts(with: magic) else { return nil }
        return number(bytes, magic.count, UInt32.self)
    }

    /// The caller has checked that there are as many bytes.
    private static func number<Number: FixedWidthInteger>(
        _ bytes: [UInt8],
        _ offset: Int,
        _ type: Number.Type
    ) -> Number {
        (0..<MemoryLayout<Number>.size).reduce(0) {
            $0 | Number(bytes[offset + $1]) << Number($1 * 8)
        }
    }

    private static func bytes(of number: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private static func filled(_ bytes: [UInt8]) -> [UInt8] {
        let rest = bytes.count % slotByteCount
        return rest == 0 ? bytes : bytes + [UInt8](repeating: 0, count: slotByteCount - rest)
    }
}
