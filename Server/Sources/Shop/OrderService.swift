// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import ServiceLifecycle
import Tracing

/// Takes orders: reserves the articles, redeems the coupon, takes the money, and has the order
/// pushed to the store that hands it out.
struct OrderService: Service {
    let station: Station
    let queue: PushQueue
    let ledger: Ledger

    func run() async throws {
        try await station.serve { router in
            router.post("/orders") { request, context in
                let order = try await request.decode(as: OrderRequest.self, context: context)
                return try await accept(order)
            }
            router.put("/orders/{id}/push") { _, _ in
                try await station.span("mark order as pushed") { _ in
                    try await station.work.take(1...3)
                }
                return Response(status: .noContent)
            }
        }
    }

    private func accept(_ order: OrderRequest) async throws -> Response {
        try await validate(order)
        let reservation = try await reserve(order)
        let discount = try await redeem(order)
        let total = try await price(reservation.totalCents, discount: discount)
        guard try await pay(order, total) else {
            _ = try await station.client.call("DELETE", .stock, "/reservations/\(order.id)")
            return Response(status: .init(code: 402))
        }
        if let message = order.giftMessage { try await renderGiftCard(message) }
        try await publish(order)
        return try json(OrderReceipt(id: order.id, totalCents: total), status: .created)
    }

    private func validate(_ order: OrderRequest) async throws {
        try await station.span("validate order") { span in
            span.attributes["order.channel"] = order.channel.rawValue
            span.attributes["order.line_count"] = order.lines.count
            span.attributes["order.warehouse"] = order.warehouse
            try await station.work.take(1...3)
        }
    }

    /// Asks the stock service until the warehouse has time, a few times at most.
    private func reserve(_ order: OrderRequest) async throws -> Reservation {
        try await station.span("reserve stock") { span in
            for attempt in 1...Limits.reservationAttempts {
                let reply = try await station.client.call(
                    "POST",
                    .stock,
                    "/reservations",
                    body: ReservationRequest(
                        order: order.id,
                        warehouse: order.warehouse,
                        lines: order.lines,
                        attempt: attempt,
                        oneByOne: order.channel == .marketplace
                    )
                )
                span.attributes["reservation.attempts"] = attempt
                if reply.isSuccess { return try reply.decode(Reservation.self) }
                guard reply.status == 503, attempt < Limits.reservationAttempts else {
                    throw UnexpectedStatus(service: .stock, status: reply.status)
                }
                span.addEvent(
                    SpanEvent(
                        name: "retry",
                        attributes: [
                            "retry.attempt": .int64(Int64(attempt)),
                            "retry.reason": "warehouse busy",
                        ]
                    )
                )
                try await station.work.take(40...80)
            }
            throw UnexpectedStatus(service: .stock, status: 503)
        }
    }

    /// The discount in percent; an expired coupon gives none and does not stop the order.
    private func redeem(_ order: OrderRequest) async throws -> Int {
        guard let code = order.coupon else { return 0 }
        return try await station.span("apply coupon") { span in
            span.attributes["coupon.code"] = code
            let reply = try await station.client.call(
                "POST",
                .coupon,
                "/coupons/\(code)/redemptions"
            )
            guard reply.isSuccess else {
                span.addEvent(
                    SpanEvent(
                        name: "coupon refused",
                        attributes: ["http.response.status_code": .int64(Int64(reply.status))]
                    )
                )
                return 0
            }
            return try reply.decode(CouponRedemption.self).percent
        }
    }

    private func price(_ cents: Int, discount: Int) async throws -> Int {
        try await station.span("price order") { span in
            let total = cents * (100 - discount) / 100
            span.attributes["order.discount_percent"] = discount
            span.attributes["order.total_cents"] = total
            try await station.work.take(0.4...1.5)
            return total
        }
    }

    /// Whether the payment was authorised.
    private func pay(_ order: OrderRequest, _ total: Int) async throws -> Bool {
        let reply = try await station.client.call(
            "POST",
            .payment,
            "/payments",
            body: PaymentRequest(order: order.id, card: order.card, amountCents: total)
        )
        if reply.status == 402 { return false }
        guard reply.isSuccess else {
            throw UnexpectedStatus(service: .payment, status: reply.status)
        }
        return true
    }

    /// The slow path: a picture is drawn while the customer waits.
    private func renderGiftCard(_ message: String) async throws {
        try await station.span("render gift card") { span in
            span.attributes["gift.message_length"] = message.count
            try await station.span("load fonts") { _ in try await station.work.take(120...260) }
            try await station.span("rasterise card") { span in
                span.attributes["image.width"] = 2_480
                span.attributes["image.height"] = 3_508
                try await station.work.take(280...620)
            }
        }
    }

    private func publish(_ order: OrderRequest) async throws {
        let partition = PushQueue.Partition(channel: order.channel)
        try await station.span("send \(PushQueue.name)", ofKind: .producer) { span in
            var message = PushMessage(order: order.id, headers: [:])
            if let context = ServiceContext.current {
                station.tracer.inject(context, into: &message.headers, using: MessageInjector())
            }
            span.updateAttributes {
                $0["messaging.system"] = "shop-queue"
                $0["messaging.destination.name"] = PushQueue.name
                $0["messaging.destination.partition.id"] = partition.id
                $0["messaging.operation.name"] = "send"
                $0["messaging.operation.type"] = "send"
                $0["messaging.message.id"] = "push-\(order.id)"
            }
            try queue.publish(message, to: partition)
        }
        if !partition.hasConsumer { ledger.count(\.lost) }
    }
}
