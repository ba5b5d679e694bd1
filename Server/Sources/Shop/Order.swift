// SPDX-License-Identifier: Apache-2.0

/// What a customer sends to the gateway, and the gateway on to the order service.
struct OrderRequest: Codable, Sendable, Hashable {
    var id: String
    var customer: String
    var channel: Channel
    var warehouse: String
    var lines: [OrderLine]
    var card: String
    var coupon: String?
    var giftMessage: String?
}

/// How many of one article.
struct OrderLine: Codable, Sendable, Hashable {
    var sku: String
    var quantity: Int
}

/// Where an order comes from.
enum Channel: String, Codable, Sendable {
    case web, app
    /// Orders of a partner come in through an importer that asks for each line on its own.
    case marketplace
    /// The terminals in the stores. Their partition of the push queue has lost its consumer.
    case kiosk
}

/// What the order service asks of the stock service.
struct ReservationRequest: Codable, Sendable {
    var order: String
    var warehouse: String
    var lines: [OrderLine]
    /// 1 for the first try.
    var attempt: Int
    /// Whether the articles are looked up one by one.
    var oneByOne: Bool
}

/// What the stock service answers: the price of all lines.
struct Reservation: Codable, Sendable {
    var order: String
    var totalCents: Int
}

/// What the order service asks of the payment service.
struct PaymentRequest: Codable, Sendable {
    var order: String
    var card: String
    var amountCents: Int
}

/// What the payment service answers.
struct Payment: Codable, Sendable {
    var authorization: String
}

/// What the coupon service answers.
struct CouponRedemption: Codable, Sendable {
    var code: String
    var percent: Int
}

/// What the gateway answers to an accepted order.
struct OrderReceipt: Codable, Sendable {
    var id: String
    var totalCents: Int
}
