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

extension Snapshot {
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
