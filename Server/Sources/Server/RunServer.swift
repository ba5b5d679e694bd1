// SPDX-License-Identifier: Apache-2.0

internal import Engine
public import Logging
internal import NIOCore
internal import NIOPosix
internal import Platform
internal import ServiceLifecycle
internal import ShortLinks
internal import UnixSignals

/// Runs a server until it is told to stop by `signals` or by the service group it runs in, and
/// closes its store.
///
/// - Parameters:
///   - configuration: what it shall be.
///   - stopsOnSignals: whether SIGTERM and SIGINT stop it; a caller with a service group of its own
///     handles them itself.
///   - logger: told of what is odd.
///   - onReady: called once, when every port answers.
/// - Throws: `ConfigurationError`, `ListenError` or the store's error when it cannot start, and what
///   `onReady` throws.
public func runServer(
    _ configuration: ServerConfiguration,
    stopsOnSignals: Bool,
    logger: Logger,
    onReady: @escaping @Sendable (BoundAddresses) async throws -> Void
) async throws {
    try configuration.checkExposure()
    Process.keepMemory()
    Process.failWritesAtSizeLimit()
    for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
        loop.execute { DedicatedThread.setUrgency(.prompt) }
    }
    let clock = SystemClock()
    let store = try openStore(configuration, clock: clock)
    // Beside the store's files and under its lock: it is closed before that is given up.
    let addresses = AddressBook(directory: configuration.dataDirectory, disk: PosixDisk())
    let board = BindingBoard(expectedCount: configuration.listeners.count)
    let stations = Stations(
        configuration,
        store: store,
        addresses: addresses,
        clock: clock,
        board: board
    )
    let group = ServiceGroup(
        configuration: groupConfiguration(
            services: stations.services(logger: logger)
                + [ReadySignal(board: board, onReady: onReady)],
            stopsOnSignals: stopsOnSignals,
            logger: logger
        )
    )
    do {
        try await group.run()
    } catch {
        await addresses.close()
        await store.close()
        throw error
    }
    await addresses.close()
    await store.close()
}

private func groupConfiguration(
    services: [any Service],
    stopsOnSignals: Bool,
    logger: Logger
) -> ServiceGroupConfiguration {
    var configuration = ServiceGroupConfiguration(
        services: services,
        gracefulShutdownSignals: stopsOnSignals ? [.sigterm, .sigint] : [],
        logger: logger
    )
    configuration.maximumGracefulShutdownDuration = Limits.stop
    return configuration
}

/// Calls back when all listeners are up, then waits for the end.
private struct ReadySignal: Service {
    let board: BindingBoard
    let onReady: @Sendable (BoundAddresses) async throws -> Void

    func run() async throws {
        guard let addresses = await cancelWhenGracefulShutdown({ await board.complete() }) else {
            return
        }
        try await onReady(addresses)
        try? await gracefulShutdown()
    }
}
