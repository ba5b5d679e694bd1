// SPDX-License-Identifier: Apache-2.0

public import SkeinModel
public import Store

/// The same numbers for the same seed, on every machine (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Begins at `seed`.
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// True once in `count` times.
    mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &self)]
    }
}

/// Spans of every odd shape, the same for the same seed: traces that meet again in later batches; missing parents, ends before starts, keys that stand twice, all types of values.
public enum SpanGenerator {
    /// Keys that spans, events and resources carry.
    public static let keys = [
        "http.method", "http.status_code", "order.id", "retry", "ratio", "tags", "blob", "nested",
        "nothing", "Grüße",
    ]

    static let services = ["gateway", "order", "Stock", "payment", "unknown_service"]
    static let operations = ["GET /", "POST /order", "SELECT", "publish", ""]

    /// A batch whose payload is the seed, which `decode` turns into the same columns.
    public static func batch(seed: UInt64, tenant: Tenant = .default) -> SpanBatch {
        SpanBatch(columns: columns(seed: seed), payload: payload(seed: seed, tenant: tenant))
    }

    /// The payload of a batch: the seed in eight bytes, and bytes after it that mean nothing.
    public static func payload(seed: UInt64, tenant: Tenant = .default) -> Payload {
        var bytes: [UInt8] = []
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: seed >> shift))
        }
        bytes += [UInt8](repeating: 0x5A, count: Int(seed % 23))
        return Payload(
            format: .otlpProtobuf,
            bytes: bytes,
            receivedAt: 1_790_000_000_000_000_000 &+ seed % 1_000_000,
            tenant: tenant
        )
    }

    /// Decodes the payloads made above.
    public struct Decoder: PayloadDecoder {
        /// A payload that is too short to hold a seed.
        public struct Malformed: Error {}

        /// The decoder.
        public init() {}

        public func decode(_ payload: Payload) throws -> SpanColumns {
            SpanGenerator.columns(seed: try seed(payload))
        }

        public func decodeCalls(_ payload: Payload) throws -> CallCounts {
            SpanGenerator.calls(seed: try seed(payload)).counts
        }

        private func seed(_ payload: Payload) throws -> UInt64 {
            guard payload.bytes.count >= 8 else { throw Malformed() }
            var seed: UInt64 = 0
            for byte in payload.bytes.prefix(8).reversed() { seed = seed << 8 | UInt64(byte) }
            return seed
        }
    }

    /// The spans of a seed.
    public static func columns(seed: UInt64) -> SpanColumns {
        var random = SeededGenerator(seed: seed)
        // Few traces meet again in every batch, of many each has few spans in few places.
        let traces: UInt64 = seed % 3 == 0 ? 400 : 24
        var columns = SpanColumns()
        var resources: [UInt32] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            resources.append(resource(&columns, &random))
        }
        var scopes: [UInt32] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            scopes.append(scope(&columns, &random))
        }
        var ids: [SpanID] = []
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            // Some of them differ in the high half only.
            let trace = UInt64.random(in: 1...traces, using: &random)
            append(&columns, &random, trace, random.pick(resources), random.pick(scopes), &ids)
        }
        return columns
    }

    private static func append(
        _ columns: inout SpanColumns,
        _ random: inout SeededGenerator,
        _ trace: UInt64,
        _ resource: UInt32,
        _ scope: UInt32,
        _ ids: inout [SpanID]
    ) {
        let drawn = random.next()
        // The server half of a Zipkin span has the id of the client half.
        let isShared = drawn % 8 == 3 && !ids.isEmpty
        let spanID = isShared ? ids[Int(drawn >> 32) % ids.count] : SpanID(drawn | 1)
        let base: UInt64 = 1_700_000_000_000_000_000 + trace * 60_000_000_000
        let start =
            random.oneIn(40)
            ? random.pick([0, 1, UInt64.max, UInt64.max - 1])
            : base + UInt64.random(in: 0..<1_000_000_000, using: &random)
        var end = start &+ UInt64.random(in: 0..<10_000_000, using: &random)
        if random.oneIn(12) { end = start &- UInt64.random(in: 0..<5_000, using: &random) }
        if random.oneIn(40) { end = random.pick([0, UInt64.max]) }
        let parent: SpanID
        switch Int.random(in: 0..<6, using: &random) {
        case 0: parent = .none
        case 1: parent = SpanID(random.next() | 1)
        case 2 where random.oneIn(4): parent = spanID
        default: parent = ids.isEmpty ? .none : random.pick(ids)
        }
        let attributes = columns.appendAttributes(pairs(&random))
        let events = events(&columns, &random, near: start)
        let links = links(&columns, &random)
        columns.append(
            SpanRow(
                traceID: TraceID(
                    high: trace % 3 == 0 ? 0 : trace % 2,
                    low: (trace / 2) &* 0x9E37_79B9_7F4A_7C15
                ),
                spanID: spanID,
                parentID: parent,
                start: start,
                end: end,
                name: columns.strings.intern(random.pick(operations)),
                kind: random.pick(SpanKind.allCases),
                status: random.pick(StatusCode.allCases),
                statusMessage: random.oneIn(5) ? columns.strings.intern("broke: \(trace)") : 0,
                traceState: random.oneIn(9) ? columns.strings.intern("vendor=\(trace)") : 0,
                flags: random.oneIn(3) ? UInt32.random(in: .min ... .max, using: &random) : 1,
                resource: resource,
                scope: scope,
                attributes: attributes,
                events: events,
                links: links,
                droppedAttributes: random.oneIn(9) ? 3 : 0,
                droppedEvents: random.oneIn(9) ? UInt32.max : 0,
                droppedLinks: random.oneIn(9) ? 1 : 0,
                marks: (random.oneIn(9) ? SpanMarks([.limited, .textRepaired]) : SpanMarks())
                    .union(isShared ? .shared : SpanMarks())
            )
        )
        ids.append(spanID)
    }

    private static func resource(
        _ columns: inout SpanColumns,
        _ random: inout SeededGenerator
    ) -> UInt32 {
        let service = random.pick(services)
        var pairs: [AttributeValue.KeyValue] = [
            AttributeValue.KeyValue(key: "service.name", value: .string(service))
        ]
        if random.oneIn(2) { pairs += self.pairs(&random) }
        let run = columns.appendAttributes(pairs)
        return columns.resources.append(
            service: columns.strings.intern(service),
            attributes: run,
            dropped: random.oneIn(4) ? 2 : 0,
            schemaURL: random.oneIn(4) ? columns.strings.intern("https://schema/1") : 0
        )
    }

    private static func scope(
        _ columns: inout SpanColumns,
        _ random: inout SeededGenerator
    ) -> UInt32 {
        let run = random.oneIn(2) ? columns.appendAttributes(pairs(&random)) : .empty
        return columns.scopes.append(
            name: columns.strings.intern(random.pick(["", "http", "sql"])),
            version: columns.strings.intern(random.pick(["", "1.0"])),
            attributes: run,
            dropped: random.oneIn(4) ? 1 : 0,
            schemaURL: random.oneIn(4) ? columns.strings.intern("https://schema/2") : 0
        )
    }

    private static func events(
        _ columns: inout SpanColumns,
        _ random: inout SeededGenerator,
        near start: UInt64
    ) -> Run {
        guard random.oneIn(3) else { return .empty }
        let first = UInt32(columns.events.count)
        let count = UInt32.random(in: 1...3, using: &random)
        for _ in 0..<count {
            let attributes = random.oneIn(2) ? columns.appendAttributes(pairs(&random)) : .empty
            columns.events.append(
                time: start &+ UInt64.random(in: 0..<1_000, using: &random) &- 500,
                name: columns.strings.intern(random.pick(["exception", "Log", ""])),
                attributes: attributes,
                dropped: random.oneIn(5) ? 7 : 0
            )
        }
        return Run(first: first, count: count)
    }

    private static func links(
        _ columns: inout SpanColumns,
        _ random: inout SeededGenerator
    ) -> Run {
        guard random.oneIn(6) else { return .empty }
        let first = UInt32(columns.links.count)
        let count = UInt32.random(in: 1...2, using: &random)
        for _ in 0..<count {
            let attributes = random.oneIn(2) ? columns.appendAttributes(pairs(&random)) : .empty
            columns.links.append(
                traceID: TraceID(high: random.next(), low: random.next()),
                spanID: SpanID(random.next()),
                traceState: random.oneIn(3) ? columns.strings.intern("linked=1") : 0,
                flags: random.oneIn(2) ? 0x301 : 0,
                attributes: attributes,
                dropped: random.oneIn(5) ? 9 : 0
            )
        }
        return Run(first: first, count: count)
    }

    private static func pairs(_ random: inout SeededGenerator) -> [AttributeValue.KeyValue] {
        (0..<Int.random(in: 0...6, using: &random)).map { _ in
            AttributeValue.KeyValue(
                key: random.pick(keys),
                value: value(&random, depth: 0)
            )
        }
    }

    private static func value(_ random: inout SeededGenerator, depth: Int) -> AttributeValue {
        let choices = depth < 2 ? 10 : 6
        return switch Int.random(in: 0..<choices, using: &random) {
        case 0: .string(random.pick(["GET", "POST", "17", "true", "", "ümläut", "100"]))
        case 1: .string("order-\(Int.random(in: 0..<500, using: &random))")
        case 2: .int(random.pick([17, -1, 200, 404, .max, .min]))
        case 3: .bool(random.oneIn(2))
        case 4: .double(random.pick([17, 1.5, -0.25, 1e300]))
        case 5: .empty
        case 6: .bytes([0, 255, 17, UInt8.random(in: 0...9, using: &random)])
        case 7:
            .array(
                (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    value(&random, depth: depth + 1)
                }
            )
        case 8:
            .map(
                (0..<Int.random(in: 0...2, using: &random)).map { _ in
                    AttributeValue.KeyValue(
                        key: random.pick(keys),
                        value: value(&random, depth: depth + 1)
                    )
                }
            )
        default:
            random.oneIn(4) ? .string(String(repeating: "long ", count: 30)) : .string("GET")
        }
    }
}

