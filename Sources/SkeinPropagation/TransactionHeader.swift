// SPDX-License-Identifier: Apache-2.0

/// An id of the application's own in a header of its own, such as `X-Service-Transaction-ID`: carried
/// from process to process as baggage, and written again under the same name.
///
/// ```
/// x-service-transaction-id: T-2026-0815   <->   baggage transaction.id = T-2026-0815
/// ```
/// Values that are empty, longer than 256 bytes or not printable ASCII are left out.
public struct TransactionHeader: Propagator {
    /// The header, in lower case.
    public let header: String
    /// The baggage key that holds its value inside the process.
    public let baggageKey: String

    /// Makes the propagator.
    public init(header: String = "x-service-transaction-id", baggageKey: String = "transaction.id")
    {
        self.header = header.lowercased()
        self.baggageKey = baggageKey
    }

    public var keys: [String] { [header] }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        guard let text = value(header), Self.mayTravel(text) else { return }
        context.baggage.set(text, forKey: baggageKey)
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        guard let text = context.baggage[baggageKey], Self.mayTravel(text) else { return }
        set(header, text)
    }

    /// What may stand in a header without any encoding.
    private static func mayTravel(_ text: String) -> Bool {
        let count = text.utf8.count
        return count > 0 && count <= Limits.transactionByteCount
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
