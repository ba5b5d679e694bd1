// SPDX-License-Identifier: Apache-2.0

/// One way of writing a trace into a carrier, and of reading it back.
///
/// A new format is one file with one conforming type. Hostile carriers are the normal case: `extract`
/// never throws, never traps and looks at a bounded number of bytes.
public protocol Propagator: Sendable {
    /// The carrier's keys this format uses, in lower case.
    var keys: [String] { get }

    /// Reads the carrier and sets in `context` what it found; what is missing or malformed stays as
    /// it was.
    ///
    /// - Parameters:
    ///   - context: What the propagators before this one found.
    ///   - value: Gives the carrier's value for a key, several of one key joined by commas.
    func extract(into context: inout PropagatedContext, value: (_ key: String) -> String?)

    /// Writes `context` to a carrier.
    ///
    /// - Parameters:
    ///   - context: What is to travel.
    ///   - set: Sets the carrier's value for a key.
    func inject(_ context: PropagatedContext, set: (_ key: String, _ value: String) -> Void)
}

/// All that travels with a request.
public struct PropagatedContext: Sendable, Hashable {
    /// Which trace and span the request belongs to; `nil` for none.
    public var trace: TraceContext?
    /// Whether the caller decided that the trace is recorded. Some formats can say it without naming
    /// a trace, and some can name a trace and leave the decision open.
    public var decision: CallerDecision
    /// The baggage of both kinds; `nil` for none, as most requests have, so that a copy is cheap.
    private var load: Load?

    /// Pairs a trace context with baggage.
    public init(
        trace: TraceContext? = nil,
        baggage: Baggage = Baggage(),
        decision: CallerDecision = .open
    ) {
        self.trace = trace
        self.decision = decision
        if !baggage.isVoid { load = Load(baggage, OnceBaggage()) }
    }

    /// Nothing: what a carrier is read into. Each request begins with it.
    package init() {
        trace = nil
        decision = .open
    }

    /// A context without baggage.
    package init(trace: TraceContext, decision: CallerDecision) {
        self.trace = trace
        self.decision = decision
    }

    /// What the application sends along, to every service on the way.
    public var baggage: Baggage {
        get { load?.baggage ?? Baggage() }
        set { load = Load(newValue, once) }
    }

    /// What the application sends along to the next service alone: what came, and what is to go.
    public var once: OnceBaggage {
        get { load?.once ?? OnceBaggage() }
        set { load = Load(baggage, newValue) }
    }

    /// Whether any baggage travels, or was dropped.
    public var hasBaggage: Bool { load != nil }

    /// Whether any baggage travels.
    public var carriesBaggage: Bool {
        load.map { !$0.baggage.isEmpty || !$0.once.isEmpty } ?? false
    }

    private final class Load: Sendable, Hashable {
        let baggage: Baggage
        let once: OnceBaggage

        /// `nil` where there is nothing to hold.
        init?(_ baggage: Baggage, _ once: OnceBaggage) {
            if baggage.isVoid && once.received.isVoid && once.sent.isVoid { return nil }
            self.baggage = baggage
            self.once = once
        }

        static func == (one: Load, other: Load) -> Bool {
            one.baggage == other.baggage && one.once == other.once
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(baggage)
            hasher.combine(once)
        }
    }
}

extension PropagatedContext {
    /// Sends `value` along under `key`, to every service on the way.
    ///
    /// - Returns: `false`, and no change, where `key` is not a token of HTTP or the limits leave no
    ///   room: 64 keys and 8,192 bytes as sent.
    @discardableResult
    public mutating func put(_ key: String, _ value: String) -> Bool {
        baggage.set(value, forKey: key)
    }

    /// Sends `value` along under `key`, to the services that are called from here and no further.
    ///
    /// - Returns: As `put`; the limits are counted apart.
    @discardableResult
    public mutating func putOnce(_ key: String, _ value: String) -> Bool {
        once.sent.set(value, forKey: key)
    }

    /// What travels under `key`: from here or from further up, and as far as the callers of this
    /// process went, what they sent to it alone.
    public func value(_ key: String) -> String? { once.received[key] ?? baggage[key] }
}

/// What a caller decided about recording a trace.
public enum CallerDecision: Sendable, Hashable, CaseIterable {
    /// Nothing but what the trace's own flags say.
    case open
    /// The caller names a trace and leaves the decision to whoever is called.
    case deferred
    /// The trace is not to be recorded.
    case drop
    /// The trace is to be recorded.
    case record
    /// The trace is to be recorded whatever any sampler says: somebody is looking for something.
    case debug
}

/// Several propagators as one: all of them write, and where two read the same thing the later wins.
public struct CombinedPropagator: Propagator {
    /// The members, in the order they read and write.
    public var members: [any Propagator]

    /// Combines `members`.
    public init(_ members: [any Propagator]) { self.members = members }

    public var keys: [String] { members.flatMap(\.keys) }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        for member in members { member.extract(into: &context, value: value) }
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        for member in members { member.inject(context, set: set) }
    }
}
