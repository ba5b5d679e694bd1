// SPDX-License-Identifier: Apache-2.0

/// The services of the shop.
public enum ShopService: String, Sendable, CaseIterable {
    case gateway, order, stock, payment, coupon, push

    /// Its `service.name`.
    public var name: String { self == .push ? "push-worker" : rawValue }

    /// Its `service.version`: they are released apart, as services are.
    public var version: String {
        switch self {
        case .gateway: "2.4.0"
        case .order: "5.1.2"
        case .stock: "3.0.7"
        case .payment: "1.12.0"
        case .coupon: "0.9.3"
        case .push: "1.3.1"
        }
    }

    /// Its `service.instance.id`.
    public var instance: String { "\(name)-1" }
}
