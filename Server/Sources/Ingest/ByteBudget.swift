// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// How many bytes all requests being handled may hold together.
///
/// A receiver reserves what a request declares before it reads it, so that many large requests at
/// once are pushed back instead of filling the memory: an allocation that fails ends the process.
public final class ByteBudget: Sendable {
    /// Bytes that may be reserved at once.
    public let byteCount: Int
    private let used = Atomic<Int>(0)

    /// Makes a budget of `byteCount` bytes.
    public init(byteCount: Int) { self.byteCount = byteCount }

    /// Bytes reserved now.
    public var reservedByteCount: Int { used.load(ordering: .relaxed) }

    /// Takes `byteCount` bytes, or `nil` when there is not that much room.
    public func reserve(_ byteCount: Int) -> Reservation? {
        take(byteCount) ? Reservation(budget: self, byteCount: byteCount) : nil
    }

    fileprivate func take(_ wanted: Int) -> Bool {
        guard wanted >= 0 else { return false }
        var current = used.load(ordering: .relaxed)
        while true {
            let (sum, overflow) = current.addingReportingOverflow(wanted)
            guard !overflow, sum <= byteCount else { return false }
            let (exchanged, original) = used.compareExchange(
                expected: current,
                desired: sum,
                ordering: .relaxed
            )
            if exchanged { return true }
            current = original
        }
    }

    fileprivate func give(_ returned: Int) {
        used.subtract(returned, ordering: .relaxed)
    }
}

/// Bytes taken from a budget, given back when this goes out of scope.
public struct Reservation: ~Copyable, Sendable {
    private let budget: ByteBudget
    /// Bytes held.
    public private(set) var byteCount: Int

    fileprivate init(budget: ByteBudget, byteCount: Int) {
        self.budget = budget
        self.byteCount = byteCount
    }

    deinit { budget.give(byteCount) }

    /// Makes sure that at least `needed` bytes are held; false, with nothing taken, when there is
    /// no room for the difference.
    public mutating func grow(to needed: Int) -> Bool {
        guard needed > byteCount else { return true }
        guard budget.take(needed - byteCount) else { return false }
        byteCount = needed
        return true
    }
}
