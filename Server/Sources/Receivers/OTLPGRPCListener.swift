// SPDX-License-Identifier: Apache-2.0

public import Ingest
public import ServiceLifecycle

/// The port of OTLP over gRPC.
public struct OTLPGRPCListener: Service {
    private let port: GRPCPort

    /// Describes a port; `run` opens it.
    ///
    /// - Parameters:
    ///   - option: the command line option that says where, for messages.
    ///   - address: where to listen.
    ///   - ingest: takes the payloads.
    ///   - limits: what a connection may cost.
    ///   - onBound: called once with the address really taken.
    public init(
        option: String,
        address: ListenAddress,
        ingest: Ingest,
        limits: ReceiverLimits = ReceiverLimits(),
        onBound: @escaping @Sendable (ListenAddress) async -> Void
    ) {
        port = GRPCPort(
            option: option,
            address: address,
            limits: limits,
            rules: GRPCMessageRules(
                messageByteCount: ingest.limits.requestByteCount,
                budget: ingest.budget,
                retryAfterSeconds: { ingest.retryAfterSeconds() },
                count: { ingest.counters.count(.otlpGRPC, $0) }
            ),
            services: [OTLPGRPCService(ingest: ingest)],
            onBound: onBound
        )
    }

    public func run() async throws { try await port.run() }
}
