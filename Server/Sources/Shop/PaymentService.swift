// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import ServiceLifecycle
import Tracing

/// Takes the money: judges the risk, then asks the bank.
struct PaymentService: Service {
    let station: Station

    func run() async throws {
        try await station.serve { router in
            router.post("/payments") { request, context in
                let payment = try await request.decode(as: PaymentRequest.self, context: context)
                try await assess(payment)
                do {
                    return try json(try await authorise(payment), status: .created)
                } catch is PaymentDeclined {
                    return Response(status: .init(code: 402))
                }
            }
        }
    }

    private func assess(_ payment: PaymentRequest) async throws {
        try await station.span("assess fraud risk") { span in
            span.attributes["fraud.score"] = Double(payment.amountCents % 97) / 100
            let isOutdated = station.instance.isOutdated
            span.attributes["fraud.model"] = isOutdated ? "gradient-2025-11" : "gradient-2026-02"
            try await station.work.take(isOutdated ? 70...160 : 4...18)
        }
    }

    /// Asks the bank, which is outside the shop and sends no spans.
    private func authorise(_ payment: PaymentRequest) async throws -> Payment {
        try await station.span("authorise card", ofKind: .client) { span in
            span.updateAttributes {
                $0["server.address"] = "api.bank.example"
                $0["server.port"] = 443
                $0["peer.service"] = "bank"
                $0["rpc.system"] = "grpc"
                $0["rpc.service"] = "bank.v1.Cards"
                $0["rpc.method"] = "Authorise"
                $0["payment.amount_cents"] = payment.amountCents
                $0["payment.currency"] = "EUR"
                $0["payment.card.last4"] = String(payment.card.suffix(4))
            }
            try await station.work.take(60...190)
            guard !payment.card.hasPrefix(DeclinedCard.prefix) else {
                span.attributes["error.type"] = "PaymentDeclined"
                throw PaymentDeclined(order: payment.order)
            }
            return Payment(authorization: "A-\(payment.order)")
        }
    }
}

/// Cards that the bank declines.
enum DeclinedCard {
    static let prefix = "4000-"
}

/// The bank refused the card.
struct PaymentDeclined: Error, CustomStringConvertible {
    let order: String

    var description: String { "payment declined for order '\(order)': insufficient funds" }
}
