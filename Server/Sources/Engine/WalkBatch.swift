// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Traces that a walk tells at once, some of them with all their columns.
struct WalkBatch: ~Copyable {
    /// Where a trace came from, to describe it when that is asked for.
    enum Origin {
        case part(PartSession, PartTrace)
        /// The head, or several places.
        case scattered(TraceID)
    }

    var columns = SpanColumns()
    var rows: [Range<Int>] = []
    var origins: [Origin] = []

    /// Notes that the rows from `first` on are one trace.
    mutating func close(_ origin: Origin, from first: Int) {
        rows.append(first..<columns.count)
        origins.append(origin)
    }
}
