// SPDX-License-Identifier: Apache-2.0

import CZstd
import SkeinModel

/// Numbers as bytes: the smallest is taken off, the rest cut into planes of equal significance,
/// which compress far better than whole numbers.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | count |
/// | 4 | 1 | planes, 0...8 |
/// | 5 | 8 | smallest number |
/// | 13 | planes × count | byte 0 of every number, then byte 1, ... |
enum PackedIntegers {
    static let headerByteCount = 13

    static func encode(_ numbers: [UInt64], to output: inout [UInt8]) {
        var smallest = numbers.first ?? 0
        var largest = smallest
        for number in numbers {
            smallest = min(smallest, number)
            largest = max(largest, number)
        }
        let planes = (64 - (largest - smallest).leadingZeroBitCount + 7) / 8
        var head = ByteWriter()
        head.append(UInt32(numbers.count))
        head.append(UInt8(planes))
        head.append(smallest)
        output += head.bytes
        guard planes > 0 else { return }
        let count = numbers.count
        let body = [UInt8](unsafeUninitializedCapacity: planes * count) { bytes, filled in
            for plane in 0..<planes {
                let shift = UInt64(plane * 8)
                let start = plane * count
                var row = 0
                while row < count {
                    // Bound: start + row < planes * count.
                    bytes[start &+ row] = UInt8(
                        truncatingIfNeeded: (numbers[row] &- smallest) >> shift
                    )
                    row &+= 1
                }
            }
            filled = planes * count
        }
        output += body
    }

    /// Reads from `bytes` on, which may go on after the numbers.
    ///
    /// - Returns: the numbers and where they end.
    static func decode(
        _ bytes: [UInt8],
        from offset: Int = 0
    ) throws(CorruptBytes) -> (numbers: [UInt64], end: Int) {
        var reader = ByteReader(bytes, from: offset)
        let count = Int(try reader.number(UInt32.self))
        let planes = Int(try reader.number(UInt8.self))
        let smallest: UInt64 = try reader.number()
        let start = offset + headerByteCount
        guard planes <= 8, planes * count <= bytes.count - start,
            planes > 0 || count <= Limits.chunkBytes / 8
        else { throw CorruptBytes(what: "numbers are cut short") }
        let numbers = [UInt64](unsafeUninitializedCapacity: count) { output, filled in
            output.initialize(repeating: smallest)
            bytes.withUnsafeBufferPointer { bytes in
                for plane in 0..<planes {
                    let shift = UInt64(plane * 8)
                    let first = start + plane * count
                    var row = 0
                    while row < count {
                        // Bound: first + row < start + planes * count <= bytes.count.
                        output[row] &+= UInt64(bytes[first &+ row]) << shift
                        row &+= 1
                    }
                }
            }
            filled = count
        }
        return (numbers, start + planes * count)
    }
}

/// Texts of a chunk: their lengths as `PackedIntegers`, then their bytes.
struct PackedTexts: Sendable {
    /// `ends[i]` is where text `i` ends in `bytes`; it begins at `ends[i - 1]`.
    private let ends: [Int]
    private let bytes: [UInt8]
    private let base: Int

    var count: Int { ends.count }

    init() {
        ends = []
        bytes = []
        base = 0
    }

    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        let (lengths, base) = try PackedIntegers.decode(bytes)
        var ends: [Int] = []
        ends.reserveCapacity(lengths.count)
        var end = base
        for length in lengths {
            guard length <= UInt64(bytes.count - end) else {
                throw CorruptBytes(what: "a text is cut short")
            }
            end += Int(length)
            ends.append(end)
        }
        self.ends = ends
        self.bytes = bytes
        self.base = base
    }

    func range(_ index: Int) -> Range<Int> { (index == 0 ? base : ends[index - 1])..<ends[index] }

    subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(index)] }

    func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

    /// Calls `body` with the bytes of text `index`, valid only during the call.
    func withBytes<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let range = range(index)
        // Bound: `init` checked that every text lies inside `bytes`.
        return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// The texts `ids` of `table`, in their order.
    static func encode(_ ids: ArraySlice<UInt32>, of table: borrowing StringTable) -> [UInt8] {
        var lengths: [UInt64] = []
        lengths.reserveCapacity(ids.count)
        for id in ids { table.withBytes(of: id) { lengths.append(UInt64($0.count)) } }
        var output: [UInt8] = []
        PackedIntegers.encode(lengths, to: &output)
        for id in ids { table.withBytes(of: id) { output.append(contentsOf: $0) } }
        return output
    }
}

/// A zstd compressor that is used again and again by one thread.
struct Compressor: ~Copyable {
    private let context: OpaquePointer?
    private let level: Int32

    init(level: Int32) {
        context = ZSTD_createCCtx()
        self.level = level
    }

    deinit { ZSTD_freeCCtx(context) }

    /// - Returns: `nil` where compression does not make the bytes shorter.
    func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= Limits.compressibleBytes, let context else { return nil }
        let bound = ZSTD_compressBound(bytes.count)
        let frame = [UInt8](unsafeUninitializedCapacity: bound) { output, filled in
            // Bound: `bound` bytes of room.
            let count = bytes.withUnsafeBytes {
                ZSTD_compressCCtx(
                    context,
                    output.baseAddress,
                    bound,
                    $0.baseAddress,
                    $0.count,
                    level
                )
            }
            filled = ZSTD_isError(count) == 0 ? count : 0
        }
        return frame.isEmpty || frame.count >= bytes.count ? nil : frame
    }
}

/// A zstd decompressor that is used again and again by one thread.
struct Decompressor: ~Copyable {
    private let context: OpaquePointer?

    init() { context = ZSTD_createDCtx() }

    deinit { ZSTD_freeDCtx(context) }

    func decompress(_ frame: [UInt8], byteCount: Int) throws(CorruptBytes) -> [UInt8] {
        guard byteCount <= Limits.chunkBytes else {
            throw CorruptBytes(what: "a chunk claims \(byteCount) bytes")
        }
        guard let context else { throw CorruptBytes(what: "no memory to decompress") }
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { output, filled in
            // Bound: byteCount bytes of room.
            let count = frame.withUnsafeBytes {
                ZSTD_decompressDCtx(
                    context,
                    output.baseAddress,
                    byteCount,
                    $0.baseAddress,
                    $0.count
                )
            }
            filled = ZSTD_isError(count) == 0 ? count : 0
        }
        guard bytes.count == byteCount else { throw CorruptBytes(what: "a chunk does not unpack") }
        return bytes
    }
}

extension Array where Element == UInt8 {
    /// Calls `body` with a run of the bytes, valid only during the call.
    func withRun<Result>(
        _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        // Bound: slicing traps where `range` leaves the array.
        withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
