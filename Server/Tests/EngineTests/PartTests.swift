// SPDX-License-Identifier: Apache-2.0

import Engine
import SkeinModel
import Store
import StoreContract
import Testing

/// Parts of spans that no well-meaning sender would send: what goes in comes out, once, after a flush
/// and after a merge.
@Suite struct PartTests {
    enum Shape: String, CaseIterable, Sendable {
        case oneBareSpan, extremeTimes, manyNames, moreKeysThanColumns, repeatedKeys, everyType
        case longTexts, longTrace, oddFamilies, links, crowdedIDs, duplicates, manyResources
        case manyEventForms, uniqueTexts
    }

    @Test(arguments: Shape.allCases)
    func `what was written is read, flushed and merged`(shape: Shape) throws {
        let directory = TemporaryDirectory()
        var options = EngineOptions.small
        options.blockRows = 64
        let store = try StoreCore.open(
            directory: directory.path,
            options: options,
            decoder: SpanGenerator.Decoder()
        )
        var wanted: Set<SpanValue> = []
        for part in 0..<8 {
            let batch = Self.batch(shape, part: part)
            for row in 0..<batch.count { wanted.insert(SpanValue(batch.columns, row)) }
            try store.append([batch])
            try store.flush()
        }
        #expect(store.statistics.parts == 8)
        try Self.check(store, holds: wanted)
        store.close()
        options.merging = true
        let again = try StoreCore.open(
            directory: directory.path,
            options: options,
            decoder: SpanGenerator.Decoder()
        )
        again.maintain()
        #expect(again.statistics.parts == 1)
        try Self.check(again, holds: wanted)
        again.close()
    }

    private static func check(_ store: StoreCore, holds wanted: Set<SpanValue>) throws {
        let ids = Array(Set(wanted.map(\.traceID)))
        var found: [SpanValue] = []
        for first in stride(from: 0, to: ids.count, by: 500) {
            let some = Array(ids[first..<min(first + 500, ids.count)])
            let spans = try store.traces(TraceRequest(ids: some))
            #expect(spans.incomplete.isEmpty)
            for row in 0..<spans.columns.count { found.append(SpanValue(spans.columns, row)) }
        }
        #expect(found.count == wanted.count)
        #expect(Set(found) == wanted)
    }

    private static func batch(_ shape: Shape, part: Int) -> SpanBatch {
        var maker = Maker(part: part)
        switch shape {
        case .oneBareSpan: maker.add(trace: 1, span: 1)
        case .extremeTimes: maker.addExtremeTimes()
        case .manyNames:
            for index in 0..<maker.count(3_000) { maker.add(trace: index / 9, name: "n\(index)") }
        case .moreKeysThanColumns: maker.addManyKeys()
        case .repeatedKeys: maker.addRepeatedKeys()
        case .everyType: maker.addEveryType()
        case .longTexts: maker.addLongTexts()
        case .longTrace:
            for index in 0..<maker.count(5_000) { maker.add(trace: 7, parent: index / 3) }
        case .oddFamilies: maker.addOddFamilies()
        case .links: maker.addLinks()
        case .crowdedIDs: maker.addCrowdedIDs()
        case .duplicates: maker.addDuplicates()
        case .manyResources: maker.addManyResources()
        case .manyEventForms: maker.addManyEventForms()
        case .uniqueTexts: maker.addUniqueTexts()
        }
        return SpanBatch(columns: maker.columns, payload: SpanGenerator.payload(seed: UInt64(part)))
    }
}

/// Fills columns by hand.
private struct Maker: ~Copyable {
    var columns = SpanColumns()
    private let part: Int
    private var next: UInt64
    private var resource: UInt32
    private let scope: UInt32

    init(part: Int) {
        self.part = part
        next = UInt64(part) << 32 | 1
        let service = columns.strings.intern("shop")
        resource = columns.resources.append(service: service, attributes: .empty)
        scope = columns.scopes.append()
    }

    /// The first part is the largest.
    func count(_ largest: Int) -> Int { part == 0 ? largest : largest / 4 }

    mutating func add(
        trace: Int,
        high: UInt64 = 0,
        span: UInt64? = nil,
        parent: Int = 0,
        start: UInt64? = nil,
        end: UInt64? = nil,
        name: String = "work",
        status: StatusCode = .unset,
        message: String = "",
        attributes: Run = .empty,
        events: Run = .empty,
        links: Run = .empty
    ) {
        let id = span ?? next
        next += 1
        let begin = start ?? 1_700_000_000_000_000_000 + next * 977
        columns.append(
            SpanRow(
                traceID: TraceID(high: high, low: UInt64(trace)),
                spanID: SpanID(id),
                parentID: SpanID(UInt64(parent)),
                start: begin,
                end: end ?? begin &+ 1_000,
                name: columns.strings.intern(name),
                status: status,
                statusMessage: columns.strings.intern(message),
                resource: resource,
                scope: scope,
                attributes: attributes,
                events: events,
                links: links
            )
        )
    }

    private mutating func attributes(_ pairs: [(String, AttributeValue)]) -> Run {
        columns.appendAttributes(pairs.map { .init(key: $0.0, value: $0.1) })
    }

    mutating func addExtremeTimes() {
        let times: [UInt64] = [0, 1, 1 << 63, .max - 1, .max]
        for (index, start) in times.enumerated() {
            for end in times { add(trace: index % 2, start: start, end: end) }
        }
    }

    mutating func addManyKeys() {
        for index in 0..<count(2_500) {
            let run = attributes([
                ("key.\(index)", .string("v\(index % 7)")), ("common", .int(Int64(index))),
                ("number.\(index)", .int(Int64(index) - 1_000)), ("key.\(index / 2)", .string("")),
            ])
            add(trace: index / 10, attributes: run)
        }
    }

