// SPDX-License-Identifier: Apache-2.0

public import GRPCCore
import Query
import SkeinWire
import Store

/// Jaeger's query interface over gRPC.
extension ReadAPI {
    /// The services of Jaeger's port for queries.
    public var jaegerGRPCServices: [any RegistrableRPCService] {
        [
            GRPCService(
                name: "jaeger.api_v3.QueryService",
                calls: [GRPCCall("GetServices", jaegerGRPCServiceNames)]
            )
        ]
    }

    @Sendable private func jaegerGRPCServiceNames(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let found = try await engine.services()
        var message = ProtobufWriter()
        for name in found.names { message.string(1, always: name.text) }
        try await answer.send(message)
        return GRPCIncomplete(reasons: found.incomplete)
    }
}
