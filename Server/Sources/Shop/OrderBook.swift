// SPDX-License-Identifier: Apache-2.0

/// The orders that customers will place: endless, and the same for the same seed.
///
/// Each run of twelve orders holds every story of the shop, in a shuffled sequence, so that a page
/// of results shows them all and a rare one is never far.
struct OrderBook {
    /// What an order is about to meet.
    enum Story: CaseIterable {
        /// Nothing special.
        case plain, plainApp, coupon, couponApp
        /// The coupon has run out; the order goes on without it.
        case expiredCoupon
        /// The north warehouse is busy: the first reservation is refused and tried again.
        case busyWarehouse, busyWarehouseApp
        /// Rendering the gift card takes most of a second.
        case giftCard
        /// Many lines, each looked up on its own.
        case marketplace, marketplaceCoupon
        /// The card is declined.
        case declined
        /// The push message is never consumed.
        case kiosk
    }

    private var random: SplitMix64
    private var deck: [Story] = []

    init(seed: UInt64) { random = SplitMix64(state: seed) }

    /// The next order.
    mutating func next() -> OrderRequest {
        if deck.isEmpty { deck = Story.allCases.shuffled(using: &random) }
        return order(for: deck.removeLast())
    }

    private mutating func order(for story: Story) -> OrderRequest {
        let isMarketplace = story == .marketplace || story == .marketplaceCoupon
        var skus = Catalogue.articles.map(\.sku)
        skus.shuffle(using: &random)
        let lineCount = Int.random(in: isMarketplace ? 5...9 : 1...3, using: &random)
        var order = OrderRequest(
            id: "G-\(identifier(length: 8))",
            customer: "C-\(Int.random(in: 1_000...1_199, using: &random))",
            channel: .web,
            warehouse: "south",
            lines: skus.prefix(lineCount).map {
                OrderLine(sku: $0, quantity: Int.random(in: 1...3, using: &random))
            },
            card: "5200-\(Int.random(in: 1_000...9_999, using: &random))"
        )
        switch story {
        case .plain: break
        case .plainApp: order.channel = .app
        case .coupon: order.coupon = "WELCOME10"
        case .couponApp:
            order.channel = .app
            order.coupon = "BIRTHDAY20"
        case .expiredCoupon: order.coupon = "SPRING25"
        case .busyWarehouse: order.warehouse = CongestedWarehouse.name
        case .busyWarehouseApp:
            order.channel = .app
            order.warehouse = CongestedWarehouse.name
        case .giftCard: order.giftMessage = "Happy birthday! 生日快乐 🎁"
        case .marketplace: order.channel = .marketplace
        case .marketplaceCoupon:
            order.channel = .marketplace
            order.coupon = "WELCOME10"
        case .declined: order.card = "\(DeclinedCard.prefix)\(order.card.suffix(4))"
        case .kiosk: order.channel = .kiosk
        }
        return order
    }

    private mutating func identifier(length: Int) -> String {
        let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        return String((0..<length).map { _ in digits[Int.random(in: 0..<32, using: &random)] })
    }
}

/// A small generator with a good spread, for orders that can be repeated.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// What the shop sells.
enum Catalogue {
    static let articles: [(sku: String, name: String, cents: Int)] = [
        ("mug-crane", "Mug with a crane", 1_450),
        ("kite-swallow", "Swallow kite", 3_900),
        ("yarn-merino", "Merino yarn, one skein", 1_250),
        ("lamp-owl", "Owl night lamp", 4_700),
        ("puzzle-geese", "Puzzle: wild geese", 2_200),
        ("scarf-heron", "Heron scarf", 5_600),
        ("tea-jasmine", "Jasmine tea", 990),
        ("card-set", "Set of ten cards", 1_100),
        ("feeder-oak", "Oak bird feeder", 6_400),
        ("book-migration", "The book of migration", 2_850),
    ]
}
