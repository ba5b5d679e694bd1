// SPDX-License-Identifier: Apache-2.0

public import Platform

import Synchronization

extension SimulatedDisk {
    /// Counts a call, notes it, fails it if its turn has come, and else does it.
    ///
    /// - Parameter failing: what a failed call leaves done.
    func call<Value>(
        _ call: Call,
        _ path: String,
        _ operation: DiskError.Operation,
        _ a: Int = 0,
        _ b: Int = 0,
        life: Int? = nil,
        failing: (inout State) -> Void = { _ in },
        _ body: (inout State) -> Result<Value, DiskError>
    ) throws(DiskError) -> Value {
        try state.withLock { (state) throws(DiskError) in
            if state.isCrashed || life.map({ $0 != state.life }) ?? false {
                throw DiskError(path: path, operation: operation, code: Self.crashCode)
            }
            if let code = Self.failure(of: call, &state) {
                state.trace.note(call.rawValue, path, a, b, code)
                failing(&state)
                throw DiskError(path: path, operation: operation, code: code)
            }
            let result = body(&state)
            var code: Int32 = 0
            if case .failure(let error) = result { code = error.code }
            state.trace.note(call.rawValue, path, a, b, code)
            return try result.get()
        }
    }

    private static func failure(of call: Call, _ state: inout State) -> Int32? {
        if call.isChange {
            state.changes += 1
            if state.changes == state.crashAt {
                state.isCrashed = true
                return crashCode
            }
        }
        guard let fault = state.fault else { return nil }
        if let wanted = fault.call {
            guard wanted == call else { return nil }
        } else {
            guard call.isChange else { return nil }
        }
        let key = fault.call ?? .create
        state.counts[key, default: 0] += 1
        let number = state.counts[key, default: 0]
        guard number == fault.number || (fault.isSticky && number > fault.number) else {
            return nil
        }
        state.faultHits += 1
        return fault.code
    }

    private static func missing<Value>(
        _ path: String,
        _ operation: DiskError.Operation
    ) -> Result<Value, DiskError> {
        .failure(DiskError(path: path, operation: operation, code: 2))
    }

    public func open(_ path: String) throws(DiskError) -> any DiskFile {
        try call(.open, path, .open) { state in
            guard let number = state.image.names[path] else { return Self.missing(path, .open) }
            return .success(SimulatedFile(self, number, path, state.life))
        }
    }

    public func create(_ path: String) throws(DiskError) -> any DiskFile {
        try call(
            .create,
            path,
            .create,
            failing: { if $0.random.happens(oneIn: 4) { _ = $0.image.create(path) } },
            { state in
                let number = state.image.create(path)
                return .success(SimulatedFile(self, number, path, state.life))
            }
        )
    }

    public func rename(_ path: String, to newPath: String) throws(DiskError) {
        try call(
            .rename,
            path,
            .rename,
            newPath.utf8.count,
            failing: {
                // An error says nothing about whether it was done.
                if $0.random.happens(oneIn: 4) { _ = $0.image.rename(path, to: newPath) }
            },
            { state in
                state.image.rename(path, to: newPath)
                    ? .success(()) : Self.missing(path, .rename)
            }
        )
    }

    public func link(_ path: String, to newPath: String) throws(DiskError) {
        try call(.link, newPath, .link) { state in
            state.image.link(path, newPath) ? .success(()) : Self.missing(path, .link)
        }
    }

    public func remove(_ path: String) throws(DiskError) {
        try call(
            .remove,
            path,
            .remove,
            failing: { if $0.random.happens(oneIn: 4) { _ = $0.image.remove(path) } },
            { state in
                state.image.remove(path) ? .success(()) : Self.missing(path, .remove)
            }
        )
    }

    public func list(_ directory: String) throws(DiskError) -> [String] {
        try call(.list, directory, .list) { state in
            var names: Set<String> = []
            for path in Array(state.image.names.keys) + Array(state.image.directories)
            where path.hasPrefix(directory + "/") {
                names.insert(String(path.dropFirst(directory.count + 1).prefix { $0 != "/" }))
            }
            return .success(names.sorted())
        }
    }

    public func createDirectory(_ path: String) throws(DiskError) {
        try call(.createDirectory, path, .createDirectory) { state in
            state.image.directories.insert(path)
            return .success(())
        }
    }

    public func syncDirectory(_ path: String) throws(DiskError) {
        try call(
            .syncDirectory,
            path,
            .syncDirectory,
            failing: { if !$0.isCrashed { $0.image.failSyncDirectory(path, using: &$0.random) } },
            { state in
                state.image.syncDirectory(path)
                return .success(())
            }
        )
    }

