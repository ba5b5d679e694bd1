// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle

/// The customers: they place orders at random moments, a few a second.
struct Customers: Service {
    let configuration: ShopConfiguration
    let client: ServiceClient
    let queue: PushQueue
    let ledger: Ledger

    /// Returns when the limit of orders is reached or the shop is shut down, and every order that
    /// was begun has come to its end.
    func run() async throws {
        await withDiscardingTaskGroup { group in
            let inFlight = Slots(count: Limits.ordersInFlight)
            var book = OrderBook(seed: configuration.seed)
            var clock = SplitMix64(state: ~configuration.seed)
            var placed = 0
            while placed < configuration.orderLimit ?? .max {
                guard await pause(&clock) else { break }
                await inFlight.take()
                let order = book.next()
                placed += 1
                group.addTask {
                    await place(order)
                    await inFlight.give()
                }
            }
        }
        await queue.untilIdle()
    }

    /// Waits for the next customer.
    ///
    /// - Returns: `false` when the shop closes meanwhile.
    private func pause(_ clock: inout SplitMix64) async -> Bool {
        let mean = 1 / max(configuration.ordersPerSecond, 0.001)
        let seconds = Double.random(in: 0...2 * mean, using: &clock)
        do {
            try await cancelWhenGracefulShutdown {
                try await Task.sleep(for: .microseconds(Int64(seconds * 1_000_000)))
            }
            return true
        } catch {
            return false
        }
    }

    private func place(_ order: OrderRequest) async {
        ledger.count(\.orders)
        do {
            let reply = try await client.call(
                "POST",
                .gateway,
                "/orders",
                body: order,
                headers: [
                    (OrderIdentity.orderHeader, order.id),
                    (OrderIdentity.customerHeader, order.customer),
                ]
            )
            switch reply.status {
            case 201: ledger.count(\.accepted)
            case 402: ledger.count(\.refused)
            default: ledger.count(\.failed)
            }
        } catch {
            ledger.count(\.failed)
        }
    }
}

/// A bound on work under way: whoever comes when it is reached waits for a place.
actor Slots {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { free = count }

    func take() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func give() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
