// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Testing

@Suite struct LatencySketchTests {
    /// Durations of all sizes, zeros and the largest among them.
    private func durations(_ count: Int, seed: UInt64) -> [UInt64] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            switch Int.random(in: 0..<20, using: &random) {
            case 0: 0
            case 1: UInt64.random(in: .min ... .max, using: &random)
            case 2: UInt64.max - UInt64.random(in: 0..<3, using: &random)
            case 3: UInt64.random(in: 1..<200, using: &random)
            default:
                UInt64.random(in: 1..<1_000_000, using: &random)
                    << UInt64.random(in: 0..<20, using: &random)
            }
        }
    }

    private func sketch(_ durations: some Sequence<UInt64>) -> LatencySketch {
        var sketch = LatencySketch()
        for duration in durations { sketch.add(duration) }
        return sketch
    }

    @Test func `every bound lies in its bucket, and the number before it in the one before`() {
        var lastBucket = -1
        for exponent in 0..<64 {
            for step in 0..<64 {
                let bucket = exponent * 64 + step
                // Smallest number of the bucket by bisection on the index itself.
                var low: UInt64 = 1
                var high = UInt64.max
                while low < high {
                    let middle = low + (high - low) / 2
                    if LatencyBucket.index(ofNonZero: middle) < bucket {
                        low = middle + 1
                    } else {
                        high = middle
                    }
                }
                let index = LatencyBucket.index(ofNonZero: low)
                #expect(index >= bucket)
                if low > 1 { #expect(LatencyBucket.index(ofNonZero: low - 1) < bucket) }
                guard index == bucket else { continue }
                // The lower bound is 2^(bucket / 64): its 64th power, in halves, is `bucket`.
                let wanted = Double(exponent) + Double(step) / 64
                let found = log2(Double(low))
                // A whole number is up to 1 above the bound: 1.45 / low in logarithms.
                #expect(found >= wanted - 1e-12 && found <= wanted + 1.45 / Double(low) + 1e-12)
                #expect(bucket > lastBucket)
                lastBucket = bucket
            }
        }
        #expect(LatencyBucket.index(of: 0) == nil)
        #expect(LatencyBucket.index(of: 1) == 0)
        #expect(LatencyBucket.index(of: .max) == 4_095)
    }

    /// log2 without a mathematics library: repeated squaring of the mantissa.
    private func log2(_ number: Double) -> Double {
        var result = Double(number.exponent)
        var rest = number.significand
        var bit = 0.5
        for _ in 0..<50 {
            rest *= rest
            if rest >= 2 {
                rest /= 2
                result += bit
            }
            bit /= 2
        }
        return result
    }

    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3..<1_000_000)])
    func `quantiles lie within the stated error of the exact ones`(seed: UInt64) {
        for count in [1, 2, 37, 1_000] {
            let all = durations(count, seed: seed).sorted()
            let sketch = sketch(all)
            for q in [0, 0.001, 0.25, 0.5, 0.95, 0.99, 0.999, 1] {
                let exact = all[max(Int((q * Double(count)).rounded(.up)), 1) - 1]
                let found = sketch.quantile(q) ?? .max
                let error = exact > found ? exact - found : found - exact
                #expect(
                    Double(error) <= Double(exact) * LatencyBucket.relativeError + 0.5,
                    "SEED=\(seed): quantile \(q) of \(count): \(found) for \(exact)"
                )
            }
        }
        #expect(LatencySketch().quantile(0.5) == nil)
    }

    @Test func `numbers up to 92 stand for themselves`() {
        for number in UInt64(0)...92 {
            #expect(sketch([number]).quantile(0.5) == number)
        }
    }

    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3..<1_000_000)])
    func `a merge is the sketch of all durations, in any order`(seed: UInt64) {
        let one = durations(300, seed: seed)
        let two = durations(50, seed: seed &+ 1)
        var merged = sketch(one)
        merged.merge(sketch(two))
        var other = sketch(two)
        other.merge(sketch(one))
        let whole = sketch(one + two)
        #expect(merged == whole && other == whole)
        #expect(merged.count == 350)
        #expect(merged.encode() == whole.encode())
        var empty = LatencySketch()
        empty.merge(whole)
        empty.merge(LatencySketch())
        #expect(empty == whole)
    }

    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3..<1_000_000)])
    func `survives a round trip and rejects every truncation`(seed: UInt64) throws {
        let whole = sketch(durations(200, seed: seed))
        let bytes = whole.encode()
        #expect(try LatencySketch(decoding: bytes) == whole)
        for length in 0..<bytes.count {
            #expect(throws: LatencySketch.Malformed.self) {
                try LatencySketch(decoding: bytes.prefix(length))
            }
        }
        #expect(throws: LatencySketch.Malformed.self) {
            try LatencySketch(decoding: bytes + [0])
        }
    }

    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3..<1_000_000)])
    func `changed bytes give another sketch or an error, in one form only`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bytes = sketch(durations(60, seed: seed)).encode()
        for _ in 0..<2_000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                changed[Int.random(in: changed.indices, using: &random)] =
                    UInt8.random(in: .min ... .max, using: &random)
            }
            guard let read = try? LatencySketch(decoding: changed) else { continue }
            #expect(read.encode() == changed, "SEED=\(seed)")
        }
    }

    @Test func `counters stay at their maximum`() throws {
        var sketch = LatencySketch()
        sketch.add(5, times: .max)
        sketch.add(5)
        sketch.add(0)
        #expect(sketch.count == .max && sketch.zeroCount == 1)
        #expect(sketch.quantile(0.5) == 5)
        // Such a sum does not decode: no sender counted so much.
        #expect(throws: LatencySketch.Malformed.self) {
            try LatencySketch(decoding: sketch.encode())
        }
    }
}
