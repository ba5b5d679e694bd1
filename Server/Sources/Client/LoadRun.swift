// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinWire

/// One load under way: what it has counted and the requests it waits for.
struct LoadRun {
    var summary = LoadSummary()
    private let options: LoadOptions
    private let sender: OTLPSender
    private let report: @Sendable (LoadProgress) -> Void
    private var progress = LoadProgress()
    private let startedAt = Loader.now
    private var pace: Pace?
    private var underWay = 0

    init(
        options: LoadOptions,
        sender: OTLPSender,
        report: @escaping @Sendable (LoadProgress) -> Void
    ) {
        self.options = options
        self.sender = sender
        self.report = report
        pace = options.spansPerSecond.map { Pace(spansPerSecond: $0) }
    }

    /// Reads all files for the newest end of a span.
    mutating func measure(_ paths: [String]) throws(ClientError) -> TimeShift? {
        var newest: UInt64 = 0
        try begin(.measuring, paths)
        for path in paths {
            var file = try open(path)
            while let batch = try file.next() {
                for row in 0..<batch.columns.count { newest = max(newest, batch.columns.end[row]) }
                tell(file)
            }
            progress.bytes = finished(file)
        }
        return newest > 0 ? TimeShift(from: newest, to: startedAt) : nil
    }

    /// Reads all files and sends their spans.
    ///
    /// Ends at the first thing that goes wrong, but not before the requests under way are answered,
    /// so that the summary tells exactly what the receiver has.
    mutating func send(_ paths: [String], shift: TimeShift?) async throws {
        try begin(.sending, paths)
        try await withThrowingTaskGroup(of: Result<Answer, any Error>.self) { group in
            var failure: (any Error)?
            do {
                for path in paths { try await send(path, shift: shift, in: &group) }
            } catch {
                failure = error
            }
            while let result = try await group.next() {
                do { note(try result.get()) } catch { failure = failure ?? error }
            }
            if let failure { throw failure }
        }
        report(progress)
    }

    private mutating func send(
        _ path: String,
        shift: TimeShift?,
        in group: inout ThrowingTaskGroup<Result<Answer, any Error>, any Error>
    ) async throws {
        var file = try open(path)
        while var batch = try file.next() {
            shift?.apply(to: &batch.columns)
            count(batch)
            for request in requests(of: batch.columns) {
                // The first request goes alone: a wrong address is told at once.
                let isFirst = summary.requests == 0
                try await pace?.wait(for: request.spanCount)
                let attempts = isFirst ? Limits.firstSendAttempts : Limits.sendAttempts
                let policy = SendPolicy(attempts: attempts)
                group.addTask { [sender] in
                    do {
                        let receipt = try await sender.send(request.payload, policy: policy)
                        return .success(Answer(receipt, to: request))
                    } catch {
                        return .failure(error)
                    }
                }
                underWay += 1
                while underWay >= (isFirst ? 1 : options.connectionCount),
                    let result = try await group.next()
                {
                    underWay -= 1
                    note(try result.get())
                }
            }
            tell(file)
        }
        summary.files += 1
        progress.bytes = finished(file)
    }

    private struct Request: Sendable {
        var payload: [UInt8]
        var spanCount: Int
    }

    private struct Answer: Sendable {
        var receipt: OTLPSender.Receipt
        var spanCount: Int
        var byteCount: Int

        init(_ receipt: OTLPSender.Receipt, to request: Request) {
            self.receipt = receipt
            spanCount = request.spanCount
            byteCount = request.payload.count
        }
    }

    private func requests(of columns: borrowing SpanColumns) -> [Request] {
        var requests: [Request] = []
        var first = 0
        while first < columns.count {
            let last = min(first + options.batchSpanCount, columns.count)
            requests.append(
                Request(
                    payload: OTLP.encodeProtobuf(columns, rows: first..<last),
                    spanCount: last - first
                )
            )
            first = last
        }
        return requests
    }

    private mutating func count(_ batch: borrowing SpanFile.Batch) {
        summary.read += batch.columns.count + batch.refused
        summary.refused += batch.refused
        if summary.reason.isEmpty { summary.reason = batch.reason }
    }

    private mutating func note(_ answer: Answer) {
        let rejected = min(max(answer.receipt.rejected, 0), answer.spanCount)
        summary.sent += answer.spanCount - rejected
        summary.rejected += rejected
        if rejected > 0, summary.reason.isEmpty { summary.reason = answer.receipt.message }
        summary.requests += 1
        summary.retries += answer.receipt.attempts - 1
        summary.bytes += answer.byteCount
        progress.spans += answer.spanCount
        report(progress)
    }

    /// Opens all files once, so that a wrong name is told before anything is sent.
    private mutating func begin(
        _ phase: LoadProgress.Phase,
        _ paths: [String]
    ) throws(ClientError) {
        progress = LoadProgress(phase: phase)
        for path in paths { progress.totalBytes += try open(path).byteCount }
    }

    private func open(_ path: String) throws(ClientError) -> SpanFile {
        try SpanFile(path: path, receivedAt: startedAt)
    }

    private mutating func tell(_ file: borrowing SpanFile) {
        var now = progress
        now.bytes += file.readByteCount
        report(now)
    }

    private func finished(_ file: borrowing SpanFile) -> Int { progress.bytes + file.byteCount }
}

/// Spreads spans evenly over time.
private struct Pace {
    let spansPerSecond: Double
    private let clock = ContinuousClock()
    private var next = ContinuousClock.now

    init(spansPerSecond: Double) { self.spansPerSecond = spansPerSecond }

    /// Waits until `spanCount` more spans are due.
    mutating func wait(for spanCount: Int) async throws {
        try await clock.sleep(until: next)
        next = max(next, clock.now) + .seconds(Double(spanCount) / spansPerSecond)
    }
}
