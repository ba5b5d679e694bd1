// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Writes the bytes of one chunk after another: numbers, frames, packed integers, texts.
///
/// A *frame* is a run of bytes, stored as it is or as one zstd frame where that is shorter: varint
/// (length << 1 | compressed), where compressed a varint stored length, then the stored bytes.
struct ChunkEncoder: ~Copyable {
    private(set) var bytes: Column<UInt8>
    private var plane: Column<UInt8>
    private let compressor: Compressor

    init(level: Int32) {
        bytes = Column(capacity: 1 << 16)
        plane = Column(capacity: 1 << 14)
        compressor = Compressor(level: level)
    }

    var count: Int { bytes.count }

    mutating func removeAll() { bytes.truncate(to: 0) }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func append(fixed number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(raw: $0) }
    }

    /// 7 bits a byte, the low ones first.
    mutating func append(varint number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(raw run: UnsafeRawBufferPointer) { bytes.append(raw: run) }

    mutating func append(raw run: [UInt8]) { run.withUnsafeBytes { bytes.append(raw: $0) } }

    mutating func append(frame run: UnsafeRawBufferPointer) {
        let start = bytes.count
        append(varint: UInt64(run.count) << 1 | 1)
        // Room for the stored length, whose varint is at most as long as that of `run.count`.
        let head = bytes.count - start
        let bound = Compressor.bound(run.count)
        var stored: Int?
        if run.count >= Limits.compressibleBytes {
            bytes.append(count: head + bound) { room in
                // Bound: head + bound bytes, the frame goes behind the head.
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(room)[head...]
                )
                stored = compressor.compress(run, into: target)
            }
        }
        guard let stored, stored + head < run.count else {
            bytes.truncate(to: start)
            append(varint: UInt64(run.count) << 1)
            append(raw: run)
            return
        }
        let frame = start + head + head
        bytes.truncate(to: start + head)
        append(varint: UInt64(stored))
        let begin = bytes.count
        bytes.append(count: frame + stored - begin) { room in
            guard let base = room.baseAddress else { return }
            // Bound: the frame lies at `frame`, at or behind `begin`, and is `stored` bytes long.
            UnsafeMutableRawPointer(base).copyMemory(
                from: UnsafeRawPointer(base + (frame - begin)),
                byteCount: stored
            )
        }
        bytes.truncate(to: begin + stored)
    }

    mutating func append(frame run: [UInt8]) {
        run.withUnsafeBytes { append(frame: $0) }
    }

    /// See `PackedIntegers`.
    ///
    /// - Parameter signed: the numbers are two's complement: the smallest is meant with its sign.
    mutating func append(integers: UnsafeBufferPointer<UInt64>, signed: Bool = false) {
        let (smallest, largest) = Self.bounds(of: integers, signed: signed)
        let span = largest &- smallest
        let scale = span < 256 ? 1 : Self.scale(of: integers, above: smallest)
        let planes = (64 - (span / scale).leadingZeroBitCount + 7) / 8
        append(varint: UInt64(integers.count))
        append(UInt8(planes))
        append(varint: smallest)
        append(varint: scale)
        for index in 0..<planes {
            let shift = UInt64(index * 8)
            var plane = Column<UInt8>()
            swap(&plane, &self.plane)
            plane.truncate(to: 0)
            plane.append(count: integers.count) { target in
                if scale == 1 {
                    for row in 0..<integers.count {
                        // Bound: `target` is as long as `integers`.
                        target[row] = UInt8(
                            truncatingIfNeeded: (integers[row] &- smallest) >> shift
                        )
                    }
                } else {
                    for row in 0..<integers.count {
                        target[row] = UInt8(
                            truncatingIfNeeded: ((integers[row] &- smallest) / scale) >> shift
                        )
                    }
                }
            }
            plane.withElements { append(frame: UnsafeRawBufferPointer($0)) }
            swap(&plane, &self.plane)
        }
    }

    mutating func append(integers: [UInt64]) {
        integers.withUnsafeBufferPointer { append(integers: $0) }
    }

    private static func bounds(
        of integers: UnsafeBufferPointer<UInt64>,
        signed: Bool
    ) -> (UInt64, UInt64) {
        guard let first = integers.first else { return (0, 0) }
        // Most columns are told apart by loops that the compiler makes wide.
        var all = first
        var any = first
        for number in integers {
            all &= number
            any |= number
        }
        if all == any { return (first, first) }
        if any < 256 { return (0, any) }
        // Flipping the sign bit makes the order of signed numbers that of unsigned ones.
        let flip: UInt64 = signed ? 1 << 63 : 0
        var smallest = first ^ flip
        var largest = smallest
        for number in integers {
            smallest = min(smallest, number ^ flip)
            largest = max(largest, number ^ flip)
        }
        return (smallest ^ flip, largest ^ flip)
    }

    /// The greatest common divisor of all differences from the smallest: whole microseconds are
    /// multiples of 1,000.
    private static func scale(
        of integers: UnsafeBufferPointer<UInt64>,
        above smallest: UInt64
    ) -> UInt64 {
        var divisor: UInt64 = 0
        for number in integers {
            var a = number &- smallest
            if a == 0 { continue }
            while a != 0 { (divisor, a) = (a, divisor % a) }
            if divisor == 1 { return 1 }
        }
        return max(divisor, 1)
    }

    /// See `PackedTexts`.
    mutating func append(texts: borrowing TextRun) {
        texts.lengths.withElements { append(integers: $0) }
        texts.bytes.withElements { append(frame: UnsafeRawBufferPointer($0)) }
    }
}

/// Texts gathered to be written together.
struct TextRun: ~Copyable {
    fileprivate(set) var lengths = Column<UInt64>()
    fileprivate(set) var bytes = Column<UInt8>()

    var count: Int { lengths.count }
    var byteCount: Int { bytes.count }

    mutating func append(_ text: UnsafeRawBufferPointer) {
        lengths.append(UInt64(text.count))
        bytes.append(raw: text)
    }

    mutating func removeAll() {
        lengths.truncate(to: 0)
        bytes.truncate(to: 0)
    }

    /// Calls `body` with every text, valid only during the call.
    func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
        bytes.withElements { bytes in
            var start = 0
            for index in 0..<lengths.count {
                // Bound: the lengths add up to the bytes.
                let end = start + Int(lengths[index])
                body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[start..<end])))
                start = end
            }
        }
    }
}
