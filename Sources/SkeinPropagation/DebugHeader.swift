// SPDX-License-Identifier: Apache-2.0

/// A header that asks for this very request to be recorded, whatever any sampler says, for formats
/// that cannot say it themselves, such as W3C's.
///
/// ```
/// x-trace-debug: 1      recorded, here and in every service on the way that knows the header
/// ```
/// Any value but an empty one, `0` and `false` asks. Whoever may send it decides what is recorded:
/// take it off requests of strangers before they get here.
public struct DebugHeader: Propagator {
    /// The header, in lower case.
    public let header: String

    /// Makes the propagator.
    public init(header: String = "x-trace-debug") { self.header = header.lowercased() }

    public var keys: [String] { [header] }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        guard let text = value(header), !text.isEmpty, text != "0", text != "false" else { return }
        context.decision = .debug
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        if context.decision == .debug { set(header, "1") }
    }
}
