// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Logging
import NIOCore
import Tracing

/// Runs a router on a free port of loopback, traced by a tracer of its own, while `body` runs.
///
/// When this returns, every request has been answered and every span of it has ended.
func serving<Result: Sendable>(
    _ router: Router<BasicRequestContext>,
    tracedBy tracer: any Tracer,
    _ body: @escaping @Sendable (_ baseURL: String) async throws -> Result
) async throws -> Result {
    let (ports, port) = AsyncStream<Int>.makeStream()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let application = Application(
        router: router,
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in
            port.yield(channel.localAddress?.port ?? 0)
            port.finish()
        },
        logger: logger
    )
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await withTracer(tracer) { try await application.run() } }
        defer { group.cancelAll() }
        var first = ports.makeAsyncIterator()
        guard let port = await first.next() else { throw CancellationError() }
        return try await body("http://127.0.0.1:\(port)")
    }
}
