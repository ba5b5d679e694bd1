// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct PackedColumnsTests {
    /// Two spans with something in every table, one column of zeros beside one that is not.
    private static func batch(_ salt: UInt64 = 0) -> SpanColumns {
        var columns = SpanColumns(capacity: 100)
        let resource = columns.resources.append(
            service: columns.strings.intern("shop"),
            attributes: columns.appendAttributes([.init(key: "host", value: .string("a"))])
        )
        let scope = columns.scopes.append(name: columns.strings.intern("library"))
        for index in UInt64(0)..<2 {
            columns.events.append(time: 5 + index, name: columns.strings.intern("event"))
            columns.links.append(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3 + salt))
            columns.append(
                SpanRow(
                    traceID: TraceID(high: 0, low: 7 + salt),
                    spanID: SpanID(8 + index),
                    start: 10,
                    end: 20,
                    name: columns.strings.intern("GET \(index + salt)"),
                    resource: resource,
                    scope: scope,
                    attributes: columns.appendAttributes([
                        .init(key: "order", value: .int(Int64(index))),
                        .init(key: "text", value: .string(String(repeating: "x", count: 50))),
                    ]),
                    events: Run(first: UInt32(index), count: 1),
                    links: Run(first: UInt32(index), count: 1),
                    marks: index == 0 ? [] : .limited
                )
            )
        }
        return columns
    }

    private static func text(_ columns: borrowing SpanColumns) -> [String] {
        (0..<columns.count).map { row in
            let span = columns[row]
            return "\(span) \(columns.strings.text(span.name)) "
                + "\(columns.strings.text(columns.service(row))) "
                + "\(columns.keyValues(span.attributes)) \(columns.events.time[row]) "
                + "\(columns.links.spanID[row]) \(columns.keyValues(columns.resources.attributes[0]))"
        }
    }

    @Test func `a packed batch holds the same in less memory`() {
        let columns = Self.batch()
        let packed = columns.packed()
        #expect(Self.text(packed) == Self.text(columns))
        #expect(packed.allocatedByteCount < columns.allocatedByteCount / 4)
        #expect(packed.traceState.count == 2)
        #expect(packed.strings.count == columns.strings.count)
        let again = packed.packed()
        #expect(Self.text(again) == Self.text(columns))
    }

    @Test func `a packed batch finds its strings`() {
        let packed = Self.batch().packed()
        #expect(packed.strings.find("GET 1").map { packed.strings.text($0) } == "GET 1")
        #expect(packed.strings.find("") == 0)
        #expect(packed.strings.find("nowhere") == nil)
    }

    @Test func `changing a packed batch changes no other`() {
        let columns = Self.batch()
        var packed = columns.packed()
        let other = columns.packed()
        packed.traceState[0] = 9
        packed.marks[0] = 1
        packed.start[1] = 99
        packed.start.append(100)
        packed.end.truncate(to: 1)
        packed.end.append(77)
        #expect(packed.strings.intern("GET 1") == columns.strings.find("GET 1"))
        #expect(packed.strings.intern("new") == UInt32(columns.strings.count))
        #expect(packed.traceState[0] == 9)
        #expect(packed.traceState[1] == 0)
        #expect(packed.start[2] == 100)
        #expect(packed.end[1] == 77)
        #expect(Self.text(other) == Self.text(columns))
        #expect(other.traceState[0] == 0)
        #expect(Self.batch().packed().traceState[0] == 0)
    }

    @Test func `nothing packs to nothing`() {
        let packed = SpanColumns(capacity: 50).packed()
        #expect(packed.count == 0)
        #expect(packed.strings.text(0) == "")
    }

    @Test func `a batch that was emptied is as new`() {
        var columns = Self.batch(5)
        columns.removeAll()
        #expect(columns.count == 0)
        #expect(columns.strings.count == 1)
        #expect(columns.strings.find("shop") == nil)
        #expect(columns.attributes.count == 0)
        #expect(columns.events.count == 0)
        #expect(columns.links.count == 0)
        #expect(columns.resources.count == 0)
    }
}
