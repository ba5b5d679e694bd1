// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import Synchronization

/// An exporter that keeps what calls were counted as, and no spans.
final class CallCounter: CallStatisticsExporter {
    struct Key: Hashable {
        var operation: String?
        var kind = SpanKind.client
        var peer = ""
        var isError = false
    }

    private let state = Mutex<[Key: UInt64]>([:])

    /// Calls by what tells them apart.
    var counts: [Key: UInt64] { state.withLock { $0 } }

    func encode(_ spans: [SpanRecord]) -> CallWindow? { nil }
    func encode(_ window: CallWindow) -> CallWindow? { window }

    func send(_ payload: CallWindow?) async -> ExportOutcome { .delivered }

    func send(statistics payload: CallWindow?) async -> ExportOutcome {
        for row in (payload?.services ?? []).flatMap(\.rows) {
            let key = Key(
                operation: row.operation,
                kind: row.kind,
                peer: row.peerService + row.peerAddress,
                isError: row.isError
            )
            state.withLock { $0[key, default: 0] += row.callCount }
        }
        return .delivered
    }
}
