// SPDX-License-Identifier: Apache-2.0

import StoreContract

/// What a simulated disk holds: what programs see, and what would be there after a power cut.
///
/// ```
/// write "b" at 1      cache  a b c      pending  [write b at 1]     durable  a a c
/// sync                cache  a b c      pending  []                 durable  a b c
/// ```
/// Names work the same way: `names` is what programs see, `nameChanges` waits for a sync of the
/// directory, `durableNames` is what a power cut leaves.
struct DiskImage: Sendable {
    /// Bytes that reach the medium together.
    static let sectorByteCount = 512

    struct File: Sendable {
        var cache: [UInt8] = []
        var durable: [UInt8] = []
        var pending: [Change] = []
    }

    enum Change: Sendable {
        case write(offset: Int, bytes: [UInt8])
        case resize(Int)
    }

    enum NameChange: Sendable {
        case add(String, Int)
        case remove(String)
        case move(String, to: String, Int)
    }

    /// How much of what was not synced survives a power cut.
    enum Fate: Sendable {
        case everything, nothing
        /// Each sector and each name by itself, so many times in a hundred.
        case some(percent: Int)
    }

    /// By number; a number is never used twice.
    var files: [File] = []
    var names: [String: Int] = [:]
    var durableNames: [String: Int] = [:]
    var nameChanges: [NameChange] = []
    var directories: Set<String> = []

    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    // MARK: Changing

    /// Empties the file of a name, or makes one.
    mutating func create(_ path: String) -> Int {
        if let number = names[path] {
            resize(number, to: 0)
            return number
        }
        files.append(File())
        names[path] = files.count - 1
        nameChanges.append(.add(path, files.count - 1))
        return files.count - 1
    }

    mutating func write(_ bytes: [UInt8], to number: Int, at offset: Int) {
        Self.put(bytes[...], at: offset, &files[number].cache)
        files[number].pending.append(.write(offset: offset, bytes: bytes))
    }

    mutating func resize(_ number: Int, to count: Int) {
        Self.resize(&files[number].cache, to: count)
        files[number].pending.append(.resize(count))
    }

    mutating func sync(_ number: Int) {
        files[number].durable = files[number].cache
        files[number].pending = []
    }

    /// What a failed sync leaves: some sectors reached the medium, the rest is forgotten and will
    /// not be tried again, whether or not programs still see it.
    mutating func failSync(_ number: Int, using random: inout SeededGenerator) {
        files[number].durable = torn(files[number], .some(percent: 50), &random)
        files[number].pending = []
        if random.happens(oneIn: 2) { files[number].cache = files[number].durable }
    }

    mutating func rename(_ path: String, to newPath: String) -> Bool {
        guard let number = names.removeValue(forKey: path) else { return false }
        names[newPath] = number
        nameChanges.append(.move(path, to: newPath, number))
        return true
    }

    mutating func link(_ path: String, _ newPath: String) -> Bool {
        guard let number = names[path] else { return false }
        names[newPath] = number
        nameChanges.append(.add(newPath, number))
        return true
    }

    mutating func remove(_ path: String) -> Bool {
        guard names.removeValue(forKey: path) != nil else { return false }
        nameChanges.append(.remove(path))
        return true
    }

    mutating func syncDirectory(_ path: String) {
        var left: [NameChange] = []
        for change in nameChanges {
            switch change {
            case .add(let name, _), .remove(let name):
                if Self.parent(of: name) == path { apply(change) } else { left.append(change) }
            case .move(let from, let to, let number):
                let isFrom = Self.parent(of: from) == path
                let isTo = Self.parent(of: to) == path
                if isFrom && isTo {
                    apply(change)
                } else if isTo {
                    apply(.add(to, number))
                    left.append(.remove(from))
                } else if isFrom {
                    apply(.remove(from))
                    left.append(.add(to, number))
                } else {
                    left.append(change)
                }
            }
        }
        nameChanges = left
    }

