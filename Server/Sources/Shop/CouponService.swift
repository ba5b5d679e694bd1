// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import ServiceLifecycle
import Tracing

/// Knows the coupons and whether they still count.
struct CouponService: Service {
    let station: Station

    /// Percent off, 0 for a coupon that has run out.
    private static let coupons = ["WELCOME10": 10, "BIRTHDAY20": 20, "SPRING25": 0]

    func run() async throws {
        try await station.serve { router in
            router.post("/coupons/{code}/redemptions") { _, context in
                let code = try context.parameters.require("code")
                guard let percent = try await find(code) else {
                    return Response(status: .notFound)
                }
                guard percent > 0 else { return Response(status: .gone) }
                return try json(CouponRedemption(code: code, percent: percent))
            }
        }
    }

    private func find(_ code: String) async throws -> Int? {
        try await station.span("find coupon") { span in
            let percent = Self.coupons[code]
            span.attributes["coupon.code"] = code
            span.attributes["coupon.is_known"] = percent != nil
            span.attributes["cache.hit"] = code == "WELCOME10"
            try await station.work.take(code == "WELCOME10" ? 0.3...1 : 4...12)
            return percent
        }
    }
}
