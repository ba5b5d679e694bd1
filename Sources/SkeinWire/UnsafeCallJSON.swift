// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Walks a metrics request in JSON and takes the call statistics out of it (`CallMetric`).
///
/// Members come in any order, so what needs another member first is skipped and read on the way back.
/// All bytes are read by `JSONReader`, within its bounds and depth.
struct CallJSONDecoder: ~Copyable {
    private(set) var builder: CallMetricsBuilder
    private var reader: JSONReader

    /// A decoder of `bytes`, which must outlive it.
    init(_ bytes: UnsafeRawBufferPointer, limits: DecodeLimits) {
        builder = CallMetricsBuilder(limits: limits)
        reader = JSONReader(bytes, depthLimit: 16 + 4 * limits.parsedDepth)
    }

    func error(_ fault: JSONFault) -> WireError { reader.error(fault) }

    mutating func request() throws(JSONFault) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard key.equals("resourceMetrics") else {
                try reader.skipValue()
                continue
            }
            if try reader.takeNull() { continue }
            try reader.beginArray()
            while try reader.nextElement() { try resourceMetrics() }
        }
        try reader.finish()
    }

    private mutating func resourceMetrics() throws(JSONFault) {
        let (head, bodies) = try parts("resource", "scopeMetrics")
        var service: String?
        if let head {
            let here = reader.move(to: head)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                guard key.equals("attributes") else {
                    try reader.skipValue()
                    continue
                }
                try attributes { key, value in
                    if key == "service.name", case .text(let text) = value { service = text }
                }
            }
            reader.move(back: here)
        }
        builder.beginResource(service: service)
        for body in bodies {
            let here = reader.move(to: body)
            try reader.beginArray()
            while try reader.nextElement() { try scopeMetrics() }
            reader.move(back: here)
        }
    }

    /// The places of two members of an object, the second as often as it stands there.
    private mutating func parts(
        _ first: StaticString,
        _ second: StaticString
    ) throws(JSONFault) -> (JSONReader.Bookmark?, [JSONReader.Bookmark]) {
        var found: JSONReader.Bookmark?
        var others: [JSONReader.Bookmark] = []
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let isFirst = key.equals(first)
            let isSecond = key.equals(second)
            if try reader.takeNull() { continue }
            let place = try reader.postpone()
            if isFirst { found = place }
            if isSecond { others.append(place) }
        }
        return (found, others)
    }

    private mutating func scopeMetrics() throws(JSONFault) {
        let (head, bodies) = try parts("scope", "metrics")
        var scope = CallScope()
        if let head {
            let here = reader.move(to: head)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                let isName = key.equals("name")
                let isAttributes = key.equals("attributes")
                if try reader.takeNull() { continue }
                if isName {
                    scope.name = try text()
                } else if isAttributes {
                    try attributes { key, value in
                        switch value {
                        case .text(let text): scope.set(key, text: text)
                        case .number(let number): scope.set(key, number: number)
                        default: break
                        }
                    }
                } else {
                    try reader.skipValue()
                }
            }
            reader.move(back: here)
        }
        guard scope.isOurs else { return builder.noteOther() }
        for body in bodies {
            let here = reader.move(to: body)
            try reader.beginArray()
            while try reader.nextElement() { try metric(scope) }
            reader.move(back: here)
        }
    }

    private mutating func metric(_ scope: CallScope) throws(JSONFault) {
        var name = ""
        var unit = ""
        var histogram: JSONReader.Bookmark?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let isName = key.equals("name")
            let isUnit = key.equals("unit")
            let isHistogram = key.equals("exponentialHistogram")
            if try reader.takeNull() { continue }
            if isName {
                name = try text()
            } else if isUnit {
                unit = try text()
            } else {
                let place = try reader.postpone()
                if isHistogram { histogram = place }
            }
        }
        guard name == CallMetric.name, unit == CallMetric.unit, let histogram else {
            return builder.noteOther()
        }
        let here = reader.move(to: histogram)
        let (temporality, points) = try parts("aggregationTemporality", "dataPoints")
        var isDelta = false
        if let temporality {
            let back = reader.move(to: temporality)
            if reader.peek() == UInt8(ascii: "\"") {
                let word = try text()
                isDelta = word == "AGGREGATION_TEMPORALITY_DELTA" || word == "1"
            } else {
                isDelta = try reader.uint64() == CallMetric.deltaTemporality
            }
            reader.move(back: back)
        }
        for place in points {
            let back = reader.move(to: place)
            try reader.beginArray()
            while try reader.nextElement() {
                let point = try point()
                if isDelta {
                    builder.add(point, of: scope)
                } else {
                    builder.reject("the temporality must be delta")
                }
            }
            reader.move(back: back)
        }
        reader.move(back: here)
    }

    private mutating func point() throws(JSONFault) -> CallPoint {
        var point = CallPoint()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let member = PointMember.allCases.first { key.equals($0.name) }
            if try reader.takeNull() { continue }
            switch member {
            case .attributes:
                try attributes { key, value in
                    switch value {
                    case .text(let text): point.set(key, text: text)
                    case .flag(let flag): point.set(key, flag: flag)
                    default: break
                    }
                }
            case .start: point.start = try reader.uint64()
            case .count: point.count = try reader.uint64()
            case .sum: point.sum = try reader.double()
            case .max: point.max = try reader.double()
            case .scale: point.scale = try small()
            case .zeroCount: point.zeroCount = try reader.uint64()
            case .positive: try buckets(&point)
            case .negative:
                var negative = CallPoint()
                try buckets(&negative)
                point.hasNegatives = negative.buckets.contains { $0 > 0 }
            case nil: try reader.skipValue()
            }
        }
        return point
    }

    private enum PointMember: CaseIterable {
        case attributes, start, count, sum, max, scale, zeroCount, positive, negative

        var name: StaticString {
            switch self {
            case .attributes: "attributes"
            case .start: "startTimeUnixNano"
            case .count: "count"
            case .sum: "sum"
            case .max: "max"
            case .scale: "scale"
            case .zeroCount: "zeroCount"
            case .positive: "positive"
            case .negative: "negative"
            }
        }
    }

    private mutating func buckets(_ point: inout CallPoint) throws(JSONFault) {
        let limit = LatencyBucket.count + 2
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let isOffset = key.equals("offset")
            let isCounts = key.equals("bucketCounts")
            if try reader.takeNull() { continue }
            if isOffset {
                point.offset = try small()
            } else if isCounts {
                try reader.beginArray()
                while try reader.nextElement() {
                    let count = try reader.uint64()
                    if point.buckets.count < limit { point.buckets.append(count) }
                }
            } else {
                try reader.skipValue()
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

    private mutating func attributes(_ body: (String, Value) -> Void) throws(JSONFault) {
        if try reader.takeNull() { return }
        try reader.beginArray()
        while try reader.nextElement() {
            var key = ""
            var value = Value.other
            try reader.beginObject()
            while let member = try reader.nextKey() {
                let isKey = member.equals("key")
                let isValue = member.equals("value")
                if try reader.takeNull() { continue }
                if isKey {
                    key = try text()
                } else if isValue {
                    value = try self.value()
                } else {
                    try reader.skipValue()
                }
            }
            body(key, value)
        }
    }

    private mutating func value() throws(JSONFault) -> Value {
        var value = Value.other
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let isText = key.equals("stringValue")
            let isNumber = key.equals("intValue")
            let isFlag = key.equals("boolValue")
            if try reader.takeNull() { continue }
            if isText {
                value = .text(try text())
            } else if isNumber {
                value = .number(try reader.int64())
            } else if isFlag {
                value = .flag(try reader.bool())
            } else {
                try reader.skipValue()
            }
        }
        return value
    }

    /// At most the first 2 KiB: nothing longer is kept, and every name that is too long stays so.
    private mutating func text() throws(JSONFault) -> String {
        String(decoding: try reader.text().prefix(2_048), as: UTF8.self)
    }

    /// A number that adds without overflow.
    private mutating func small() throws(JSONFault) -> Int64 {
        let value = try reader.int64()
        guard Int32(exactly: value) != nil else { throw reader.fault(.outOfRange) }
        return value
    }
}
