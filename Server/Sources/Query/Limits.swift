// SPDX-License-Identifier: Apache-2.0

/// Bounds of running one query.
enum RunLimits {
    /// Traces read whole at a time while conditions of several spans are checked.
    static let checkedPageTraceCount = 100
    /// Traces read whole for one such query, at most: the rest of the range is told as unread.
    static let checkedTraceCount = 5_000
    /// Wall time of one TraceQL search: what it found until then is told, and that it is not all.
    static let searchSeconds = 10
    /// Spans looked at by one TraceQL search, at most: about five seconds of one core.
    static let examinedSpanCount = 50_000_000
    /// Traces whose calls are linked span by span; above it the store's own totals answer.
    static let linkedTraceCount = 5_000
    /// Spans of them, at most.
    static let linkedSpanCount = 1_000_000
    /// Traces read in one look-up while linking.
    static let linkedPageTraceCount = 200
    /// Names in one list.
    static let nameCount = 10_000
    /// Warnings of a trace told in its columnar form.
    static let warningCount = 100
}
