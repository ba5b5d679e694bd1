// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The columns of a `SpanTable` as plain pointers: for loops that touch every value.
///
/// A table is never changed, so its memory stays where it is while the table lives. Whoever keeps
/// views keeps the tables. Reading outside a column is checked in debug builds only: what comes out of
/// a table (a run, an id) is checked here before it is used as an index.
struct TableView {
    let count: Int
    let traceHigh: UnsafeBufferPointer<UInt64>
    let traceLow: UnsafeBufferPointer<UInt64>
    let spanID: UnsafeBufferPointer<UInt64>
    let parentID: UnsafeBufferPointer<UInt64>
    let start: UnsafeBufferPointer<UInt64>
    let end: UnsafeBufferPointer<UInt64>
    let name: UnsafeBufferPointer<UInt32>
    let kind: UnsafeBufferPointer<UInt8>
    let status: UnsafeBufferPointer<UInt8>
    let statusMessage: UnsafeBufferPointer<UInt32>
    let traceState: UnsafeBufferPointer<UInt32>
    let flags: UnsafeBufferPointer<UInt32>
    let resource: UnsafeBufferPointer<UInt32>
    let scope: UnsafeBufferPointer<UInt32>
    let droppedAttributes: UnsafeBufferPointer<UInt32>
    let droppedEvents: UnsafeBufferPointer<UInt32>
    let droppedLinks: UnsafeBufferPointer<UInt32>
    let marks: UnsafeBufferPointer<UInt8>
    private let spanAttributes: UnsafeBufferPointer<Run>
    private let spanEvents: UnsafeBufferPointer<Run>
    private let spanLinks: UnsafeBufferPointer<Run>
    let key: UnsafeBufferPointer<UInt32>
    let type: UnsafeBufferPointer<UInt8>
    let value: UnsafeBufferPointer<UInt64>
    private let valueBytes: UnsafeBufferPointer<UInt8>
    let eventTime: UnsafeBufferPointer<UInt64>
    let eventName: UnsafeBufferPointer<UInt32>
    let eventDropped: UnsafeBufferPointer<UInt32>
    private let eventAttributes: UnsafeBufferPointer<Run>
    let linkTraceHigh: UnsafeBufferPointer<UInt64>
    let linkTraceLow: UnsafeBufferPointer<UInt64>
    let linkSpanID: UnsafeBufferPointer<UInt64>
    let linkTraceState: UnsafeBufferPointer<UInt32>
    let linkFlags: UnsafeBufferPointer<UInt32>
    let linkDropped: UnsafeBufferPointer<UInt32>
    private let linkAttributes: UnsafeBufferPointer<Run>
    private let service: UnsafeBufferPointer<UInt32>
    let resourceSchema: UnsafeBufferPointer<UInt32>
    let resourceDropped: UnsafeBufferPointer<UInt32>
    private let resourceAttributes: UnsafeBufferPointer<Run>
    let scopeName: UnsafeBufferPointer<UInt32>
    let scopeVersion: UnsafeBufferPointer<UInt32>
    let scopeSchema: UnsafeBufferPointer<UInt32>
    let scopeDropped: UnsafeBufferPointer<UInt32>
    private let scopeAttributes: UnsafeBufferPointer<Run>

