// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// Looks for spans that say that they stand for several: a threshold, `th`, in the `ot` member of their
/// tracestate.
enum SamplingThreshold {
    /// What is known of a part or a batch, which never changes.
    final class Memory: Sendable {
        private let state = Atomic<UInt8>(0)

        /// What `find` says, asked once. Two that ask at the same time find the same.
        func value<Failure: Error>(_ find: () throws(Failure) -> Bool) throws(Failure) -> Bool {
            let known = state.load(ordering: .relaxed)
            if known != 0 { return known == 2 }
            let isFound = try find()
            state.store(isFound ? 2 : 1, ordering: .relaxed)
            return isFound
        }
    }

    /// The lowest threshold of a part or a batch all of whose spans state one, and no randomness of
    /// their own; `nil` of any other. It never changes.
    final class Lowest: Sendable {
        /// 0 for not asked yet, 1 for none, else the threshold and two.
        private let state = Atomic<UInt64>(0)

        func value<Failure: Error>(
            _ find: () throws(Failure) -> UInt64?
        ) throws(Failure) -> UInt64? {
            let known = state.load(ordering: .relaxed)
            if known != 0 { return known == 1 ? nil : known - 2 }
            let found = try find()
            // A threshold has 56 bits.
            state.store(found.map { $0 + 2 } ?? 1, ordering: .relaxed)
            return found
        }
    }

    /// Whether a sampler of this threshold leaves a trace out: its randomness, the last 56 bits of its id,
    /// is below.
    static func isBelow(_ id: TraceID, _ threshold: UInt64) -> Bool {
        id.low & ((1 << 56) - 1) < threshold
    }

    /// The part of all traces that a sampler of this threshold keeps.
    static func keptShare(_ threshold: UInt64) -> Double {
        Double((1 << 56) - threshold) / 0x1p56
    }

    /// The threshold that a tracestate states; `nil` where it states none, or a randomness to use in place
    /// of the id's.
    static func threshold(_ state: some BidirectionalCollection<UInt8>) -> UInt64? {
        guard mayBeIn(state) else { return nil }
        for member in state.split(separator: UInt8(ascii: ",")) {
            let member = member.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard member.starts(with: "ot=".utf8) else { continue }
            let fields = member.dropFirst(3).split(separator: UInt8(ascii: ";"))
            if fields.contains(where: { $0.starts(with: "rv:".utf8) }) { return nil }
            let field = fields.first { $0.starts(with: "th:".utf8) }
            return field.flatMap { number($0.dropFirst(3)) }
        }
        return nil
    }

    /// Up to 14 hexadecimal digits, written without the zeros at their end.
    private static func number(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...14).contains(digits.count) else { return nil }
        var number: UInt64 = 0
        for digit in digits {
            guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            number = number << 4 | UInt64(value)
        }
        return number << UInt64(4 * (14 - digits.count))
    }

    /// Whether a tracestate holds a threshold:
    /// ```
    /// congo=t61rcWkgMzE,ot=rv:6e6d1a75832a2f;th:c
    /// ```
    static func isIn(_ state: some BidirectionalCollection<UInt8>) -> Bool {
        guard mayBeIn(state) else { return false }
        return state.split(separator: UInt8(ascii: ",")).contains { member in
            let member = member.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard member.starts(with: "ot=".utf8) else { return false }
            return member.dropFirst(3).split(separator: UInt8(ascii: ";")).contains {
                $0.starts(with: "th:".utf8)
            }
        }
    }

    /// Whether `th:` stands anywhere: most tracestates are done with by this.
    private static func mayBeIn(_ state: some Collection<UInt8>) -> Bool {
        var before: (UInt8, UInt8) = (0, 0)
        for byte in state {
            if byte == UInt8(ascii: ":"), before == (UInt8(ascii: "t"), UInt8(ascii: "h")) {
                return true
            }
            before = (before.1, byte)
        }
        return false
    }
}

extension HeadBatch {
    /// Whether a span of the batch holds a threshold.
    var maySample: Bool {
        sampling.value {
            var last: UInt32 = 0
            return table.columns.traceState.withElements { states in
                for state in states where state != last {
                    last = state
                    if table.columns.strings.withBytes(of: state, { SamplingThreshold.isIn($0) }) {
                        return true
                    }
                }
                return false
            }
        }
    }
}

