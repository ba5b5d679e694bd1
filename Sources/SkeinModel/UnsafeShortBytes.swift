// SPDX-License-Identifier: Apache-2.0

/// Comparing and copying short runs of bytes in place: keys and values are a dozen bytes long, where
/// a library call costs as much as the work.
@usableFromInline
enum ShortBytes {
    /// Whether `count` bytes at both places are the same.
    @inlinable
    @inline(__always)
    static func equal(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
        if count >= 8 {
            var offset = 0
            // Bound: offset + 8 <= count in the loop; the last load ends at count.
            while offset < count &- 8 {
                if word(a + offset) != word(b + offset) { return false }
                offset &+= 8
            }
            return word(a + (count &- 8)) == word(b + (count &- 8))
        }
        return short(a, count) == short(b, count)
    }

    /// The eight bytes at `place`.
    @inlinable
    @inline(__always)
    static func word(_ place: UnsafeRawPointer) -> UInt64 {
        place.loadUnaligned(as: UInt64.self)
    }

    /// Fewer than eight bytes as one number; equal for equal bytes of the same count.
    @inlinable
    @inline(__always)
    static func short(_ place: UnsafeRawPointer, _ count: Int) -> UInt64 {
        if count >= 4 {
            // Bound: 4 <= count < 8, the two loads overlap.
            let first = UInt64(place.loadUnaligned(as: UInt32.self))
            return first << 32 | UInt64((place + (count &- 4)).loadUnaligned(as: UInt32.self))
        }
        guard count > 0 else { return 0 }
        // Bound: 1 <= count < 4; the middle is the first or the last again.
        let first = UInt64(place.load(as: UInt8.self))
        let middle = UInt64((place + count / 2).load(as: UInt8.self))
        return first << 16 | middle << 8 | UInt64((place + (count &- 1)).load(as: UInt8.self))
    }

    /// Copies `count` bytes to where there is room for them.
    ///
    /// Written without a loop: the optimiser turns one back into the library call.
    @inlinable
    @inline(__always)
    static func copy(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ count: Int) {
        // Bound: in each case the first and the last moves lie within count, and may overlap.
        switch count {
        case 33...: target.copyMemory(from: source, byteCount: count)
        case 16...32:
            move(source, target, 0, SIMD2<UInt64>.self)
            move(source, target, count &- 16, SIMD2<UInt64>.self)
        case 8..<16:
            move(source, target, 0, UInt64.self)
            move(source, target, count &- 8, UInt64.self)
        case 4..<8:
            move(source, target, 0, UInt32.self)
            move(source, target, count &- 4, UInt32.self)
        case 1..<4:
            move(source, target, 0, UInt8.self)
            move(source, target, count / 2, UInt8.self)
            move(source, target, count &- 1, UInt8.self)
        default: break
        }
    }

    @inlinable
    @inline(__always)
    static func move<Word: BitwiseCopyable>(
        _ source: UnsafeRawPointer,
        _ target: UnsafeMutableRawPointer,
        _ offset: Int,
        _ type: Word.Type
    ) {
        let word = (source + offset).loadUnaligned(as: type)
        (target + offset).storeBytes(of: word, as: type)
    }
}