    /// What a failed sync of a directory leaves: some changes reached the medium, the others are not
    /// tried again.
    mutating func failSyncDirectory(_ path: String, using random: inout SeededGenerator) {
        let waiting = nameChanges
        nameChanges = waiting.filter { Self.isInside($0, path) && random.happens(oneIn: 2) }
        syncDirectory(path)
        nameChanges = waiting.filter { !Self.isInside($0, path) }
    }

    private static func isInside(_ change: NameChange, _ path: String) -> Bool {
        switch change {
        case .add(let name, _), .remove(let name): parent(of: name) == path
        case .move(let from, let to, _): parent(of: from) == path || parent(of: to) == path
        }
    }

    private mutating func apply(_ change: NameChange) {
        switch change {
        case .add(let name, let number): durableNames[name] = number
        case .remove(let name): durableNames[name] = nil
        case .move(let from, let to, let number):
            if durableNames[from] == number { durableNames[from] = nil }
            durableNames[to] = number
        }
    }

    // MARK: Losing power

    /// Leaves what the machine finds when it starts again.
    mutating func losePower(_ fate: Fate, using random: inout SeededGenerator) {
        for change in nameChanges where Self.survives(fate, &random) {
            apply(change)
            // A rename that was cut short may leave both names.
            if case .move(let from, _, let number) = change, durableNames[from] == nil,
                random.happens(oneIn: 8)
            {
                durableNames[from] = number
            }
        }
        nameChanges = []
        let living = Set(durableNames.values).sorted()
        var kept: [Int: [UInt8]] = [:]
        for number in living { kept[number] = torn(files[number], fate, &random) }
        for number in files.indices {
            let bytes = kept[number] ?? []
            files[number] = File(cache: bytes, durable: bytes)
        }
        names = durableNames
    }

    private static func survives(_ fate: Fate, _ random: inout SeededGenerator) -> Bool {
        switch fate {
        case .everything: true
        case .nothing: false
        case .some(let percent): random.happens(percent: percent)
        }
    }

    /// The durable bytes of a file with some of its pending changes.
    private func torn(_ file: File, _ fate: Fate, _ random: inout SeededGenerator) -> [UInt8] {
        if file.pending.isEmpty { return file.durable }
        if case .everything = fate { return file.cache }
        var bytes = file.durable
        for change in file.pending {
            switch change {
            case .resize(let count):
                if Self.survives(fate, &random) { Self.resize(&bytes, to: count) }
            case .write(let offset, let piece):
                var start = 0
                while start < piece.count {
                    // A write that straddles sectors is torn at their border.
                    let room = Self.sectorByteCount - (offset + start) % Self.sectorByteCount
                    let end = min(piece.count, start + room)
                    if Self.survives(fate, &random) {
                        Self.put(piece[start..<end], at: offset + start, &bytes)
                    } else if offset + start >= file.durable.count, random.happens(oneIn: 32) {
                        // Room that was never written may hold what another file left there.
                        Self.put(remains(end - start, &random)[...], at: offset + start, &bytes)
                    }
                    start = end
                }
            }
        }
        return bytes
    }

    /// Bytes of some other file, as a file system shows them that does not clear what it hands out.
    private func remains(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
        let other = files[random.number(below: files.count)].durable
        guard other.count > count else { return [UInt8](repeating: 0, count: count) }
        let sectors = (other.count - count) / Self.sectorByteCount
        let start = random.number(below: sectors + 1) * Self.sectorByteCount
        return Array(other[start..<start + count])
    }

    static func put(_ piece: ArraySlice<UInt8>, at offset: Int, _ bytes: inout [UInt8]) {
        let end = offset + piece.count
        if bytes.count < end { resize(&bytes, to: end) }
        bytes.replaceSubrange(offset..<end, with: piece)
    }

    static func resize(_ bytes: inout [UInt8], to count: Int) {
        if bytes.count > count {
            bytes.removeLast(bytes.count - count)
        } else {
            bytes += repeatElement(0, count: count - bytes.count)
        }
    }
}
