// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// What deleting a trace came to.
public struct DeletedTrace: Sendable, Equatable {
    public var traceID: TraceID
    /// Spans removed, as they were stored: repeats of one span count each.
    public var spanCount: UInt64
    /// Where bytes of the trace may still be, because it could not be read; empty when they are gone.
    public var incomplete: [String]

    /// States the outcome.
    public init(traceID: TraceID, spanCount: UInt64, incomplete: [String] = []) {
        self.traceID = traceID
        self.spanCount = spanCount
        self.incomplete = incomplete
    }
}

extension TraceStore {
    /// A store that cannot delete.
    public func deleteTrace(
        _ id: TraceID,
        of tenant: Tenant
    ) async throws(StoreError) -> DeletedTrace {
        throw .unsupported("this store deletes nothing")
    }
}
