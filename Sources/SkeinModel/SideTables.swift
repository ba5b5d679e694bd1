// SPDX-License-Identifier: Apache-2.0

/// Resources of a batch: one row a distinct process description.
public struct ResourceColumns: ~Copyable, Sendable {
    /// String ids of `service.name`, `unknown_service` where it is missing.
    public var service: Column<UInt32>
    /// Runs in the batch's attributes, `service.name` among them where it was sent.
    public var attributes: Column<Run>
    /// Attributes dropped by the sender.
    public var dropped: Column<UInt32>
    /// String ids of schema URLs.
    public var schemaURL: Column<UInt32>

    /// Makes an empty table.
    public init() {
        service = Column()
        attributes = Column()
        dropped = Column()
        schemaURL = Column()
    }

    init(packing source: borrowing ResourceColumns, _ packer: inout SlabPacker) {
        service = packer.column(source.service)
        attributes = packer.column(source.attributes)
        dropped = packer.sparse(source.dropped)
        schemaURL = packer.sparse(source.schemaURL)
    }

    /// Resources.
    @inlinable
    public var count: Int { service.count }

    /// Drops all rows, keeping the room.
    mutating func removeAll() {
        service.truncate(to: 0)
        attributes.truncate(to: 0)
        dropped.truncate(to: 0)
        schemaURL.truncate(to: 0)
    }

    /// Adds a resource and returns its row.
    public mutating func append(
        service: UInt32,
        attributes: Run,
        dropped: UInt32 = 0,
        schemaURL: UInt32 = 0
    ) -> UInt32 {
        self.service.append(service)
        self.attributes.append(attributes)
        self.dropped.append(dropped)
        self.schemaURL.append(schemaURL)
        return UInt32(count - 1)
    }
}

/// Instrumentation scopes of a batch.
public struct ScopeColumns: ~Copyable, Sendable {
    /// String ids of names.
    public var name: Column<UInt32>
    /// String ids of versions.
    public var version: Column<UInt32>
    /// Runs in the batch's attributes.
    public var attributes: Column<Run>
    /// Attributes dropped by the sender.
    public var dropped: Column<UInt32>
    /// String ids of schema URLs.
    public var schemaURL: Column<UInt32>

    /// Makes an empty table.
    public init() {
        name = Column()
        version = Column()
        attributes = Column()
        dropped = Column()
        schemaURL = Column()
    }

    init(packing source: borrowing ScopeColumns, _ packer: inout SlabPacker) {
        name = packer.column(source.name)
        version = packer.sparse(source.version)
        attributes = packer.sparse(source.attributes)
        dropped = packer.sparse(source.dropped)
        schemaURL = packer.sparse(source.schemaURL)
    }

    /// Scopes.
    @inlinable
    public var count: Int { name.count }

    /// Drops all rows, keeping the room.
    mutating func removeAll() {
        name.truncate(to: 0)
        version.truncate(to: 0)
        attributes.truncate(to: 0)
        dropped.truncate(to: 0)
        schemaURL.truncate(to: 0)
    }

    /// Adds a scope and returns its row.
    public mutating func append(
        name: UInt32 = 0,
        version: UInt32 = 0,
        attributes: Run = .empty,
        dropped: UInt32 = 0,
        schemaURL: UInt32 = 0
    ) -> UInt32 {
        self.name.append(name)
        self.version.append(version)
        self.attributes.append(attributes)
        self.dropped.append(dropped)
        self.schemaURL.append(schemaURL)
        return UInt32(count - 1)
    }
}

/// Events (logs, annotations) of a batch's spans; a span names its run.
public struct EventColumns: ~Copyable, Sendable {
    /// Nanoseconds since 1970.
    public var time: Column<UInt64>
    /// String ids of names.
    public var name: Column<UInt32>
    /// Runs in the batch's attributes.
    public var attributes: Column<Run>
    /// Attributes dropped by the sender or by our limits.
    public var dropped: Column<UInt32>

    /// Makes an empty table.
    public init() {
        time = Column()
        name = Column()
        attributes = Column()
        dropped = Column()
    }

    init(packing source: borrowing EventColumns, _ packer: inout SlabPacker) {
        time = packer.column(source.time)
        name = packer.column(source.name)
        attributes = packer.sparse(source.attributes)
        dropped = packer.sparse(source.dropped)
    }

    /// Events.
    @inlinable
    public var count: Int { time.count }

    /// Drops the events from `newCount` on; their attributes stay.
    public mutating func truncate(to newCount: Int) {
        time.truncate(to: newCount)
        name.truncate(to: newCount)
        attributes.truncate(to: newCount)
        dropped.truncate(to: newCount)
    }

    /// Adds an event.
    public mutating func append(
        time: UInt64,
        name: UInt32,
        attributes: Run = .empty,
        dropped: UInt32 = 0
    ) {
        self.time.append(time)
        self.name.append(name)
        self.attributes.append(attributes)
        self.dropped.append(dropped)
    }
}

/// Links of a batch's spans; a span names its run.
public struct LinkColumns: ~Copyable, Sendable {
    /// Bits 127...64 of the linked trace id.
    public var traceHigh: Column<UInt64>
    /// Bits 63...0 of the linked trace id.
    public var traceLow: Column<UInt64>
    /// Linked span ids.
    public var spanID: Column<UInt64>
    /// String ids of tracestates.
    public var traceState: Column<UInt32>
    /// OTLP flags.
    public var flags: Column<UInt32>
    /// Runs in the batch's attributes.
    public var attributes: Column<Run>
    /// Attributes dropped by the sender or by our limits.
    public var dropped: Column<UInt32>

    /// Makes an empty table.
    public init() {
        traceHigh = Column()
        traceLow = Column()
        spanID = Column()
        traceState = Column()
        flags = Column()
        attributes = Column()
        dropped = Column()
    }

    init(packing source: borrowing LinkColumns, _ packer: inout SlabPacker) {
        traceHigh = packer.column(source.traceHigh)
        traceLow = packer.column(source.traceLow)
        spanID = packer.column(source.spanID)
        traceState = packer.sparse(source.traceState)
        flags = packer.sparse(source.flags)
        attributes = packer.sparse(source.attributes)
        dropped = packer.sparse(source.dropped)
    }

    /// Links.
    @inlinable
    public var count: Int { spanID.count }

    /// Drops the links from `newCount` on; their attributes stay.
    public mutating func truncate(to newCount: Int) {
        traceHigh.truncate(to: newCount)
        traceLow.truncate(to: newCount)
        spanID.truncate(to: newCount)
        traceState.truncate(to: newCount)
        flags.truncate(to: newCount)
        attributes.truncate(to: newCount)
        dropped.truncate(to: newCount)
    }

    /// Adds a link.
    public mutating func append(
        traceID: TraceID,
        spanID: SpanID,
        traceState: UInt32 = 0,
        flags: UInt32 = 0,
        attributes: Run = .empty,
        dropped: UInt32 = 0
    ) {
        traceHigh.append(traceID.high)
        traceLow.append(traceID.low)
        self.spanID.append(spanID.raw)
        self.traceState.append(traceState)
        self.flags.append(flags)
        self.attributes.append(attributes)
        self.dropped.append(dropped)
    }
}