    mutating func addRepeatedKeys() {
        for index in 0..<count(300) {
            var pairs: [(String, AttributeValue)] = []
            for repeated in 0..<index % 7 { pairs.append(("twice", .string("\(repeated)"))) }
            pairs.append(("twice", .int(Int64(index))))
            pairs.append(("twice", .empty))
            pairs.append(("twice", .string(index % 2 == 0 ? "" : "last")))
            add(trace: index / 5, attributes: attributes(pairs))
        }
    }

    mutating func addEveryType() {
        for index in 0..<count(400) {
            let number = Int64(index) - 200
            let run = attributes([
                ("empty", .empty), ("text", .string("Grüße \(index % 3)")),
                ("flag", .bool(index % 2 == 0)),
                ("int", .int(number &* 0x7FFF_FFFF_FFFF)), ("edge", .int(index == 0 ? .min : .max)),
                ("double", .double(Double(number) / 3)),
                ("zero", .double(index % 2 == 0 ? -0.0 : 0.0)),
                ("infinite", .double(-.infinity)), ("bytes", .bytes([0, UInt8(index & 255), 255])),
                ("array", .array([.int(number), .string("a"), .array([.empty])])),
                (
                    "map",
                    .map([.init(key: "k", value: .double(0.5)), .init(key: "k", value: .empty)])
                ),
            ])
            add(trace: index / 8, status: .error, message: "\(index % 5)", attributes: run)
        }
    }

    mutating func addLongTexts() {
        let long = String(repeating: "x", count: 40_000)
        for index in 0..<count(150) {
            // Repeated often enough for a dictionary, longer than a page, different at the end only.
            let run = attributes([
                ("shared", .string(long + "\(index % 12)")),
                ("prefix", .string(String(long.prefix(index)))),
                ("other", .string("\(index)" + long.prefix(index * 7))),
            ])
            add(trace: index / 4, name: String(long.prefix(index % 40)), attributes: run)
        }
    }

    mutating func addOddFamilies() {
        for index in 0..<count(400) {
            let trace = index / 100
            let own = UInt64(1_000 + index)
            // Its own parent; a parent that comes later, starts later, is missing, is there twice.
            let parents = [1_000 + index, 1_001 + index, 999_999, 1_000 + trace * 100, 5]
            add(trace: trace, span: index % 50 == 3 ? 5 : own, parent: parents[index % 5])
        }
    }

    mutating func addLinks() {
        for index in 0..<count(300) {
            let first = columns.links.count
            let targets: [(UInt64, UInt64, UInt64)] = [
                (0, UInt64(index / 10), next - 1), (0, UInt64(index / 10), next + 1),
                (0, UInt64(index / 10), 77), (9, UInt64(index / 10), next - 1),
                (UInt64.max, UInt64.max, UInt64(index)),
            ]
            for (number, target) in targets.prefix(index % 6).enumerated() {
                let run = attributes(number == 1 ? [("kind", .string("k\(index % 3)"))] : [])
                columns.links.append(
                    traceID: TraceID(high: target.0, low: target.1),
                    spanID: SpanID(target.2),
                    traceState: columns.strings.intern(number == 2 ? "a=\(index % 4)" : ""),
                    flags: UInt32(number),
                    attributes: run,
                    dropped: UInt32(index % 2)
                )
            }
            let count = UInt32(columns.links.count - first)
            add(trace: index / 10, links: Run(first: UInt32(first), count: count))
        }
    }

    mutating func addCrowdedIDs() {
        // Ids that differ in their high half only, ids next to each other, and one far away: all get
        // one key of the index.
        for index in 0..<count(100) { add(trace: 5, high: UInt64(index)) }
        for index in 0..<count(200) { add(trace: index + 10) }
        add(trace: Int.max, high: .max)
    }

    mutating func addDuplicates() {
        for index in 0..<count(500) {
            // Exact ones, in both parts, and ones that differ in one place.
            let run = attributes([("n", .int(Int64(index % 3)))])
            add(
                trace: 1,
                span: 42,
                start: 1_000,
                end: 2_000,
                name: index % 10 == 0 ? "other" : "same",
                attributes: run
            )
        }
    }

    mutating func addManyResources() {
        for index in 0..<count(500) {
            let service = columns.strings.intern("service \(index % 20)")
            let run = attributes([("host", .string("h\(index % 250)")), ("pid", .int(Int64(part)))])
            resource = columns.resources.append(
                service: service,
                attributes: run,
                dropped: UInt32(index % 2)
            )
            add(trace: index / 6)
        }
    }

    mutating func addManyEventForms() {
        for index in 0..<count(300) {
            let first = columns.events.count
            for number in 0..<index % 5 {
                let run = attributes([
                    ("e.\(number)", .string("\(index)")), ("n", .int(Int64(number))),
                ])
                columns.events.append(
                    time: number == 3 ? 0 : .max - UInt64(index),
                    name: columns.strings.intern("event \(number * index % 17)"),
                    attributes: number == 2 ? .empty : run,
                    dropped: UInt32(number)
                )
            }
            let count = UInt32(columns.events.count - first)
            add(trace: index / 12, events: Run(first: UInt32(first), count: count))
        }
    }

    mutating func addUniqueTexts() {
        // So many that numbering stops in the middle, then few again.
        for index in 0..<count(9_000) {
            let text = index < 6_000 ? "id-\(part)-\(index &* 7_919)" : "same"
            add(trace: index / 40, attributes: attributes([("id", .string(text))]))
        }
    }
}
