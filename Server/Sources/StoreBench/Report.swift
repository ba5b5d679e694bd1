// SPDX-License-Identifier: Apache-2.0

import Glibc
import SkeinModel
import SkeinWire
import Store

/// One line of output.
struct Report {
    private var json = JSONWriter()

    /// Tells no times.
    init() { json.beginObject() }

    /// Tells what was used since `start`.
    init(since start: Moment) {
        let now = Moment()
        self.init()
        json.key("cpu_ms")
        json.double(Double(now.cpu - start.cpu) / 1e6)
        json.key("wall_ms")
        json.double(Double(now.wall - start.wall) / 1e6)
    }

    /// Ends the line and sends it off.
    mutating func end() {
        json.endObject()
        print(String(decoding: json.take(), as: UTF8.self))
        fflush(nil)
    }

    /// Why there is no answer.
    mutating func failure(_ reason: String) {
        json.key("failure")
        json.string(reason)
    }

    mutating func statistics(_ numbers: StoreStatistics) {
        let all: [(String, UInt64)] = [
            ("spans", numbers.spans), ("head_spans", numbers.headSpans),
            ("parts", UInt64(numbers.parts)), ("part_bytes", numbers.partBytes),
            ("log_bytes", numbers.logBytes), ("damaged_records", numbers.damagedRecords),
            ("quarantined_parts", UInt64(numbers.quarantinedParts)),
        ]
        for (name, value) in all {
            json.key(name)
            json.uint(value)
        }
    }

    mutating func answer(_ answer: Answer) {
        switch answer {
        case .trace(let spans):
            incomplete(spans.incomplete)
            trace(spans.columns)
        case .scan(let result):
            incomplete(result.incomplete)
            list(result.traces) { $0.string($1.traceID.hex) }
        case .totals(let totals):
            incomplete(totals.incomplete)
            self.totals(totals)
        case .services(let names):
            incomplete(names.incomplete)
            list(names.names) { $0.string($1.text) }
        case .walk(let walked):
            incomplete(walked.incomplete)
            self.walked(walked)
        }
    }

    private mutating func walked(_ walked: Walked) {
        json.key("answer")
        json.beginObject()
        for (name, count) in [
            ("traces", walked.traces), ("spans", walked.spans), ("in_range", walked.inRange),
            ("with_parent", walked.withParent), ("values", walked.values),
        ] {
            json.key(name)
            json.uint(UInt64(count))
        }
        json.endObject()
    }

    /// How many spans, and their ids and digests XORed: enough to know the trace for the very one.
    private mutating func trace(_ spans: borrowing SpanColumns) {
        var ids: UInt64 = 0
        var content: UInt64 = 0
        for row in 0..<spans.count {
            ids ^= spans.spanID[row]
            content ^= Digest(of: row, in: spans).value
        }
        json.key("answer")
        json.beginObject()
        json.key("spans")
        json.uint(UInt64(spans.count))
        json.key("ids_xor")
        json.string(SpanID(ids).hex)
        json.key("content_xor")
        json.string(SpanID(content).hex)
        json.endObject()
    }

    /// Rows of names, calls and errors, and of operations the percentiles too.
    private mutating func totals(_ totals: Totals) {
        json.key("answer")
        json.beginArray()
        for line in totals.lines {
            json.beginArray()
            json.string(line.service)
            json.string(line.operation ?? "")
            json.uint(line.total.callCount)
            json.uint(line.total.errorCount)
            for quantile in line.total.quantiles { json.uint(quantile) }
            json.endArray()
        }
        for edge in totals.edges {
            json.beginArray()
            json.string(edge.parent)
            json.string(edge.child)
            json.uint(edge.total.callCount)
            json.uint(edge.total.errorCount)
            json.endArray()
        }
        json.endArray()
    }

    private mutating func incomplete(_ reasons: [String]) {
        json.key("incomplete")
        json.beginArray()
        for reason in reasons { json.string(reason) }
        json.endArray()
    }

    private mutating func list<Element>(
        _ elements: [Element],
        _ write: (inout JSONWriter, Element) -> Void
    ) {
        json.key("answer")
        json.beginArray()
        for element in elements { write(&json, element) }
        json.endArray()
    }
}
