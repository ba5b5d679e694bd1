// SPDX-License-Identifier: Apache-2.0

/// What a store knows of a trace that it does not have.
public struct TraceAbsence: Sendable, Equatable {
    /// Why the trace is not there.
    public enum Reason: String, Sendable {
        /// No trace of this id is remembered.
        case neverSeen
        /// It was stored, and retention removed it; probably, see `errorRate`.
        case expired
        /// Had there been such a trace, its samplers would have left it out.
        case sampledOut
    }

    /// Why retention removed a trace.
    public enum Cause: String, Sendable {
        /// It was too old.
        case age
        /// There were too many bytes.
        case room
    }

    /// `nil` where it cannot be told, as `incomplete` says.
    public var reason: Reason?
    /// Of one that expired: when it was removed, nanoseconds since 1970.
    public var removedAt: UInt64?
    /// Of one that expired: why.
    public var cause: Cause?
    /// Of one that expired: how likely the same is said of an id that was never stored, 0...1.
    public var errorRate: Double = 0
    /// Of one that was sampled out: which part of all traces was kept, above 0 and below 1.
    public var keptShare: Double?
    /// Since when removed traces are remembered, nanoseconds since 1970; `nil` where none are.
    public var rememberedSince: UInt64?
    /// How long traces are kept, nanoseconds; `nil` for ever.
    public var retention: UInt64?
    /// What could not be searched, and may hold it.
    public var incomplete: [String] = []

    /// Says why a trace is not there.
    public init(reason: Reason?) { self.reason = reason }
}
