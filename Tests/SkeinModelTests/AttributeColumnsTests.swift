// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct AttributeColumnsTests {
    @Test(arguments: [
        AttributeValue.empty, .string(""), .string("🧶"), .bool(false), .int(-7), .double(.zero),
        .bytes([0]), .array([.empty]), .map([.init(key: "a", value: .int(1))]),
    ])
    func `gives back what it was given`(value: AttributeValue) {
        var columns = SpanColumns()
        let run = columns.appendAttributes([.init(key: "k", value: value)])
        #expect(columns.keyValues(run) == [.init(key: "k", value: value)])
        #expect(columns.attributes.type(0) == value.type)
    }

    @Test func `truncating takes back rows and their bytes`() {
        var columns = SpanColumns()
        _ = columns.appendAttributes([.init(key: "a", value: .string("kept"))])
        let byteCount = columns.attributes.bytes.count
        _ = columns.appendAttributes([.init(key: "b", value: .string("taken back"))])
        columns.attributes.truncate(to: 1, byteCount: byteCount)
        let run = columns.appendAttributes([.init(key: "c", value: .string("new"))])
        #expect(columns.attributes.count == 2)
        #expect(columns.keyValues(run) == [.init(key: "c", value: .string("new"))])
        #expect(columns.attributes[0] == .string("kept"))
    }

    @Test func `a span that ends before it starts has no duration`() {
        var columns = SpanColumns()
        var row = SpanRow(traceID: .zero, spanID: .none, resource: 0, scope: 0)
        row.start = 10
        row.end = 4
        columns.append(row)
        row.end = 14
        columns.append(row)
        #expect(columns.duration(0) == 0)
        #expect(columns.duration(1) == 4)
    }
}
