// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// Spans of one request in memory, or its call statistics: logged, found, not yet in a part.
final class HeadBatch: Sendable {
    let table: SpanTable
    /// What an application counted of its calls; such a batch has no spans.
    let calls: CallCounts?
    let tenant: Tenant
    let sequence: UInt64
    let receivedAt: UInt64
    /// Bytes of memory held.
    let byteCount: Int
    let firstStart: UInt64
    let lastStart: UInt64
    /// Says which traces surely have no row here; as many bits a row as fit in the words.
    private let filter: [UInt64]
    private let names = Mutex<KnownNames?>(nil)
    /// Whether spans may stand for several; see `maySample`.
    let sampling = SamplingThreshold.Memory()
    let lowest = SamplingThreshold.Lowest()

    init(_ batch: SpanBatch, sequence: UInt64) {
        table = batch.table
        calls = batch.calls
        tenant = batch.payload.tenant
        receivedAt = batch.payload.receivedAt
        self.sequence = sequence
        byteCount =
            batch.count > 0
            ? table.columns.allocatedByteCount
            : Limits.emptyBatchBytes + (batch.calls?.byteCount ?? 0)
        var first = UInt64.max
        var last: UInt64 = 0
        table.columns.start.withElements { starts in
            for start in starts {
                first = min(first, start)
                last = max(last, start)
            }
        }
        firstStart = first
        lastStart = last
        filter = Self.filter(of: table)
    }

    /// A batch of call statistics that were counted before: its record waits in the log all the same.
    private init(emptied batch: HeadBatch) {
        table = batch.table
        calls = nil
        tenant = batch.tenant
        receivedAt = batch.receivedAt
        sequence = batch.sequence
        byteCount = Limits.emptyBatchBytes
        firstStart = batch.firstStart
        lastStart = batch.lastStart
        filter = batch.filter
    }

    /// The same without its call statistics.
    var emptied: HeadBatch { HeadBatch(emptied: self) }

    /// Its names, collected when first asked for.
    var knownNames: KnownNames {
        names.withLock { known in
            if let known { return known }
            let collected = KnownNames(of: table)
            known = collected
            return collected
        }
    }
}

// MARK: Finding traces

extension HeadBatch {
    /// Two bytes of filter for each span.
    private static func filter(of table: SpanTable) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: max(1, table.columns.count / 4))
        table.columns.traceLow.withElements { lows in
            for low in lows {
                let (word, bits) = place(of: low, in: words.count)
                words[word] |= bits
            }
        }
        return words
    }

    /// Keyed by the process, so that a sender cannot choose ids that fill every filter.
    private static let key = UInt64(bitPattern: Int64(0.hashValue)) | 1

    /// One word of the filter and four bits in it: a look-up touches one line of memory.
    @inline(__always)
    private static func place(of low: UInt64, in words: Int) -> (word: Int, bits: UInt64) {
        let (high, rest) = (low ^ key).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15 ^ key << 1)
        let hash = high ^ rest
        var bits: UInt64 = 0
        for probe in 0..<UInt64(4) { bits |= 1 << (hash >> (6 * probe) & 63) }
        let word = (hash >> 32) &* UInt64(words) >> 32
        return (Int(word), bits)
    }

    /// Calls `body` with each row of the trace `id`: exactly this one, or also those that a look-up
    /// by a short id finds.
    func forEachRow(of id: TraceID, isExact: Bool, _ body: (Int) -> Void) {
        let (word, bits) = Self.place(of: id.low, in: filter.count)
        guard filter[word] & bits == bits else { return }
        table.columns.traceLow.withElements { lows in
            for row in lows.indices where lows[row] == id.low {
                let high = table.columns.traceHigh[row]
                if high == id.high || !isExact && id.high == 0 { body(row) }
            }
        }
    }

    /// Whether a span of exactly this trace is here.
    func contains(_ id: TraceID) -> Bool {
        var isThere = false
        forEachRow(of: id, isExact: true) { _ in isThere = true }
        return isThere
    }
}
