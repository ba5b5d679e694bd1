// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import Tracing

// What makes spans count as calls.
extension TracerCore {
    /// A span of our own that has begun, so that its end is counted if it is a call.
    @inline(__always)
    func counted(
        _ span: BegunSpan,
        _ name: StaticString,
        _ kind: SkeinModel.SpanKind,
        _ peer: @autoclosure () -> String
    ) -> BegunSpan {
        guard kind.isCall, countsCalls else {
            // Only a recorded span has room for it.
            if span.isRecorded { setPeer(span.record, peer()) }
            return span
        }
        let peer = peer()
        if span.isRecorded {
            let series = withCalls { calls in
                name.withBytes { calls.series($0, CallPeer(service: peer), kind.rawValue) }
            }
            if let series { slots.setCallSeries(span.record, series) }
            setPeer(span.record, peer)
            return span
        }
        guard mayRecord, span.local.bits & LocalSpan.exportingBit == 0 else { return span }
        let call = withCalls { $0.open(name, CallPeer(service: peer), kind) }
        return BegunSpan(unrecorded: span.local, call: call ?? 0)
    }

    private func setPeer(_ record: UInt64, _ peer: String) {
        if !peer.isEmpty { set(record, key: "peer.service", value: .string(peer)) }
    }

    /// Notes that a call of swift-distributed-tracing begins whose span is not recorded.
    ///
    /// - Parameter start: Nanoseconds since 1970.
    /// - Returns: What it is known by; 0 for what is no call, or is not counted.
    func openCall(
        _ name: String,
        _ kind: Tracing.SpanKind,
        _ local: LocalSpan,
        _ start: @autoclosure () -> UInt64
    ) -> UInt64 {
        guard kind != .internal, let calls, mayRecord,
            local.bits & LocalSpan.exportingBit == 0
        else { return 0 }
        return calls.open(name, kind.model, at: start())
    }

    /// Notes that a call failed whose span is not recorded.
    @usableFromInline
    static func failCall(_ call: UInt64) { CallStatistics.setError(call, true) }

    /// Notes that a call ended well whose span is not recorded.
    @usableFromInline
    static func succeedCall(_ call: UInt64) { CallStatistics.setError(call, false) }

    /// Gives a call whose span is not recorded another name.
    @usableFromInline
    static func renameCall(_ call: UInt64, _ name: String) { CallStatistics.rename(call, name) }
}
