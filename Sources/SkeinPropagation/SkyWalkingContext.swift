// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

/// SkyWalking's headers `sw8` and `sw8-correlation`.
///
/// ```
/// sw8: SAMPLE-TRACE-SEGMENT-SPAN-SERVICE-INSTANCE-ENDPOINT-TARGET
///      1      base64        number   base64 ...
/// sw8-correlation: KEY:VALUE,KEY:VALUE       base64, at most three members of 128 bytes
/// ```
/// SkyWalking's ids are texts. A trace id that reads as 32 hexadecimal digits (a UUID with or without
/// its dashes) is taken as it is, any other is hashed to 128 bits; a span's id is the hash of its
/// segment and its number, unless the segment was written by us: 16 digits, and number 0.
public struct SkyWalkingContext: Propagator {
    /// What this process says of itself to the next one.
    public var service: String
    /// This process among those of its service.
    public var instance: String
    /// The operation that calls; SkyWalking shows it as the caller.
    public var endpoint: String
    /// The address that is called.
    public var target: String

    /// Makes the propagator.
    public init(service: String, instance: String = "", endpoint: String = "", target: String = "")
    {
        self.service = service
        self.instance = instance
        self.endpoint = endpoint
        self.target = target
    }

    private static let traceKey = "sw8"
    private static let baggageKey = "sw8-correlation"
    private static let memberCount = 3
    private static let valueByteCount = 128

    public var keys: [String] { [Self.traceKey, Self.baggageKey] }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        if let header = HexField.bounded(value(Self.traceKey)), let trace = Self.parse(header) {
            context.trace = trace
            // 1 asks for recording; 0 leaves the decision to whoever is called.
            context.decision = trace.isSampled ? .record : .deferred
        }
        guard let header = HexField.bounded(value(Self.baggageKey)) else { return }
        for member in header.split(separator: ",").prefix(Self.memberCount) {
            let pair = member.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let key = Base64.decode(pair[0]),
                let text = Base64.decode(pair[1]), text.utf8.count < Self.valueByteCount
            else { continue }
            context.baggage.set(text, forKey: key)
        }
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        if let trace = context.trace, trace.traceID.isValid, trace.spanID.isValid {
            let fields = [
                trace.isSampled ? "1" : "0", Base64.encode(trace.traceID.hex),
                Base64.encode(trace.spanID.hex), "0", Base64.encode(Self.cut(service, to: 50)),
                Base64.encode(Self.cut(instance, to: 50)),
                Base64.encode(Self.cut(endpoint, to: 150)),
                Base64.encode(Self.cut(target, to: 256)),
            ]
            set(Self.traceKey, fields.joined(separator: "-"))
        }
        let members = context.baggage.members
            .filter { $0.value.utf8.count < Self.valueByteCount }
            .prefix(Self.memberCount)
        if !members.isEmpty {
            let texts = members.map { Base64.encode($0.key) + ":" + Base64.encode($0.value) }
            set(Self.baggageKey, texts.joined(separator: ","))
        }
    }

    /// The 128 bits that stand for a SkyWalking trace id.
    public static func traceID(_ text: String) -> TraceID {
        let digits = text.filter { $0 != "-" }
        if digits.utf8.count == 32, let id = TraceID(hex: digits), id.isValid { return id }
        return TraceID(high: hash(text.utf8, seed: 1), low: hash(text.utf8, seed: 0))
    }

    /// The 64 bits that stand for a span of a SkyWalking segment.
    public static func spanID(segment: String, number: Int32) -> SpanID {
        if number == 0, segment.utf8.count == 16, let id = SpanID(hex: segment), id.isValid {
            return id
        }
        return SpanID(hash("\(segment)#\(number)".utf8, seed: 0))
    }

    private static func parse(_ header: String) -> TraceContext? {
        let fields = header.split(separator: "-", maxSplits: 8, omittingEmptySubsequences: false)
        guard fields.count == 8, fields[0] == "0" || fields[0] == "1",
            let trace = Base64.decode(fields[1]), !trace.isEmpty,
            let segment = Base64.decode(fields[2]), !segment.isEmpty,
            let number = Int32(fields[3]), number >= 0
        else { return nil }
        return TraceContext(
            traceID: traceID(trace),
            spanID: spanID(segment: segment, number: number),
            flags: fields[0] == "1" ? .sampled : [],
            isRemote: true
        )
    }

    /// `text` without the characters past a number of bytes.
    private static func cut(_ text: String, to byteCount: Int) -> String {
        var text = text
        while text.utf8.count > byteCount { text.removeLast() }
        return text
    }

    /// FNV-1a of 64 bits, never zero: both sides of a call must come to the same id.
    private static func hash(_ bytes: some Sequence<UInt8>, seed: UInt8) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(seed)
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash == 0 ? 1 : hash
    }
}
