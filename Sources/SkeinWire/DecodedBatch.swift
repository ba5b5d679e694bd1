// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// What one payload held: the spans, and what of it was refused.
@frozen
public struct DecodedBatch: ~Copyable, Sendable {
    /// The spans that were taken.
    public var columns: SpanColumns
    /// Spans refused one by one, for their ids or for their number.
    public var rejected: Int
    /// An English sentence for the sender naming how many spans were refused, the first of them and
    /// why; empty where none was.
    public var rejectionReason: String

    /// Joins spans with what was refused.
    public init(
        columns: consuming SpanColumns,
        rejected: Int = 0,
        rejectionReason: String = ""
    ) {
        self.columns = columns
        self.rejected = rejected
        self.rejectionReason = rejectionReason
    }
}
