// SPDX-License-Identifier: Apache-2.0

/// Spans as columns: what decoders fill, the head keeps, parts are built from and answers come from.
///
/// Row `i` of every span column is span `i`. Attributes of all owners lie in one flat table
/// (`attributes`); an owner (span, event, link, resource, scope) names its run in it:
/// ```
/// spans      name  resource  attributes      attributes   key         value
///   0        GET      0        [3, 5)            0        service.name "shop"    <- resource 0
///   1        SQL      0        [5, 6)            ...
///                                                3        order.id    "17"      <- span 0
/// ```
/// There is no object per span; a batch has one owner and is moved. Ids of strings, resources and
/// scopes hold only inside one `SpanColumns`.
public struct SpanColumns: ~Copyable, Sendable {
    /// Names, keys and other text that repeats.
    public var strings: StringTable
    /// Every attribute of every owner.
    public var attributes: AttributeColumns
    /// What processes say of themselves. Each distinct resource of a request once.
    public var resources: ResourceColumns
    /// Instrumentation libraries.
    public var scopes: ScopeColumns
    /// Points in time inside spans.
    public var events: EventColumns
    /// References to other spans.
    public var links: LinkColumns

    /// Bits 127...64 of the trace id.
    public var traceHigh: Column<UInt64>
    /// Bits 63...0 of the trace id.
    public var traceLow: Column<UInt64>
    /// Span ids.
    public var spanID: Column<UInt64>
    /// Parent span ids, 0 for none.
    public var parentID: Column<UInt64>
    /// Starts, nanoseconds since 1970, as sent.
    public var start: Column<UInt64>
    /// Ends, nanoseconds since 1970, as sent: may lie before `start`.
    public var end: Column<UInt64>
    /// String ids of operation names.
    public var name: Column<UInt32>
    /// `SpanKind` raw values.
    public var kind: Column<UInt8>
    /// `StatusCode` raw values.
    public var status: Column<UInt8>
    /// String ids of status messages.
    public var statusMessage: Column<UInt32>
    /// String ids of W3C tracestates.
    public var traceState: Column<UInt32>
    /// OTLP flags: bits 0...7 are W3C trace flags.
    public var flags: Column<UInt32>
    /// Rows in `resources`.
    public var resource: Column<UInt32>
    /// Rows in `scopes`.
    public var scope: Column<UInt32>
    /// Runs in `attributes`.
    public var spanAttributes: Column<Run>
    /// Runs in `events`.
    public var spanEvents: Column<Run>
    /// Runs in `links`.
    public var spanLinks: Column<Run>
    /// Attributes dropped by the sender or by our limits.
    public var droppedAttributes: Column<UInt32>
    /// Events dropped by the sender or by our limits.
    public var droppedEvents: Column<UInt32>
    /// Links dropped by the sender or by our limits.
    public var droppedLinks: Column<UInt32>
    /// `SpanMarks` raw values.
    public var marks: Column<UInt8>
    /// What the columns of a packed batch lie in.
    private let slab: Slab

    /// Makes an empty batch with room for about `capacity` spans.
    public init(capacity: Int = 0) {
        strings = StringTable()
        attributes = AttributeColumns(capacity: capacity * 8)
        resources = ResourceColumns()
        scopes = ScopeColumns()
        events = EventColumns()
        links = LinkColumns()
        traceHigh = Column(capacity: capacity)
        traceLow = Column(capacity: capacity)
        spanID = Column(capacity: capacity)
        parentID = Column(capacity: capacity)
        start = Column(capacity: capacity)
        end = Column(capacity: capacity)
        name = Column(capacity: capacity)
        kind = Column(capacity: capacity)
        status = Column(capacity: capacity)
        statusMessage = Column(capacity: capacity)
        traceState = Column(capacity: capacity)
        flags = Column(capacity: capacity)
        resource = Column(capacity: capacity)
        scope = Column(capacity: capacity)
        spanAttributes = Column(capacity: capacity)
        spanEvents = Column(capacity: capacity)
        spanLinks = Column(capacity: capacity)
        droppedAttributes = Column(capacity: capacity)
        droppedEvents = Column(capacity: capacity)
        droppedLinks = Column(capacity: capacity)
        marks = Column(capacity: capacity)
        slab = Slab()
    }

