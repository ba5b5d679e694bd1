// SPDX-License-Identifier: Apache-2.0

/// How durations are spread: a count for each `LatencyBucket`, and one for zero.
///
/// Quantiles come out within 0.55 % (`LatencyBucket.relativeError`, rounded to nanoseconds). Two
/// sketches merge into exactly the sketch of all their durations, in any order, so minutes add up to
/// hours and processes to services. Memory is one counter a bucket between the smallest and the
/// largest duration seen: at most 32 KiB.
///
/// ## Encoding
/// Varints (7 bits a byte, low ones first), nothing else; the same sketch always gives the same bytes:
///
/// | field | meaning |
/// |---|---|
/// | zeros | durations of zero |
/// | buckets | buckets that are not empty, at most 4,096 |
/// | then for each, ascending: | |
/// | skip | its number less the one before, less one (the first: its number) |
/// | count less one | durations in it |
public struct LatencySketch: Sendable {
    /// Durations of zero.
    public private(set) var zeroCount: UInt64 = 0
    /// Durations counted, zeros included.
    public private(set) var count: UInt64 = 0
    /// Number of the bucket of `counts[0]`.
    private var first = 0
    private var counts: [UInt64] = []

    /// No durations.
    public init() {}

    /// Whether nothing was counted.
    public var isEmpty: Bool { count == 0 }

    /// Buckets from the first that is not empty to the last.
    public var width: Int { counts.count }

    /// The buckets that are not empty, ascending.
    public var buckets: some Sequence<(index: Int, count: UInt64)> {
        counts.indices.lazy.filter { counts[$0] > 0 }.map { (first + $0, counts[$0]) }
    }

    /// Counts a duration in nanoseconds `times` times. Counters stay at their maximum.
    public mutating func add(_ nanoseconds: UInt64, times: UInt64 = 1) {
        add(bucket: LatencyBucket.index(of: nanoseconds), times: times)
    }

    /// Counts durations of one bucket (`nil`: zeros).
    public mutating func add(bucket: Int?, times: UInt64) {
        guard times > 0 else { return }
        count = Self.sum(count, times)
        guard let bucket else {
            zeroCount = Self.sum(zeroCount, times)
            return
        }
        makeRoom(for: bucket...bucket)
        counts[bucket - first] = Self.sum(counts[bucket - first], times)
    }

    /// Adds everything `other` counted.
    public mutating func merge(_ other: LatencySketch) {
        count = Self.sum(count, other.count)
        zeroCount = Self.sum(zeroCount, other.zeroCount)
        guard !other.counts.isEmpty else { return }
        makeRoom(for: other.first...other.first + other.counts.count - 1)
        for (offset, times) in other.counts.enumerated() {
            let place = other.first + offset - first
            counts[place] = Self.sum(counts[place], times)
        }
    }

    /// The duration, in nanoseconds, that a part `q` (0...1) of all does not exceed: the one in place
    /// ⌈q·count⌉ when sorted, at least the first. Within `LatencyBucket.relativeError`.
    ///
    /// - Returns: `nil` where nothing was counted.
    public func quantile(_ q: Double) -> UInt64? {
        guard count > 0 else { return nil }
        var rest = Self.rank(q, of: count)
        if rest <= zeroCount { return 0 }
        rest -= zeroCount
        for (offset, times) in counts.enumerated() {
            if rest <= times { return LatencyBucket.representative(first + offset) }
            rest -= times
        }
        return LatencyBucket.representative(first + counts.count - 1)
    }

    /// The place, from 1, of the `q` quantile among `count` sorted values: ⌈q·count⌉ within
    /// `1...count`. Every reader of counts takes it from here, so that all give the same number.
    public static func rank(_ q: Double, of count: UInt64) -> UInt64 {
        let place = (q * Double(count)).rounded(.up)
        guard place > 1 else { return 1 }
        return min(UInt64(exactly: place) ?? .max, count)
    }

    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    private mutating func makeRoom(for buckets: ClosedRange<Int>) {
        precondition(
            buckets.lowerBound >= 0 && buckets.upperBound < LatencyBucket.count,
            "there are no buckets \(buckets)"
        )
        if counts.isEmpty { first = buckets.lowerBound }
        if buckets.lowerBound < first {
            counts.insert(
                contentsOf: repeatElement(0, count: first - buckets.lowerBound),
                at: 0
            )
            first = buckets.lowerBound
        }
        let missing = buckets.upperBound - first - counts.count + 1
        if missing > 0 { counts.append(contentsOf: repeatElement(0, count: missing)) }
    }
}

extension LatencySketch: Hashable {
    /// Whether both counted the same.
    public static func == (a: LatencySketch, b: LatencySketch) -> Bool {
        a.zeroCount == b.zeroCount && a.count == b.count
            && a.buckets.elementsEqual(b.buckets) { $0 == $1 }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(zeroCount)
        for (index, times) in buckets {
            hasher.combine(index)
            hasher.combine(times)
        }
    }
}

extension LatencySketch {
    /// Bytes that are no sketch: cut short, out of range, or not in the one form there is.
    public struct Malformed: Error, Sendable, Equatable {
        /// What is wrong with them.
        public let what: String
    }

    /// The bytes described above.
    public func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        Self.append(zeroCount, to: &bytes)
        Self.append(UInt64(counts.count { $0 > 0 }), to: &bytes)
        var next = 0
        for (index, times) in buckets {
            Self.append(UInt64(index - next), to: &bytes)
            Self.append(times - 1, to: &bytes)
            next = index + 1
        }
        return bytes
    }

    /// Reads what `encode` wrote, all of it. Any bytes are safe.
    public init(decoding bytes: some Collection<UInt8>) throws(Malformed) {
        var rest = Array(bytes)[...]
        zeroCount = try Self.varint(&rest)
        count = zeroCount
        let buckets = try Self.varint(&rest)
        guard buckets <= UInt64(LatencyBucket.count) else {
            throw Malformed(what: "there are not so many buckets")
        }
        var next = UInt64(0)
        for _ in 0..<buckets {
            let skip = try Self.varint(&rest)
            let less = try Self.varint(&rest)
            guard skip < UInt64(LatencyBucket.count) - next else {
                throw Malformed(what: "there is no such bucket")
            }
            let (times, tooMany) = less.addingReportingOverflow(1)
            let (sum, overflow) = count.addingReportingOverflow(times)
            guard !tooMany, !overflow else { throw Malformed(what: "a count is too large") }
            let index = Int(next + skip)
            count = sum
            makeRoom(for: index...index)
            counts[index - first] = times
            next += skip + 1
        }
        guard rest.isEmpty else { throw Malformed(what: "bytes are left over") }
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        for place in UInt64(0)..<10 {
            guard let byte = bytes.popFirst() else { throw Malformed(what: "they are cut short") }
            // The tenth byte has room for one bit; a last byte of zero could have been left out.
            guard place < 9 || byte < 2, byte > 0 || place == 0 else {
                throw Malformed(what: "a number is not in its shortest form")
            }
            value |= UInt64(byte & 0x7F) << (7 * place)
            if byte < 0x80 { return value }
        }
        throw Malformed(what: "a number is too large")
    }
}
