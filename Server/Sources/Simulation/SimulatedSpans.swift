// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Spans that are made of a number: the number says everything about a span but the tenant.
///
/// Neighbouring numbers are often spans of one trace, and a trace gets spans again much later.
struct SimulatedSpans {
    static let traceCount = 6

    private static let services = ["gateway", "order", "stock"]
    private static let operations = ["GET /", "POST /order", "SELECT"]

    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// One to one, and never 0 for a number above 0.
    static func spanID(_ number: UInt64) -> SpanID { SpanID(number &* 0x9E37_79B9_7F4A_7C15) }

    static func traceID(_ index: Int) -> TraceID {
        TraceID(high: 7 &+ UInt64(index % 2), low: UInt64(index / 2 + 1) &* 0xD1B5_4A32_D192_ED03)
    }

    static var traceIDs: [TraceID] { (0..<traceCount).map(traceID) }

    static func trace(_ number: UInt64) -> Int {
        Int(mixed(number / 3) % UInt64(traceCount))
    }

    // MARK: Batches

    /// A batch of spans; `padding` bytes follow in the payload that mean nothing.
    static func batch(
        _ numbers: [UInt64],
        tenant: Tenant,
        receivedAt: UInt64,
        padding: Int
    ) -> SpanBatch {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + numbers.count * 8 + padding)
        append(UInt64(numbers.count), to: &bytes)
        for number in numbers { append(number, to: &bytes) }
        bytes += repeatElement(0x5A, count: padding)
        return SpanBatch(
            columns: columns(numbers),
            payload: Payload(
                format: .otlpProtobuf,
                bytes: bytes,
                receivedAt: receivedAt,
                tenant: tenant
            )
        )
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Reads such a payload again.
    struct Decoder: PayloadDecoder {
        struct Malformed: Error {}

        /// How often each span is given; more than once only to show that it is noticed.
        var copies = 1

        func decode(_ payload: Payload) throws -> SpanColumns {
            let bytes = payload.bytes
            func word(_ index: Int) -> UInt64 {
                bytes[index * 8..<index * 8 + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
            guard bytes.count >= 8, word(0) <= UInt64(bytes.count / 8 - 1) else {
                throw Malformed()
            }
            let numbers = (0..<Int(word(0))).map { word($0 + 1) }
            return SimulatedSpans.columns(Array(repeatElement(numbers, count: copies).joined()))
        }

        func decodeCalls(_ payload: Payload) throws -> CallCounts {
            try SimulatedCalls.decode(payload)
        }
    }

    // MARK: Spans

    static func columns(_ numbers: [UInt64]) -> SpanColumns {
        var columns = SpanColumns()
        var resources: [UInt32?] = Array(repeating: nil, count: services.count)
        let scope = columns.scopes.append(
            name: columns.strings.intern("simulated"),
            version: 0,
            attributes: .empty,
            dropped: 0,
            schemaURL: 0
        )
        for number in numbers {
            let mix = mixed(number)
            let service = Int(mix % UInt64(services.count))
            let resource = resources[service] ?? Self.resource(service, &columns)
            resources[service] = resource
            append(number, mix, resource, scope, &columns)
        }
        return columns
    }

    private static func resource(_ service: Int, _ columns: inout SpanColumns) -> UInt32 {
        let run = columns.appendAttributes([
            AttributeValue.KeyValue(key: "service.name", value: .string(services[service]))
        ])
        return columns.resources.append(
            service: columns.strings.intern(services[service]),
            attributes: run,
            dropped: 0,
            schemaURL: 0
        )
    }

    private static func append(
        _ number: UInt64,
        _ mix: UInt64,
        _ resource: UInt32,
        _ scope: UInt32,
        _ columns: inout SpanColumns
    ) {
        let trace = trace(number)
        let start = 1_700_000_000_000_000_000 &+ UInt64(trace) &* 60_000_000_000 &+ (mix >> 36)
        var pairs = [AttributeValue.KeyValue(key: "order.id", value: .string("order-\(mix % 977)"))]
        if mix & 0x100 != 0 {
            pairs.append(
                AttributeValue.KeyValue(key: "http.status_code", value: .int(Int64(mix % 7) + 200))
            )
        }
        if mix & 0x600 == 0 {
            pairs.append(AttributeValue.KeyValue(key: "retry", value: .bool(true)))
        }
        let attributes = columns.appendAttributes(pairs)
        var events = Run.empty
        if mix & 0x3000 == 0 {
            events = Run(first: UInt32(columns.events.count), count: 1)
            columns.events.append(
                time: start &+ 5,
                name: columns.strings.intern("exception"),
                attributes: .empty,
                dropped: 0
            )
        }
        // The one before is often of the same trace, and often there.
        let parent = number > 1 && mix & 0x30000 != 0 ? spanID(number - 1) : .none
        columns.append(
            SpanRow(
                traceID: traceID(trace),
                spanID: spanID(number),
                parentID: parent,
                start: start,
                end: start &+ (mix >> 20) % 5_000_000,
                name: columns.strings.intern(operations[Int((mix >> 24) % 3)]),
                kind: mix & 0x4000 == 0 ? .server : .client,
                status: mix & 0x38000 == 0 ? .error : .unset,
                statusMessage: 0,
                traceState: 0,
                flags: 1,
                resource: resource,
                scope: scope,
                attributes: attributes,
                events: events,
                links: .empty,
                droppedAttributes: 0,
                droppedEvents: 0,
                droppedLinks: 0,
                marks: []
            )
        )
    }

    // MARK: Comparing

    /// One number for everything that a span says.
    static func fingerprint(_ columns: borrowing SpanColumns, _ row: Int) -> UInt64 {
        let span = columns[row]
        var print = Fingerprint()
        print.add(span.traceID.high)
        print.add(span.traceID.low)
        print.add(span.spanID.raw)
        print.add(span.parentID.raw)
        print.add(span.start)
        print.add(span.end)
        print.add(columns.strings.text(span.name))
        print.add(UInt64(span.kind.rawValue) << 8 | UInt64(span.status.rawValue))
        print.add(columns.strings.text(span.statusMessage))
        print.add(columns.strings.text(span.traceState))
        print.add(UInt64(span.flags) << 8 | UInt64(span.marks.rawValue))
        print.add(UInt64(span.droppedAttributes &+ span.droppedEvents &+ span.droppedLinks))
        print.add(columns, span.attributes)
        for event in span.events.rows {
            print.add(columns.events.time[event])
            print.add(columns.strings.text(columns.events.name[event]))
            print.add(columns, columns.events.attributes[event])
        }
        print.add(UInt64(span.links.count))
        print.add(columns.strings.text(columns.resources.service[Int(span.resource)]))
        print.add(columns, columns.resources.attributes[Int(span.resource)])
        print.add(columns.strings.text(columns.scopes.name[Int(span.scope)]))
        return print.value
    }

    private struct Fingerprint {
        private(set) var value: UInt64 = 1

        mutating func add(_ number: UInt64) { value = SimulatedSpans.mixed(value ^ number) }

        mutating func add(_ text: String) {
            for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
            add(UInt64(text.utf8.count))
        }

        mutating func add(_ columns: borrowing SpanColumns, _ run: Run) {
            add(UInt64(run.count))
            for row in run.rows {
                add(columns.strings.text(columns.attributes.key[row]))
                switch columns.attributes[row] {
                case .string(let text): add(text)
                case .int(let number): add(UInt64(bitPattern: number))
                case .bool(let flag): add(flag ? 2 : 3)
                default: add(4)
                }
            }
        }
    }
}
