// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Numbers of a chunk: the smallest is taken off, the rest divided by what divides all, then cut
/// into planes of equal significance, each a frame of its own, for they compress differently.
///
/// | field | coding |
/// |---|---|
/// | count | varint |
/// | planes, 0...8 | 1 byte |
/// | smallest number | varint |
/// | scale, at least 1 | varint |
/// | planes | frames of count bytes: byte 0 of every number, then byte 1, ... |
///
/// Number `i` is smallest + scale × (its bytes), wrapping. Written by `ChunkEncoder`.
struct PackedIntegers: Sendable {
    let count: Int
    let smallest: UInt64
    let scale: UInt64
    let planes: Int
    /// Plane after plane.
    fileprivate let bytes: [UInt8]

    /// Reads numbers at the reader's place.
    ///
    /// - Parameter limit: no more numbers than this are believed.
    init(
        parsing reader: inout ByteReader,
        _ decompressor: borrowing Decompressor,
        limit: Int = Limits.chunkBytes / 8
    ) throws(CorruptBytes) {
        count = try reader.index(below: min(limit, Limits.chunkBytes / 8) + 1)
        planes = Int(try reader.number(UInt8.self))
        smallest = try reader.varint()
        scale = try reader.varint()
        guard planes <= 8, scale > 0 else { throw CorruptBytes(what: "numbers are damaged") }
        var frames: [Frame] = []
        for _ in 0..<planes {
            let frame = try reader.frame()
            guard frame.byteCount == count else {
                throw CorruptBytes(what: "numbers are cut short")
            }
            frames.append(frame)
        }
        bytes = try Frame.unpack(frames, of: reader.bytes, decompressor)
    }

    /// Reads numbers that stand alone in a chunk.
    init(
        chunk bytes: [UInt8],
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        try self.init(parsing: &reader, decompressor)
        guard reader.remaining == 0 else { throw CorruptBytes(what: "numbers go on too long") }
    }

    /// As many zeros.
    init(zeros count: Int) {
        self.count = count
        smallest = 0
        scale = 1
        planes = 0
        bytes = []
    }

    /// Number `index`, which must be below `count`.
    subscript(index: Int) -> UInt64 {
        var offset: UInt64 = 0
        for plane in 0..<planes { offset |= UInt64(bytes[plane * count + index]) << (8 * plane) }
        return smallest &+ scale &* offset
    }

    /// Whether all numbers are zero.
    var isZero: Bool { planes == 0 && smallest == 0 }

    /// All numbers.
    var values: [UInt64] { values(0..<count) }

    /// Numbers `rows`, which must lie below `count`.
    func values(_ rows: Range<Int>) -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: rows.count) { target, filled in
            decode(rows, into: target)
            filled = rows.count
        }
    }

    /// Writes numbers `rows` to `target`, which has room for them.
    func decode(_ rows: Range<Int>, into target: UnsafeMutableBufferPointer<UInt64>) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count && target.count >= rows.count)
        let smallest = smallest
        let scale = scale
        let length = rows.count
        bytes.withUnsafeBufferPointer { bytes in
            switch planes {
            case 0:
                for row in 0..<length { target[row] = smallest }
            case 1:
                // Bound: rows lies in 0..<count, plane p at p * count, target has rows.count.
                let first = rows.lowerBound
                for row in 0..<length {
                    target[row] = smallest &+ scale &* UInt64(bytes[first &+ row])
                }
            case 2:
                let low = rows.lowerBound
                let high = low + count
                for row in 0..<length {
                    let number = UInt64(bytes[low &+ row]) | UInt64(bytes[high &+ row]) << 8
                    target[row] = smallest &+ scale &* number
                }
            default:
                for row in 0..<length { target[row] = 0 }
                for plane in 0..<planes {
                    let shift = UInt64(plane * 8)
                    let first = plane * count + rows.lowerBound
                    for row in 0..<length { target[row] |= UInt64(bytes[first &+ row]) << shift }
                }
                for row in 0..<length { target[row] = smallest &+ scale &* target[row] }
            }
        }
    }
}

