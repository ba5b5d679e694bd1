// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import Synchronization

/// An exporter that keeps windows of call statistics and answers what a test says.
final class StatisticsExporter: CallStatisticsExporter {
    private struct State {
        var windows: [CallWindow] = []
        var attempts: [UInt64] = []
        var outcomes: [ExportOutcome] = []
        var spanCount = 0
    }

    private let state = Mutex(State())

    private let outcomeOfSpans: ExportOutcome

    /// Answers windows with `outcomes` in turn, then `.delivered`, and spans always alike.
    init(_ outcomes: [ExportOutcome] = [], ofSpans: ExportOutcome = .delivered) {
        outcomeOfSpans = ofSpans
        state.withLock { $0.outcomes = outcomes }
    }

    var windows: [CallWindow] { state.withLock { $0.windows } }
    /// The numbers of the windows of each attempt.
    var attempts: [UInt64] { state.withLock { $0.attempts } }
    var spanCount: Int { state.withLock { $0.spanCount } }

    /// All rows of all windows, added up by what tells them apart.
    var totals: [Key: Counted] {
        var totals: [Key: Counted] = [:]
        for window in windows {
            for service in window.services {
                for row in service.rows {
                    let key = Key(
                        service: service.resource.serviceName,
                        operation: row.operation,
                        kind: row.kind,
                        peer: row.peerService + row.peerAddress,
                        isError: row.isError
                    )
                    totals[key, default: Counted()].add(row)
                }
            }
        }
        return totals
    }

    struct Key: Hashable {
        var service = "test"
        var operation: String?
        var kind = SpanKind.client
        var peer = ""
        var isError = false
    }

    struct Counted: Equatable {
        var callCount: UInt64 = 0
        var durationSum: UInt64 = 0
        var longest: UInt64 = 0

        mutating func add(_ row: CallWindow.Row) {
            callCount += row.callCount
            durationSum += row.durationSum
            longest = max(longest, row.longest)
        }
    }

    enum Payload: Sendable {
        case spans(Int)
        case window(CallWindow)
    }

    func encode(_ spans: [SpanRecord]) -> Payload { .spans(spans.count) }
    func encode(_ spans: RecordedSpans) -> Payload { .spans(spans.spanCount) }
    func encode(_ window: CallWindow) -> Payload { .window(window) }

    func send(_ payload: Payload) async -> ExportOutcome {
        if case .spans(let count) = payload { state.withLock { $0.spanCount += count } }
        return outcomeOfSpans
    }

    func send(statistics payload: Payload) async -> ExportOutcome {
        guard case .window(let window) = payload else { return .refused(message: "no window") }
        return state.withLock { state in
            state.attempts.append(window.number)
            let outcome = state.outcomes.isEmpty ? .delivered : state.outcomes.removeFirst()
            if outcome.isDelivered { state.windows.append(window) }
            return outcome
        }
    }
}
