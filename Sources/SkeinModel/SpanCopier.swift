// SPDX-License-Identifier: Apache-2.0

/// Copies chosen spans of one batch into another, translating string, resource and scope ids.
///
/// One copier serves one pair of batches: it remembers what it has already carried over, so that a
/// resource or a name that many spans share is copied once.
public struct SpanCopier: ~Copyable {
    private var strings: [UInt32]
    private var resources: [UInt32]
    private var scopes: [UInt32]
    /// "Not carried over yet"; no table reaches this id.
    private static let unknown = UInt32.max

    /// Makes a copier from `source`.
    public init(source: borrowing SpanColumns) {
        strings = Array(repeating: Self.unknown, count: source.strings.count)
        resources = Array(repeating: Self.unknown, count: source.resources.count)
        scopes = Array(repeating: Self.unknown, count: source.scopes.count)
    }

    /// Appends span `row` of `source`, the batch this copier was made for, to `target`.
    public mutating func copy(
        _ row: Int,
        from source: borrowing SpanColumns,
        to target: inout SpanColumns
    ) {
        var span = source[row]
        span.name = string(span.name, source, &target)
        span.statusMessage = string(span.statusMessage, source, &target)
        span.traceState = string(span.traceState, source, &target)
        span.resource = resource(Int(span.resource), source, &target)
        span.scope = scope(Int(span.scope), source, &target)
        span.attributes = attributes(span.attributes, source, &target)
        span.events = events(span.events, source, &target)
        span.links = links(span.links, source, &target)
        target.append(span)
    }

    /// Carries a string over and returns its id in `target`.
    public mutating func string(
        _ id: UInt32,
        _ source: borrowing SpanColumns,
        _ target: inout SpanColumns
    ) -> UInt32 {
        let known = strings[Int(id)]
        if known != Self.unknown { return known }
        let copied = source.strings.withBytes(of: id) { target.strings.intern($0) }
        strings[Int(id)] = copied
        return copied
    }

    /// Carries a resource over and returns its row in `target`.
    public mutating func resource(
        _ row: Int,
        _ source: borrowing SpanColumns,
        _ target: inout SpanColumns
    ) -> UInt32 {
        if resources[row] != Self.unknown { return resources[row] }
        resources[row] = target.resources.append(
            service: string(source.resources.service[row], source, &target),
            attributes: attributes(source.resources.attributes[row], source, &target),
            dropped: source.resources.dropped[row],
            schemaURL: string(source.resources.schemaURL[row], source, &target)
        )
        return resources[row]
    }

    /// Carries a scope over and returns its row in `target`.
    public mutating func scope(
        _ row: Int,
        _ source: borrowing SpanColumns,
        _ target: inout SpanColumns
    ) -> UInt32 {
        if scopes[row] != Self.unknown { return scopes[row] }
        scopes[row] = target.scopes.append(
            name: string(source.scopes.name[row], source, &target),
            version: string(source.scopes.version[row], source, &target),
            attributes: attributes(source.scopes.attributes[row], source, &target),
            dropped: source.scopes.dropped[row],
            schemaURL: string(source.scopes.schemaURL[row], source, &target)
        )
        return scopes[row]
    }

    private mutating func attributes(
        _ run: Run,
        _ source: borrowing SpanColumns,
        _ target: inout SpanColumns
    ) -> Run {
        let first = UInt32(target.attributes.count)
        for row in run.rows {
            let key = string(source.attributes.key[row], source, &target)
            let type = source.attributes.type(row)
            switch type {
            case .empty, .bool, .int, .double:
                target.attributes.append(key: key, type: type, bits: source.attributes.value[row])
            case .string, .bytes, .array, .map:
                source.attributes.withBytes(row) {
                    target.attributes.append(key: key, type: type, bytes: $0)
                }
            }
        }
        return Run(first: first, count: run.count)
    }

    private mutating func events(
        _ run: Run,
        _ source: borrowing SpanColumns,
        _ target: inout SpanColumns
    ) -> Run {
        let first = UInt32(target.events.count)
        for row in run.rows {
            let name = string(source.events.name[row], source, &target)
            let attributes = attributes(source.events.attributes[row], source, &target)
            target.events.append(
                time: source.events.time[row],
                name: name,
                attributes: attributes,
                dropped: source.events.dropped[row]
            )
        }
        return Run(first: first, count: run.count)
    }

    private mutating func links(
        _ run: Run,
        _ source: borrowing SpanColumns,
        _ target: inout SpanColumns
    ) -> Run {
        let first = UInt32(target.links.count)
        for row in run.rows {
            let state = string(source.links.traceState[row], source, &target)
            let attributes = attributes(source.links.attributes[row], source, &target)
            target.links.append(
                traceID: TraceID(
                    high: source.links.traceHigh[row],
                    low: source.links.traceLow[row]
                ),
                spanID: SpanID(source.links.spanID[row]),
                traceState: state,
                flags: source.links.flags[row],
                attributes: attributes,
                dropped: source.links.dropped[row]
            )
        }
        return Run(first: first, count: run.count)
    }
}
