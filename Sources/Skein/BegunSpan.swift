// SPDX-License-Identifier: Apache-2.0

/// A span between its start and its end, without a reference: what `SkeinTracer.span` holds of it,
/// inlined into applications. The tracer that is at hand there completes it to an `ActiveSpan` for whoever
/// is given one, so that neither start nor end counts a reference.
@usableFromInline
struct BegunSpan: Sendable, BitwiseCopyable {
    /// What `SpanSlab` knows a recorded span by, or `OpenCalls` a call that is not; 0 for neither.
    @usableFromInline var record: UInt64
    @usableFromInline var local: LocalSpan
    @usableFromInline var isRecorded: Bool

    /// A span that is not recorded.
    @usableFromInline
    init(unrecorded local: LocalSpan, call: UInt64 = 0) {
        record = call
        self.local = local
        isRecorded = false
    }

    /// A span that is recorded.
    init(record: UInt64, local: LocalSpan) {
        self.record = record
        self.local = local
        isRecorded = true
    }

    /// What the code in a span that is recorded is given.
    @inlinable
    func recorded(_ core: TracerCore) -> ActiveSpan {
        ActiveSpan(core: core, record: record, local: local)
    }

    /// What the code in a span that is not recorded is given.
    @inlinable
    var unrecorded: ActiveSpan { ActiveSpan(core: nil, record: record, local: local) }

    /// What the code in the span is given.
    @inlinable
    func active(_ core: TracerCore) -> ActiveSpan { isRecorded ? recorded(core) : unrecorded }
}
