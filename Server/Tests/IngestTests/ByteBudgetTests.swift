// SPDX-License-Identifier: Apache-2.0

import Ingest
import Testing

@Suite struct ByteBudgetTests {
    @Test func `reserves up to its size and takes back`() {
        let budget = ByteBudget(byteCount: 100)
        do {
            let first = byteCount(budget.reserve(60)) { #expect(budget.reservedByteCount == 60) }
            #expect(first == 60)
        }
        #expect(budget.reservedByteCount == 0)
        let nested = byteCount(budget.reserve(60)) {
            let tooMuch = byteCount(budget.reserve(41))
            #expect(tooMuch == nil)
            let fitting = byteCount(budget.reserve(40)) {
                #expect(budget.reservedByteCount == 100)
            }
            #expect(fitting == 40)
        }
        #expect(nested == 60)
        #expect(budget.reservedByteCount == 0)
    }

    @Test func `a reservation grows while there is room`() {
        let budget = ByteBudget(byteCount: 100)
        guard var reservation = budget.reserve(10) else {
            Issue.record("there is room for 10 bytes of 100")
            return
        }
        let grown = [
            reservation.grow(to: 100), reservation.grow(to: 50), reservation.grow(to: 101),
        ]
        #expect(grown == [true, true, false])
        let held = reservation.byteCount
        #expect(held == 100)
        #expect(budget.reservedByteCount == 100)
    }

    @Test(arguments: [-1, .min, .max])
    func `a size that cannot be is refused`(_ byteCount: Int) {
        let budget = ByteBudget(byteCount: 100)
        let held = self.byteCount(budget.reserve(1)) {
            let impossible = self.byteCount(budget.reserve(byteCount))
            #expect(impossible == nil)
            #expect(budget.reservedByteCount == 1)
        }
        #expect(held == 1)
    }

    @Test func `many tasks never hold more than there is`() async {
        let budget = ByteBudget(byteCount: 10)
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    guard let reservation = budget.reserve(3) else { return 0 }
                    #expect(budget.reservedByteCount <= 10)
                    return reservation.byteCount
                }
            }
            for await _ in group {}
        }
        #expect(budget.reservedByteCount == 0)
    }

    /// What a reservation holds while `body` runs: it cannot be copied into an expectation.
    private func byteCount(
        _ reservation: consuming Reservation?,
        while body: () -> Void = {}
    ) -> Int? {
        guard let reservation else { return nil }
        body()
        return reservation.byteCount
    }
}
