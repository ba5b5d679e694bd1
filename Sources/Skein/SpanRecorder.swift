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
    let parentSpanID: SpanID
    let parentIsRemote: Bool
    let kind: Tracing.SpanKind
    let start: UInt64
    let owner: TracerCore
    private let state: Mutex<State>

    /// What changes while the span runs.
    struct State {
        var name: String
        var attributes = SpanAttributes([:])
        var events: [SpanRecord.Event] = []
        var links: [SpanRecord.Link] = []
        var status: SpanStatus?
        var dropped = SpanRecord.DroppedCounts()
        var hasEnded = false
        /// How many have the attributes in hand to change them.
        var borrowers = 0
        /// When the span ended; the last borrower hands it on.
        var end: UInt64?
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

    /// Gives the attributes away, to be changed and given back by `takeBack` at once. Whoever reads
    /// them meanwhile finds none; who sets some meanwhile adds to them.
    ///
    /// - Returns: `nil` where the span has ended, or is so near its limit that it has to know which
    ///   attributes were there first.
    func lendAttributes() -> SpanAttributes? {
        let limit = owner.limits.attributeCount
        return state.withLock { state in
            guard !state.hasEnded, 2 * state.attributes.count <= limit else { return nil }
            state.borrowers += 1
            // Room for a few at once: growing one by one costs more than they do.
            var lent =
                state.attributes.isEmpty
                ? SpanAttributes(Dictionary(minimumCapacity: Limits.firstAttributeCount))
                : SpanAttributes([:])
            if !state.attributes.isEmpty { swap(&lent, &state.attributes) }
            return lent
        }
    }

    /// Takes back what `lendAttributes` gave away. A span that ended meanwhile is handed on now.
    func takeBack(_ attributes: inout SpanAttributes) {
        let limit = owner.limits.attributeCount
        let finished: (State, UInt64)? = state.withLock { state in
            state.borrowers -= 1
            swap(&state.attributes, &attributes)
            // What others set in the meantime.
            if !attributes.isEmpty { state.attributes.merge(attributes) }
            if state.attributes.count > limit {
                let (kept, droppedCount) = state.attributes.limited(to: limit)
                state.attributes = kept
                state.dropped.attributes.add(droppedCount)
            }
            guard state.borrowers == 0, let end = state.end else { return nil }
            return (state.takeOut(), end)
        }
        if let (content, end) = finished { handOn(content, end) }
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
        let (isFirst, content): (Bool, State?) = state.withLock { state in
            if state.hasEnded { return (false, nil) }
            state.hasEnded = true
            state.end = max(start, time)
            return (true, state.borrowers == 0 ? state.takeOut() : nil)
        }
        guard isFirst else {
            owner.counters.repeatedEnds.add(1, ordering: .relaxed)
            return
        }
        owner.counters.ended.add(1, ordering: .relaxed)
        if let content { handOn(content, max(start, time)) }
    }

    private func handOn(_ content: consuming State, _ end: UInt64) {
        if kind != .internal, let calls = owner.calls {
            calls.count(
                content.name,
                content.attributes,
                kind.model,
                from: start,
                to: end,
                isError: content.status?.code == .error
            )
        }
        if let pipeline = owner.pipeline {
            pipeline.accept(self, content, endedAt: end)
        } else {
            owner.sink.accept(record(of: content, end: end))
        }
    }

    /// The span as sinks are given it.
    func record(of content: borrowing State, end: UInt64) -> SpanRecord {
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

extension SpanRecorder.State {
    /// Takes out what becomes the record of a span that has ended. The name stays readable.
    fileprivate mutating func takeOut() -> Self {
        var content = Self(name: name, hasEnded: true)
        // Swapped, not copied: it is made of many references.
        swap(&self, &content)
        return content
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
