// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinWire
import Store
import StoreContract

/// The spans of golden directories: few, and of every shape that a part knows. All types of values,
/// events, links, a parent that is elsewhere, an end before the start, an id that two spans share.
///
/// Never changed without need: a change makes other bytes of the same format.
struct GoldenSpans: ~Copyable {
    static let start: UInt64 = 1_750_000_000_000_000_000

    private static let minute: UInt64 = 60_000_000_000
    private static let services = ["gateway", "order", "stock", "Zahlung"]
    private static let operations = ["GET /order/{id}", "POST /order", "SELECT stock", "publish"]
    private static let traceCount: UInt64 = 12

    private var columns = SpanColumns()
    private var random: SeededGenerator
    private var resources: [UInt32] = []
    private var scope: UInt32 = 0
    /// Of this batch, by trace.
    private var ids: [UInt64: [SpanID]] = [:]
    private let seed: UInt64

    /// A batch of `count` spans as it is received: its payload is OTLP, and its columns are what the
    /// decoder makes of that.
    static func batch(_ seed: UInt64, count: Int, tenant: Tenant) throws -> SpanBatch {
        var spans = GoldenSpans(seed)
        for _ in 0..<count { spans.append() }
        let payload = Payload(
            format: .otlpProtobuf,
            bytes: OTLP.encodeProtobuf(spans.columns),
            receivedAt: start + seed * minute,
            tenant: tenant
        )
        return SpanBatch(columns: try Decoder().decode(payload), payload: payload)
    }

    /// Reads such a payload again.
    struct Decoder: PayloadDecoder {
        func decode(_ payload: Payload) throws -> SpanColumns {
            var decoder = OTLPDecoder()
            let batch = try decoder.decodeProtobuf(payload.bytes, receivedAt: payload.receivedAt)
            return batch.columns
        }

        func decodeCalls(_ payload: Payload) throws -> CallCounts {
            let decoded = try OTLP.decodeCalls(payload.bytes, format: .json)
            guard let counts = decoded.counts else {
                throw StoreError.unsupported("there are no call statistics in a golden payload")
            }
            return counts
        }
    }

    /// A window of call statistics as it is received. What its numbers are made of is part of the files
    /// of expectations.
    static func calls(_ seed: UInt64, tenant: Tenant) throws -> SpanBatch {
        var random = SeededGenerator(seed: seed ^ 0xCA11)
        let points = (0..<6).map { number in
            let counts = (0..<8).map { _ in UInt64.random(in: 0..<5, using: &random) } + [1]
            let peer =
                number % 2 == 0
                ? #",{"key":"peer.service","value":{"stringValue":"stock"}}"# : ""
            let kind = number % 2 == 0 ? "CLIENT" : "SERVER"
            let status = number % 3 == 0 ? "ERROR" : "UNSET"
            let offset = 1_200 + Int(seed) * 3 + number
            return """
                {"attributes":[{"key":"span.name","value":{"stringValue":"call \(number / 2)"}},\
                {"key":"span.kind","value":{"stringValue":"SPAN_KIND_\(kind)"}},\
                {"key":"status.code","value":{"stringValue":"STATUS_CODE_\(status)"}}\(peer)],\
                "startTimeUnixNano":"\(start + seed * minute)","count":\(counts.reduce(1, +)),\
                "sum":\(counts.reduce(0, +) * 500_000),"scale":6,"zeroCount":1,"max":600000,\
                "positive":{"offset":\(offset),"bucketCounts":\(counts)}}
                """
        }
        let text = """
            {"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name",\
            "value":{"stringValue":"order"}}]},"scopeMetrics":[{"scope":{"name":"skein.calls",\
            "attributes":[{"key":"skein.sender","value":{"stringValue":"\
            00000000000000010000000000000002"}},{"key":"skein.window","value":{"intValue":"\(seed)"}}\
            ]},"metrics":[{"name":"traces.span.metrics.duration","unit":"ns",\
            "exponentialHistogram":{"aggregationTemporality":1,\
            "dataPoints":[\(points.joined(separator: ","))]}}]}]}]}
            """
        let payload = Payload(
            format: .callsJSON,
            bytes: Array(text.utf8),
            receivedAt: start + seed * minute,
            tenant: tenant
        )
        return SpanBatch(calls: try Decoder().decodeCalls(payload), payload: payload)
    }

    private init(_ seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        for service in Self.services {
            let run = columns.appendAttributes([
                pair("service.name", .string(service)), pair("host", .string("node-\(seed % 3)")),
            ])
            resources.append(
                columns.resources.append(
                    service: columns.strings.intern(service),
                    attributes: run,
                    dropped: 0,
                    schemaURL: columns.strings.intern("https://example.com/schema")
                )
            )
        }
        let run = columns.appendAttributes([pair("library.language", .string("swift"))])
        scope = columns.scopes.append(
            name: columns.strings.intern("golden"),
            version: columns.strings.intern("1.0"),
            attributes: run,
            dropped: 1,
            schemaURL: 0
        )
    }

