// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// One process, container or host that sends spans of a service.
public struct ServiceInstance: Sendable, Equatable {
    /// The attribute of the resource that tells it; `nil` where none of `InstanceKeys.order` is there.
    public var key: String?
    /// Its value; for an address with a port, both with a colon between.
    public var name: String
    /// `service.version` of its newest span.
    public var version: String?
    public var spanCount: UInt64
    public var errorCount: UInt64
    /// Nanoseconds, within `LatencyBucket.relativeError`.
    public var p50: UInt64
    public var p99: UInt64
    /// When its first and its last span start, nanoseconds since 1970.
    public var first: UInt64
    public var last: UInt64
    /// TraceQL that finds the very spans that were counted.
    public var query: String
}

/// The instances of a service.
public struct ServiceInstances: Sendable {
    public var facts: ServiceAnswerFacts
    /// Instances there are, of those that were counted.
    public var instanceCount: Int
    /// Those of most spans first, then by name.
    public var instances: [ServiceInstance]
    /// Spans that nobody counted: they are of instances past the limit.
    public var uncountedSpanCount: UInt64
}

/// What tells instances of a service apart.
public enum InstanceKeys {
    /// Attributes of the resource, the most telling first: the first that a resource has tells its
    /// instance. The last ones are those of tracers without resources: `hostname` and `ip` of
    /// Jaeger's, the local endpoint of Zipkin's, whose port is told with it.
    public static let order = [
        "service.instance.id", "k8s.pod.name", "container.id", "host.name", "host.id", "hostname",
        address, "ip",
    ]
    static let address = "network.local.address"
    static let port = "network.local.port"
}

extension QueryEngine {
    /// Spans, errors and durations by instance.
    public func instances(_ question: ServiceQuestion) async throws -> ServiceInstances {
        let range = range(question.time)
        let plan = WalkPlan(
            tenant: tenant,
            range: range,
            span: question.predicate,
            fields: SpanFields()
        )
        var (counter, facts) = try await count(InstanceCounter(question, range), plan)
        if counter.uncountedSpanCount > 0 {
            facts.add(
                "there are more than \(RunLimits.instanceCount) instances; "
                    + "\(counter.uncountedSpanCount) spans of others were not counted"
            )
        }
        let all = counter.cells.sorted { left, right in
            let (a, b) = (left.spanCount, right.spanCount)
            return a == b ? left.name.order < right.name.order : a > b
        }
        return ServiceInstances(
            facts: facts,
            instanceCount: all.count,
            instances: all.prefix(question.limit).map { $0.told(question) },
            uncountedSpanCount: counter.uncountedSpanCount
        )
    }
}

/// What a resource says of its instance.
private struct InstanceName: Hashable, Sendable {
    /// A number of `InstanceKeys.order`; one past them for none.
    var key: Int
    var value: FieldValue
    var port: FieldValue?

    /// - Parameter attributes: of the resource.
    init(_ attributes: Run, of spans: TraceSpans) {
        key = InstanceKeys.order.count
        value = .nothing
        for (number, name) in InstanceKeys.order.enumerated() {
            guard let found = Self.value(name, attributes, of: spans) else { continue }
            key = number
            value = found
            if name == InstanceKeys.address {
                port = Self.value(InstanceKeys.port, attributes, of: spans)
            }
            return
        }
    }

    /// The value of an attribute where it can tell an instance: a number, or a text that is not too
    /// long.
    static func value(_ key: String, _ attributes: Run, of spans: TraceSpans) -> FieldValue? {
        guard let id = spans.columns.strings.find(key),
            let row = attributes.rows.first(where: { spans.columns.attributes.key[$0] == id })
        else { return nil }
        switch spans.columns.attributes.type(row) {
        case .string:
            let size = spans.columns.attributes.withBytes(row) { $0.count }
            guard size <= RunLimits.instanceNameByteCount else { return nil }
            return FieldValue(spans.columns.attributes[row])
        case .int: return FieldValue(spans.columns.attributes[row])
        case .empty, .bool, .double, .bytes, .array, .map: return nil
        }
    }

    var name: String {
        let address = Self.text(value)
        guard let port else { return address }
        // The colons of an address of IPv6 are not that of a port.
        return (address.contains(":") ? "[\(address)]" : address) + ":" + Self.text(port)
    }

