// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinPropagation
internal import Synchronization
internal import Tracing

/// One recorded span from its start to its end, shared by all copies of its handle.
///
/// The first end takes the content out and hands it on; from then on the span is empty, and changes
/// are counted and ignored. A recorder that goes away without an end is counted as abandoned.
final class SpanRecorder: Sendable {
    let context: TraceContext
    private let parentSpanID: SpanID
    private let parentIsRemote: Bool
    private let kind: Tracing.SpanKind
    private let start: UInt64
    let owner: TracerCore
    private let state: Mutex<State>

    /// What changes while the span runs.
    private struct State {
        var name: String
        var attributes = SpanAttributes([:])
        var events: [SpanRecord.Event] = []
        var links: [SpanRecord.Link] = []
        var status: SpanStatus?
        var dropped = SpanRecord.DroppedCounts()
        var hasEnded = false
    }

    init(
        context: TraceContext,
        parent: TraceContext?,
        name: String,
        kind: Tracing.SpanKind,
        start: UInt64,
        owner: TracerCore
    ) {
        self.context = context
        parentSpanID = parent?.spanID ?? .none
        parentIsRemote = parent?.isRemote ?? false
        self.kind = kind
        self.start = start
        self.owner = owner
        state = Mutex(State(name: name))
        owner.counters.started.add(1, ordering: .relaxed)
    }

    deinit {
        if !hasEnded { owner.counters.abandoned.add(1, ordering: .relaxed) }
    }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    var name: String {
        get { state.withLock { $0.name } }
        set { change { $0.name = newValue } }
    }

    var attributes: SpanAttributes { state.withLock { $0.attributes } }

    func setAttributes(_ attributes: SpanAttributes) {
        let limit = owner.limits.attributeCount
        change { state in
            let (kept, droppedCount) = attributes.limited(to: limit, preferring: state.attributes)
            state.attributes = kept
            state.dropped.attributes.add(droppedCount)
        }
    }

    func setStatus(_ status: SpanStatus) { change { $0.status = status } }

    func addEvent(name: String, time: UInt64, attributes: SpanAttributes) {
        let limits = owner.limits
        change { state in
            guard state.events.count < limits.eventCount else {
                state.dropped.events.add(1)
                return
            }
            let (kept, droppedCount) = attributes.limited(to: limits.attributeCountPerEvent)
            let event = SpanRecord.Event(
                name: name,
                time: time,
                attributes: kept,
                droppedAttributeCount: droppedCount
            )
            state.events.append(event)
        }
    }

    func addLink(_ context: TraceContext, attributes: SpanAttributes) {
        let limits = owner.limits
        change { state in
            guard state.links.count < limits.linkCount else {
                state.dropped.links.add(1)
                return
            }
            let (kept, droppedCount) = attributes.limited(to: limits.attributeCountPerLink)
            let link = SpanRecord.Link(
                context: context,
                attributes: kept,
                droppedAttributeCount: droppedCount
            )
            state.links.append(link)
        }
    }

    func end(at time: UInt64) {
        let content: State? = state.withLock { state in
            if state.hasEnded { return nil }
            let content = state
            // The name stays readable; everything else now belongs to the record.
            state = State(name: state.name, hasEnded: true)
            return content
        }
        guard let content else {
            owner.counters.repeatedEnds.add(1, ordering: .relaxed)
            return
        }
        owner.counters.ended.add(1, ordering: .relaxed)
        owner.sink.accept(record(of: content, end: max(start, time)))
    }

    private func record(of content: State, end: UInt64) -> SpanRecord {
        let length = owner.limits.attributeValueLength
        return SpanRecord(
            resource: owner.resource,
            context: context,
            parentSpanID: parentSpanID,
            parentIsRemote: parentIsRemote,
            name: content.name,
            kind: kind,
            start: start,
            end: end,
            attributes: content.attributes.cut(to: length),
            events: length == nil ? content.events : content.events.map { $0.cut(to: length) },
            links: length == nil ? content.links : content.links.map { $0.cut(to: length) },
            status: content.status,
            dropped: content.dropped
        )
    }

    /// Applies `body` unless the span has ended.
    private func change(_ body: (inout State) -> Void) {
        let isLate = state.withLock { state in
            if state.hasEnded { return true }
            body(&state)
            return false
        }
        if isLate { owner.counters.lateChanges.add(1, ordering: .relaxed) }
    }
}

extension SpanRecord.Event {
    fileprivate func cut(to length: Int?) -> Self {
        Self(
            name: name,
            time: time,
            attributes: attributes.cut(to: length),
            droppedAttributeCount: droppedAttributeCount
        )
    }
}

extension SpanRecord.Link {
    fileprivate func cut(to length: Int?) -> Self {
        Self(
            context: context,
            attributes: attributes.cut(to: length),
            droppedAttributeCount: droppedAttributeCount
        )
    }
}

extension UInt32 {
    /// Adds without overflow: a count that went past its type stays at the end of it.
    fileprivate mutating func add(_ count: UInt32) {
        let (sum, overflow) = addingReportingOverflow(count)
        self = overflow ? .max : sum
    }
}