    private func pair(_ key: String, _ value: AttributeValue) -> AttributeValue.KeyValue {
        AttributeValue.KeyValue(key: key, value: value)
    }

    // MARK: Spans

    private mutating func append() {
        let trace = (seed &+ UInt64(random.number(below: 4))) % Self.traceCount + 1
        let start = Self.start + trace * Self.minute + random.next() >> 35
        let own = ids[trace] ?? []
        // The server half of a Zipkin span has the id of the client half.
        let isShared = random.happens(oneIn: 8)
        let id = isShared ? own.last ?? SpanID(7) : SpanID(random.next() | 1)
        var end = start + random.next() >> 41
        if random.happens(oneIn: 15) { end = start - 5 }
        let attributes = columns.appendAttributes(pairs())
        let events = events(near: start)
        let links = links()
        let parents = [SpanID.none, own.last ?? .none, own.first ?? .none, SpanID(0xABCD)]
        columns.append(
            SpanRow(
                traceID: TraceID(high: trace % 3, low: trace &* 0x9E37_79B9_7F4A_7C15),
                spanID: id,
                parentID: random.pick(from: parents),
                start: start,
                end: end,
                name: columns.strings.intern(random.pick(from: Self.operations)),
                kind: random.pick(from: SpanKind.allCases),
                status: random.pick(from: StatusCode.allCases),
                statusMessage: random.happens(oneIn: 6)
                    ? columns.strings.intern("out of \(trace)") : 0,
                traceState: random.happens(oneIn: 6)
                    ? columns.strings.intern("vendor=\(trace)") : 0,
                flags: random.happens(oneIn: 4) ? 0x301 : 1,
                resource: random.pick(from: resources),
                scope: scope,
                attributes: attributes,
                events: events,
                links: links,
                droppedAttributes: random.happens(oneIn: 9) ? 3 : 0,
                droppedEvents: random.happens(oneIn: 9) ? .max : 0,
                droppedLinks: random.happens(oneIn: 9) ? 1 : 0
            )
        )
        ids[trace, default: []].append(id)
    }

    private mutating func events(near start: UInt64) -> Run {
        guard random.happens(oneIn: 3) else { return .empty }
        let first = UInt32(columns.events.count)
        let count = UInt32(random.number(below: 2)) + 1
        for _ in 0..<count {
            let attributes = columns.appendAttributes(random.happens(oneIn: 2) ? pairs() : [])
            columns.events.append(
                time: start + random.next() >> 44 - 100,
                name: columns.strings.intern(random.pick(from: ["exception", "retry"])),
                attributes: attributes,
                dropped: random.happens(oneIn: 5) ? 7 : 0
            )
        }
        return Run(first: first, count: count)
    }

    private mutating func links() -> Run {
        guard random.happens(oneIn: 5) else { return .empty }
        let first = UInt32(columns.links.count)
        let attributes = columns.appendAttributes(pairs())
        columns.links.append(
            traceID: TraceID(high: 0, low: random.next()),
            spanID: SpanID(random.next() | 1),
            traceState: columns.strings.intern("linked=1"),
            flags: 0x301,
            attributes: attributes,
            dropped: 2
        )
        return Run(first: first, count: 1)
    }

    // MARK: Attributes

    private mutating func pairs() -> [AttributeValue.KeyValue] {
        var pairs = [pair("order.id", .string("order-\(random.number(below: 40))"))]
        for _ in 0..<random.number(below: 4) { pairs.append(drawn()) }
        return pairs
    }

    private mutating func drawn() -> AttributeValue.KeyValue {
        switch random.number(below: 9) {
        case 0: pair("http.status_code", .int(random.pick(from: [200, 404, 503, .min])))
        case 1: pair("retry", .bool(random.happens(oneIn: 2)))
        case 2: pair("ratio", .double(random.pick(from: [0.5, -17, 1e300, .infinity])))
        case 3: pair("nothing", .empty)
        case 4: pair("blob", .bytes([0, 255, UInt8(random.number(below: 9))]))
        case 5:
            pair("tags", .array([.string("a"), .int(Int64(random.number(below: 5))), .bool(true)]))
        case 6:
            pair("nested", .map([pair("inner", .array([.double(2.5)])), pair("Größe", .empty)]))
        // The same key with values of two types.
        case 7: pair("retry", .string("17"))
        default: pair("text", .string(String(repeating: "long ", count: random.number(below: 30))))
        }
    }
}
