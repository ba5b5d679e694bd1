// SPDX-License-Identifier: Apache-2.0

public import Engine

import SkeinModel
import Store
import StoreContract

/// What a golden directory answers to every kind of question, as lines of text to compare.
public struct GoldenAnswers: Sendable {
    /// A question, and what came.
    public struct Answer: Sendable, Equatable {
        public let question: String
        public let lines: [String]
        /// Whether the store says that something may be missing.
        public let isIncomplete: Bool

        /// As it stands in the file of expectations.
        public var text: String {
            ([isIncomplete ? "## \(question) (incomplete)" : "## \(question)"] + lines)
                .joined(separator: "\n") + "\n"
        }
    }

    public private(set) var answers: [Answer] = []

    private let store: StoreCore

    /// Asks everything.
    public init(of store: StoreCore) throws {
        self.store = store
        for tenant in GoldenStore.tenants { try ask(tenant) }
    }

    /// All answers, as they stand in the file of expectations.
    public var text: String { answers.map(\.text).joined(separator: "\n") }

    private mutating func ask(_ tenant: Tenant) throws {
        let all: Range<UInt64> = 0..<UInt64.max
        var ids: [TraceID] = []
        for order in TraceOrder.allCases {
            for (name, predicate) in Self.predicates {
                let plan = ScanPlan(
                    tenant: tenant,
                    range: all,
                    span: predicate,
                    order: order,
                    limit: 1_000
                )
                let page = try store.scan(plan)
                if predicate == .all { ids = page.traces.map(\.traceID) }
                add(
                    "\(order.rawValue) traces of \(tenant.name): \(name)",
                    page.traces.map { name == "all" ? Self.line($0) : Self.found($0) },
                    page.incomplete
                )
            }
        }
        for id in ids.sorted() { try askTrace(id, tenant) }
        try askNames(tenant)
        try askTotals(tenant)
    }

    private mutating func add(_ question: String, _ lines: [String], _ incomplete: [String]) {
        answers.append(
            Answer(question: question, lines: lines, isIncomplete: !incomplete.isEmpty)
        )
    }

    // MARK: Traces

    private static let predicates: [(String, SpanPredicate)] = [
        ("all", .all), ("service", .service(.exactly("order"))),
        ("service, case ignored", .service(.ignoringCase("ZAHLUNG"))),
        ("operation", .operation(.exactly("POST /order"))),
        ("a text", .attribute(.any, key: "order.id", .text("order-7"))),
        ("a number or a text", .attribute(.any, key: "retry", .text("17"))),
        (
            "a number",
            .attribute(.span, key: "http.status_code", .range(NumberRange(.atLeast, Int64(404))))
        ),
        ("a double", .attribute(.any, key: "ratio", .equals(.double(-17)))),
        ("bytes", .attribute(.any, key: "blob", .equals(.bytes([0, 255, 3])))),
        ("an element", .attribute(.any, key: "tags", .text("a"))),
        ("of a resource", .attribute(.resource, key: "host", .text("node-1"))),
        ("of an event", .attribute(.event, key: "nested", .exists)),
        ("an event", .eventName(.exactly("exception"))), ("an error", .status(.error)),
        ("a message", .statusMessage(.exactly("out of 4"))), ("a kind", .kind(.consumer)),
        ("short", .duration(0...2_000_000)),
        (
            "none of these",
            .not(.or([.kind(.client), .status(.error), .eventName(.exactly("retry"))]))
        ),
    ]

    private static func found(_ trace: TraceSummary) -> String {
        trace.traceID.shortHex + " matched "
            + trace.matchedSpans.map(\.hex).joined(separator: " ")
    }

    private static func line(_ trace: TraceSummary) -> String {
        let services = trace.services.map { "\($0.name) \($0.spanCount)/\($0.errorCount)" }
        return "\(trace.traceID.hex) \(trace.rootService), \(trace.rootOperation), "
            + "\(trace.start)+\(trace.duration), \(trace.spanCount)/\(trace.errorCount) spans "
            + "(\(services.joined(separator: ", ")))"
    }

    private mutating func askTrace(_ id: TraceID, _ tenant: Tenant) throws {
        let answer = try store.traces(TraceRequest(tenant: tenant, ids: [id]))
        let lines = (0..<answer.columns.count).map { row in
            let span = SpanValue(answer.columns, row)
            let digest = GoldenDigest(span).value
            return "\(span.spanID.hex) \(span.start) \(String(digest, radix: 16))"
        }
        add("spans of \(id.hex) of \(tenant.name)", lines, answer.incomplete)
    }

    // MARK: Names

