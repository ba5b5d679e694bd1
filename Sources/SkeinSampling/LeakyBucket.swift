// SPDX-License-Identifier: Apache-2.0

/// Lets so many through a second, and as many at once as one second brings (one at least).
struct LeakyBucket {
    private let perSecond: Double
    private let size: Double
    private var content: Double
    private var filledAt: UInt64?

    /// - Parameter perSecond: What is not a positive number lets nothing through.
    init(perSecond: Double) {
        self.perSecond = perSecond > 0 ? min(perSecond, 1e9) : 0
        size = self.perSecond > 0 ? max(self.perSecond, 1) : 0
        content = size
    }

    /// Takes one out, if there is one.
    ///
    /// - Parameter time: Nanoseconds; earlier than at the last call counts as the same moment.
    mutating func take(at time: UInt64) -> Bool {
        if let filledAt, time > filledAt {
            content = min(size, content + Double(time - filledAt) * 1e-9 * perSecond)
        }
        filledAt = max(filledAt ?? time, time)
        guard content >= 1 else { return false }
        content -= 1
        return true
    }
}
