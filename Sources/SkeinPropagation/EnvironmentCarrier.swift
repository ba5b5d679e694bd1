// SPDX-License-Identifier: Apache-2.0

/// Environment variables as a carrier, so that shell scripts, batch jobs and CI steps join a trace:
/// the propagators' keys in upper case, with `_` for whatever a variable's name may not hold
/// (`TRACEPARENT`, `BAGGAGE`, `X_B3_TRACEID`).
public struct EnvironmentCarrier: Sendable {
    /// Name and value.
    public var variables: [String: String]

    /// Reads from, or adds to, `variables`.
    public init(_ variables: [String: String] = [:]) { self.variables = variables }

    /// The variable's name for a propagator's key.
    public static func name(for key: String) -> String {
        let bytes = key.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte &- 0x20
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "_")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What `propagator` finds in the variables.
    public func extract(_ propagator: some Propagator) -> PropagatedContext {
        var context = PropagatedContext()
        propagator.extract(into: &context) { variables[Self.name(for: $0)] }
        return context
    }

    /// Adds what `propagator` writes: the environment of a child process.
    public mutating func inject(_ context: PropagatedContext, _ propagator: some Propagator) {
        var added: [String: String] = [:]
        propagator.inject(context) { added[Self.name(for: $0)] = $1 }
        variables.merge(added) { _, new in new }
    }
}