    private mutating func askNames(_ tenant: Tenant) throws {
        var keys: [String] = []
        for (name, scope) in [
            ("services", NamesRequest.Scope.services), ("operations", .operations(service: nil)),
            ("operations of order", .operations(service: .exactly("order"))),
            ("keys", .keys(service: nil)),
        ] {
            let answer = try store.names(NamesRequest(tenant: tenant, scope: scope))
            if name == "keys" { keys = answer.names.map(\.text) }
            add("\(name) of \(tenant.name)", answer.names.map(Self.line), answer.incomplete)
        }
        for key in Set(keys).sorted() {
            let scope = NamesRequest.Scope.values(.any, key: key, service: nil, prefix: "")
            let answer = try store.names(NamesRequest(tenant: tenant, scope: scope))
            add("values of \(key) of \(tenant.name)", answer.names.map(\.text), answer.incomplete)
        }
    }

    private static func line(_ name: NamesResult.Name) -> String {
        let parts = [name.text, name.kind.map { "\($0)" }, name.scope?.rawValue]
        return parts.compactMap { $0 }.joined(separator: ", ")
    }

    // MARK: Totals

    private mutating func askTotals(_ tenant: Tenant) throws {
        let minute = TotalsRequest.minute
        let range = GoldenSpans.start..<GoldenSpans.start + 15 * minute
        let requests: [(String, TotalsRequest)] = [
            ("of services", TotalsRequest(tenant: tenant, range: range, lines: .services)),
            ("of operations", TotalsRequest(tenant: tenant, range: range, lines: .operations)),
            ("of kinds", TotalsRequest(tenant: tenant, range: range, lines: .operationsByKind)),
            ("of edges", TotalsRequest(tenant: tenant, range: range)),
            (
                "by three minutes",
                TotalsRequest(tenant: tenant, range: range, lines: .services, step: 3 * minute)
            ),
        ]
        for (name, request) in requests {
            let answer = try store.totals(request)
            let lines = answer.lines.map { line in
                let parts = [line.service, line.operation, line.kind.map { "\($0)" }]
                return parts.compactMap { $0 }.joined(separator: ", ")
                    + Self.text(line.total, line.steps)
            }
            let edges = answer.edges.map { edge in
                "\(edge.parent) -> \(edge.child)" + Self.text(edge.total, edge.steps)
                    + ", requests \(edge.requestCount) \(edge.requestCallCount) "
                    + "\(edge.requestQuantiles)"
            }
            add("totals \(name) of \(tenant.name)", lines + edges, answer.incomplete)
        }
    }

    private static func text(_ total: CallTotals, _ steps: [CallTotals]) -> String {
        ([total] + steps).map {
            ": \($0.callCount)/\($0.errorCount) \($0.durationSum) \($0.longest) \($0.quantiles)"
        }.joined()
    }
}

/// One number for everything that a span says. Its rule is part of the files of expectations.
private struct GoldenDigest {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ span: SpanValue) {
        for number in [
            span.traceID.high, span.traceID.low, span.spanID.raw, span.parentID.raw, span.start,
            span.end, UInt64(span.kind.rawValue), UInt64(span.status.rawValue),
            UInt64(span.flags), UInt64(span.marks.rawValue),
        ] { add(number) }
        for text in [span.name, span.statusMessage, span.traceState] { add(text) }
        for count in span.dropped { add(UInt64(count)) }
        add(span.attributes)
        add(UInt64(span.events.count))
        for event in span.events {
            add(event.time)
            add(event.name)
            add(event.attributes)
            add(UInt64(event.dropped))
        }
        add(UInt64(span.links.count))
        for link in span.links {
            for number in [link.traceID.high, link.traceID.low, link.spanID.raw] { add(number) }
            add(link.traceState)
            add(link.attributes)
            add(UInt64(link.flags) << 32 | UInt64(link.dropped))
        }
        for origin in [span.resource, span.scope] {
            for text in [origin.name, origin.version, origin.schemaURL] { add(text) }
            add(UInt64(origin.dropped))
            add(origin.attributes)
        }
    }

    private mutating func add(byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    private mutating func add(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            add(byte: UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    private mutating func add(_ text: String) {
        add(UInt64(text.utf8.count))
        for byte in text.utf8 { add(byte: byte) }
    }

    private mutating func add(_ pairs: [AttributeValue.KeyValue]) {
        add(UInt64(pairs.count))
        for pair in pairs {
            add(pair.key)
            add(pair.value)
        }
    }

    /// The nesting is that of `GoldenSpans`.
    private mutating func add(_ value: AttributeValue) {
        add(UInt64(value.type.rawValue))
        switch value {
        case .empty: break
        case .string(let text): add(text)
        case .bool(let flag): add(UInt64(flag ? 1 : 0))
        case .int(let number): add(UInt64(bitPattern: number))
        case .double(let number): add(number.bitPattern)
        case .bytes(let bytes):
            add(UInt64(bytes.count))
            for byte in bytes { add(byte: byte) }
        case .array(let elements):
            add(UInt64(elements.count))
            for element in elements { add(element) }
        case .map(let pairs): add(pairs)
        }
    }
}
