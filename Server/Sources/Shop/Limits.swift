// SPDX-License-Identifier: Apache-2.0

/// Every bound of the shop.
enum Limits {
    /// Orders under way at once. Customers wait at the door beyond it, so that a slow machine slows
    /// the shop instead of filling its memory.
    static let ordersInFlight = 128
    /// Messages of one partition of the queue. Publishing to a full partition that is read waits
    /// for room; a partition that nobody reads drops its oldest message.
    static let messagesPerPartition = 1_024
    /// Bytes of a request or an answer between services; orders take about 1 KiB.
    static let bodyByteCount = 64 * 1024
    /// Rows of the reservation table; older ones are deleted, for the demo may run for days.
    static let reservationRows = 10_000
    /// Times a reservation is asked for while the warehouse is busy.
    static let reservationAttempts = 3
    /// Seconds a service waits for another one.
    static let callTimeoutSeconds: Int64 = 10
}
