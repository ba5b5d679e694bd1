// SPDX-License-Identifier: Apache-2.0

/// How often each of very many keys comes: a cell of the answer and a bucket of numbers in it.
///
/// Few keys come twice, and a table of them all misses every cache, 100 ns a look-up. So keys are noted
/// as they come, 3 ns, and now and then sorted and joined to those before:
/// ```
/// pending  7 3 7         sorted  3 7     pending  (none)
/// sorted   3 9      ->   counts  2 2 1   ...
/// ```
struct BucketCounts {
    /// Keys in ascending order, each once.
    private var sorted: [UInt64] = []
    private var counts: [Double] = []
    private var pending: [UInt64] = []
    /// How often each counts; empty while all count once.
    private var weights: [Double] = []
    private let limit: Int
    /// Whether there were more keys than there is room for.
    private(set) var isFull = false

    /// Keys noted before they are sorted, and those of one batch: 4 MB.
    private static let pendingCount = 1 << 19

    /// No keys; `limit` at most.
    init(limit: Int) { self.limit = limit }

    /// Notes keys, and how often each counts where that is not once.
    mutating func add(_ keys: [UInt64], _ keyWeights: [Double]?) {
        if let keyWeights, weights.isEmpty, !keyWeights.isEmpty {
            weights = Array(repeating: 1, count: pending.count)
            weights += keyWeights
        } else if !weights.isEmpty {
            weights += keyWeights ?? Array(repeating: 1, count: keys.count)
        }
        pending += keys
        if pending.count >= Self.pendingCount { join() }
    }

    /// Every key with how often it came, in ascending order.
    mutating func all() -> (keys: [UInt64], counts: [Double]) {
        join()
        return (sorted, counts)
    }

    /// Sorts what is pending and joins it to the others.
    @inline(never)
    private mutating func join() {
        guard !pending.isEmpty else { return }
        let isWeighted = !weights.isEmpty
        Self.sort(&pending, &weights)
        let (known, knownCounts) = (sorted, counts)
        sorted = []
        counts = []
        sorted.reserveCapacity(min(known.count + pending.count, limit))
        counts.reserveCapacity(min(known.count + pending.count, limit))
        var (old, new) = (0, 0)
        while old < known.count || new < pending.count {
            let isOld =
                old < known.count && (new == pending.count || known[old] <= pending[new])
            let key = isOld ? known[old] : pending[new]
            var count = 0.0
            if isOld {
                count = knownCounts[old]
                old += 1
            }
            while new < pending.count, pending[new] == key {
                count += isWeighted ? weights[new] : 1
                new += 1
            }
            guard sorted.count < limit || isOld else {
                isFull = true
                continue
            }
            sorted.append(key)
            counts.append(count)
        }
        pending.removeAll(keepingCapacity: true)
        weights.removeAll()
    }

    /// By twelve bits at a time, the lowest first; bits that all keys share are passed over.
    private static func sort(_ keys: inout [UInt64], _ weights: inout [Double]) {
        let first = keys[0]
        let varying = keys.reduce(0) { $0 | ($1 ^ first) }
        var shift = UInt64(0)
        var sorted = keys
        var sortedWeights = weights
        while shift < 64, varying >> shift != 0 {
            shift += UInt64((varying >> shift).trailingZeroBitCount)
            var places = [Int](repeating: 0, count: 4_097)
            for key in keys { places[Int(key >> shift & 0xFFF) &+ 1] &+= 1 }
            for digit in 1...4_096 { places[digit] &+= places[digit &- 1] }
            for (index, key) in keys.enumerated() {
                let digit = Int(key >> shift & 0xFFF)
                sorted[places[digit]] = key
                if !weights.isEmpty { sortedWeights[places[digit]] = weights[index] }
                places[digit] &+= 1
            }
            swap(&keys, &sorted)
            swap(&weights, &sortedWeights)
            shift += 12
        }
    }
}
