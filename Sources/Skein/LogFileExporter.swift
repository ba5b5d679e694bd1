// SPDX-License-Identifier: Apache-2.0

internal import SkeinModel
internal import SkeinWire
internal import Synchronization

/// Where and how much a `LogFileExporter` writes.
public struct LogFile: Sendable, Hashable {
    /// The file that is written; older ones stand beside it as `path.1`, `path.2` and so on.
    public var path: String
    /// Bytes of one file; a span that would go past begins the next one.
    public var byteCount = 64 << 20
    /// Files kept, the one that is written included; the oldest goes first.
    public var fileCount = 4

    /// Makes the default: four files of 64 MiB.
    public init(path: String) { self.path = path }
}

/// Writes spans to a file, one line of OTLP/JSON for each, for an agent to collect or for
/// `skein load`:
///
/// ```
/// {"resourceSpans":[{"resource":{…},"scopeSpans":[{"scope":{…},"spans":[{…}]}]}]}
/// ```
/// Files are bounded in size and number:
/// ```
/// spans.jsonl      is written
/// spans.jsonl.1    full; renamed, never changed again
/// spans.jsonl.2    older; removed when there is one file too many
/// ```
/// A file holds whole lines whatever happens: what a full disk leaves of a batch is taken back, and
/// what a killed process left of its last line is cut off when the file is opened again. Writing
/// happens on a thread of its own, so that a disk that hangs holds up export alone. While the file
/// cannot be written the pipeline waits and repeats, then drops and counts.
public final class LogFileExporter: SpanExporter {
    /// A batch as text.
    public struct Lines: Sendable {
        fileprivate var bytes: [UInt8] = []
        /// Where each line ends, behind its newline.
        fileprivate var ends: [Int] = []
    }

    /// What happened to files since the exporter was made.
    public struct Counters: Sendable, Hashable {
        /// Spans written.
        public var writtenSpanCount = 0
        /// Bytes written.
        public var writtenByteCount = 0
        /// Files that were full and were renamed.
        public var rotatedFileCount = 0
        /// Files removed because there were too many, read by somebody or not.
        public var removedFileCount = 0
    }

    /// What is open, and what was done with it.
    private struct State: ~Copyable {
        var file: AppendedFile?
        var isShutDown = false
        var counters = Counters()
    }

    private let log: LogFile
    private let state = Mutex(State())

    /// Makes an exporter; the file is opened with the first batch.
    public init(_ log: LogFile) {
        self.log = log
    }

    /// What happened to files since the exporter was made.
    public var counters: Counters { state.withLock { $0.counters } }

    public func encode(_ spans: [SpanRecord]) -> Lines { lines(OTLPRequest.encode(spans)) }

    public func encode(_ spans: RecordedSpans) -> Lines { lines(OTLPRequest.encode(spans)) }

    private func lines(_ request: [UInt8]) -> Lines {
        var lines = Lines()
        // Our own encoder wrote it: nothing is refused.
        guard let batch = try? OTLP.decodeProtobuf(request, receivedAt: 0, limits: .ownSpans) else {
            return lines
        }
        for row in 0..<batch.columns.count {
            lines.bytes += OTLP.encodeJSON(batch.columns, rows: row..<row + 1)
            lines.bytes.append(UInt8(ascii: "\n"))
            lines.ends.append(lines.bytes.count)
        }
        return lines
    }

    public func send(_ payload: Lines) async -> ExportOutcome {
        await Transport.onThread { self.write(payload) }
    }

    public func shutdown() async {
        await Transport.onThread {
            self.state.withLock { state in
                state.file = nil
                state.isShutDown = true
            }
        }
    }

    /// Writes a batch, over two files where it does not fit in one.
    private func write(_ lines: Lines) -> ExportOutcome {
        state.withLock { state in
            guard !state.isShutDown else { return .refused(message: "\(log.path) is closed") }
            var written = 0
            do throws(AppendedFile.Failure) {
                while written < lines.ends.count {
                    written += try writeSome(lines, from: written, &state)
                }
                return .delivered
            } catch {
                // Opened anew next time: somebody may have moved or removed it.
                state.file = nil
                // Of a batch that was cut in two, the first part stands in a file already: sent
                // again, it would stand there twice.
                return written == 0
                    ? .retryable(message: error.message)
                    : .delivered(rejectedCount: lines.ends.count - written, message: error.message)
            }
        }
    }

    /// Writes as many lines as the file has room for, one at least; gives their number.
    private func writeSome(
        _ lines: Lines,
        from first: Int,
        _ state: inout State
    ) throws(AppendedFile.Failure) -> Int {
        let start = first == 0 ? 0 : lines.ends[first - 1]
        var held = state.file?.byteCount ?? 0
        if state.file == nil {
            state.file = try AppendedFile(path: log.path)
            held = state.file?.byteCount ?? 0
        }
        let room = log.byteCount - held
        var last = first
        while last < lines.ends.count, lines.ends[last] - start <= room { last += 1 }
        if last == first {
            // A line larger than any file gets one of its own.
            guard held == 0 else {
                try rotate(&state)
                return 0
            }
            last += 1
        }
        try state.file?.append(lines.bytes[start..<lines.ends[last - 1]])
        state.counters.writtenSpanCount += last - first
        state.counters.writtenByteCount += lines.ends[last - 1] - start
        return last - first
    }

    /// Moves every file one number up, and the one that is written to number 1.
    private func rotate(_ state: inout State) throws(AppendedFile.Failure) {
        let count = min(max(log.fileCount, 1), Limits.logFileCount)
        let oldest = count == 1 ? log.path : "\(log.path).\(count - 1)"
        if try AppendedFile.remove(oldest) { state.counters.removedFileCount += 1 }
        for number in (1..<count).reversed() {
            let path = number == 1 ? log.path : "\(log.path).\(number - 1)"
            _ = try AppendedFile.move(path, to: "\(log.path).\(number)")
        }
        // Its lock goes with it; the next one is opened when there is something to write.
        state.file = nil
        state.counters.rotatedFileCount += 1
    }
}
