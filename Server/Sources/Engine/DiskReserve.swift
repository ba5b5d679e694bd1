// SPDX-License-Identifier: Apache-2.0

import Platform
import Synchronization

/// A file that only takes up room, given back when the disk is full: retention, a flush and a merge
/// all need a little room before they free much.
final class DiskReserve: Sendable {
    private let directory: String
    private let path: String
    private let byteCount: Int
    private let disk: any Disk
    /// Whether the file is there, as far as is known.
    private let isHeld = Mutex(false)

    /// - Parameter byteCount: 0 keeps no reserve.
    init(_ names: FileNames, byteCount: Int, disk: any Disk) {
        directory = names.directory
        path = names.reserve
        self.byteCount = byteCount
        self.disk = disk
    }

    /// Takes the room again, if it is not held and three times as much is free. A failure is
    /// no harm: it is tried again in the next round.
    func fill() {
        isHeld.withLock { isHeld in
            guard !isHeld, byteCount > 0,
                let free = try? disk.freeByteCount(directory), free > 3 * UInt64(byteCount)
            else { return }
            do throws(DiskError) {
                let file = try disk.create(path)
                try file.preallocate(UInt64(byteCount))
                isHeld = true
            } catch {
                try? disk.remove(path)
            }
        }
    }

    /// Gives the room back.
    func release() {
        isHeld.withLock { isHeld in
            try? disk.remove(path)
            isHeld = false
        }
    }
}
