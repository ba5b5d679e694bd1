// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Makes facts of traces that can be read whole, in memory.
struct TotalsFactBuilder: ~Copyable {
    private struct FormKey: Hashable {
        var service: String
        var operation: String
        var kind: UInt8
        var status: UInt8
    }

    private struct Form {
        var key: FormKey
        var service: UInt32
    }

    /// What was counted since `takeFacts`; groups and edges stay.
    private(set) var facts = TotalsFacts()
    private var formNumbers: [FormKey: UInt32] = [:]
    private var forms: [Form] = []
    private var serviceNumbers: [String: UInt32] = [:]
    private var services: [String] = []
    private var groups = PackedTable()
    private var edges = PackedTable()

    private var resolver = CallResolver()
    private var traceForm = Column<UInt32>(capacity: 64)
    private var traceStart = Column<UInt64>(capacity: 64)
    private var traceDuration = Column<UInt64>(capacity: 64)
    private var spans: [TotalsFacts.Span] = []
    private var requests: [TotalsFacts.Request] = []

    init() {}

    /// The number of a form for `add`.
    mutating func form(service: String, operation: String, kind: UInt8, status: UInt8) -> UInt32 {
        let key = FormKey(service: service, operation: operation, kind: kind, status: status)
        if let known = formNumbers[key] { return known }
        let number = UInt32(forms.count)
        formNumbers[key] = number
        let next = UInt32(services.count)
        let ownService = serviceNumbers[service] ?? next
        if ownService == next {
            serviceNumbers[service] = next
            services.append(service)
        }
        forms.append(Form(key: key, service: ownService))
        return number
    }

    /// Adds a span of the trace in hand; spans come in order of start, span id and content.
    mutating func add(
        form: UInt32,
        spanID: UInt64,
        parentID: UInt64,
        start: UInt64,
        duration: UInt64,
        isShared: Bool
    ) {
        resolver.append(
            service: forms[Int(form)].service,
            spanID: spanID,
            parentID: parentID,
            start: start,
            isShared: isShared
        )
        traceForm.append(form)
        traceStart.append(start)
        traceDuration.append(duration)
    }

    /// Counts the trace in hand `times` times: -1 takes it away.
    mutating func endTrace(times: Int32) {
        resolver.resolve()
        for row in 0..<resolver.count {
            spans.append(
                TotalsFacts.Span(
                    group: group(of: traceForm[row], caller: resolver.caller[row]),
                    minute: UInt32(traceStart[row] / TotalsFormat.minute),
                    duration: traceDuration[row],
                    times: times
                )
            )
        }
        for index in 0..<resolver.requests.count {
            let request = resolver.requests[index]
            requests.append(
                TotalsFacts.Request(
                    edge: edge(request),
                    minute: UInt32(request.start / TotalsFormat.minute),
                    callCount: request.callCount,
                    times: times
                )
            )
        }
        dropTrace()
    }

    /// Forgets the trace in hand, and what `endTrace` counted since `settle`.
    mutating func dropOpen() {
        dropTrace()
        spans.removeAll(keepingCapacity: true)
        requests.removeAll(keepingCapacity: true)
    }

    private mutating func dropTrace() {
        resolver.removeAll()
        traceForm.truncate(to: 0)
        traceStart.truncate(to: 0)
        traceDuration.truncate(to: 0)
    }

    private mutating func group(of form: UInt32, caller: UInt32) -> UInt32 {
        let (index, isNew) = groups.insert(UInt64(form) << 32 | UInt64(caller &+ 1))
        if isNew {
            let key = forms[Int(form)].key
            facts.groups.append(
                TotalsFacts.Group(
                    service: key.service,
                    operation: key.operation,
                    kind: key.kind,
                    status: key.status,
                    caller: caller == CallResolver.none ? nil : services[Int(caller)]
                )
            )
        }
        return UInt32(index)
    }

    private mutating func edge(_ request: CallResolver.Request) -> UInt32 {
        let key = UInt64(request.caller) << 32 | UInt64(request.service)
        let (index, isNew) = edges.insert(key)
        if isNew {
            facts.edges.append(
                TotalsFacts.Edge(
                    caller: services[Int(request.caller)],
                    service: services[Int(request.service)]
                )
            )
        }
        return UInt32(index)
    }

    /// Moves what `endTrace` counted since the last call to the facts; what was taken away and came
    /// again leaves no trace.
    mutating func settle() {
        if spans.contains(where: { $0.times < 0 }) {
            spans.sort {
                ($0.group, $0.minute, $0.duration) < ($1.group, $1.minute, $1.duration)
            }
            Self.append(&spans, to: &facts.spans) {
                $0.group == $1.group && $0.minute == $1.minute && $0.duration == $1.duration
            }
            requests.sort {
                ($0.edge, $0.minute, $0.callCount) < ($1.edge, $1.minute, $1.callCount)
            }
            Self.append(&requests, to: &facts.requests) {
                $0.edge == $1.edge && $0.minute == $1.minute && $0.callCount == $1.callCount
            }
        } else {
            facts.spans += spans
            facts.requests += requests
        }
        spans.removeAll(keepingCapacity: true)
        requests.removeAll(keepingCapacity: true)
    }

    /// Adds up neighbours that are alike.
    private static func append<Fact: CountedFact>(
        _ sorted: inout [Fact],
        to facts: inout [Fact],
        areAlike: (Fact, Fact) -> Bool
    ) {
        var first = 0
        while first < sorted.count {
            var sum = sorted[first]
            var end = first + 1
            while end < sorted.count, areAlike(sum, sorted[end]) {
                sum.times &+= sorted[end].times
                end += 1
            }
            if sum.times != 0 { facts.append(sum) }
            first = end
        }
    }

    /// The facts so far, which are forgotten here.
    mutating func takeFacts() -> (spans: [TotalsFacts.Span], requests: [TotalsFacts.Request]) {
        let taken = (facts.spans, facts.requests)
        facts.spans = []
        facts.requests = []
        return taken
    }
}

/// Something that was counted, or taken away, some times.
private protocol CountedFact {
    var times: Int32 { get set }
}

extension TotalsFacts.Span: CountedFact {}
extension TotalsFacts.Request: CountedFact {}
