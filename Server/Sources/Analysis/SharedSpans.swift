// SPDX-License-Identifier: Apache-2.0

import SkeinModel

extension SpanFrame {
    /// Gives the server half of a Zipkin-style shared span an id of its own and hangs it below the
    /// client half, as every other protocol tells the same call.
    ///
    /// Children of the old id move below the half of their own service; with halves of one service,
    /// or none of the child's, below the server, for a client's half has no work of its own.
    public mutating func separateSharedSpans() {
        let rows = SpanRows(spanID)
        guard !rows.repeats.isEmpty else { return }
        var rowsOf: [UInt64: [Int]] = [:]
        for row in Set(rows.repeats.map { spanID[$0] }).compactMap(rows.first) + rows.repeats
        where kind[row] == .client || kind[row] == .server {
            rowsOf[spanID[row], default: []].append(row)
        }
        var used = SeparatedIDs(rows)
        /// Old id to the server half's row and the client half's service.
        var separated: [UInt64: (server: Int, client: UInt32)] = [:]
        for (id, halves) in rowsOf where halves.count > 1 {
            guard let client = halves.first(where: { kind[$0] == .client }) else { continue }
            for server in halves where kind[server] == .server {
                spanID[server] = used.next(after: id)
                parentID[server] = id
                isShared[server] = true
                if separated[id] == nil { separated[id] = (server, service[client]) }
            }
        }
        guard !separated.isEmpty else { return }
        for row in 0..<count where !isShared[row] {
            guard let halves = separated[parentID[row]] else { continue }
            let server = service[halves.server]
            if service[row] == halves.client, halves.client != server { continue }
            parentID[row] = spanID[halves.server]
        }
    }
}

/// The ids of a trace and those that were made for it.
private struct SeparatedIDs {
    private let sent: SpanRows
    private var made: Set<UInt64> = []

    init(_ sent: SpanRows) { self.sent = sent }

    /// An unused id that follows from `id` alone, so that a link to the span keeps its meaning.
    mutating func next(after id: UInt64) -> UInt64 {
        var candidate = id
        repeat {
            // A step of splitmix64: spread, never the same twice in a row.
            candidate &+= 0x9E37_79B9_7F4A_7C15
            candidate = (candidate ^ candidate >> 30) &* 0xBF58_476D_1CE4_E5B9
            candidate ^= candidate >> 27
        } while candidate == 0 || sent.first(candidate) != nil || !made.insert(candidate).inserted
        return candidate
    }
}
