// SPDX-License-Identifier: Apache-2.0

import StoreContract

/// Damage to bytes that were synced: nothing a program did wrong, nothing it is told of.
public enum MediaFault: String, Sendable, CaseIterable {
    /// One bit turns over.
    case bitRot
    /// A sector reads as zeros.
    case zeroedSector
    /// A sector of the next synced write is not written; the program is told that it was.
    case lostWrite
    /// A sector of the next synced write goes to another place.
    case misdirectedWrite
    /// The end of a file is gone.
    case shortened
}

/// What a media fault spoilt.
public struct MediaDamage: Sendable {
    public var fault: MediaFault
    public var path: String
    /// Number of the file, the same under every name.
    public var file: Int
    /// Bytes that may be wrong.
    public var range: Range<Int>
}

extension DiskImage {
    /// Spoils synced bytes of a file that has a name.
    mutating func spoil(
        _ fault: MediaFault,
        _ path: String,
        using random: inout SeededGenerator
    ) -> MediaDamage? {
        guard let number = names[path], !files[number].durable.isEmpty,
            files[number].pending.isEmpty
        else { return nil }
        let count = files[number].durable.count
        let place = random.number(below: count)
        var range = place..<place + 1
        switch fault {
        case .bitRot:
            files[number].durable[place] ^= 1 << UInt8(random.number(below: 8))
        case .zeroedSector:
            let start = place / Self.sectorByteCount * Self.sectorByteCount
            range = start..<min(count, start + Self.sectorByteCount)
            let zeros = [UInt8](repeating: 0, count: range.count)
            files[number].durable.replaceSubrange(range, with: zeros)
        case .shortened:
            range = place..<count
            files[number].durable.removeLast(count - place)
        case .lostWrite, .misdirectedWrite:
            return nil
        }
        files[number].cache = files[number].durable
        return MediaDamage(fault: fault, path: path, file: number, range: range)
    }

    /// Syncs a file, but one sector goes lost or elsewhere. Programs see it until the power is cut.
    mutating func syncBadly(
        _ fault: MediaFault,
        _ path: String,
        _ number: Int,
        using random: inout SeededGenerator
    ) -> [MediaDamage] {
        var writes: [(offset: Int, bytes: [UInt8])] = []
        for change in files[number].pending {
            if case .write(let offset, let bytes) = change { writes.append((offset, bytes)) }
        }
        let old = files[number].durable
        sync(number)
        guard !writes.isEmpty else { return [] }
        let write = random.pick(from: writes)
        let sector = Self.sectorByteCount
        let first = write.offset / sector
        let last = max(first, (write.offset + write.bytes.count - 1) / sector)
        let start = (first + random.number(below: last - first + 1)) * sector
        let now = files[number].durable
        let range =
            max(
                start,
                write.offset
            )..<min(now.count, start + sector, write.offset + write.bytes.count)
        guard !range.isEmpty else { return [] }
        let moved = Array(now[range])
        for place in range {
            files[number].durable[place] = place < old.count ? old[place] : 0
        }
        var damage = [MediaDamage(fault: fault, path: path, file: number, range: range)]
        guard fault == .misdirectedWrite else { return damage }
        let paths = names.keys.sorted()
        let otherPath = random.happens(oneIn: 2) ? path : random.pick(from: paths)
        guard let other = names[otherPath] else { return damage }
        let sectors = files[other].durable.count / sector
        let target = random.number(below: max(1, sectors)) * sector + range.lowerBound % sector
        let end = min(files[other].durable.count, target + moved.count)
        guard target < end else { return damage }
        files[other].durable.replaceSubrange(target..<end, with: moved[..<(end - target)])
        damage.append(
            MediaDamage(fault: fault, path: otherPath, file: other, range: target..<end)
        )
        return damage
    }
}
