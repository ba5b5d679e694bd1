// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
public import SkeinPropagation

/// A span of `SkeinTracer.span(_:_:_:)` while it runs.
///
/// Where the trace is not recorded, every method returns at once and evaluates none of its
/// arguments:
/// ```swift
/// span.set("cart", render(cart))     // `render` runs for recorded traces alone
/// ```
/// Copies mean the same span, and any thread may use them. What is said after the span's end has no
/// effect and is counted. Of a key that is set twice the last value counts.
///
/// A call that is counted (`TracerOptions.countsCalls`) though its trace is not recorded still hears
/// `fail`, `succeed` and `rename`.
public struct ActiveSpan: Sendable {
    /// `nil` where nothing is recorded.
    @usableFromInline let core: TracerCore?
    /// Where nothing is recorded: what `OpenCalls` knows the call by, 0 for none.
    @usableFromInline let record: UInt64
    @usableFromInline let local: LocalSpan

    @usableFromInline
    init(core: TracerCore?, record: UInt64, local: LocalSpan) {
        self.core = core
        self.record = record
        self.local = local
    }

    /// Whether what is said of the span is kept.
    @inlinable public var isRecording: Bool { core != nil }

    /// The trace; zero outside of any.
    public var traceID: TraceID { TraceID(high: local.traceHigh, low: local.traceLow) }

    /// The span within the trace; zero outside of any.
    public var spanID: SpanID { SpanID(local.spanID) }

    // MARK: Attributes

    /// Sets a text.
    @inlinable
    public func set(_ key: StaticString, _ value: @autoclosure () -> String) {
        if let core { core.set(record, key, value()) }
    }

    /// Sets a text of the program.
    @inlinable
    public func set(_ key: StaticString, static value: StaticString) {
        if let core { core.set(record, key, value) }
    }

    /// Sets a whole number.
    @inlinable
    public func set(_ key: StaticString, _ value: @autoclosure () -> Int) {
        if let core { core.set(record, key, Int64(value())) }
    }

    /// Sets a number.
    @inlinable
    public func set(_ key: StaticString, _ value: @autoclosure () -> Double) {
        if let core { core.set(record, key, value()) }
    }

    /// Sets a truth value.
    @inlinable
    public func set(_ key: StaticString, _ value: @autoclosure () -> Bool) {
        if let core { core.set(record, key, value()) }
    }

    /// Sets a value of any type, under a key that is known only when the program runs.
    @inlinable
    public func set(key: @autoclosure () -> String, value: @autoclosure () -> AttributeValue) {
        if let core { core.set(record, key: key(), value: value()) }
    }

    // MARK: Events, links, status, name

    /// Notes that something happened now.
    @inlinable
    public func event(
        _ name: @autoclosure () -> String,
        _ attributes: @autoclosure () -> [(key: String, value: AttributeValue)] = []
    ) {
        if let core { core.addEvent(record, name(), attributes()) }
    }

    /// Notes an error, as an event `exception` with its type and text, and the status `error`.
    ///
    /// - Parameters:
    ///   - error: What went wrong.
    ///   - stack: Where, if it is known, as text.
    @inlinable
    public func fail(_ error: @autoclosure () -> any Error, stack: @autoclosure () -> String = "") {
        if let core {
            core.addError(record, error(), stack: stack())
        } else if record != 0 {
            TracerCore.failCall(record)
        }
    }

    /// Sets the status `error`.
    @inlinable
    public func fail(_ message: @autoclosure () -> String) {
        if let core {
            core.setStatus(record, 2, message())
        } else if record != 0 {
            TracerCore.failCall(record)
        }
    }

    /// Sets the status `ok`: somebody looked, and all is well.
    @inlinable
    public func succeed() {
        if let core {
            core.setStatus(record, 1, "")
        } else if record != 0 {
            TracerCore.succeedCall(record)
        }
    }

    /// Says that this span has to do with another.
    @inlinable
    public func link(
        _ context: @autoclosure () -> TraceContext,
        _ attributes: @autoclosure () -> [(key: String, value: AttributeValue)] = []
    ) {
        if let core { core.addLink(record, context(), attributes()) }
    }

    /// Gives the operation another name.
    @inlinable
    public func rename(_ name: @autoclosure () -> String) {
        if let core {
            core.rename(record, name())
        } else if record != 0 {
            TracerCore.renameCall(record, name())
        }
    }
}
