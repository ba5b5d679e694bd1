// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts what happens in the shop.
final class Ledger: Sendable {
    private let counts = Mutex(ShopReport())

    var report: ShopReport { counts.withLock { $0 } }

    func count(_ field: any WritableKeyPath<ShopReport, Int> & Sendable) {
        counts.withLock { $0[keyPath: field] += 1 }
    }
}
