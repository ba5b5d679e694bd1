// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import SwiftProtobuf

/// Random OTLP and Zipkin messages from a printed seed, with the shapes that break decoders: empty
/// and long text, every value type, deep nesting, extreme numbers, repeated keys.
struct MessageGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    private mutating func number() -> UInt64 {
        switch below(5) {
        case 0: 0
        case 1: .max
        case 2: UInt64(below(300))
        case 3: 1_795_000_000_000_000_000 + UInt64(below(1_000_000_000))
        default: next()
        }
    }

    private mutating func text() -> String {
        let samples = [
            "", "a", "GET /orders/{id}", "order.id", "订单", "🛒🧶", "exception.stacktrace",
            "\u{0}\n\t",
        ]
        return chance(10)
            ? String(repeating: samples[below(samples.count)], count: below(40))
            : samples[below(samples.count)]
    }

    private mutating func bytes(_ count: Int) -> Data {
        Data((0..<count).map { _ in UInt8(truncatingIfNeeded: next()) })
    }

    /// A trace or span id; never all zero, for those are rejected.
    private mutating func id(_ count: Int) -> Data {
        var id = bytes(count)
        id[0] |= 1
        return id
    }

    mutating func value(depth: Int = 0) -> Skein_Oracle_AnyValue {
        var value = Skein_Oracle_AnyValue()
        switch below(depth < 5 ? 8 : 6) {
        case 0: value.stringValue = text()
        case 1: value.boolValue = chance(50)
        case 2: value.intValue = Int64(bitPattern: number())
        case 3: value.doubleValue = [0, -0.5, .infinity, 1e300, .leastNonzeroMagnitude][below(5)]
        case 4: value.bytesValue = bytes(below(20))
        case 5: break
        case 6:
            value.arrayValue = .with { list in
                for _ in 0..<below(4) { list.values.append(self.value(depth: depth + 1)) }
            }
        default:
            value.kvlistValue = .with { list in
                for _ in 0..<below(4) { list.values.append(keyValue(depth: depth + 1)) }
            }
        }
        return value
    }

    private mutating func keyValue(depth: Int = 0) -> Skein_Oracle_KeyValue {
        var pair = Skein_Oracle_KeyValue()
        pair.key = text()
        pair.value = value(depth: depth)
        return pair
    }

    private mutating func keyValues() -> [Skein_Oracle_KeyValue] {
        (0..<below(6)).map { _ in keyValue() }
    }

    mutating func span() -> Skein_Oracle_Span {
        var span = Skein_Oracle_Span()
        span.traceID = id(16)
        span.spanID = id(8)
        if chance(70) { span.parentSpanID = id(8) }
        span.traceState = chance(20) ? "ot=th:fd70a4" : ""
        span.name = text()
        span.kind = .init(rawValue: below(6)) ?? .unspecified
        span.startTimeUnixNano = number()
        span.endTimeUnixNano = number()
        span.attributes = keyValues()
        span.droppedAttributesCount = UInt32(below(3))
        span.events = (0..<below(3)).map { _ in
            .with { event in
                event.timeUnixNano = number()
                event.name = text()
                event.attributes = keyValues()
                event.droppedAttributesCount = UInt32(below(2))
            }
        }
        span.droppedEventsCount = UInt32(below(3))
        span.links = (0..<below(3)).map { _ in
            .with { link in
                link.traceID = id(16)
                link.spanID = id(8)
                link.traceState = text()
                link.attributes = keyValues()
                link.flags = UInt32(truncatingIfNeeded: next())
            }
        }
        span.droppedLinksCount = UInt32(below(3))
        if chance(50) {
            span.status.code = .init(rawValue: below(3)) ?? .unset
            span.status.message = text()
        }
        span.flags = UInt32(truncatingIfNeeded: next())
        return span
    }

    mutating func request() -> Skein_Oracle_ExportRequest {
        var request = Skein_Oracle_ExportRequest()
        for index in 0..<below(4) {
            var resourceSpans = Skein_Oracle_ResourceSpans()
            // A number keeps resources distinct: equal ones are joined, which is another test.
            resourceSpans.resource.attributes =
                keyValues() + [
                    .with {
                        $0.key = "service.name"
                        $0.value.stringValue = "service-\(index)"
                    }
                ]
            resourceSpans.schemaURL = chance(20) ? "https://opentelemetry.io/schemas/1.26.0" : ""
            for scope in 0..<(1 + below(3)) {
                var scopeSpans = Skein_Oracle_ScopeSpans()
                scopeSpans.scope.name = "scope-\(scope)"
                scopeSpans.scope.version = chance(50) ? "1.\(below(9))" : ""
                scopeSpans.scope.attributes = chance(30) ? keyValues() : []
                scopeSpans.spans = (0..<(1 + below(5))).map { _ in span() }
                resourceSpans.scopeSpans.append(scopeSpans)
            }
            request.resourceSpans.append(resourceSpans)
        }
        return request
    }
}
