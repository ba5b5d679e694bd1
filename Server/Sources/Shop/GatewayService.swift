// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore
import ServiceLifecycle
import Tracing

/// The door of the shop: knows the customer, passes the order on.
struct GatewayService: Service {
    let station: Station

    func run() async throws {
        try await station.serve { router in
            router.post("/orders") { request, context in
                let order = try await request.decode(as: OrderRequest.self, context: context)
                try await authenticate(order)
                let reply = try await station.client.call("POST", .order, "/orders", body: order)
                return Response(
                    status: .init(code: reply.status),
                    headers: [.contentType: "application/json"],
                    body: .init(byteBuffer: reply.body)
                )
            }
        }
    }

    private func authenticate(_ order: OrderRequest) async throws {
        try await station.span("authenticate customer") { span in
            span.attributes["enduser.id"] = order.customer
            span.attributes["session.cache.hit"] = order.channel != .marketplace
            try await station.work.take(order.channel == .marketplace ? 8...16 : 1...4)
        }
    }
}
