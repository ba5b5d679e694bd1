// SPDX-License-Identifier: Apache-2.0

public import Receivers
internal import Synchronization

/// Where the server really listens.
public struct BoundAddresses: Sendable, Equatable {
    private var addresses: [Listener: ListenAddress] = [:]

    /// The listeners that are bound, with their addresses, in their order.
    public var all: [(listener: Listener, address: ListenAddress)] {
        Listener.allCases.compactMap { listener in addresses[listener].map { (listener, $0) } }
    }

    /// The address of a listener.
    ///
    /// - Parameter listener: one that is always bound, once the server is ready.
    public subscript(listener: Listener) -> ListenAddress {
        guard let address = addresses[listener] else {
            preconditionFailure("\(listener) was handed out before it was bound")
        }
        return address
    }

    /// The ports of the listeners that are bound by now, by the listeners' names.
    var ports: [String: Int] {
        Dictionary(uniqueKeysWithValues: all.map { ($0.listener.rawValue, $0.address.port) })
    }

    /// The page's address.
    public var page: String { "http://\(self[.http])" }

    fileprivate mutating func add(_ listener: Listener, _ address: ListenAddress) -> Int {
        addresses[listener] = address
        return addresses.count
    }

    fileprivate init() {}
}

/// Collects addresses as listeners come up, and tells when all are there.
final class BindingBoard: Sendable {
    private let expectedCount: Int
    private let bound = Mutex(BoundAddresses())
    private let all = AsyncStream<BoundAddresses>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Waits for so many listeners.
    init(expectedCount: Int) { self.expectedCount = expectedCount }

    func add(_ listener: Listener, _ address: ListenAddress) {
        let complete = bound.withLock { bound in
            bound.add(listener, address) == expectedCount ? bound : nil
        }
        if let complete { all.continuation.yield(complete) }
    }

    /// The addresses that are there by now.
    var current: BoundAddresses { bound.withLock { $0 } }

    /// The addresses, once all are there; `nil` when the waiting task was cancelled.
    func complete() async -> BoundAddresses? {
        for await addresses in all.stream { return addresses }
        return nil
    }
}
