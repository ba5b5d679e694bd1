// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store
import Synchronization

/// What questions for totals leave for the next ones: the head's totals, which traces lie in several
/// places, and what that changes. No answer is kept.
final class TotalsMemory: Sendable {
    private final class TenantMemory: Sendable {
        let state = Mutex(TotalsChanges())
    }

    private let tenants = Mutex<[String: TenantMemory]>([:])

    init() {}

    /// Everything that sections do not say: the spans of the head, and changes.
    ///
    /// Reads parts for traces that were not looked at before; meanwhile other questions for totals of
    /// the tenant wait.
    func facts(
        _ snapshot: Snapshot,
        of tenant: Tenant,
        _ range: Range<UInt64>,
        _ context: QueryContext
    ) throws -> [TotalsFacts] {
        let memory = tenants.withLock { tenants in
            if let known = tenants[tenant.name] { return known }
            let made = TenantMemory()
            tenants[tenant.name] = made
            return made
        }
        return try memory.state.withLock { state in
            try state.facts(snapshot, range, context)
        }
    }
}
