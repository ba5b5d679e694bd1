// SPDX-License-Identifier: Apache-2.0

import Client
import Synchronization

/// Shows how far a load has come, on standard error: a bar that is drawn over on a terminal, a plain
/// line every few seconds elsewhere.
final class ProgressLine: Sendable {
    private let isTerminal = Terminal.isTerminal(.error)
    private let width = Terminal.width(.error)
    private let last = Mutex<(shown: ContinuousClock.Instant, text: String)?>(nil)
    private let begin = ContinuousClock.now

    func show(_ progress: LoadProgress) {
        last.withLock { last in
            let now = ContinuousClock.now
            let gap: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
            if let last, last.shown.duration(to: now) < gap { return }
            // A load that is over before the first gap needs no line in a log.
            if last == nil, !isTerminal {
                last = (now, "")
                return
            }
            let text = describe(progress, after: begin.duration(to: now))
            last = (now, text)
            if isTerminal {
                printError("\r\u{1B}[K" + String(text.prefix(width - 1)), terminator: "")
            } else {
                printError(text)
            }
        }
    }

    /// Clears the bar.
    func finish() {
        if isTerminal { printError("\r\u{1B}[K", terminator: "") }
    }

    private func describe(_ progress: LoadProgress, after elapsed: Duration) -> String {
        let isMeasuring = progress.phase == .measuring
        let seconds = max(elapsed / .seconds(1), 0.001)
        let spans =
            isMeasuring
            ? "looking at times"
            : "\(progress.spans) spans, "
                + "\(Measure.count(Double(progress.spans) / seconds)) spans/s"
        guard progress.totalBytes > 0 else { return spans }
        let part = min(Double(progress.bytes) / Double(progress.totalBytes), 1)
        let percent = Int(part * 100)
        guard isTerminal else { return "\(percent) %, \(spans)" }
        return "\(Bar.text(part, width: 28)) \(percent) %  \(spans)"
    }
}