    /// What instances of equally many spans are sorted by.
    var order: (String, Int) { (name, key) }

    private static func text(_ value: FieldValue) -> String {
        switch value {
        case .string(let text): text
        case .int(let number): "\(number)"
        default: ""
        }
    }

    /// Conditions that its resources meet, and no others.
    var conditions: [String] {
        func condition(_ key: String, _ value: FieldValue?) -> String {
            let literal: TraceQL.Literal =
                switch value {
                case .string(let text)?: .string(text)
                case .int(let number)?: .int(number)
                default: .nil
                }
            return "resource.\(key) = \(literal)"
        }
        var conditions = InstanceKeys.order.prefix(key).map { condition($0, nil) }
        guard key < InstanceKeys.order.count else { return conditions }
        // The most telling stands first for whoever reads it.
        conditions.insert(condition(InstanceKeys.order[key], value), at: 0)
        if InstanceKeys.order[key] == InstanceKeys.address {
            conditions.insert(condition(InstanceKeys.port, port), at: 1)
        }
        return conditions
    }
}

/// Counts of one instance.
private struct InstanceCell: Sendable {
    let name: InstanceName
    var spanCount: UInt64 = 0
    var errorCount: UInt64 = 0
    var durations = LatencySketch()
    var first = UInt64.max
    var last: UInt64 = 0
    var version: String?

    init(_ name: InstanceName) { self.name = name }

    mutating func add(_ row: Int, of spans: TraceSpans, version: String?) {
        let start = spans.columns.start[row]
        // Of spans of one moment the later version: the order of reading must not tell.
        if spanCount == 0 || (start, version ?? "") > (last, self.version ?? "") {
            self.version = version
        }
        spanCount += 1
        errorCount += spans.columns.status[row] == StatusCode.error.rawValue ? 1 : 0
        durations.add(spans.columns.duration(row))
        first = min(first, start)
        last = max(last, start)
    }

    func told(_ question: ServiceQuestion) -> ServiceInstance {
        ServiceInstance(
            key: name.key < InstanceKeys.order.count ? InstanceKeys.order[name.key] : nil,
            name: name.name,
            version: version,
            spanCount: spanCount,
            errorCount: errorCount,
            p50: durations.quantile(0.5) ?? 0,
            p99: durations.quantile(0.99) ?? 0,
            first: first,
            last: last,
            query: question.text(name.conditions)
        )
    }
}

private struct InstanceCounter: SpanCounting {
    /// What a resource of the trace at hand came to.
    private struct Met {
        var resource: UInt32
        /// A number of `cells`; `nil` past the limit.
        var cell: Int?
        var version: String?
    }

    let question: ServiceQuestion
    let range: Range<UInt64>
    var cells: [InstanceCell] = []
    var uncountedSpanCount: UInt64 = 0
    private var numbers: [InstanceName: Int] = [:]

    init(_ question: ServiceQuestion, _ range: Range<UInt64>) {
        self.question = question
        self.range = range
    }

    mutating func add(_ spans: TraceSpans, _ rows: Range<Int>) {
        // A trace meets few resources of a service; its columns may hold many.
        var met: [Met] = []
        for row in question.matching(rows, of: spans, in: range) {
            let resource = spans.columns.resource[row]
            let place: Int
            if let known = met.firstIndex(where: { $0.resource == resource }) {
                place = known
            } else {
                place = met.count
                met.append(described(resource, of: spans))
            }
            if let cell = met[place].cell {
                cells[cell].add(row, of: spans, version: met[place].version)
            } else {
                uncountedSpanCount += 1
            }
        }
    }

    private mutating func described(_ resource: UInt32, of spans: TraceSpans) -> Met {
        let attributes = spans.columns.resources.attributes[Int(resource)]
        let name = InstanceName(attributes, of: spans)
        var number = numbers[name]
        if number == nil, cells.count < RunLimits.instanceCount {
            number = cells.count
            numbers[name] = cells.count
            cells.append(InstanceCell(name))
        }
        var version: String?
        if case .string(let text)? = InstanceName.value("service.version", attributes, of: spans) {
            version = text
        }
        return Met(resource: resource, cell: number, version: version)
    }
}