    /// The same spans in one block of memory of just their size. A column that is zero throughout
    /// takes none.
    public func packed() -> SpanColumns {
        var measuring = SlabPacker()
        _ = SpanColumns(packing: self, &measuring, Slab())
        let slab = Slab(byteCount: measuring.byteCount)
        var packer = SlabPacker(slab, after: measuring)
        return SpanColumns(packing: self, &packer, slab)
    }

    private init(
        packing source: borrowing SpanColumns,
        _ packer: inout SlabPacker,
        _ slab: consuming Slab
    ) {
        strings = StringTable(packing: source.strings, &packer)
        attributes = AttributeColumns(packing: source.attributes, &packer)
        resources = ResourceColumns(packing: source.resources, &packer)
        scopes = ScopeColumns(packing: source.scopes, &packer)
        events = EventColumns(packing: source.events, &packer)
        links = LinkColumns(packing: source.links, &packer)
        traceHigh = packer.sparse(source.traceHigh)
        traceLow = packer.column(source.traceLow)
        spanID = packer.column(source.spanID)
        parentID = packer.column(source.parentID)
        start = packer.column(source.start)
        end = packer.column(source.end)
        name = packer.column(source.name)
        kind = packer.column(source.kind)
        status = packer.sparse(source.status)
        statusMessage = packer.sparse(source.statusMessage)
        traceState = packer.sparse(source.traceState)
        flags = packer.sparse(source.flags)
        resource = packer.sparse(source.resource)
        scope = packer.sparse(source.scope)
        spanAttributes = packer.column(source.spanAttributes)
        spanEvents = packer.sparse(source.spanEvents)
        spanLinks = packer.sparse(source.spanLinks)
        droppedAttributes = packer.sparse(source.droppedAttributes)
        droppedEvents = packer.sparse(source.droppedEvents)
        droppedLinks = packer.sparse(source.droppedLinks)
        marks = packer.sparse(source.marks)
        self.slab = slab
    }

    /// Drops everything, keeping the room.
    public mutating func removeAll() {
        strings.removeAll()
        attributes.truncate(to: 0, byteCount: 0)
        resources.removeAll()
        scopes.removeAll()
        events.truncate(to: 0)
        links.truncate(to: 0)
        traceHigh.truncate(to: 0)
        traceLow.truncate(to: 0)
        spanID.truncate(to: 0)
        parentID.truncate(to: 0)
        start.truncate(to: 0)
        end.truncate(to: 0)
        name.truncate(to: 0)
        kind.truncate(to: 0)
        status.truncate(to: 0)
        statusMessage.truncate(to: 0)
        traceState.truncate(to: 0)
        flags.truncate(to: 0)
        resource.truncate(to: 0)
        scope.truncate(to: 0)
        spanAttributes.truncate(to: 0)
        spanEvents.truncate(to: 0)
        spanLinks.truncate(to: 0)
        droppedAttributes.truncate(to: 0)
        droppedEvents.truncate(to: 0)
        droppedLinks.truncate(to: 0)
        marks.truncate(to: 0)
    }

    /// Spans.
    @inlinable
    public var count: Int { spanID.count }

    /// Bytes of memory held.
    public var allocatedByteCount: Int {
        if slab.byteCount > 0 { return slab.byteCount }
        // All columns of a table grow alike; the numbers are bytes a row.
        let spans = spanID.allocatedByteCount / 8 * (6 * 8 + 9 * 4 + 3 * 8 + 3)
        let attributeBytes =
            attributes.key.allocatedByteCount + attributes.type.allocatedByteCount
            + attributes.value.allocatedByteCount + attributes.bytes.allocatedByteCount
        let eventBytes = events.time.allocatedByteCount / 8 * 24
        let linkBytes = links.spanID.allocatedByteCount / 8 * 44
        let shared =
            resources.service.allocatedByteCount * 5
            + scopes.name.allocatedByteCount * 6
        return spans + attributeBytes + eventBytes + linkBytes + shared
            + strings.allocatedByteCount
    }

    /// Adds a span; `resource` and `scope` are rows of this batch.
    @inlinable
    public mutating func append(_ span: SpanRow) {
        traceHigh.append(span.traceID.high)
        traceLow.append(span.traceID.low)
        spanID.append(span.spanID.raw)
        parentID.append(span.parentID.raw)
        start.append(span.start)
        end.append(span.end)
        name.append(span.name)
        kind.append(span.kind.rawValue)
        status.append(span.status.rawValue)
        statusMessage.append(span.statusMessage)
        traceState.append(span.traceState)
        flags.append(span.flags)
        resource.append(span.resource)
        scope.append(span.scope)
        spanAttributes.append(span.attributes)
        spanEvents.append(span.events)
        spanLinks.append(span.links)
        droppedAttributes.append(span.droppedAttributes)
        droppedEvents.append(span.droppedEvents)
        droppedLinks.append(span.droppedLinks)
        marks.append(span.marks.rawValue)
    }

