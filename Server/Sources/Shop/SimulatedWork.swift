// SPDX-License-Identifier: Apache-2.0

/// Time that a real service would spend computing or waiting for somebody outside the shop.
struct SimulatedWork: Sendable {
    /// Factor on every delay; 0 leaves them out.
    let pace: Double

    /// Waits for a random part of `milliseconds`.
    func take(_ milliseconds: ClosedRange<Double>) async throws {
        guard pace > 0 else { return }
        let chosen = Double.random(in: milliseconds) * pace
        try await Task.sleep(for: .microseconds(Int64(chosen * 1_000)))
    }
}
