// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import Synchronization
internal import Tracing

/// Counts the calls of one tracer: spans that are no internal ones, sampled or not.
///
/// Counting a call costs two or three atomic additions and allocates nothing, except for the first
/// call of an operation (and of an octave of durations there).
final class CallStatistics: Sendable {
    let resource: Resource
    let table = CallTable(seed: Transport.random())
    /// The end of the current window, nanoseconds since 1970, an even number; the lowest bit says
    /// which bank the window has. One number, so that a call sees both as they belong together.
    private let edge: Atomic<UInt64>
    /// Calls in overflow series.
    let overflowed = Atomic(0)
    /// Calls not counted, because too many ran without a recorded span.
    let missed = Atomic(0)
    /// Calls not counted, because their end seems forgotten.
    let abandoned = Atomic(0)

    init(resource: Resource, edge: UInt64) {
        self.resource = resource
        self.edge = Atomic(edge)
    }

    // MARK: Calls whose span is recorded

    /// Counts a call.
    ///
    /// - Parameters:
    ///   - series: Of its operation, peer and kind.
    ///   - start: Nanoseconds since 1970.
    ///   - end: Nanoseconds since 1970; before `start` it counts as a call of no duration.
    ///   - isError: Whether its status is error.
    @inline(__always)
    func count(_ series: UInt32, from start: UInt64, to end: UInt64, isError: Bool) {
        guard !Transport.isForkedCopy else { return }
        let edge = edge.load(ordering: .relaxed)
        let bank = (edge & 1 == 1) != (end >= edge) ? 1 : 0
        if table.isOverflow(series) { overflowed.add(1, ordering: .relaxed) }
        table.add(series, end > start ? end &- start : 0, isError: isError, bank: bank)
    }

    /// Counts the call of a span of swift-distributed-tracing.
    func count(
        _ name: String,
        _ attributes: SpanAttributes,
        _ kind: SkeinModel.SpanKind,
        from start: UInt64,
        to end: UInt64,
        isError: Bool
    ) {
        let peer = CallPeer(attributes, kind) ?? .unknown
        let series = name.withBytes { self.series($0, peer, kind.rawValue) }
        count(series, from: start, to: end, isError: isError)
    }

    // MARK: Calls whose span is not recorded

    /// Notes that a call began whose operation is a text of the program.
    ///
    /// - Returns: What the call is known by; 0 where it cannot be counted.
    @inline(__always)
    func open(_ name: StaticString, _ peer: CallPeer, _ kind: SkeinModel.SpanKind) -> UInt64 {
        let series = name.withBytes { self.series($0, peer, kind.rawValue) }
        let call = OpenCalls.shared.open { place -> Void in
            place.pointee.start = Transport.wallNanoseconds()
            place.pointee.owner = self
            place.pointee.kind = kind.rawValue
            place.pointee.isError = false
            place.pointee.series = series
        }
        return call ?? miss()
    }

    /// Notes that a call began; the operation is looked up at its end, for it may get another name.
    func open(_ name: String, _ kind: SkeinModel.SpanKind, at start: UInt64) -> UInt64 {
        let call = OpenCalls.shared.open { place in
            place.pointee.start = start
            place.pointee.owner = self
            place.pointee.kind = kind.rawValue
            place.pointee.isError = false
            place.pointee.name = name
        }
        return call ?? miss()
    }

    private func miss() -> UInt64 {
        missed.add(1, ordering: .relaxed)
        return 0
    }

    /// Ends a call whose span is not recorded.
    static func end(_ call: UInt64, at end: UInt64) {
        // A thread that is gone may hold the lock that a name not seen before needs.
        guard !Transport.isForkedCopy else { return }
        OpenCalls.shared.close(call) { place in
            guard let owner = place.pointee.owner else { return }
            var series = place.pointee.series
            if let name = place.pointee.name {
                let (peer, kind) = (place.pointee.peer, place.pointee.kind)
                series = name.withBytes { owner.series($0, peer, kind) }
            }
            owner.count(
                series,
                from: place.pointee.start,
                to: end,
                isError: place.pointee.isError
            )
        }
    }

    /// Says whether a call whose span is not recorded failed.
    static func setError(_ call: UInt64, _ isError: Bool) {
        OpenCalls.shared.change(call) { $0.pointee.isError = isError }
    }

    /// Gives a call whose span is not recorded another name.
    static func rename(_ call: UInt64, _ name: String) {
        OpenCalls.shared.change(call) { place in
            // The one of the series it was opened with stays.
            if place.pointee.name == nil, let owner = place.pointee.owner {
                place.pointee.peer = owner.table.key(place.pointee.series).peer
            }
            place.pointee.name = name
        }
    }

    /// Takes what attributes say of the other end of a call whose span is not recorded.
    static func setPeer(_ call: UInt64, _ attributes: SpanAttributes) {
        OpenCalls.shared.change(call) { place in
            let kind = SkeinModel.SpanKind(rawValue: place.pointee.kind) ?? .unspecified
            guard let peer = CallPeer(attributes, kind) else { return }
            // Who says the service knows more than who says the address.
            if place.pointee.peer.text.isEmpty || !peer.isAddress { place.pointee.peer = peer }
        }
    }

    /// The name of a call whose span is not recorded.
    static func name(_ call: UInt64) -> String {
        var name: String?
        OpenCalls.shared.change(call) { name = $0.pointee.name }
        return name ?? ""
    }

    // MARK: Windows

    /// Takes what the calls of one bank were counted as.
    func take(bank: Int) -> CallWindow.Service? {
        var service = CallWindow.Service(resource: resource, rows: [])
        table.take(bank: bank) { service.rows.append($0) }
        return service.rows.isEmpty ? nil : service
    }

    /// From now on the current window ends there; see `edge`.
    func setEdge(_ value: UInt64) { edge.store(value, ordering: .relaxed) }
}

extension CallPeer {
    /// What a span's attributes say of the other end; `nil` for nothing.
    init?(_ attributes: SpanAttributes, _ kind: SkeinModel.SpanKind) {
        if case .string(let service) = attributes.get("peer.service"), !service.isEmpty {
            self.init(service: service)
        } else if kind == .client || kind == .producer,
            case .string(let address) = attributes.get("server.address"), !address.isEmpty
        {
            self.init(text: address, isAddress: true)
        } else {
            return nil
        }
    }
}
