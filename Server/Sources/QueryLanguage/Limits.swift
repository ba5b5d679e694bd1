// SPDX-License-Identifier: Apache-2.0

/// Bounds of one query.
public enum QueryLimits {
    /// Traces in one answer. A page of results; more come by cursor.
    public static let traceCount = 1...10_000
    /// Spans told of one spanset of a trace in a result list; the whole trace is one request away.
    public static let toldSpanCount = 0...1_000
    /// Steps of time in one answer of numbers over time: more than a chart has pixels.
    public static let stepCount = 11_000
    /// Series in one such answer.
    public static let seriesCount = 1...10_000
    /// Spans named beside the numbers of one answer.
    public static let exemplarCount = 0...10_000
    /// Bytes of one parameter's text: names and values beyond are no search but an attack.
    public static let textByteCount = 16_384
    /// Conditions of one query, at any depth: each costs a pass over a column.
    public static let conditionCount = 256
    /// Nested `and`, `or`, `not`, parentheses of TraceQL: the tree is walked recursively.
    public static let depth = 32
    /// Operators and operands of one TraceQL query: a chain of them is as deep as it is long.
    public static let nodeCount = 512
    /// Bytes of one regular expression.
    public static let patternByteCount = 4_096
    /// Regular expressions of one query: each keeps memory while the query runs.
    public static let patternCount = 32
    /// Bytes that one compiled regular expression and its caches take, at most. One that would need
    /// more to compile is refused; one whose caches would only runs slower, in linear time still.
    public static let patternMemoryByteCount = 1 << 20
}
