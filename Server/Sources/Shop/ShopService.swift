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

    /// How many processes of it would run: those that many orders wait for have a second.
    public var instanceCount: Int { self == .order || self == .payment ? 2 : 1 }
}

/// One of the instances of a service of the shop.
public struct ShopInstance: Sendable, Hashable {
    public let service: ShopService
    /// From 1.
    public let number: Int

    /// All instances of all services.
    static let all = ShopService.allCases.flatMap { service in
        (1...service.instanceCount).map { ShopInstance(service: service, number: $0) }
    }

    /// Its `service.instance.id`.
    public var name: String { "\(service.name)-\(number)" }

    /// Its `service.version`.
    public var version: String { isOutdated ? "1.11.4" : service.version }

    /// The second instance of payment missed the last release, whose judge of fraud is quicker: that
    /// one instance is slower than its like is there to be found.
    var isOutdated: Bool { service == .payment && number == 2 }
}
