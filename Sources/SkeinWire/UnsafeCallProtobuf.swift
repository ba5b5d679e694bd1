// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Walks a metrics request in protobuf and takes the call statistics out of it (`CallMetric`).
///
/// Every field is read by `ProtobufCursor`, which checks what remains before it touches memory; the
/// windows on the payload that it gives are used before `request` returns.
struct CallProtobufDecoder {
    private(set) var builder: CallMetricsBuilder
    private let depths: DepthLimits

    init(limits: DecodeLimits) {
        builder = CallMetricsBuilder(limits: limits)
        depths = DepthLimits(parsed: limits.parsedDepth, stored: limits.storedDepth)
    }

    mutating func request(_ bytes: UnsafeRawBufferPointer) throws(ProtobufFault) {
        guard var cursor = ProtobufCursor(payload: bytes, .metricsRequest) else { return }
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2:
                try resourceMetrics(cursor.inner(try cursor.bytes(), .resourceMetrics))
            default: try cursor.skip(tag, depths)
            }
        }
    }

    private mutating func resourceMetrics(
        _ message: consuming ProtobufCursor
    ) throws(ProtobufFault) {
        var cursor = message
        let start = cursor.offset
        var service: String?
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: service = try self.service(cursor.inner(try cursor.bytes(), .resource))
            default: try cursor.skip(tag, depths)
            }
        }
        builder.beginResource(service: service)
        cursor = cursor.rewound(to: start)
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 2 << 3 | 2: try scopeMetrics(cursor.inner(try cursor.bytes(), .scopeMetrics))
            default: try cursor.skip(tag, depths)
            }
        }
    }

    private func service(_ message: consuming ProtobufCursor) throws(ProtobufFault) -> String? {
        var cursor = message
        var service: String?
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 1 << 3 | 2 else {
                try cursor.skip(tag, depths)
                continue
            }
            let pair = try pair(cursor.inner(try cursor.bytes(), .keyValue))
            if pair.key == "service.name", case .text(let text) = pair.value { service = text }
        }
        return service
    }

    private mutating func scopeMetrics(_ message: consuming ProtobufCursor) throws(ProtobufFault) {
        var cursor = message
        let start = cursor.offset
        var scope = CallScope()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: scope = try self.scope(cursor.inner(try cursor.bytes(), .scope))
            default: try cursor.skip(tag, depths)
            }
        }
        guard scope.isOurs else { return builder.noteOther() }
        cursor = cursor.rewound(to: start)
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 2 << 3 | 2: try metric(cursor.inner(try cursor.bytes(), .metric), scope)
            default: try cursor.skip(tag, depths)
            }
        }
    }

    private func scope(_ message: consuming ProtobufCursor) throws(ProtobufFault) -> CallScope {
        var cursor = message
        var scope = CallScope()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: scope.name = Self.text(try cursor.bytes())
            case 3 << 3 | 2:
                let pair = try pair(cursor.inner(try cursor.bytes(), .keyValue))
                switch pair.value {
                case .text(let text): scope.set(pair.key, text: text)
                case .number(let number): scope.set(pair.key, number: number)
                default: break
                }
            default: try cursor.skip(tag, depths)
            }
        }
        return scope
    }

    private mutating func metric(
        _ message: consuming ProtobufCursor,
        _ scope: CallScope
    ) throws(ProtobufFault) {
        var cursor = message
        let start = cursor.offset
        var name = ""
        var unit = ""
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: name = Self.text(try cursor.bytes())
            case 3 << 3 | 2: unit = Self.text(try cursor.bytes())
            default: try cursor.skip(tag, depths)
            }
        }
        guard name == CallMetric.name, unit == CallMetric.unit else { return builder.noteOther() }
        cursor = cursor.rewound(to: start)
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 10 << 3 | 2:
                try histogram(cursor.inner(try cursor.bytes(), .histogram), scope)
            default: try cursor.skip(tag, depths)
            }
        }
    }

    private mutating func histogram(
        _ message: consuming ProtobufCursor,
        _ scope: CallScope
    ) throws(ProtobufFault) {
        var cursor = message
        let start = cursor.offset
        var temporality: UInt64 = 0
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 2 << 3 | 0: temporality = try cursor.varint()
            default: try cursor.skip(tag, depths)
            }
        }
        cursor = cursor.rewound(to: start)
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 1 << 3 | 2 else {
                try cursor.skip(tag, depths)
                continue
            }
            let point = try point(cursor.inner(try cursor.bytes(), .point))
            if temporality == CallMetric.deltaTemporality {
                builder.add(point, of: scope)
            } else {
                builder.reject("the temporality must be delta")
            }
        }
    }

    private func point(_ message: consuming ProtobufCursor) throws(ProtobufFault) -> CallPoint {
        var cursor = message
        var point = CallPoint()
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2:
                let pair = try pair(cursor.inner(try cursor.bytes(), .keyValue))
                switch pair.value {
                case .text(let text): point.set(pair.key, text: text)
                case .flag(let flag): point.set(pair.key, flag: flag)
                default: break
                }
            case 2 << 3 | 1: point.start = try cursor.fixed64()
            case 4 << 3 | 1: point.count = try cursor.fixed64()
            case 5 << 3 | 1: point.sum = Double(bitPattern: try cursor.fixed64())
            case 6 << 3 | 0: point.scale = Self.zigZag(try cursor.varint())
            case 7 << 3 | 1: point.zeroCount = try cursor.fixed64()
            case 8 << 3 | 2: try buckets(cursor.inner(try cursor.bytes(), .buckets), &point)
            case 9 << 3 | 2:
                var negative = CallPoint()
                try buckets(cursor.inner(try cursor.bytes(), .buckets), &negative)
                point.hasNegatives = negative.buckets.contains { $0 > 0 }
            case 13 << 3 | 1: point.max = Double(bitPattern: try cursor.fixed64())
            default: try cursor.skip(tag, depths)
            }
        }
        return point
    }

    private func buckets(
        _ message: consuming ProtobufCursor,
        _ point: inout CallPoint
    ) throws(ProtobufFault) {
        var cursor = message
        // One more than may be: so the point is seen to have too many, and no more is kept.
        let limit = LatencyBucket.count + 2
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 0: point.offset = Self.zigZag(try cursor.varint())
            case 2 << 3 | 0:
                let count = try cursor.varint()
                if point.buckets.count < limit { point.buckets.append(count) }
            case 2 << 3 | 2:
                var packed = cursor.inner(try cursor.bytes(), .buckets)
                while !packed.atEnd {
                    let count = try packed.varint()
                    if point.buckets.count < limit { point.buckets.append(count) }
                }
            default: try cursor.skip(tag, depths)
            }
        }
    }

    // MARK: Values

    private enum Value {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case other
    }

    private func pair(
        _ message: consuming ProtobufCursor
    ) throws(ProtobufFault) -> (key: String, value: Value) {
        var cursor = message
        var key = ""
        var value = Value.other
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: key = Self.text(try cursor.bytes())
            case 2 << 3 | 2: value = try self.value(cursor.inner(try cursor.bytes(), .anyValue))
            default: try cursor.skip(tag, depths)
            }
        }
        return (key, value)
    }

    private func value(_ message: consuming ProtobufCursor) throws(ProtobufFault) -> Value {
        var cursor = message
        var value = Value.other
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: value = .text(Self.text(try cursor.bytes()))
            case 2 << 3 | 0: value = .flag(try cursor.varint() != 0)
            case 3 << 3 | 0: value = .number(Int64(bitPattern: try cursor.varint()))
            default: try cursor.skip(tag, depths)
            }
        }
        return value
    }

    /// At most the first 2 KiB: nothing longer is kept, and every name that is too long stays so.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix(2_048), as: UTF8.self)
    }

    /// An sint32 as a number that adds without overflow.
    private static func zigZag(_ value: UInt64) -> Int64 {
        let value = UInt32(truncatingIfNeeded: value)
        return Int64(Int32(bitPattern: value >> 1) ^ -Int32(bitPattern: value & 1))
    }
}
