// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct SpanCopierTests {
    private func batch() -> SpanColumns {
        var columns = SpanColumns()
        let service = columns.strings.intern("shop")
        let attributes = columns.appendAttributes([
            .init(key: "service.name", value: .string("shop")),
            .init(key: "host", value: .array([.int(1)])),
        ])
        let schema = columns.strings.intern("https://schema")
        let resource = columns.resources.append(
            service: service,
            attributes: attributes,
            dropped: 3,
            schemaURL: schema
        )
        let name = columns.strings.intern("web")
        let version = columns.strings.intern("1.2")
        let scope = columns.scopes.append(name: name, version: version, dropped: 4)
        for index in 0..<10 {
            var row = SpanRow(
                traceID: TraceID(high: 1, low: UInt64(index + 1)),
                spanID: SpanID(UInt64(index + 100)),
                resource: resource,
                scope: scope
            )
            row.name = columns.strings.intern("operation \(index % 3)")
            row.statusMessage = columns.strings.intern("message")
            row.attributes = columns.appendAttributes([
                .init(key: "i", value: .int(Int64(index))), .init(key: "d", value: .double(0.5)),
            ])
            let eventAttributes = columns.appendAttributes([.init(key: "e", value: .bool(true))])
            let event = columns.strings.intern("loaded")
            row.events = Run(first: UInt32(columns.events.count), count: 1)
            columns.events.append(time: 5, name: event, attributes: eventAttributes, dropped: 6)
            row.links = Run(first: UInt32(columns.links.count), count: 1)
            columns.links.append(
                traceID: TraceID(high: 7, low: 8),
                spanID: SpanID(9),
                traceState: event,
                flags: 1
            )
            row.marks = index == 4 ? [.shared, .limited] : []
            columns.append(row)
        }
        return columns
    }

    @Test func `a copied span says the same in its new batch`() {
        let source = batch()
        var target = SpanColumns()
        // Something stands there already, so that no number can be right by chance.
        _ = target.strings.intern("occupied")
        _ = target.appendAttributes([.init(key: "occupied", value: .empty)])
        var copier = SpanCopier(source: source)
        for row in [7, 4, 1] { copier.copy(row, from: source, to: &target) }

        #expect(target.count == 3)
        for (place, row) in [7, 4, 1].enumerated() {
            let copy = target[place]
            let original = source[row]
            #expect(copy.traceID == original.traceID)
            #expect(copy.spanID == original.spanID)
            #expect(copy.marks == original.marks)
            #expect(target.strings.text(copy.name) == source.strings.text(original.name))
            #expect(target.strings.text(copy.statusMessage) == "message")
            #expect(target.keyValues(copy.attributes) == source.keyValues(original.attributes))
            let event = copy.events.rows.lowerBound
            #expect(target.strings.text(target.events.name[event]) == "loaded")
            #expect(target.events.dropped[event] == 6)
            #expect(
                target.keyValues(target.events.attributes[event])
                    == [.init(key: "e", value: .bool(true))]
            )
            let link = copy.links.rows.lowerBound
            #expect(target.links.traceHigh[link] == 7)
            #expect(target.strings.text(target.links.traceState[link]) == "loaded")
        }
    }

    @Test func `what spans share is carried over once`() {
        let source = batch()
        var target = SpanColumns()
        var copier = SpanCopier(source: source)
        for row in 0..<source.count { copier.copy(row, from: source, to: &target) }
        #expect(target.resources.count == 1)
        #expect(target.scopes.count == 1)
        #expect(target.resources.dropped[0] == 3)
        #expect(target.strings.text(target.resources.schemaURL[0]) == "https://schema")
        #expect(target.strings.text(target.service(0)) == "shop")
        let resource = target.keyValues(target.resources.attributes[0])
        #expect(resource == source.keyValues(source.resources.attributes[0]))
        #expect(target.scopes.dropped[0] == 4)
    }
}