    public func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
        try call(.lock, path, .lock) { state in
            let isFree = state.locked.insert(path).inserted
            return .success(isFree ? SimulatedLock(self, path, state.life) : nil)
        }
    }

    public func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        try call(.freeSpace, path, .freeSpace) { state in
            .success(UInt64(clamping: state.freeBytes))
        }
    }
}

private final class SimulatedLock: DiskLock {
    private let disk: SimulatedDisk
    private let path: String
    private let life: Int

    init(_ disk: SimulatedDisk, _ path: String, _ life: Int) {
        self.disk = disk
        self.path = path
        self.life = life
    }

    func release() {
        disk.state.withLock { state in
            if state.life == life { state.locked.remove(path) }
        }
    }
}

private final class SimulatedFile: DiskFile {
    private let disk: SimulatedDisk
    private let number: Int
    private let path: String
    private let life: Int
    private let blockByteCount = Atomic(1)

    init(_ disk: SimulatedDisk, _ number: Int, _ path: String, _ life: Int) {
        self.disk = disk
        self.number = number
        self.path = path
        self.life = life
    }

    func read(at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        let place = Int(clamping: offset)
        return try disk.call(.read, path, .read, place, count, life: life) { state in
            let bytes = state.image.files[number].cache
            let start = min(place, bytes.count)
            return .success(Array(bytes[start..<min(start + count, bytes.count)]))
        }
    }

    func write(_ pieces: [[UInt8]], at offset: UInt64) throws(DiskError) {
        var joined = Array(pieces.joined())
        let place = Int(clamping: offset)
        let block = blockByteCount.load(ordering: .relaxed)
        guard place % block == 0 else {
            throw DiskError(path: path, operation: .write, code: 22)
        }
        let blocks = (joined.count + block - 1) / block
        joined += repeatElement(0, count: blocks * block - joined.count)
        let end = place + joined.count
        let bytes = joined
        try disk.call(
            .write,
            path,
            .write,
            place,
            Int(CRC32C.checksum(bytes)),
            life: life,
            failing: { state in
                // A failed write may have written its beginning.
                let count = state.random.number(below: bytes.count + 1)
                state.image.write(Array(bytes.prefix(count)), to: number, at: place)
            },
            { state -> Result<Void, DiskError> in
                let growth = max(0, end - state.image.files[number].cache.count)
                guard growth == 0 || SimulatedFile.reserve(growth, &state) else {
                    return .failure(DiskError(path: path, operation: .write, code: 28))
                }
                state.image.write(bytes, to: number, at: place)
                state.written.append((number, place..<end))
                return .success(())
            }
        )
    }

    func bypassCache() -> Int {
        let block = disk.state.withLock { $0.blockByteCount }
        blockByteCount.store(block, ordering: .relaxed)
        return block
    }

    private static func reserve(_ count: Int, _ state: inout SimulatedDisk.State) -> Bool {
        guard count <= state.freeBytes else { return false }
        if state.freeBytes != .max { state.freeBytes -= count }
        return true
    }

    func sync() throws(DiskError) {
        disk.passGate()
        try disk.call(
            .sync,
            path,
            .sync,
            life: life,
            failing: { state in
                if !state.isCrashed { state.image.failSync(number, using: &state.random) }
            },
            { state -> Result<Void, DiskError> in
                if let fault = state.badSync, !state.image.files[number].pending.isEmpty {
                    state.badSync = nil
                    state.damage += state.image.syncBadly(
                        fault,
                        path,
                        number,
                        using: &state.random
                    )
                } else {
                    state.image.sync(number)
                }
                return .success(())
            }
        )
    }

    func preallocate(_ byteCount: UInt64) throws(DiskError) {
        let count = Int(clamping: byteCount)
        try disk.call(.preallocate, path, .preallocate, count, life: life) {
            state -> Result<Void, DiskError> in
            let growth = max(0, count - state.image.files[number].cache.count)
            guard growth == 0 || SimulatedFile.reserve(growth, &state) else {
                return .failure(DiskError(path: path, operation: .preallocate, code: 28))
            }
            if growth > 0 { state.image.resize(number, to: count) }
            return .success(())
        }
    }

    func byteCount() throws(DiskError) -> UInt64 {
        try disk.call(.size, path, .size, life: life) { state in
            .success(UInt64(state.image.files[number].cache.count))
        }
    }
}
