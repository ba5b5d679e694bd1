// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Moves spans in time, all by the same distance.
struct TimeShift: Sendable {
    /// Nanoseconds added to every time; wraps around, for a shift may lead into the past.
    let nanoseconds: UInt64

    /// The shift that makes spans whose newest ends at `newest` end at `now`.
    init(from newest: UInt64, to now: UInt64) { nanoseconds = now &- newest }

    func apply(to columns: inout SpanColumns) {
        for row in 0..<columns.count {
            columns.start[row] &+= nanoseconds
            columns.end[row] &+= nanoseconds
        }
        for row in 0..<columns.events.count { columns.events.time[row] &+= nanoseconds }
    }
}