/// Predicates that a set of spans sometimes satisfies.
enum PredicateGenerator {
    /// One predicate of each kind, and a few.
    static func one(
        of reference: Reference,
        using random: inout SeededGenerator
    ) -> [SpanPredicate] {
        var predicates: [SpanPredicate] = [.all, .not(.all), .and([]), .or([])]
        for kind in 0..<leafKinds {
            for _ in 0..<4 { predicates.append(leaf(kind, reference, &random)) }
        }
        return predicates
    }

    /// A plan for spans of the reference; every third begins behind a trace of the answer.
    static func plan(
        of reference: Reference,
        tenant: Tenant = .default,
        using random: inout SeededGenerator
    ) -> ScanPlan {
        var plan = firstPage(of: reference, tenant, &random)
        guard random.oneIn(3) else { return plan }
        var whole = plan
        whole.limit = 1_000
        let traces = reference.scan(whole).traces
        guard !traces.isEmpty else { return plan }
        let last = random.pick(traces)
        let value = plan.order == .newest ? last.start : last.duration
        plan.cursor = ScanCursor(
            value: random.oneIn(8) ? value &+ 1 : value,
            traceID: random.oneIn(8) ? random.pick(traces).traceID : last.traceID
        )
        return plan
    }

    private static func firstPage(
        of reference: Reference,
        _ tenant: Tenant,
        _ random: inout SeededGenerator
    ) -> ScanPlan {
        var range: Range<UInt64> = 0..<UInt64.max
        if random.oneIn(2) {
            let a = random.pick(reference.spans).start
            let b = random.pick(reference.spans).start
            range = min(a, b)..<max(a, b)
        }
        var trace: [TracePredicate] = []
        if random.oneIn(4) {
            let wanted = random.pick(reference.spans).duration
            trace = [.duration(wanted / 2...max(wanted / 2, wanted &+ 1_000_000_000))]
        }
        return ScanPlan(
            tenant: tenant,
            range: range,
            span: predicate(reference, &random, depth: 0),
            trace: trace,
            order: random.pick([.newest, .slowest]),
            limit: random.pick([1, 3, 20, 1_000]),
            matchedSpanLimit: random.pick([0, 1, 3, 100])
        )
    }

