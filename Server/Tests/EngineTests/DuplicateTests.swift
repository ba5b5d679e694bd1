// SPDX-License-Identifier: Apache-2.0

import Engine
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// Spans that share ids and start, as no sender means them: none is lost, none stays twice, and to tell
/// them apart takes time that grows with their bytes alone.
@Suite(.timeLimit(.minutes(1))) struct DuplicateTests {
    /// In which field the spans of a batch differ.
    enum Difference: CaseIterable {
        case status, statusMessage, traceState, flags, scope, resource, event, link,
            attributeOfEvent
        case nothing
    }

    private static let traceID = TraceID(high: 1, low: 2)

    private func columns(_ difference: Difference, count: Int) -> SpanColumns {
        var columns = SpanColumns()
        func text(_ field: Difference, _ number: Int) -> String {
            field == difference ? "\(number)" : "same"
        }
        for number in 0..<count {
            if number == 0 || difference == .resource {
                _ = columns.resources.append(
                    service: columns.strings.intern("shop"),
                    attributes: columns.appendAttributes([
                        .init(key: "host.name", value: .string(text(.resource, number)))
                    ])
                )
            }
            if number == 0 || difference == .scope {
                _ = columns.scopes.append(
                    name: columns.strings.intern("lib"),
                    version: columns.strings.intern(text(.scope, number))
                )
            }
            let event = UInt32(columns.events.count)
            columns.events.append(
                time: 5,
                name: columns.strings.intern(text(.event, number)),
                attributes: columns.appendAttributes([
                    .init(key: "k", value: .string(text(.attributeOfEvent, number)))
                ])
            )
            let link = UInt32(columns.links.count)
            columns.links.append(
                traceID: Self.traceID,
                spanID: SpanID(difference == .link ? UInt64(number + 1) : 1)
            )
            columns.append(
                SpanRow(
                    traceID: Self.traceID,
                    spanID: SpanID(7),
                    start: 1_700_000_000_000_000_000,
                    end: 1_700_000_000_000_001_000,
                    name: columns.strings.intern("GET /"),
                    kind: .server,
                    status: difference == .status ? StatusCode.allCases[number % 3] : .ok,
                    statusMessage: columns.strings.intern(text(.statusMessage, number)),
                    traceState: columns.strings.intern(text(.traceState, number)),
                    flags: difference == .flags ? UInt32(number) : 1,
                    resource: UInt32(difference == .resource ? number : 0),
                    scope: UInt32(difference == .scope ? number : 0),
                    attributes: .init(first: 0, count: 0),
                    events: Run(first: event, count: 1),
                    links: Run(first: link, count: 1)
                )
            )
        }
        return columns
    }

    private func append(_ difference: Difference, _ count: Int, to core: StoreCore) throws {
        var payload = SpanGenerator.payload(seed: 1)
        payload.receivedAt = 1_700_000_000_000_000_000
        try core.append([
            SpanBatch(columns: columns(difference, count: count), payload: payload)
        ])
    }

    @Test(arguments: Difference.allCases)
    func `those that differ stay, and those that came twice do not`(
        difference: Difference
    ) throws {
        let core = try StoreCore.open(
            directory: "/store",
            options: EngineOptions(),
            disk: SimulatedDisk(),
            clock: SimulatedClock(),
            decoder: SpanGenerator.Decoder()
        )
        let count = 40_000
        let distinct = difference == .nothing ? 1 : difference == .status ? 3 : count
        try append(difference, count, to: core)
        let request = TraceRequest(ids: [Self.traceID])
        #expect(try core.traces(request).columns.count == distinct)
        try append(difference, count, to: core)
        #expect(try core.traces(request).columns.count == distinct)
        try core.flush()
        #expect(try core.traces(request).columns.count == distinct)
        #expect(core.statistics.spans == UInt64(distinct))
        core.close(flushing: false)
    }
}