extension Part {
    /// Whether a span of the part holds a threshold. Where none has a tracestate nothing is read.
    func maySample(_ context: QueryContext) throws -> Bool {
        try sampling.value {
            let column = Int(PartField.traceState.rawValue)
            let chunks = directory.columns[column].chunks
            let blocks = chunks.indices.filter { !chunks[$0].isNone }
            // Without a dictionary no chunk means no text.
            if blocks.isEmpty, !directory.columns[column].hasDictionary { return false }
            var reader = PartReader(self, ReadScratch(context.budget))
            defer { reader.release() }
            if let dictionary = try reader.dictionary(column) {
                for page in dictionary.pages.indices {
                    try context.check()
                    let texts = try readTexts(page, of: dictionary, reader.scratch.decompressor)
                    for text in 0..<texts.count
                    where texts.withBytes(text, { SamplingThreshold.isIn($0) }) { return true }
                }
                return false
            }
            for block in blocks {
                try context.check()
                let texts = try reader.texts(column: column, block)
                for text in 0..<texts.count
                where texts.withBytes(text, { SamplingThreshold.isIn($0) }) { return true }
            }
            return false
        }
    }
}

extension HeadBatch {
    /// See `SamplingThreshold.Lowest`.
    var lowestThreshold: UInt64? {
        lowest.value {
            var known: [UInt32: UInt64] = [:]
            return table.columns.traceState.withElements { states in
                var least: UInt64?
                for state in states where known[state] == nil {
                    let found = table.columns.strings.withBytes(of: state) {
                        SamplingThreshold.threshold($0)
                    }
                    guard let found else { return nil }
                    known[state] = found
                    least = min(least ?? found, found)
                }
                return least
            }
        }
    }
}

extension Part {
    /// See `SamplingThreshold.Lowest`. A part without thresholds is known by its first text.
    func lowestThreshold(_ context: QueryContext) throws -> UInt64? {
        try lowest.value {
            let column = Int(PartField.traceState.rawValue)
            var reader = PartReader(self, ReadScratch(context.budget))
            defer { reader.release() }
            var least: UInt64?
            func take(_ count: Int, _ threshold: (Int) -> UInt64?) -> Bool {
                for text in 0..<count {
                    guard let found = threshold(text) else { return false }
                    least = min(least ?? found, found)
                }
                return true
            }
            if let dictionary = try reader.dictionary(column) {
                for page in dictionary.pages.indices {
                    try context.check()
                    let texts = try readTexts(page, of: dictionary, reader.scratch.decompressor)
                    let isWhole = take(texts.count) { text in
                        texts.withBytes(text) { SamplingThreshold.threshold($0) }
                    }
                    guard isWhole else { return nil }
                }
                return least
            }
            // Without a dictionary no chunk means no text.
            let chunks = directory.columns[column].chunks
            guard chunks.allSatisfy({ !$0.isNone }) else { return nil }
            for block in chunks.indices {
                try context.check()
                let texts = try reader.texts(column: column, block)
                let isWhole = take(texts.count) { text in
                    texts.withBytes(text) { SamplingThreshold.threshold($0) }
                }
                guard isWhole else { return nil }
            }
            return least
        }
    }
}

extension Snapshot {
    /// The lowest threshold that spans received lately state; `nil` where not all of them state one, so
    /// that nothing can be said of a trace that is not there.
    func lowestThreshold(_ context: QueryContext) throws -> UInt64? {
        var least: UInt64?
        for batch in head {
            guard let threshold = batch.lowestThreshold else { return nil }
            least = min(least ?? threshold, threshold)
        }
        let newest = parts.reduce(head.reduce(0) { max($0, $1.receivedAt) }) {
            max($0, $1.entry.receivedAt)
        }
        let reach = Limits.sampledNanoseconds
        let recent = parts.filter { $0.entry.receivedAt >= newest - min(newest, reach) }
            .sorted { ($0.entry.receivedAt, $0.number) > ($1.entry.receivedAt, $1.number) }
        for part in recent.prefix(Limits.sampledParts) {
            guard let threshold = try part.lowestThreshold(context) else { return nil }
            least = min(least ?? threshold, threshold)
        }
        return least
    }

    /// Whether a span of a part or batch that overlaps a range holds a threshold.
    func maySample(in range: Range<UInt64>, _ context: QueryContext) throws -> Bool {
        if head.contains(where: {
            $0.lastStart >= range.lowerBound && $0.firstStart < range.upperBound && $0.maySample
        }) {
            return true
        }
        return try parts.contains {
            try $0.entry.lastStart >= range.lowerBound && $0.entry.firstStart < range.upperBound
                && $0.maySample(context)
        }
    }
}