    private static func predicate(
        _ reference: Reference,
        _ random: inout SeededGenerator,
        depth: Int
    ) -> SpanPredicate {
        let choices = depth < 3 ? leafKinds + 4 : leafKinds
        let kind = Int.random(in: 0..<choices, using: &random)
        guard kind >= leafKinds else { return leaf(kind, reference, &random) }
        if kind == leafKinds { return .not(predicate(reference, &random, depth: depth + 1)) }
        let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            predicate(reference, &random, depth: depth + 1)
        }
        return kind == leafKinds + 1 ? .or(parts) : .and(parts)
    }

    /// How many kinds of conditions `leaf` knows.
    private static let leafKinds = 10

    private static func leaf(
        _ kind: Int,
        _ reference: Reference,
        _ random: inout SeededGenerator
    ) -> SpanPredicate {
        let span = random.pick(reference.spans)
        switch kind {
        case 0: return .service(match(span.service, &random))
        case 1: return .operation(match(span.name, &random))
        case 2: return .eventName(match(span.events.first?.name ?? "exception", &random))
        case 3:
            let duration = span.duration
            return .duration(duration...max(duration, duration &+ 100_000))
        case 4: return .status(span.status)
        case 5: return .kind(span.kind)
        case 6: return .statusMessage(match(span.statusMessage, &random))
        default:
            let pairs =
                span.attributes + span.resource.attributes + span.events.flatMap(\.attributes)
            let scope = random.pick(AttributeScope.allCases)
            guard let pair = pairs.isEmpty ? nil : random.pick(pairs) else {
                return .attribute(scope, key: random.pick(SpanGenerator.keys), .text("17"))
            }
            return .attribute(scope, key: pair.key, valueMatch(pair.value, &random))
        }
    }

    /// Numbers above or below one that was seen, or between two.
    private static func range(
        _ value: AttributeValue,
        _ random: inout SeededGenerator
    ) -> NumberRange {
        func comparison() -> NumberRange.Comparison {
            random.pick(NumberRange.Comparison.allCases)
        }
        let range =
            switch value {
            case .int(let number): NumberRange(comparison(), number)
            case .double(let number): NumberRange(comparison(), number)
            default: NumberRange(comparison(), random.pick([-2, 0.5, 17, 300]))
            }
        guard random.oneIn(3) else { return range }
        return range.intersection(NumberRange(comparison(), random.pick([Int64.min, 16, 17, 404])))
    }

    private static func match(_ text: String, _ random: inout SeededGenerator) -> TextMatch {
        random.oneIn(3) ? .ignoringCase(text.uppercased()) : .exactly(text)
    }

    private static func valueMatch(
        _ value: AttributeValue,
        _ random: inout SeededGenerator
    ) -> ValueMatch {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return .exists
        case 1: return .equals(value)
        case 4: return .range(range(value, &random))
        case 2: return .text(random.pick(["17", "true", "17.0", "GET", "", "-0.25", "200"]))
        default:
            switch value {
            case .string(let text): return .text(text)
            case .int(let number): return .text(String(number))
            case .bool(let flag): return .text(flag ? "true" : "false")
            case .double(let number): return .text(number.description)
            default: return .equals(value)
            }
        }
    }
}
