// SPDX-License-Identifier: Apache-2.0

public import SkeinSampling
internal import SkeinWire
internal import Synchronization

/// Where a process asks how to sample, and how it goes on until it is told.
public struct RemoteSampling: Sendable, Hashable {
    /// Jaeger's sampling endpoint; `?service=` and the service's name are added, and `/sampling` where
    /// there is no path.
    public var url = "http://127.0.0.1:5778/sampling"
    /// Time between two questions; 10 % more or less, so that processes do not ask all at once.
    public var pollInterval = Duration.seconds(60)
    /// The share of traces that is recorded until the first answer, 0 to 1.
    public var initialRatio = 0.001
    /// Whether only roots are decided, and all else follows its parent.
    public var followsParent = true

    /// Makes the default: ask on this machine, each minute.
    public init() {}
}

/// Does what a sampling service says: asks it again and again, and keeps the last good answer.
///
/// No answer, and one that makes no sense, change nothing; they are counted, and reported once until
/// the service answers again. An answer that says the same as the last leaves its rates as full or
/// empty as they are.
public final class RemoteSampler: Sampler {
    /// What became of questions since the sampler was made.
    public struct Counters: Sendable, Hashable {
        /// Answers that made sense.
        public var answerCount = 0
        /// Answers that said something new.
        public var changeCount = 0
        /// Questions without an answer, or with one that makes no sense.
        public var failureCount = 0
    }

    private struct State {
        var strategy: SamplingStrategy?
        var counters = Counters()
        var isInTrouble = false
        var poller: Task<Void, Never>?
        var isStopped = false
    }

    private let sampler: ReplaceableSampler
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let onWarning: @Sendable (String) -> Void
    private let ask: @Sendable () async throws -> [UInt8]
    private let close: @Sendable () async -> Void
    private let jitter = IDGenerator(random: Transport.random)
    private let state = Mutex(State())

    /// Makes a sampler that asks by a function of yours; `start` begins to ask.
    ///
    /// - Parameters:
    ///   - initial: Decides until the first answer.
    ///   - interval: Time between two questions, a second at least; 10 % more or less.
    ///   - clock: Measures the interval; tests give one of their own.
    ///   - onWarning: Takes a sentence when the service falls silent or says nonsense; writes to
    ///     standard error where it is `nil`.
    ///   - close: Called when the sampler stops.
    ///   - ask: Gives the service's answer: JSON as Jaeger's endpoint writes it.
    public init(
        initial: any Sampler,
        interval: Duration = .seconds(60),
        clock: (any Clock<Duration>)? = nil,
        onWarning: (@Sendable (String) -> Void)? = nil,
        close: @escaping @Sendable () async -> Void = {},
        ask: @escaping @Sendable () async throws -> [UInt8]
    ) {
        sampler = ReplaceableSampler(initial)
        self.interval = max(interval, Limits.pollIntervalMin)
        self.clock = clock ?? Transport.clock
        self.onWarning = onWarning ?? Transport.warn
        self.close = close
        self.ask = ask
    }

    deinit {
        let (poller, isStopped) = state.withLock { ($0.poller, $0.isStopped) }
        poller?.cancel()
        // Connections must be let go of, also by one that nobody stopped.
        if !isStopped { Task.detached { [close] in await close() } }
    }

    public func decision(for span: SamplingInput) -> SamplingDecision {
        sampler.decision(for: span)
    }

    /// What became of questions so far.
    public var counters: Counters { state.withLock { $0.counters } }

    /// The last good answer; `nil` before the first.
    public var strategy: SamplingStrategy? { state.withLock { $0.strategy } }

    /// Asks now, and then each interval, until `stop` is called or the sampler goes away. Only the
    /// first call counts.
    public func start() {
        state.withLock { state in
            guard state.poller == nil, !state.isStopped else { return }
            let (interval, clock, jitter) = (interval, clock, jitter)
            // Detached: a question is no part of the caller's trace.
            state.poller = Task.detached { [weak self] in
                while await LocalSpan.binding.withValue(
                    .exporting,
                    operation: { await self?.refresh() }
                ) != nil {
                    let wait = interval * (0.9 + 0.2 * jitter.fraction())
                    guard (try? await clock.sleep(for: wait)) != nil else { return }
                }
            }
        }
    }

