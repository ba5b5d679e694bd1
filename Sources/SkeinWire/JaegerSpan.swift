// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// One span of Jaeger's JSON as it stands there, before its tags become fields.
struct JaegerSpan {
    /// Ids, times and flags. Resource and scope come later.
    var row = SpanRow(traceID: .zero, spanID: .none, resource: 0, scope: 0)
    var operation = ""
    /// The deprecated `parentSpanID`.
    var parentID = SpanID.none
    var processID = ""
    /// A process written into the span itself.
    var process: JSONReader.Bookmark?
    var tags: [AttributeValue.KeyValue] = []
    var logs: [Log] = []
    var references: [Reference] = []
    /// Why this span cannot be taken, while the others can.
    var problem: String?

    struct Log {
        /// Nanoseconds since 1970.
        var time: UInt64 = 0
        var fields: [AttributeValue.KeyValue] = []
    }

    struct Reference {
        var isChild = false
        var traceID = TraceID.zero
        var spanID = SpanID.none
    }

    init(_ reader: inout JSONReader) throws(JSONFault) {
        var start: UInt64 = 0
        var duration: UInt64 = 0
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key.equals("traceID") {
                row.traceID = try traceID(&reader)
            } else if key.equals("spanID") {
                row.spanID = try spanID(&reader)
            } else if key.equals("parentSpanID") {
                parentID = try spanID(&reader)
            } else if key.equals("operationName") {
                operation = try JaegerTags.text(&reader)
            } else if key.equals("startTime") {
                start = try microseconds(&reader)
            } else if key.equals("duration") {
                duration = try microseconds(&reader)
            } else if key.equals("flags") {
                row.flags = try reader.takeNull() ? 0 : try reader.uint32() & 0xFF
            } else if key.equals("processID") {
                processID = try JaegerTags.text(&reader)
            } else if key.equals("process") {
                if try !reader.takeNull() { process = try reader.postpone() }
            } else if key.equals("tags") {
                tags = try JaegerTags.list(&reader)
            } else if key.equals("logs") {
                try readLogs(&reader)
            } else if key.equals("references") {
                try readReferences(&reader)
            } else {
                try reader.skipValue()
            }
        }
        if !row.traceID.isValid { refuse("its traceID is not a hexadecimal id") }
        if !row.spanID.isValid { refuse("its spanID is not a hexadecimal id") }
        let (end, overflow) = start.addingReportingOverflow(duration)
        if overflow { refuse("its end is out of range") }
        row.start = start
        row.end = end
    }

    private mutating func refuse(_ reason: String) {
        if problem == nil { problem = reason }
    }

    private mutating func readLogs(_ reader: inout JSONReader) throws(JSONFault) {
        if try reader.takeNull() { return }
        try reader.beginArray()
        while try reader.nextElement() {
            var log = Log()
            try reader.beginObject()
            while let key = try reader.nextKey() {
                if key.equals("timestamp") {
                    log.time = try microseconds(&reader)
                } else if key.equals("fields") {
                    log.fields = try JaegerTags.list(&reader)
                } else {
                    try reader.skipValue()
                }
            }
            logs.append(log)
        }
    }

    private mutating func readReferences(_ reader: inout JSONReader) throws(JSONFault) {
        if try reader.takeNull() { return }
        try reader.beginArray()
        while try reader.nextElement() {
            var reference = Reference()
            try reader.beginObject()
            while let key = try reader.nextKey() {
                if key.equals("refType") {
                    reference.isChild = try JaegerTags.text(&reader) == "CHILD_OF"
                } else if key.equals("traceID") {
                    reference.traceID = try traceID(&reader)
                } else if key.equals("spanID") {
                    reference.spanID = try spanID(&reader)
                } else {
                    try reader.skipValue()
                }
            }
            guard reference.traceID.isValid, reference.spanID.isValid else {
                refuse("a reference has an id that is not hexadecimal")
                continue
            }
            references.append(reference)
        }
    }

    private func traceID(_ reader: inout JSONReader) throws(JSONFault) -> TraceID {
        TraceID(hex: try JaegerTags.text(&reader)) ?? .zero
    }

    private func spanID(_ reader: inout JSONReader) throws(JSONFault) -> SpanID {
        SpanID(hex: try JaegerTags.text(&reader)) ?? .none
    }

    /// A number of microseconds, in nanoseconds.
    private mutating func microseconds(_ reader: inout JSONReader) throws(JSONFault) -> UInt64 {
        if try reader.takeNull() { return 0 }
        let (value, overflow) = try reader.uint64().multipliedReportingOverflow(by: 1_000)
        if overflow { refuse("a time is out of range") }
        return overflow ? 0 : value
    }
}

/// Tags and log fields: `{"key": ..., "type": ..., "value": ...}`.
enum JaegerTags {
    static func list(
        _ reader: inout JSONReader
    ) throws(JSONFault) -> [AttributeValue.KeyValue] {
        var tags: [AttributeValue.KeyValue] = []
        if try reader.takeNull() { return tags }
        try reader.beginArray()
        while try reader.nextElement() { tags.append(try tag(&reader)) }
        return tags
    }

    /// A string; empty for `null`.
    static func text(_ reader: inout JSONReader) throws(JSONFault) -> String {
        try reader.takeNull() ? "" : String(decoding: try reader.text(), as: UTF8.self)
    }

    private static func tag(
        _ reader: inout JSONReader
    ) throws(JSONFault) -> AttributeValue.KeyValue {
        var tag = AttributeValue.KeyValue(key: "", value: .empty)
        var type = ""
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key.equals("key") {
                tag.key = try text(&reader)
            } else if key.equals("type") {
                type = try text(&reader)
            } else if key.equals("value") {
                tag.value = try value(&reader)
            } else {
                try reader.skipValue()
            }
        }
        tag.value = typed(tag.value, type)
        return tag
    }

    private static func value(_ reader: inout JSONReader) throws(JSONFault) -> AttributeValue {
        switch reader.peek() {
        case UInt8(ascii: "\""): return .string(try text(&reader))
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool(try reader.bool())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let digits = try written(&reader)
            if let whole = Int64(digits) { return .int(whole) }
            guard let number = Double(digits) else { throw reader.fault(.badNumber) }
            return .double(number)
        case UInt8(ascii: "n"):
            _ = try reader.takeNull()
            return .empty
        // Jaeger writes no lists. Those of others are kept as their JSON text.
        default: return .string(try written(&reader))
        }
    }

    /// The next value as it is written.
    private static func written(_ reader: inout JSONReader) throws(JSONFault) -> String {
        let place = try reader.postpone()
        return String(decoding: reader.written(place), as: UTF8.self)
    }

    /// `value` as its type says: JSON has one kind of number, and large ones come as text.
    private static func typed(_ value: AttributeValue, _ type: String) -> AttributeValue {
        switch (type, value) {
        case ("int64", .string(let text)): Int64(text).map { .int($0) } ?? value
        case ("int64", .double(let number)): Int64(exactly: number).map { .int($0) } ?? value
        case ("float64", .string(let text)): Double(text).map { .double($0) } ?? value
        case ("float64", .int(let number)): .double(Double(number))
        case ("bool", .string("true")): .bool(true)
        case ("bool", .string("false")): .bool(false)
        case ("binary", .string(let text)): Base64.decode(text.utf8).map { .bytes($0) } ?? value
        default: value
        }
    }
}
