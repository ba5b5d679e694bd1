// SPDX-License-Identifier: Apache-2.0

import Platform
import Synchronization

/// The log's files: which are full, which may be overwritten.
///
/// Overwriting a file that has its room already costs a tenth of making a new one, so flushed
/// segments are kept for that, up to a number.
final class LogSegments: Sendable {
    struct Closed {
        let number: UInt64
        let byteCount: Int
        /// No record in it is newer than this.
        let lastSequence: UInt64
        /// Acknowledged records in it were lost to damage: keep it for whoever investigates.
        let damaged: Bool
    }

    private struct State {
        var closed: [Closed] = []
        var free: [(number: UInt64, byteCount: Int)] = []
        var openByteCount = 0
    }

    private let names: FileNames
    private let disk: any Disk
    private let state = Mutex(State())

    init(names: FileNames, disk: any Disk) {
        self.names = names
        self.disk = disk
    }

    /// Bytes of all segments.
    var byteCount: Int {
        state.withLock { state in
            state.closed.reduce(0) { $0 + $1.byteCount }
                + state.free.reduce(0) { $0 + $1.byteCount }
                + state.openByteCount
        }
    }

    /// Bytes of segments that hold records not flushed, the open one included.
    var unflushedByteCount: Int {
        state.withLock { state in
            state.closed.reduce(0) { $0 + $1.byteCount } + state.openByteCount
        }
    }

    func add(closed segment: Closed) {
        state.withLock {
            $0.closed.append(segment)
            $0.openByteCount = 0
        }
    }

    func add(free number: UInt64, byteCount: Int) {
        state.withLock { $0.free.append((number, byteCount)) }
    }

    /// Opens segment `number` with room for `byteCount`, its header written but not synced.
    func open(_ number: UInt64, key: UInt64, byteCount: Int) throws(DiskError) -> any DiskFile {
        let path = names.segment(number)
        let header = LogSegmentHeader(number: number, key: key).encode()
        let recycled = state.withLock { state -> (number: UInt64, byteCount: Int)? in
            guard let index = state.free.firstIndex(where: { $0.byteCount >= byteCount }) else {
                return nil
            }
            return state.free.remove(at: index)
        }
        let file: any DiskFile
        if let recycled {
            do throws(DiskError) {
                try disk.rename(names.freeSegment(recycled.number), to: path)
                file = try disk.open(path)
                try file.write([header], at: 0)
                try disk.syncDirectory(names.log)
            } catch {
                try? disk.remove(path)
                throw error
            }
        } else {
            do throws(DiskError) {
                file = try disk.create(path)
                try file.preallocate(UInt64(byteCount))
                try file.write([header], at: 0)
                try disk.syncDirectory(names.log)
            } catch {
                try? disk.remove(path)
                throw error
            }
        }
        let openByteCount = max(byteCount, recycled?.byteCount ?? 0)
        state.withLock { $0.openByteCount = openByteCount }
        return file
    }

    /// Gives up segments all of whose records are flushed.
    func release(flushed sequence: UInt64) {
        let done = state.withLock { state -> [Closed] in
            let done = state.closed.filter { $0.lastSequence <= sequence }
            state.closed.removeAll { $0.lastSequence <= sequence }
            return done
        }
        for segment in done {
            let path = names.segment(segment.number)
            if segment.damaged {
                let name = String(path.dropFirst(names.log.count))
                try? disk.rename(path, to: names.quarantine + name)
                continue
            }
            let hasRoom = state.withLock { $0.free.count < Limits.freeSegments }
            if hasRoom {
                // Without the rename the segment would be read again at the next start, and skipped.
                do throws(DiskError) {
                    try disk.rename(path, to: names.freeSegment(segment.number))
                    add(free: segment.number, byteCount: segment.byteCount)
                    continue
                } catch {}
            }
            try? disk.remove(path)
        }
    }
}
