// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Synchronization

/// Keeps the number of open connections of a listener below a limit: what is over is closed at once.
final class ConnectionCount: Sendable {
    private let limit: Int
    private let open = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// Counts a connection until it closes, or closes it.
    func admit(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard open.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
            open.wrappingSubtract(1, ordering: .relaxed)
            return channel.close()
        }
        channel.closeFuture.whenComplete { _ in
            self.open.wrappingSubtract(1, ordering: .relaxed)
        }
        return channel.eventLoop.makeSucceededVoidFuture()
    }
}
