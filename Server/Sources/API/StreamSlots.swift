// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Synchronization

/// How many answers that hold much, or go on and on, are under way: each kind has its bound.
final class StreamSlots: Sendable {
    enum Kind: String { case tail, export, transform }

    private let open = Mutex<[Kind: Int]>([:])

    /// One such answer; it ends when the last reference to it does.
    final class Slot: Sendable {
        private let slots: StreamSlots
        private let kind: Kind

        fileprivate init(_ slots: StreamSlots, _ kind: Kind) {
            self.slots = slots
            self.kind = kind
        }

        deinit { slots.open.withLock { $0[kind, default: 1] -= 1 } }
    }

    /// A slot for one more.
    ///
    /// - Throws: `Failure` with 429 when there are as many as there may be.
    func take(_ kind: Kind) throws -> Slot {
        let limit =
            switch kind {
            case .tail: RequestLimits.tailCount
            case .export: RequestLimits.exportCount
            case .transform: RequestLimits.transformCount
            }
        let isTaken = open.withLock { open in
            guard open[kind, default: 0] < limit else { return false }
            open[kind, default: 0] += 1
            return true
        }
        guard isTaken else {
            throw Failure(
                status: .tooManyRequests,
                message: "\(limit) \(kind.rawValue)s are under way, and no more may be; "
                    + "try again when one has ended",
                retryAfterSeconds: 10
            )
        }
        return Slot(self, kind)
    }
}