    init(_ table: SpanTable) {
        count = table.columns.count
        traceHigh = Self.all(table.columns.traceHigh)
        traceLow = Self.all(table.columns.traceLow)
        spanID = Self.all(table.columns.spanID)
        parentID = Self.all(table.columns.parentID)
        start = Self.all(table.columns.start)
        end = Self.all(table.columns.end)
        name = Self.all(table.columns.name)
        kind = Self.all(table.columns.kind)
        status = Self.all(table.columns.status)
        statusMessage = Self.all(table.columns.statusMessage)
        traceState = Self.all(table.columns.traceState)
        flags = Self.all(table.columns.flags)
        resource = Self.all(table.columns.resource)
        scope = Self.all(table.columns.scope)
        droppedAttributes = Self.all(table.columns.droppedAttributes)
        droppedEvents = Self.all(table.columns.droppedEvents)
        droppedLinks = Self.all(table.columns.droppedLinks)
        marks = Self.all(table.columns.marks)
        spanAttributes = Self.all(table.columns.spanAttributes)
        spanEvents = Self.all(table.columns.spanEvents)
        spanLinks = Self.all(table.columns.spanLinks)
        key = Self.all(table.columns.attributes.key)
        type = Self.all(table.columns.attributes.type)
        value = Self.all(table.columns.attributes.value)
        valueBytes = Self.all(table.columns.attributes.bytes)
        eventTime = Self.all(table.columns.events.time)
        eventName = Self.all(table.columns.events.name)
        eventDropped = Self.all(table.columns.events.dropped)
        eventAttributes = Self.all(table.columns.events.attributes)
        linkTraceHigh = Self.all(table.columns.links.traceHigh)
        linkTraceLow = Self.all(table.columns.links.traceLow)
        linkSpanID = Self.all(table.columns.links.spanID)
        linkTraceState = Self.all(table.columns.links.traceState)
        linkFlags = Self.all(table.columns.links.flags)
        linkDropped = Self.all(table.columns.links.dropped)
        linkAttributes = Self.all(table.columns.links.attributes)
        service = Self.all(table.columns.resources.service)
        resourceSchema = Self.all(table.columns.resources.schemaURL)
        resourceDropped = Self.all(table.columns.resources.dropped)
        resourceAttributes = Self.all(table.columns.resources.attributes)
        scopeName = Self.all(table.columns.scopes.name)
        scopeVersion = Self.all(table.columns.scopes.version)
        scopeSchema = Self.all(table.columns.scopes.schemaURL)
        scopeDropped = Self.all(table.columns.scopes.dropped)
        scopeAttributes = Self.all(table.columns.scopes.attributes)
    }

    private static func all<Element: BitwiseCopyable>(
        _ column: borrowing Column<Element>
    ) -> UnsafeBufferPointer<Element> {
        column.withElements { $0 }
    }

    /// The attribute rows of span `row`.
    @inline(__always)
    func attributes(of row: Int) -> Range<Int> { rows(spanAttributes[row], in: key.count) }

    /// The event rows of span `row`.
    @inline(__always)
    func events(of row: Int) -> Range<Int> { rows(spanEvents[row], in: eventTime.count) }

    /// The link rows of span `row`.
    @inline(__always)
    func links(of row: Int) -> Range<Int> { rows(spanLinks[row], in: linkSpanID.count) }

    /// The attribute rows of event `row`.
    @inline(__always)
    func attributes(ofEvent row: Int) -> Range<Int> { rows(eventAttributes[row], in: key.count) }

    /// The attribute rows of link `row`.
    @inline(__always)
    func attributes(ofLink row: Int) -> Range<Int> { rows(linkAttributes[row], in: key.count) }

    @inline(__always)
    private func rows(_ run: Run, in count: Int) -> Range<Int> {
        if run.count == 0 { return 0..<0 }
        let rows = run.rows
        precondition(rows.upperBound <= count, "a run ends at \(rows.upperBound) of \(count)")
        return rows
    }

    /// The attribute rows of resource `row`.
    func attributes(ofResource row: Int) -> Range<Int> {
        rows(resourceAttributes[row], in: key.count)
    }

    /// The attribute rows of scope `row`.
    func attributes(ofScope row: Int) -> Range<Int> { rows(scopeAttributes[row], in: key.count) }

    /// The string id of the service of resource `row`.
    func service(ofResource row: Int) -> UInt32 { service[row] }

    /// Whether two runs of attributes have the same keys and types.
    @inline(__always)
    func hasSameShape(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
        guard a.count == b.count else { return false }
        // Bound: both ranges were checked.
        for offset in 0..<a.count
        where key[a.lowerBound &+ offset] != key[b.lowerBound &+ offset]
            || type[a.lowerBound &+ offset] != type[b.lowerBound &+ offset]
        {
            return false
        }
        return true
    }

    /// Whether attribute `row` holds a text.
    @inline(__always)
    func holdsText(_ row: Int) -> Bool { AttributeType(rawValue: type[row])?.holdsText ?? false }

    /// The bytes of text attribute `row`.
    @inline(__always)
    func text(_ row: Int) -> UnsafeRawBufferPointer {
        let place = value[row]
        let start = Int(place >> 32)
        let length = Int(place & 0xFFFF_FFFF)
        precondition(start + length <= valueBytes.count, "attribute \(row) points past its bytes")
        // Bound: just checked.
        return UnsafeRawBufferPointer(
            UnsafeBufferPointer(rebasing: valueBytes[start..<start + length])
        )
    }

    /// Nanoseconds from start to end, 0 where the end lies before the start.
    @inline(__always)
    func duration(_ row: Int) -> UInt64 { end[row] > start[row] ? end[row] &- start[row] : 0 }
}
