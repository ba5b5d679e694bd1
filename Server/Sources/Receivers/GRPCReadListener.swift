// SPDX-License-Identifier: Apache-2.0

public import GRPCCore
internal import Ingest
public import ServiceLifecycle

/// A port of gRPC services that answer questions: one message in, one or a stream of them out.
public struct GRPCReadListener: Service {
    private let port: GRPCPort

    /// Describes a port; `run` opens it.
    ///
    /// - Parameters:
    ///   - option: the command line option that says where, for messages.
    ///   - address: where to listen.
    ///   - services: who answers.
    ///   - limits: what a connection may cost.
    ///   - onBound: called once with the address really taken.
    public init(
        option: String,
        address: ListenAddress,
        services: [any RegistrableRPCService],
        limits: ReceiverLimits = ReceiverLimits(),
        onBound: @escaping @Sendable (ListenAddress) async -> Void
    ) {
        var limits = limits
        limits.streamCount = limits.readStreamCount
        port = GRPCPort(
            option: option,
            address: address,
            limits: limits,
            rules: GRPCMessageRules(
                messageByteCount: limits.questionByteCount,
                budget: ByteBudget(byteCount: limits.questionsByteCount),
                retryAfterSeconds: { 1 },
                count: { _ in }
            ),
            services: services,
            onBound: onBound
        )
    }

    public func run() async throws { try await port.run() }
}
