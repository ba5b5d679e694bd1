// SPDX-License-Identifier: Apache-2.0

public import Analysis
import SkeinModel
import Store

extension QueryEngine {
    /// Calls between services in `range`, by the rules of `DependencyLinks`.
    ///
    /// Few traces are linked span by span, which also finds peers that send no spans (databases,
    /// brokers). Beyond the bounds of `RunLimits` the store's totals answer: every call between
    /// services that send spans, counted exactly, in a range widened to whole minutes.
    public func dependencies(in range: Range<UInt64>) async throws -> Dependencies {
        guard !range.isEmpty else { return Dependencies(links: [], incomplete: []) }
        var linker = DependencyLinks()
        var reasons: [String] = []
        var plan = ScanPlan(
            tenant: tenant,
            range: range,
            limit: RunLimits.linkedPageTraceCount,
            matchedSpanLimit: 0
        )
        var traceCount = 0
        var spanCount = 0
        while true {
            let page = try await store.scan(plan)
            traceCount += page.traces.count
            spanCount += page.traces.reduce(0) { $0 + $1.spanCount }
            if traceCount > RunLimits.linkedTraceCount || spanCount > RunLimits.linkedSpanCount {
                if store.capabilities.contains(.totals) {
                    let totals = try await store.totals(
                        TotalsRequest(tenant: tenant, range: range, quantiles: [])
                    )
                    return Dependencies(totals)
                }
                reasons.append("the range holds more than \(traceCount) traces; the newest count")
                break
            }
            reasons += page.incomplete
            for trace in try await traces(exactly: page.traces.map(\.traceID)) {
                linker.add(trace.frame, trace.tree, endpoints: trace.endpoints())
            }
            guard let next = page.cursor else { break }
            plan.cursor = next
        }
        return Dependencies(links: linker.links, incomplete: reasons)
    }
}

/// Calls between services, sorted by parent, then child.
public struct Dependencies: Sendable {
    public var links: [DependencyLinks.Link]
    /// Why calls may be missing; empty when none are.
    public var incomplete: [String]

    init(links: [DependencyLinks.Link], incomplete: [String]) {
        self.links = links
        self.incomplete = incomplete
    }

    init(_ totals: Totals) {
        links = totals.edges.map {
            .init(
                parent: $0.parent,
                child: $0.child,
                callCount: $0.total.callCount,
                errorCount: $0.total.errorCount
            )
        }
        incomplete = totals.incomplete
    }
}

extension Trace {
    /// The two ends of every span, by frame row.
    func endpoints() -> [DependencyLinks.Endpoint] {
        let keys = PeerKeys.all.compactMap { spans.columns.strings.find($0) }
        let errorKey = spans.columns.strings.find("error")
        return rows.map { row in
            let run = spans.columns.spanAttributes[row].rows
            var remote = ""
            for key in keys {
                let found = run.first { spans.columns.attributes.key[$0] == key }
                guard let found, spans.columns.attributes.type(found) == .string else { continue }
                remote = spans.columns.attributes.withBytes(found) {
                    String(decoding: $0, as: UTF8.self)
                }
                if !remote.isEmpty { break }
            }
            let hasErrorTag = errorKey.map { key in
                run.contains { spans.columns.attributes.key[$0] == key }
            }
            let isMissing = SpanMarks(rawValue: spans.columns.marks[row]).contains(.serviceMissing)
            return DependencyLinks.Endpoint(
                local: isMissing
                    ? "" : spans.columns.strings.text(spans.columns.service(row)),
                remote: remote,
                isError: hasErrorTag ?? false
                    || spans.columns.status[row] == StatusCode.error.rawValue
            )
        }
    }
}

/// Attributes that name the peer of a call, the most telling first.
public enum PeerKeys {
    public static let all = [
        "peer.service", "server.address", "net.peer.name", "network.peer.address",
        "server.socket.domain", "server.socket.address", "net.sock.peer.name",
        "net.sock.peer.addr", "peer.hostname", "peer.address", "db.name",
    ]

    /// Those of them that hold a name rather than an address, for lists of names.
    public static let names = all.filter {
        !$0.hasSuffix("addr") && ($0 == "server.address" || !$0.hasSuffix("address"))
    }
}
