// SPDX-License-Identifier: Apache-2.0

/// The fine steps of a page's spans, two a byte.
struct TotalsSteps: Sendable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Memory held.
    var byteCount: Int { bytes.count }

    /// The step of span `place`, which must be one of the page's.
    subscript(place: Int) -> UInt64 { UInt64(bytes[place &>> 1] &>> UInt8((place & 1) &* 4) & 0xF) }

    /// Sixteen counters of a byte each, in two words.
    private struct Counters: BitwiseCopyable {
        var low: UInt64 = 0
        var high: UInt64 = 0

        init(step: Int) {
            if step < 8 { low = 1 << UInt64(8 * step) } else { high = 1 << UInt64(8 * step - 64) }
        }

        init(_ a: Counters, _ b: Counters) {
            low = a.low + b.low
            high = a.high + b.high
        }
    }

    /// By byte: its two steps counted. One look-up and two sums a byte, instead of a branch, a shift
    /// and a store a step (three times as fast).
    private static let counters: [Counters] = (0..<256).map { byte in
        Counters(Counters(step: byte & 0xF), Counters(step: byte >> 4))
    }

    /// How often each of the sixteen steps stands among `count` spans from span `first` on.
    @inline(__always)
    func counts(_ first: Int, _ count: Int) -> SIMD16<Int64> {
        precondition(first >= 0 && count >= 0 && first &+ count <= bytes.count &* 2)
        var result = SIMD16<Int64>()
        if count == 0 { return result }
        let end = first &+ count
        bytes.withUnsafeBufferPointer { bytes in
            Self.counters.withUnsafeBufferPointer { counters in
                // Bound, here and below: every byte lies in first / 2 ..< (first + count + 1) / 2,
                // which was checked; there are 256 counters.
                var place = first &>> 1
                let last = (end &+ 1) &>> 1
                var low: UInt64 = 0
                var high: UInt64 = 0
                while place < last {
                    // A byte adds two at most: 127 bytes cannot overflow a counter.
                    let stop = min(place &+ 127, last)
                    while place < stop {
                        let both = counters[Int(bytes[place])]
                        low &+= both.low
                        high &+= both.high
                        place &+= 1
                    }
                    result &+= Self.lanes(low, high)
                    low = 0
                    high = 0
                }
                // The halves of the first and last byte that belong to other spans.
                if first & 1 == 1 { result[Int(bytes[first &>> 1] & 0xF)] &-= 1 }
                if end & 1 == 1 { result[Int(bytes[end &>> 1] &>> 4)] &-= 1 }
            }
        }
        return result
    }

    @inline(__always)
    private static func lanes(_ low: UInt64, _ high: UInt64) -> SIMD16<Int64> {
        let lanes = unsafeBitCast(
            SIMD2<UInt64>(low.littleEndian, high.littleEndian),
            to: SIMD16<UInt8>.self
        )
        return SIMD16<Int64>(truncatingIfNeeded: lanes)
    }
}
