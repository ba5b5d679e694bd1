// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// Repairs of attribute lists that readers of the Jaeger API expect.
public enum AttributeAdjusters {
    public typealias KeyValue = AttributeValue.KeyValue

    /// By key; equal keys stay in the order they came.
    public static func sorted(_ attributes: [KeyValue]) -> [KeyValue] {
        attributes.enumerated()
            .sorted {
                $0.element.key == $1.element.key
                    ? $0.offset < $1.offset
                    : isBefore($0.element.key, $1.element.key)
            }
            .map(\.element)
    }

    /// Bytes decide, so that the order is the same everywhere.
    private static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// Attributes that hold an IPv4 address as a number, as old Jaeger clients send it.
    private static let addressKeys: Set<String> = ["ip", "peer.ipv4"]

    /// Addresses sent as integers, dotted: 2130706433 reads `127.0.0.1`.
    public static func withDottedAddresses(_ attributes: [KeyValue]) -> [KeyValue] {
        attributes.map { attribute in
            guard addressKeys.contains(attribute.key) else { return attribute }
            let number: Int64?
            switch attribute.value {
            case .int(let value): number = value
            case .double(let value): number = Int64(exactly: value)
            default: number = nil
            }
            // Signed 32-bit senders wrote 192.168.0.1 as a negative number.
            guard let number, number >= Int64(Int32.min), number <= Int64(UInt32.max) else {
                return attribute
            }
            let bits = UInt32(truncatingIfNeeded: number)
            let text = [24, 16, 8, 0].map { "\(bits >> UInt32($0) & 0xFF)" }.joined(separator: ".")
            return KeyValue(key: attribute.key, value: .string(text))
        }
    }

    /// Attributes that describe the library and so belong to the process.
    private static let libraryKeys: Set<String> = [
        "telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version",
        "telemetry.distro.name", "telemetry.distro.version",
    ]

    /// Moves attributes that describe the library from a span to its resource, unless the resource
    /// says something else already.
    public static func movingLibraryAttributes(
        span: [KeyValue],
        resource: [KeyValue]
    ) -> (span: [KeyValue], resource: [KeyValue]) {
        var kept: [KeyValue] = []
        var described = resource
        for attribute in span {
            guard libraryKeys.contains(attribute.key) else {
                kept.append(attribute)
                continue
            }
            if let known = described.first(where: { $0.key == attribute.key }) {
                if known.value != attribute.value { kept.append(attribute) }
            } else {
                described.append(attribute)
            }
        }
        return (kept, described)
    }

    /// Whether a link leads anywhere: one without a trace and a span id is dropped.
    public static func isLinkKept(traceID: TraceID, spanID: SpanID) -> Bool {
        traceID.isValid || spanID.isValid
    }
}
