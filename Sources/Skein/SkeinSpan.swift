// SPDX-License-Identifier: Apache-2.0

public import Tracing

/// A span of a `SkeinTracer`: a handle whose copies all mean the same span.
///
/// - A span that is not sampled records nothing, but keeps its place in the trace, so that what it
///   calls is not sampled either. Of a call that is counted all the same, name, status and the
///   attributes `peer.service` and `server.address` are heard: set them whatever `isRecording` says.
/// - The first `end` counts. Later ones, and changes after it, have no effect and are counted.
/// - A span that is never ended is never exported, and is counted when its last handle goes away.
/// - After the end a span reads as empty but for its name and context.
public struct SkeinSpan: Tracing.Span {
    public let context: InstrumentationContext
    /// `nil` for a span that is not sampled.
    let recorder: SpanRecorder?
    /// What `OpenCalls` knows a call by that is not sampled; 0 for every other span.
    let call: UInt64

    public var isRecording: Bool { recorder.map { !$0.hasEnded } ?? false }

    /// The operation; empty for a span that is not sampled, but for a call that is counted.
    public var operationName: String {
        get { recorder?.name ?? (call == 0 ? "" : CallStatistics.name(call)) }
        nonmutating set {
            recorder?.name = newValue
            if call != 0 { CallStatistics.rename(call, newValue) }
        }
    }

    public var attributes: SpanAttributes {
        get { recorder?.attributes ?? SpanAttributes([:]) }
        nonmutating set { setAttributes(newValue) }
        // Lent out, so that a change is made in place: a copy of all for each costs more than it.
        nonmutating _modify {
            // Asked for anew each time, because a recorder in a variable counts a reference.
            guard var lent = recorder?.lendAttributes() else {
                var all = attributes
                yield &all
                setAttributes(all)
                return
            }
            defer { recorder?.takeBack(&lent) }
            yield &lent
        }
    }

    private func setAttributes(_ attributes: SpanAttributes) {
        recorder?.setAttributes(attributes)
        if call != 0 { CallStatistics.setPeer(call, attributes) }
    }

    public func setStatus(_ status: SpanStatus) {
        recorder?.setStatus(status)
        if call != 0 { CallStatistics.setError(call, status.code == .error) }
    }

    public func addEvent(_ event: SpanEvent) {
        recorder?.addEvent(
            name: event.name,
            time: event.nanosecondsSinceEpoch,
            attributes: event.attributes
        )
    }

    /// Adds an event `exception` with the error's type and text, as OpenTelemetry's conventions
    /// name them; `attributes` of the same names win.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        guard let recorder else { return }
        let error = (error as? any ErrorCover)?.covered ?? error
        var all: SpanAttributes = [
            "exception.type": .string(String(reflecting: type(of: error))),
            "exception.message": .string(String(describing: error)),
        ]
        all.merge(attributes)
        recorder.addEvent(
            name: "exception",
            time: instant().nanosecondsSinceEpoch,
            attributes: all
        )
    }

    /// Adds a link; a context without a span is not worth one and is ignored.
    public func addLink(_ link: SpanLink) {
        guard let recorder, let other = link.context.traceContext else { return }
        recorder.addLink(other, attributes: link.attributes)
    }

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        if let recorder { return recorder.end(at: instant().nanosecondsSinceEpoch) }
        if call != 0 { CallStatistics.end(call, at: instant().nanosecondsSinceEpoch) }
    }
}
