// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The memory of contents that are too large for their slot, bounded for all slots of a slab together.
struct SlotOverflow: ~Copyable {
    /// Bytes in use, or held.
    private let byteCount = Atomic(0)
    private let limit: Int

    /// - Parameter limit: Bytes that all contents may take together.
    init(limit: Int) { self.limit = limit }

    /// Counts bytes as in use, whatever the limit is.
    func hold(_ count: Int) { byteCount.add(count, ordering: .relaxed) }

    /// Gives bytes back.
    func release(_ count: Int) { byteCount.subtract(count, ordering: .relaxed) }

    /// Makes room for `count` more bytes of content; the slot is held by the caller.
    ///
    /// - Returns: `false` where the limit is reached: then nothing changed.
    @inline(never)
    func grow(_ slot: UnsafeMutablePointer<SpanSlot>, by count: Int) -> Bool {
        let old = Int(slot.pointee.contentCapacity)
        let wanted = max(old * 2, Int(slot.pointee.contentCount) + count)
        guard wanted <= Limits.spanByteCount else { return false }
        let added = slot.pointee.isOverflown ? wanted - old : wanted
        guard byteCount.add(added, ordering: .relaxed).newValue <= limit else {
            release(added)
            return false
        }
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        // Bound: contentCount <= old < wanted.
        larger.update(from: slot.pointee.content, count: Int(slot.pointee.contentCount))
        if slot.pointee.isOverflown { slot.pointee.content.deallocate() }
        slot.pointee.content = larger
        slot.pointee.contentCapacity = UInt32(wanted)
        return true
    }
}
