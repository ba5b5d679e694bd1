// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Who called whom, counted over traces by the rules Zipkin's readers know.
///
/// - A client span with children says nothing: its server child does, with the right name.
/// - A span without a kind counts as a client only where it names both ends.
/// - A server's caller is the nearest ancestor that has a kind, or the peer it names itself.
/// - Messaging spans link to the broker they name.
/// - A call failed where the span or, of a call told in two spans, its client half says so.
public struct DependencyLinks: Sendable {
    /// Calls of `child` by `parent`.
    public struct Link: Sendable, Equatable {
        public var parent: String
        public var child: String
        public var callCount: UInt64
        public var errorCount: UInt64

        /// Counts one link.
        public init(parent: String, child: String, callCount: UInt64, errorCount: UInt64) {
            self.parent = parent
            self.child = child
            self.callCount = callCount
            self.errorCount = errorCount
        }
    }

    /// What linking reads of one span beside its place in the tree.
    public struct Endpoint: Sendable {
        /// Empty where the sender named none.
        public var local: String
        /// The peer the span names; empty for none.
        public var remote: String
        public var isError: Bool

        /// Describes the two ends of a span.
        public init(local: String, remote: String, isError: Bool) {
            self.local = local
            self.remote = remote
            self.isError = isError
        }
    }

    private struct Pair: Hashable {
        var parent: String
        var child: String
    }

    private var counts: [Pair: (calls: UInt64, errors: UInt64)] = [:]

    /// No calls yet.
    public init() {}

    /// The links, sorted by parent, then child.
    public var links: [Link] {
        counts.map { pair, count in
            Link(
                parent: pair.parent,
                child: pair.child,
                callCount: count.calls,
                errorCount: count.errors
            )
        }
        .sorted { ($0.parent, $0.child) < ($1.parent, $1.child) }
    }

    /// Counts the calls of one trace. `endpoints` has a row for each row of `frame`.
    public mutating func add(
        _ frame: SpanFrame,
        _ tree: TraceTree,
        endpoints: [Endpoint]
    ) {
        precondition(endpoints.count == frame.count, "\(endpoints.count) of \(frame.count) rows")
        var hasChildren = Array(repeating: false, count: frame.count)
        for parent in tree.parent where parent >= 0 { hasChildren[Int(parent)] = true }
        /// By place: the place of the nearest ancestor with a kind, or -1.
        var caller = Array(repeating: Int32(-1), count: frame.count)
        for place in tree.order.indices {
            let above = tree.parent[place]
            if above >= 0 {
                let hasKind = frame.kind[tree.order[Int(above)]].isRemote
                caller[place] = hasKind ? above : caller[Int(above)]
            }
            let row = tree.order[place]
            var kind = frame.kind[row]
            if kind == .client, hasChildren[place] { continue }
            if !kind.isRemote {
                let ends = endpoints[row]
                if ends.local.isEmpty || ends.remote.isEmpty { continue }
                kind = .client
            }
            let callerRow = caller[place] >= 0 ? tree.order[Int(caller[place])] : nil
            count(row, as: kind, callerRow, isRoot: above < 0, frame, endpoints)
        }
    }

    private mutating func count(
        _ row: Int,
        as kind: SpanKind,
        _ callerRow: Int?,
        isRoot: Bool,
        _ frame: SpanFrame,
        _ endpoints: [Endpoint]
    ) {
        let ends = endpoints[row]
        var isError = ends.isError
        var parent: String
        var child: String
        switch kind {
        case .server, .consumer:
            (parent, child) = (ends.remote, ends.local)
            if isRoot, parent.isEmpty { return }
        default:
            (parent, child) = (ends.local, ends.remote)
        }
        if kind == .producer || kind == .consumer {
            if !parent.isEmpty, !child.isEmpty { tally(parent, child, isError) }
            return
        }
        if let callerRow {
            let callerName = endpoints[callerRow].local
            if kind == .client, !ends.local.isEmpty, !callerName.isEmpty,
                callerName != ends.local
            {
                // The process between the two sent no server span.
                tally(callerName, ends.local, false)
            }
            if kind == .server, !callerName.isEmpty { parent = callerName }
            if kind == .server, frame.kind[callerRow] == .client {
                isError = isError || endpoints[callerRow].isError
            }
            if parent.isEmpty { parent = callerName }
        }
        if parent.isEmpty || child.isEmpty { return }
        tally(parent, child, isError)
    }

    private mutating func tally(_ parent: String, _ child: String, _ isError: Bool) {
        let pair = Pair(parent: parent, child: child)
        let count = counts[pair] ?? (0, 0)
        counts[pair] = (count.calls &+ 1, count.errors &+ (isError ? 1 : 0))
    }
}

extension SpanKind {
    /// Whether the kind says that another process takes part.
    fileprivate var isRemote: Bool {
        switch self {
        case .server, .client, .producer, .consumer: true
        case .internal, .unspecified: false
        }
    }
}
