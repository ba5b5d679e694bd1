// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Puts Zipkin v2 spans, read from either encoding, into columns.
///
/// | Zipkin | columns |
/// |---|---|
/// | localEndpoint | resource: `service.name`, `network.local.address`, `network.local.port` |
/// | remoteEndpoint | `peer.service`, `network.peer.address`, `network.peer.port`, where no tag says |
/// | tags | string attributes |
/// | tag `error` | status error with the value as message |
/// | tags `otel.status_code`, `otel.status_description` | status |
/// | tags `otel.scope.*`, `otel.library.*` | scope |
/// | annotations | events |
/// | shared, debug | marks |
///
/// The second IP of an endpoint that has both goes to `network.local.address.ipv6` (or `.peer.`).
struct ZipkinBuilder: ~Copyable {
    var builder: BatchBuilder
    private var resources: [Endpoint: UInt32] = [:]
    private var scopes: [Scope: UInt32] = [:]

    /// An endpoint by the ids of its texts; zero for what it does not say.
    struct Endpoint: Hashable {
        var service: UInt32 = 0
        var ipv4: UInt32 = 0
        var ipv6: UInt32 = 0
        var port: UInt32 = 0

        var isEmpty: Bool { self == Endpoint() }
    }

    private struct Scope: Hashable {
        var name: UInt32 = 0
        var version: UInt32 = 0
    }

    /// One span's fields before its tags and annotations.
    struct Fields {
        var traceID = TraceID.zero
        var spanID = SpanID.none
        var parentID = SpanID.none
        var name: UInt32 = 0
        var kind = SpanKind.unspecified
        /// Microseconds since 1970; 0 where the sender did not say.
        var timestamp: UInt64 = 0
        /// Microseconds; 0 where the sender did not say.
        var duration: UInt64 = 0
        var local = Endpoint()
        var remote = Endpoint()
        var isShared = false
        var isDebug = false
    }

    /// What tags say that is not an attribute here.
    private struct Said {
        var scope = Scope()
        var status = StatusCode.unset
        var message: UInt32 = 0
        var hasError = false
        var namesPeer = false
        var namesPeerAddress = false
    }
    private var said = Said()

    init(payloadByteCount: Int, receivedAt: UInt64, limits: DecodeLimits) {
        builder = BatchBuilder(
            payloadByteCount: payloadByteCount,
            receivedAt: receivedAt,
            limits: limits
        )
    }

    consuming func finish() -> DecodedBatch { builder.finish() }

    /// Begins the fields of a span: what is noted on their texts will be the span's.
    mutating func beginFields() { builder.beginOwner() }

    /// Begins a span whose fields were read since `beginFields`; its tags follow by `tag`, then its annotations between `beginAnnotations` and
    /// `end`.
    mutating func begin(_ fields: Fields) -> SpanRow {
        let noted = builder.marks
        let resource = resource(fields.local)
        builder.beginSpan(marks: noted)
        if fields.local.service == 0 { builder.marks.insert(.serviceMissing) }
        if fields.isShared { builder.marks.insert(.shared) }
        if fields.isDebug { builder.marks.insert(.debug) }
        said = Said()
        builder.beginAttributes()
        var row = SpanRow(
            traceID: fields.traceID,
            spanID: fields.spanID,
            parentID: fields.parentID,
            name: fields.name,
            kind: fields.kind,
            resource: resource,
            scope: 0
        )
        // Microseconds become nanoseconds; what does not fit 64 bits is as late as can be.
        row.start = saturatingNanoseconds(fields.timestamp)
        if fields.duration > 0 {
            // Without a start the builder fills in the time of receiving, and the end follows it.
            let start = row.start == 0 ? builder.receivedAt : row.start
            let (end, overflow) = start.addingReportingOverflow(
                saturatingNanoseconds(fields.duration)
            )
            row.end = overflow ? .max : end
        }
        return row
    }

