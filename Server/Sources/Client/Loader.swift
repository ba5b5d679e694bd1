// SPDX-License-Identifier: Apache-2.0

import Glibc
import SkeinModel
import SkeinWire

/// How files are sent.
public struct LoadOptions: Sendable {
    /// The receiver.
    public var endpoint: Endpoint
    /// Spans a second; `nil` for as fast as it goes.
    public var spansPerSecond: Double?
    /// Whether all times are shifted so that the newest span ends now.
    public var endsNow = false
    /// Whether request bodies are compressed.
    public var gzip = false
    /// Spans in one request.
    public var batchSpanCount = 1_000
    /// Requests under way at once.
    public var connectionCount = 2

    /// The defaults: everything at once, as it is.
    public init(endpoint: Endpoint) { self.endpoint = endpoint }
}

/// How far a load has come.
public struct LoadProgress: Sendable, Hashable {
    /// What is going on.
    public enum Phase: Sendable, Hashable {
        /// The times of all spans are looked at, to know how far to shift them.
        case measuring
        /// Spans are read and sent.
        case sending
    }

    public var phase = Phase.sending
    /// The file that is being read.
    public var file = ""
    /// Spans the receiver has answered for.
    public var spans = 0
    /// Bytes read of all files, of those on disk.
    public var bytes = 0
    /// Bytes of all files on disk.
    public var totalBytes = 0
}

/// What came of a load, counted exactly.
public struct LoadSummary: Sendable {
    /// Files read to their end.
    public var files = 0
    /// Spans read from the files.
    public var read = 0
    /// Spans that the receiver took.
    public var sent = 0
    /// Spans that the receiver rejected one by one.
    public var rejected = 0
    /// Spans of the files that could not be sent, each for a fault of its own.
    public var refused = 0
    /// Why spans were rejected or refused: the first reason.
    public var reason = ""
    /// Requests that were answered.
    public var requests = 0
    /// Requests sent again.
    public var retries = 0
    /// Bytes of OTLP sent, before compression.
    public var bytes = 0
    /// From the first byte read to the last answer.
    public var duration = Duration.zero
    /// What ended the load early.
    public var failure: ClientError?

    /// Whether every span of every file is with the receiver.
    public var isComplete: Bool { failure == nil && rejected == 0 && refused == 0 }
}

/// Sends files of spans to an OTLP/HTTP receiver.
public struct Loader: Sendable {
    private let options: LoadOptions
    private let progress: @Sendable (LoadProgress) -> Void

    /// Prepares a load.
    ///
    /// - Parameters:
    ///   - options: Where to and how.
    ///   - progress: Called after each batch read and each request answered.
    public init(
        options: LoadOptions,
        progress: @escaping @Sendable (LoadProgress) -> Void = { _ in }
    ) {
        self.options = options
        self.progress = progress
    }

    /// Reads the files one after another and sends them.
    ///
    /// - Returns: What was done; also when it ended early, in which case it says why.
    /// - Throws: `CancellationError` only.
    public func run(_ paths: [String]) async throws -> LoadSummary {
        let clock = ContinuousClock()
        let begin = clock.now
        let sender = OTLPSender(endpoint: options.endpoint, gzip: options.gzip)
        var run = LoadRun(options: options, sender: sender, report: progress)
        do {
            let shift = options.endsNow ? try run.measure(paths) : nil
            try await run.send(paths, shift: shift)
        } catch let error as ClientError {
            run.summary.failure = error
        } catch {
            await sender.close()
            throw error
        }
        await sender.close()
        run.summary.duration = begin.duration(to: clock.now)
        return run.summary
    }

    /// The wall clock, nanoseconds since 1970.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
