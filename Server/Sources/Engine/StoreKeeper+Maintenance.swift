// SPDX-License-Identifier: Apache-2.0

import Platform
import Store
import Synchronization

extension StoreKeeper {
    /// What the thread and those who wake it tell each other.
    struct Wake {
        var isAsked = false
        var isClosing = false
        var hasEnded = true
    }

    /// Starts the thread that flushes by size and age, joins and expires.
    func start() {
        wake.update { $0.hasEnded = false }
        DedicatedThread.start(named: "skein-keeper", urgency: .background) { [self] in
            var memory = FreedMemory()
            while true {
                let isClosing = wake.wait(upTo: options.maintenanceInterval) { wake -> Bool? in
                    if wake.isClosing { return true }
                    guard wake.isAsked else { return nil }
                    wake.isAsked = false
                    return false
                }
                if isClosing == true { break }
                maintain()
                memory.giveBack(
                    partsWritten: manifest.withLock { $0.nextPart },
                    now: clock.monotonicNanoseconds()
                )
            }
            wake.update { $0.hasEnded = true }
        }
    }

    /// Ends the thread. Blocks until it ended.
    func stop() {
        wake.update { $0.isClosing = true }
        wake.wait { $0.hasEnded ? () : nil }
    }

    /// One round of what the thread does.
    func maintain() {
        openUnreadParts()
        openUnreadTotals()
        // Each by itself: what fails must not keep the others from being done, for one may make the
        // room that another lacks.
        var round = Round()
        attempt(&round) { try expire() }
        attempt(&round) {
            if isHeadFull || isLogLong || isHeadOld || mustSaveHead { try flush() }
        }
        // What joins files needs room beside them.
        if !round.isOutOfSpace {
            attempt(&round) {
                // New spans go first: joining is never urgent, a full head refuses appends.
                while options.merging, try merge() { if isHeadFull { try flush() } }
            }
            attempt(&round) { try mergeTotals() }
        }
        boundQuarantine()
        forgetSenders(trustedNow)
        state.withLock { $0.flushFailure = round.failure }
        if round.failure == nil { reserve.fill() }
        forgetPassingFailure()
    }

    /// What of a round failed.
    private struct Round {
        /// The first failure.
        var failure: String?
        var isOutOfSpace = false
    }

    private func attempt(_ round: inout Round, _ work: () throws -> Void) {
        do {
            try work()
        } catch {
            if round.failure == nil { round.failure = "writing parts failed: \(error)" }
            guard (error as? DiskError)?.isOutOfSpace == true else { return }
            // Room for what comes next: retention, and the flush that frees the log.
            round.isOutOfSpace = true
            reserve.release()
        }
    }

    private var isHeadOld: Bool {
        guard let oldest = state.withLock({ $0.head.first?.receivedAt }) else { return false }
        let now = clock.wallNanoseconds()
        return now > oldest && now - oldest > Self.nanoseconds(options.headFlushAge)
    }

    /// Whether the log's disk failed while the head still depends on it: what was acknowledged goes
    /// to another file at once.
    private var mustSaveHead: Bool {
        state.withLock { $0.logFailure?.cure == .restart && !$0.head.isEmpty }
    }

    /// Takes the word back that appends fail once there is room again, or once they may try again,
    /// even if nobody does: who is told that the store fails may send nothing more.
    private func forgetPassingFailure() {
        switch state.withLock({ $0.logFailure?.cure }) {
        case .anotherTry: break
        case .room:
            guard let free = try? disk.freeByteCount(names.directory),
                free >= UInt64(options.segmentBytes) + UInt64(options.reserveBytes)
            else { return }
        case .restart, nil: return
        }
        state.withLock { if $0.logFailure?.cure != .restart { $0.logFailure = nil } }
    }
}

/// When memory that writing parts left free goes back to the system.
private struct FreedMemory {
    private var partsWritten: UInt64 = 0
    private var lastTime: UInt64 = 0

    /// Gives it back if parts were written since it last was, and that is long enough ago.
    mutating func giveBack(partsWritten written: UInt64, now: UInt64) {
        guard written != partsWritten, now &- lastTime >= Limits.freeMemoryNanoseconds else {
            return
        }
        partsWritten = written
        lastTime = now
        Process.giveBackMemory()
    }
}
