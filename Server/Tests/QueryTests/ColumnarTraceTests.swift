// SPDX-License-Identifier: Apache-2.0

import Foundation
import Query
import SkeinModel
import Testing

/// A reader of TRV1 as a page would write one, from the format's table alone.
struct ColumnarReader {
    struct Header: Decodable {
        var traceId: String
        var t0: String
        var duration: String
        var n: Int
        var unitNanos: UInt64
        var services: [String]
        var names: [String]
        var warnings: [String]
    }

    let header: Header
    var start: [UInt32] = []
    var duration: [UInt32] = []
    var parent: [Int32] = []
    var name: [UInt32] = []
    var service: [UInt16] = []
    var depth: [UInt16] = []
    var kind: [UInt8] = []
    var flags: [UInt8] = []

    init(_ bytes: [UInt8]) throws {
        #expect(bytes.prefix(4).elementsEqual("TRV1".utf8))
        var offset = 4
        func take<Number: FixedWidthInteger>(_: Number.Type) -> Number {
            defer { offset += Number.bitWidth / 8 }
            return bytes[offset..<offset + Number.bitWidth / 8].reversed()
                .reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
        }
        let length = Int(take(UInt32.self))
        #expect((8 + length) % 8 == 0)
        header = try JSONDecoder().decode(Header.self, from: Data(bytes[8..<8 + length]))
        offset = 8 + length
        let rows = 0..<header.n
        start = rows.map { _ in take(UInt32.self) }
        duration = rows.map { _ in take(UInt32.self) }
        parent = rows.map { _ in Int32(bitPattern: take(UInt32.self)) }
        name = rows.map { _ in take(UInt32.self) }
        service = rows.map { _ in take(UInt16.self) }
        depth = rows.map { _ in take(UInt16.self) }
        kind = rows.map { _ in take(UInt8.self) }
        flags = rows.map { _ in take(UInt8.self) }
        #expect(offset == bytes.count)
    }
}

@Suite struct ColumnarTraceTests {
    private func read(_ spans: [TestSpan], isRaw: Bool = false) async throws -> ColumnarReader {
        let engine = QueryEngine(store: MemoryStore(spans), now: { 0 })
        let trace = try #require(try await engine.traces(spans[0].trace, isRaw: isRaw).first)
        return try ColumnarReader(trace.columnarBytes())
    }

    @Test func `a trace reads back row by row, depth first`() async throws {
        let read = try await read([
            TestSpan(id: 1, service: "web", name: "GET \"/\"\n", start: 1000, duration: 500),
            TestSpan(id: 3, parent: 1, service: "db", name: "q", start: 1200, status: .error),
            TestSpan(
                id: 2,
                parent: 1,
                service: "web",
                start: 1100,
                kind: .client,
                events: [("e", [])],
                links: [.zero]
            ),
            TestSpan(id: 4, parent: 9, service: "db", start: 1300),
        ])
        #expect(read.header.traceId == "000000000000000a0000000000000001")
        #expect(read.header.t0 == "1000")
        #expect(read.header.duration == "500")
        #expect(read.header.unitNanos == 1)
        #expect(read.header.services == ["web", "db"])
        #expect(read.header.names == ["GET \"/\"\n", "op", "q"])
        #expect(read.header.warnings.count == 1)
        #expect(read.start == [0, 100, 200, 300])
        #expect(read.duration == [500, 100, 100, 100])
        #expect(read.parent == [-1, 0, 0, -1])
        #expect(read.name == [0, 1, 2, 1])
        #expect(read.service == [0, 0, 1, 1])
        #expect(read.depth == [0, 1, 1, 0])
        #expect(read.kind == [0, SpanKind.client.rawValue, 0, 0])
        #expect(read.flags == [0, 8 | 16, 1, 2])
    }

    @Test(
        arguments: [
            (3_999_999_999, 1), (4_000_000_000, 1), (4_294_967_295, 1), (4_294_967_296, 10),
            (3_600_000_000_000, 1000), (UInt64.max - 1000, 10_000_000_000),
        ] as [(UInt64, UInt64)]
    )
    func `the unit is the least power of ten that fits`(
        duration: UInt64,
        unit: UInt64
    ) async throws {
        let read = try await read([TestSpan(id: 1, start: 1000, duration: duration)])
        #expect(read.header.unitNanos == unit)
        #expect(read.duration == [UInt32(duration / unit)])
    }

    @Test func `a chain deeper than 16 bits saturates its depth`() async throws {
        let spans = (1...70_000).map {
            TestSpan(id: $0, parent: $0 - 1, start: 1000, duration: 1)
        }
        let read = try await read(spans)
        #expect(read.depth.last == .max)
        #expect(read.parent == (-1..<69_999).map { Int32($0) })
    }

    @Test func `raw leaves clocks and shared spans as they were sent`() async throws {
        let spans = [
            TestSpan(
                id: 2,
                service: "web",
                start: 5000,
                duration: 1000,
                kind: .client,
                resource: [pair("host.name", .string("a"))]
            ),
            TestSpan(
                id: 2,
                service: "cart",
                start: 1000,
                kind: .server,
                resource: [pair("host.name", .string("b"))]
            ),
        ]
        let raw = try await read(spans, isRaw: true)
        #expect(raw.flags == [0, 0])
        #expect(raw.header.t0 == "1000")
        let adjusted = try await read(spans)
        #expect(adjusted.flags == [0, 4 | 32])
        #expect(adjusted.parent == [-1, 0])
        #expect(adjusted.header.t0 == "5000")
        #expect(adjusted.start == [0, 450])
    }
}