extension PackedIntegers {
    /// Calls `body` with the places in `range`, which must lie below `count`, that hold `number`.
    ///
    /// Eight bytes of the lowest plane are compared at once (1 us for 8,192 numbers); the others are
    /// looked at where those agree.
    @inline(__always)
    func forEach(equalTo number: UInt64, in range: Range<Int>, _ body: (Int) -> Void) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let difference = number &- smallest
        let (offset, rest) = difference.quotientAndRemainder(dividingBy: scale)
        guard rest == 0, planes == 8 || offset >> UInt64(planes * 8) == 0 else { return }
        if planes == 0 {
            for place in range { body(place) }
            return
        }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let wanted = ones &* (offset & 0xFF)
        bytes.withUnsafeBytes { bytes in
            // Bound: plane p lies at p * count, and range below count.
            func holds(_ place: Int) -> Bool {
                for plane in 0..<planes
                where bytes[plane &* count &+ place]
                    != UInt8(truncatingIfNeeded: offset >> UInt64(plane * 8))
                {
                    return false
                }
                return true
            }
            var place = range.lowerBound
            while place &+ 8 <= range.upperBound {
                let word =
                    bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) ^ wanted
                // A byte of the difference is zero, or a byte above one that is looks like it.
                if (word &- ones) & ~word & (ones &* 0x80) != 0 {
                    for next in place..<place &+ 8 where holds(next) { body(next) }
                }
                place &+= 8
            }
            while place < range.upperBound {
                if holds(place) { body(place) }
                place &+= 1
            }
        }
    }
}

/// Where a frame lies in a chunk; see `ChunkEncoder`.
struct Frame {
    /// Stored bytes in the chunk.
    var range: Range<Int>
    /// Length before compression.
    var byteCount: Int
    var isCompressed: Bool

    /// The bytes of `frames` one after another.
    static func unpack(
        _ frames: [Frame],
        of chunk: [UInt8],
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) -> [UInt8] {
        let total = frames.reduce(0) { $0 + $1.byteCount }
        guard total <= Limits.chunkBytes else {
            throw CorruptBytes(what: "a chunk claims \(total) bytes")
        }
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: total) { target, filled in
            chunk.withUnsafeBytes { source in
                for frame in frames where frame.byteCount > 0 {
                    // Bound: the ranges were checked against the chunk when they were read; the
                    // lengths add up to `total`.
                    let stored = UnsafeRawBufferPointer(rebasing: source[frame.range])
                    let room = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(target)[
                            filled..<filled + frame.byteCount
                        ]
                    )
                    if frame.isCompressed {
                        if !decompressor.decompress(stored, into: room) { isWhole = false }
                    } else {
                        room.copyMemory(from: stored)
                    }
                    filled += frame.byteCount
                }
            }
            // What a failed frame left may be uninitialised: none of it is given out.
            if !isWhole { filled = 0 }
        }
        guard isWhole else { throw CorruptBytes(what: "a chunk does not unpack") }
        return bytes
    }
}

extension ByteReader {
    /// Where the next frame lies, skipping it.
    mutating func frame() throws(CorruptBytes) -> Frame {
        let head = try varint()
        let isCompressed = head & 1 != 0
        guard head >> 1 <= UInt64(Limits.chunkBytes) else {
            throw CorruptBytes(what: "a chunk claims \(head >> 1) bytes")
        }
        let byteCount = Int(head >> 1)
        let stored: Int
        if isCompressed {
            stored = try count()
        } else {
            guard byteCount <= remaining else { throw CorruptBytes(what: "a run is cut short") }
            stored = byteCount
        }
        let start = offset
        try skip(stored)
        return Frame(
            range: start..<start + stored,
            byteCount: byteCount,
            isCompressed: isCompressed
        )
    }

    /// The bytes of the next frame.
    mutating func frame(
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) -> [UInt8] {
        let frame = try frame()
        return try Frame.unpack([frame], of: bytes, decompressor)
    }
}

/// Random numbers of eight bytes each, for which no coding helps: ids.
enum RawIntegers {
    static func encode(_ numbers: UnsafeBufferPointer<UInt64>, to encoder: inout ChunkEncoder) {
        // The machine is little-endian, as the format.
        encoder.append(raw: UnsafeRawBufferPointer(numbers))
    }

    static func decode(_ bytes: [UInt8]) throws(CorruptBytes) -> [UInt64] {
        guard bytes.count % 8 == 0 else { throw CorruptBytes(what: "ids are cut short") }
        return [UInt64](unsafeUninitializedCapacity: bytes.count / 8) { target, filled in
            // Bound: as many bytes as there are in the target.
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
            filled = bytes.count / 8
        }
    }
}
