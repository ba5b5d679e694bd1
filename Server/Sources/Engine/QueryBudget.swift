// SPDX-License-Identifier: Apache-2.0

import Store

/// The bytes of memory that one query holds: chunks its readers remember, candidates, traces brought
/// together. Used by one thread.
///
/// Whoever holds memory for longer than a call charges it and releases it again. Nobody is refused in
/// the middle of a block: the query looks at its sum once a block, in `QueryContext.check`. Past the
/// limit its readers first let go of what they could read again.
final class QueryBudget {
    let limit: Int
    /// What to do where it is not enough.
    let advice: String
    private(set) var used = 0
    /// Lets go of what can be read again; called between blocks only.
    var reclaim: () -> Void = {}

    init(
        limit: Int,
        advice: String = "narrow its time range or its conditions, or ask for fewer traces"
    ) {
        self.limit = limit
        self.advice = advice
    }

    func hasRoom(for byteCount: Int) -> Bool { byteCount <= limit - used }

    func charge(_ byteCount: Int) { used += byteCount }

    func release(_ byteCount: Int) { used -= byteCount }
}

/// What a query looks at once a block: whether it is still wanted, and whether it stays within its
/// memory.
struct QueryContext {
    let flag: CancellationFlag
    let budget: QueryBudget

    /// - Throws: `StoreError.cancelled` when the asker has gone, `.refused` when the query needs more
    ///   memory than it may have.
    func check() throws(StoreError) {
        try flag.check()
        if budget.used > budget.limit { budget.reclaim() }
        guard budget.used <= budget.limit else {
            throw .refused(
                "the query needs more than \(budget.limit >> 20) MiB of memory: \(budget.advice)"
            )
        }
    }
}
