// SPDX-License-Identifier: Apache-2.0

/// Bounds of one query.
public enum QueryLimits {
    /// Traces in one answer. A page of results; more come by cursor.
    public static let traceCount = 1...10_000
    /// Bytes of one parameter's text: names and values beyond are no search but an attack.
    public static let textByteCount = 16_384
    /// Conditions of one query, at any depth: each costs a pass over a column.
    public static let conditionCount = 256
    /// Nested `and`, `or`, `not`: the tree is walked recursively.
    public static let depth = 32
}
