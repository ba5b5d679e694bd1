// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Query
import Store
import Synchronization

/// What was asked of the store, by every interface, and what it cost: sums since the start, and the
/// questions asked last. What answers without asking the store is not in it.
public final class QuestionLog: Sendable {
    /// One question that was answered, well or not.
    struct Entry {
        /// Nanoseconds since 1970.
        let askedAt: UInt64
        let place: QuestionPlace
        /// What was asked, cut after `RequestLimits.rememberedQuestionByteCount`.
        let text: String
        /// Of the answer, whatever the interface: gRPC's codes as those of HTTP that say the same.
        let status: HTTPResponse.Status
        let cost: QuestionCost
    }

    private struct State {
        var sums: [QuestionPlace: QuestionSum] = [:]
        /// The newest, each at its number modulo the capacity.
        var entries: [Entry] = []
        var count = 0
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> UInt64
    private let elapsed: @Sendable () -> UInt64

    /// - Parameters:
    ///   - now: nanoseconds since 1970.
    ///   - elapsed: nanoseconds since any moment, never going back.
    init(now: @escaping @Sendable () -> UInt64, elapsed: @escaping @Sendable () -> UInt64) {
        self.now = now
        self.elapsed = elapsed
    }

    /// Sums since the start, the costliest place first.
    public var sums: [(place: QuestionPlace, sum: QuestionSum)] {
        state.withLock { $0.sums }
            .map { (place: $0.key, sum: $0.value) }
            .sorted {
                ($1.sum.cost.cpuNanoseconds, $0.place) < ($0.sum.cost.cpuNanoseconds, $1.place)
            }
    }

    /// Of the questions remembered those that took most processor time, the costliest first.
    func costliest(_ limit: Int) -> (entries: [Entry], rememberedCount: Int) {
        let entries = state.withLock { $0.entries }
        let ordered = entries.sorted {
            ($1.cost.cpuNanoseconds, $1.askedAt) < ($0.cost.cpuNanoseconds, $0.askedAt)
        }
        return (Array(ordered.prefix(limit)), entries.count)
    }

    /// Answers, and remembers what was asked if the store had to be asked for it.
    func answer<Answer>(
        _ place: QuestionPlace,
        text: String,
        status: (Result<Answer, any Error>) -> HTTPResponse.Status,
        _ body: () async throws -> Answer
    ) async throws -> Answer {
        let meter = QuestionMeter()
        let askedAt = now()
        let began = elapsed()
        let answer: Result<Answer, any Error>
        do {
            answer = .success(try await QuestionMeter.$current.withValue(meter, operation: body))
        } catch {
            answer = .failure(error)
        }
        if meter.readCount > 0 {
            add(
                Entry(
                    askedAt: askedAt,
                    place: place,
                    text: String(
                        decoding: text.utf8.prefix(RequestLimits.rememberedQuestionByteCount),
                        as: UTF8.self
                    ),
                    status: status(answer),
                    cost: QuestionCost(
                        elapsedNanoseconds: elapsed() &- began,
                        cpuNanoseconds: meter.cpuNanoseconds,
                        examinedSpanCount: meter.examinedSpanCount
                    )
                )
            )
        }
        return try answer.get()
    }

    private func add(_ entry: Entry) {
        state.withLock { state in
            state.sums[entry.place, default: QuestionSum()].add(entry)
            if state.entries.count < RequestLimits.rememberedQuestionCount {
                state.entries.append(entry)
            } else {
                state.entries[state.count % RequestLimits.rememberedQuestionCount] = entry
            }
            state.count &+= 1
        }
    }
}

/// Where a question was asked. There are as many as there are routes.
public struct QuestionPlace: Sendable, Hashable, Comparable {
    /// `native`, `jaeger`, `zipkin`, `tempo` or `mcp`.
    public let interface: String
    /// The path with its parameters in braces, a method of gRPC or a tool of MCP.
    public let route: String

    public static func < (one: Self, other: Self) -> Bool {
        (one.interface, one.route) < (other.interface, other.route)
    }
}

/// What questions cost.
public struct QuestionCost: Sendable {
    /// From the request to the answer, nanoseconds; of a stream over HTTP to its first byte.
    public internal(set) var elapsedNanoseconds: UInt64 = 0
    /// Processor time of reading and of looking at what was read, nanoseconds.
    public internal(set) var cpuNanoseconds: UInt64 = 0
    /// Spans that TraceQL looked at.
    public internal(set) var examinedSpanCount = 0
}

/// The questions of one place together.
public struct QuestionSum: Sendable {
    public private(set) var count = 0
    /// How many of them had no answer, through whoever's fault. That nothing is there is an answer.
    public private(set) var failedCount = 0
    public private(set) var cost = QuestionCost()

    fileprivate mutating func add(_ entry: QuestionLog.Entry) {
        count &+= 1
        if entry.status.code >= 400, entry.status != .notFound { failedCount &+= 1 }
        cost.elapsedNanoseconds &+= entry.cost.elapsedNanoseconds
        cost.cpuNanoseconds &+= entry.cost.cpuNanoseconds
        cost.examinedSpanCount &+= entry.cost.examinedSpanCount
    }
}