    /// Asks no more; what was answered last stays in force.
    public func stop() async {
        let isFirst = state.withLock { state in
            state.poller?.cancel()
            defer { state.isStopped = true }
            return !state.isStopped
        }
        if isFirst { await close() }
    }

    /// Asks once.
    ///
    /// - Returns: Whether there was an answer that makes sense.
    @discardableResult
    public func refresh() async -> Bool {
        do {
            let strategy = SamplingStrategy(try Jaeger.decodeSampling(try await ask()))
            take(strategy)
            return true
        } catch let error as WireError {
            note("\(error.message), at \(error.place)")
        } catch {
            note("\(error)")
        }
        return false
    }

    private func take(_ strategy: SamplingStrategy) {
        let isNew = state.withLock { state in
            state.counters.answerCount += 1
            state.isInTrouble = false
            guard state.strategy != strategy else { return false }
            state.strategy = strategy
            state.counters.changeCount += 1
            return true
        }
        if isNew, let asked = strategy.sampler { sampler.replace(with: asked) }
    }

    private func note(_ problem: String) {
        let isFirst = state.withLock { state in
            state.counters.failureCount += 1
            // The questions of one that was stopped fail for that reason.
            defer { state.isInTrouble = true }
            return !state.isInTrouble && !state.isStopped
        }
        if isFirst {
            onWarning("The sampling service gave no answer; sampling stays as it was: \(problem)")
        }
    }
}

extension SamplingStrategy {
    /// The same in our words.
    init(_ answer: JaegerSampling) {
        self.init(
            ratio: answer.ratio,
            tracesPerSecond: answer.tracesPerSecond,
            operations: answer.operations.map {
                Operations(
                    otherwise: $0.otherwise,
                    leastPerSecond: $0.leastPerSecond,
                    mostPerSecond: $0.mostPerSecond,
                    ratios: $0.ratios
                )
            }
        )
    }
}

extension RemoteSampling {
    /// The address of the question for a service.
    func question(for service: String) -> String {
        let scheme = url.hasPrefix("https://") ? "https://" : "http://"
        var address = url
        if !url.dropFirst(scheme.count).contains("/") { address += "/sampling" }
        var name = ""
        for byte in service.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                name += "%" + (byte < 0x10 ? "0" : "") + digits
            }
        }
        return address + (address.contains("?") ? "&" : "?") + "service=" + name
    }
}

#if OTLPHTTP
extension RemoteSampler {
    /// Makes a sampler that asks over HTTP; `start` begins to ask.
    ///
    /// - Parameters:
    ///   - sampling: Whom to ask, how often, and what to do until the first answer.
    ///   - service: The name of this service.
    ///   - onWarning: Takes a sentence when the service falls silent or says nonsense.
    public convenience init(
        _ sampling: RemoteSampling,
        service: String,
        onWarning: (@Sendable (String) -> Void)? = nil
    ) {
        let sender = HTTPSender(connectTimeout: Limits.pollTimeout)
        let request = HTTPSender.Request(
            url: sampling.question(for: service),
            timeout: Limits.pollTimeout,
            responseByteCount: Limits.strategyByteCount
        )
        self.init(
            initial: RatioSampler(sampling.initialRatio),
            interval: sampling.pollInterval,
            onWarning: onWarning,
            close: { await sender.shutdown() },
            ask: {
                let answer = try await sender.send(request)
                guard answer.status == 200 else {
                    throw HTTPSender.Failure(
                        message: "\(request.url): HTTP \(answer.status)",
                        isPermanent: false
                    )
                }
                return answer.body
            }
        )
    }
}

extension HTTPSender.Failure: CustomStringConvertible {
    var description: String { message }
}
#endif