    /// The fixed-size fields of span `row`.
    @inlinable
    public subscript(row: Int) -> SpanRow {
        SpanRow(
            traceID: TraceID(high: traceHigh[row], low: traceLow[row]),
            spanID: SpanID(spanID[row]),
            parentID: SpanID(parentID[row]),
            start: start[row],
            end: end[row],
            name: name[row],
            kind: SpanKind(rawValue: kind[row]) ?? .unspecified,
            status: StatusCode(rawValue: status[row]) ?? .unset,
            statusMessage: statusMessage[row],
            traceState: traceState[row],
            flags: flags[row],
            resource: resource[row],
            scope: scope[row],
            attributes: spanAttributes[row],
            events: spanEvents[row],
            links: spanLinks[row],
            droppedAttributes: droppedAttributes[row],
            droppedEvents: droppedEvents[row],
            droppedLinks: droppedLinks[row],
            marks: SpanMarks(rawValue: marks[row])
        )
    }

    /// Nanoseconds from start to end of span `row`, 0 where the end lies before the start.
    @inlinable
    public func duration(_ row: Int) -> UInt64 {
        let begin = start[row]
        let finish = end[row]
        return finish > begin ? finish &- begin : 0
    }

    /// The string id of the service of span `row`.
    @inlinable
    public func service(_ row: Int) -> UInt32 { resources.service[Int(resource[row])] }
}

/// A run of rows in another table: `count` rows from `first`.
public struct Run: BitwiseCopyable, Sendable, Hashable {
    public var first: UInt32
    public var count: UInt32

    /// Makes a run of `count` rows from `first`.
    @inlinable
    public init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }

    /// No rows.
    public static let empty = Run(first: 0, count: 0)

    /// The rows as indices.
    @inlinable
    public var rows: Range<Int> { Int(first)..<Int(first) + Int(count) }
}

/// The fixed-size fields of one span. String, resource and scope ids hold inside one batch only.
public struct SpanRow: Sendable {
    public var traceID: TraceID
    public var spanID: SpanID
    public var parentID: SpanID
    /// Nanoseconds since 1970.
    public var start: UInt64
    /// Nanoseconds since 1970.
    public var end: UInt64
    public var name: UInt32
    public var kind: SpanKind
    public var status: StatusCode
    public var statusMessage: UInt32
    public var traceState: UInt32
    public var flags: UInt32
    public var resource: UInt32
    public var scope: UInt32
    public var attributes: Run
    public var events: Run
    public var links: Run
    public var droppedAttributes: UInt32
    public var droppedEvents: UInt32
    public var droppedLinks: UInt32
    public var marks: SpanMarks

    /// Makes a row; everything but the ids and the placement has a neutral default.
    @inlinable
    public init(
        traceID: TraceID,
        spanID: SpanID,
        parentID: SpanID = .none,
        start: UInt64 = 0,
        end: UInt64 = 0,
        name: UInt32 = 0,
        kind: SpanKind = .unspecified,
        status: StatusCode = .unset,
        statusMessage: UInt32 = 0,
        traceState: UInt32 = 0,
        flags: UInt32 = 0,
        resource: UInt32,
        scope: UInt32,
        attributes: Run = .empty,
        events: Run = .empty,
        links: Run = .empty,
        droppedAttributes: UInt32 = 0,
        droppedEvents: UInt32 = 0,
        droppedLinks: UInt32 = 0,
        marks: SpanMarks = []
    ) {
        self.traceID = traceID
        self.spanID = spanID
        self.parentID = parentID
        self.start = start
        self.end = end
        self.name = name
        self.kind = kind
        self.status = status
        self.statusMessage = statusMessage
        self.traceState = traceState
        self.flags = flags
        self.resource = resource
        self.scope = scope
        self.attributes = attributes
        self.events = events
        self.links = links
        self.droppedAttributes = droppedAttributes
        self.droppedEvents = droppedEvents
        self.droppedLinks = droppedLinks
        self.marks = marks
    }
}
