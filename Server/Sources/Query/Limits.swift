// SPDX-License-Identifier: Apache-2.0

/// Bounds of running one query.
enum RunLimits {
    /// Traces read whole at a time while conditions of several spans are checked.
    static let checkedPageTraceCount = 100
    /// Traces read whole for one such query, at most: the rest of the range is told as unread.
    static let checkedTraceCount = 5_000
    /// Traces read whole for one page of a TraceQL search, at most: the answer says so and goes on by
    /// cursor.
    static let examinedTraceCount = 20_000
    /// Spans of them, at most.
    static let examinedSpanCount = 2_000_000
    /// Traces read whole at a time.
    static let examinedPageTraceCount = 10...200
    /// Spans of them, at most; a trace that has more is read alone. About 25 MB: stores bound the
    /// memory of one question.
    static let examinedPageSpanCount = 20_000
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
