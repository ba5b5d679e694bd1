// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel
import Store
import Synchronization

/// Call statistics outlive the head in totals files: a flush writes one for each tenant that has any,
/// listed by the manifest that lists the flush's parts, and `mergeTotals` joins those of a day.
extension StoreKeeper {
    /// Writes the call statistics of batches of one tenant; no manifest lists the file yet.
    ///
    /// - Returns: `nil` where there are none.
    func writeCalls(of batches: [HeadBatch], _ tenant: Tenant) throws -> TotalsFile? {
        var content = TotalsContent(directory: TotalsFileDirectory(tenant: tenant.name))
        for batch in batches {
            guard let calls = batch.calls else { continue }
            content.calls.add(calls)
            content.directory.receivedAt = max(content.directory.receivedAt, batch.receivedAt)
            _ = content.windows.insert(
                calls.window,
                of: calls.sender,
                receivedAt: batch.receivedAt
            )
        }
        guard !content.calls.isEmpty else { return nil }
        return try write(content)
    }

    /// Writes the chunks of call statistics, and notes them in the file's directory.
    ///
    /// - Parameter files: whose call statistics are to stand in it too.
    static func write(
        _ calls: TotalsCalls,
        joining files: [TotalsFile],
        _ windows: KnownWindows,
        to output: inout PartOutput,
        _ directory: inout TotalsFileDirectory
    ) throws {
        func write(_ minutes: ClosedRange<UInt64>, _ calls: TotalsCalls) throws {
            output.encoder.append(frame: calls.encode())
            directory.calls.append(
                TotalsFileDirectory.Changes(minutes: minutes, chunk: try output.finishChunk())
            )
            directory.callCells += UInt64(calls.cellCount)
            directory.include(minutes, minuteNanoseconds: TotalsFormat.minute)
        }
        try calls.forEachPiece(of: Limits.totalsCallCells, write)
        var merge = TotalsCallsMerge(files)
        try merge.forEachPiece(of: Limits.totalsCallCells, write)
        guard !windows.isEmpty else { return }
        output.encoder.append(frame: windows.encode())
        directory.windows = try output.finishChunk()
    }

    /// Takes an open totals file into service, and what it says of known windows. One that could not be
    /// read at the start may know windows that were since taken for new ones, out of the log: they are
    /// counted by the file.
    func take(_ file: TotalsFile) throws(PartDamage) {
        let windows = try file.windows()
        let tenant = Tenant(file.entry.tenant)
        state.withLock { state in
            state.lostTotals.removeAll { $0.entry.number == file.number }
            state.totals.append(file)
            if !windows.isEmpty {
                state.windows[tenant, default: KnownWindows()].merge(windows)
                state.bound(tenant, senders: options.callSenders)
                state.empty(windows, of: tenant)
            }
        }
    }

    // MARK: While totals files cannot be read

    /// What of the head may be written to files now.
    ///
    /// As long as totals files of a tenant cannot be read, its windows in the head may be in them too:
    /// written to another file, they would count twice for ever. Windows come into the head then by a
    /// replay alone (`StoreCore.admit` refuses them), and wait there for `take`, with all that came
    /// after them: what is flushed must be all that came before. They wait no longer than there is
    /// room: then the files are given up.
    func writableHead() -> [HeadBatch] {
        let (isWaiting, batches) = partedHead()
        guard isWaiting else { return batches }
        openUnreadTotals()
        if isHeadFull || isLogLong, partedHead().isWaiting { giveUpUnreadTotals() }
        return partedHead().batches
    }

    /// Whether something of the head has to wait.
    var isHeadWaiting: Bool { partedHead().isWaiting }

    private func partedHead() -> (isWaiting: Bool, batches: [HeadBatch]) {
        state.withLock { state in
            let unread = Set(state.lostTotals.map(\.entry.tenant))
            let first = state.head.firstIndex {
                $0.calls != nil && unread.contains($0.tenant.name)
            }
            guard let first else { return (false, state.head) }
            // A write that went to the wrong place may have put a newer record before an older one.
            let oldest = state.head[first...].reduce(.max) { min($0, $1.sequence) }
            let before = state.head[..<first]
            return (true, before.allSatisfy { $0.sequence < oldest } ? Array(before) : [])
        }
    }

    /// Sets the files aside that the head waits for. What they counted is missed aloud from now on.
    private func giveUpUnreadTotals() {
        let files = state.withLock { state in
            let waiting = Set(state.head.filter { $0.calls != nil }.map(\.tenant.name))
            return state.lostTotals.filter { waiting.contains($0.entry.tenant) }
        }
        for file in files {
            _ = setAsideTotals(
                PartDamage(number: file.entry.number, what: file.reason, isReadFailure: true)
            )
        }
    }

    /// Whether totals files of a tenant could not be read, and with them the windows that they count.
    func hasUnreadTotals(of tenant: Tenant) -> Bool {
        state.withLock { $0.lostTotals.contains { $0.entry.tenant == tenant.name } }
    }

    /// Forgets senders of call statistics that were not heard of for a day; once an hour.
    func forgetSenders(_ now: UInt64) {
        state.withLock { state in
            guard now / Limits.forgetNanoseconds != state.forgottenHour else { return }
            state.forgottenHour = now / Limits.forgetNanoseconds
            let now = min(now, state.oldestReceipt)
            for tenant in state.windows.keys { state.windows[tenant]?.forget(now) }
        }
    }
}
