// SPDX-License-Identifier: Apache-2.0

/// Baggage of one hop: a caller sends it to whom it calls, and it goes no further.
///
/// ```
/// gateway  --- baggage-once: attempt=2 --->  order  --- nothing of it --->  stock
/// ```
/// The same limits hold as for `Baggage`, in each direction.
public struct OnceBaggage: Sendable, Hashable {
    /// What the caller of this process sent to it.
    public var received = Baggage()
    /// What this process sends to whom it calls.
    public var sent = Baggage()

    /// Makes a baggage without members.
    public init() {}

    /// Whether nothing came and nothing is to go.
    public var isEmpty: Bool { received.isEmpty && sent.isEmpty }
}

/// The header `baggage-once`, in the form of W3C's `baggage`. Services that do not know it do not pass
/// it on either, which is the point.
public struct OnceBaggageHeader: Propagator {
    /// Makes the propagator.
    public init() {}

    public var keys: [String] { ["baggage-once"] }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        guard let header = value("baggage-once") else { return }
        context.once.received = Baggage(header: header)
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        guard context.hasBaggage else { return }
        if !context.once.sent.isEmpty { set("baggage-once", context.once.sent.header) }
    }
}