    mutating func tag(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        if key.equals("error") {
            said.hasError = true
            if said.message == 0 { said.message = builder.name(value) }
            return
        }
        if key.equals("otel.status_code") {
            said.status =
                StatusCode(word: String(decoding: value, as: UTF8.self).lowercased()) ?? .unset
            return
        }
        if key.equals("otel.status_description") {
            said.message = builder.name(value)
            return
        }
        if key.equals("otel.scope.name") || key.equals("otel.library.name") {
            said.scope.name = builder.name(value)
            return
        }
        if key.equals("otel.scope.version") || key.equals("otel.library.version") {
            said.scope.version = builder.name(value)
            return
        }
        if key.equals("peer.service") { said.namesPeer = true }
        if key.equals("network.peer.address") { said.namesPeerAddress = true }
        builder.attribute(key: key, RawValue(type: .string, body: value))
    }

    /// Ends the tags: adds what the remote endpoint says and settles status and scope.
    mutating func beginAnnotations(_ fields: Fields, _ row: inout SpanRow) {
        if fields.remote.service != 0, !said.namesPeer {
            text("peer.service", fields.remote.service)
        }
        if !said.namesPeerAddress {
            address("network.peer.address", "network.peer.address.ipv6", fields.remote)
            port("network.peer.port", fields.remote.port)
        }
        let (run, dropped) = builder.endAttributes()
        row.attributes = run
        row.droppedAttributes = dropped
        row.status = said.hasError ? .error : said.status
        row.statusMessage = row.status == .error ? said.message : 0
        row.scope = scope(said.scope)
        row.events = Run(first: UInt32(builder.columns.events.count), count: 0)
    }

    /// Adds an annotation; its time is in microseconds.
    mutating func annotation(
        timestamp: UInt64,
        _ value: UnsafeRawBufferPointer,
        _ row: inout SpanRow
    ) {
        guard builder.admitsEvent(since: Int(row.events.first)) else {
            row.droppedEvents = row.droppedEvents.saturatingAdd(1)
            return
        }
        let name = builder.name(value)
        builder.columns.events.append(time: saturatingNanoseconds(timestamp), name: name)
        row.events.count += 1
    }

    mutating func end(_ row: inout SpanRow) { builder.append(&row) }

    // MARK: Resource and scope

    private mutating func resource(_ endpoint: Endpoint) -> UInt32 {
        if let known = resources[endpoint] { return known }
        builder.beginOwner()
        builder.beginAttributes()
        if endpoint.service != 0 { text("service.name", endpoint.service) }
        address("network.local.address", "network.local.address.ipv6", endpoint)
        port("network.local.port", endpoint.port)
        let (run, _) = builder.endAttributes()
        let service = builder.service(in: run)
        let row = builder.columns.resources.append(service: service, attributes: run)
        resources[endpoint] = row
        return row
    }

    private mutating func scope(_ scope: Scope) -> UInt32 {
        if let known = scopes[scope] { return known }
        let row = builder.columns.scopes.append(name: scope.name, version: scope.version)
        scopes[scope] = row
        return row
    }

    private mutating func text(_ key: String, _ id: UInt32) {
        builder.columns.attributes.append(
            key: builder.columns.strings.intern(key),
            string: builder.columns.strings.text(id)
        )
    }

    private mutating func address(_ key: String, _ second: String, _ endpoint: Endpoint) {
        let first = endpoint.ipv4 != 0 ? endpoint.ipv4 : endpoint.ipv6
        if first != 0 { text(key, first) }
        if endpoint.ipv4 != 0, endpoint.ipv6 != 0 { text(second, endpoint.ipv6) }
    }

    private mutating func port(_ key: String, _ port: UInt32) {
        guard port != 0 else { return }
        builder.columns.attributes.append(
            key: builder.columns.strings.intern(key),
            type: .int,
            bits: UInt64(port)
        )
    }

    private func saturatingNanoseconds(_ microseconds: UInt64) -> UInt64 {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product
    }
}

extension SpanKind {
    /// Zipkin's word for a kind.
    init?(zipkin word: UnsafeRawBufferPointer) {
        if word.equals("CLIENT") {
            self = .client
        } else if word.equals("SERVER") {
            self = .server
        } else if word.equals("PRODUCER") {
            self = .producer
        } else if word.equals("CONSUMER") {
            self = .consumer
        } else {
            return nil
        }
    }

    /// Zipkin's word for this kind, absent for internal spans.
    var zipkinWord: String? {
        switch self {
        case .client: "CLIENT"
        case .server: "SERVER"
        case .producer: "PRODUCER"
        case .consumer: "CONSUMER"
        case .unspecified, .internal: nil
        }
    }
}
