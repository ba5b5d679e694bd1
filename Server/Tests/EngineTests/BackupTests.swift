// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import Platform
import SkeinModel
import Store
import StoreContract
import Testing

/// Backup, restore and verification, on real directories.
@Suite struct BackupTests {
    private func open(_ path: String, _ options: EngineOptions = .small) throws -> EmbeddedStore {
        try EmbeddedStore.open(
            directory: path,
            options: options,
            decoder: SpanGenerator.Decoder()
        )
    }

    private func verify(_ path: String) throws -> (StoreVerification.Summary, [String]) {
        var lines: [String] = []
        let summary = try StoreVerification.verify(
            directory: path,
            decoder: SpanGenerator.Decoder()
        ) { lines.append($0) }
        return (summary, lines)
    }

    private func restore(_ backup: String, _ path: String) throws -> StoreBackup.Summary {
        try StoreBackup.restore(backup, into: path, decoder: SpanGenerator.Decoder())
    }

    @Test func `what is backed up from a running store is restored whole`() async throws {
        let folder = TemporaryDirectory()
        let store = try open(folder.path + "/data")
        var ledger = Ledger()
        for seed in UInt64(1)...9 {
            await ledger.append(seed, to: store)
            if seed % 3 == 0, seed < 9 { try await store.flush() }
        }
        let backup = folder.path + "/backup"
        let made = try StoreBackup.make(of: folder.path + "/data", at: backup)
        #expect(made.partCount == 2)
        #expect(made.recordCount == 3)
        #expect(made.spanCount == store.statistics.spans - store.statistics.headSpans)
        #expect(made.linkedByteCount == store.statistics.partBytes)
        #expect(made.incomplete.isEmpty)
        let (sound, lines) = try verify(backup)
        #expect(sound.isSound && sound.recordCount == 3, "\(lines)")

        // What comes later is not in it, and what goes later stays in it.
        await ledger.append(20, to: store)
        try await store.flush()
        await store.close()
        let restored = folder.path + "/restored"
        let back = try restore(backup, restored)
        #expect(back.spanCount == made.spanCount && back.recordCount == 3)
        let again = try open(restored)
        var expected = Ledger()
        for seed in UInt64(1)...9 { expected.note(seed) }
        #expect(try await expected.violations(in: again).isEmpty)
        #expect(again.statistics.damagedRecords == 0)
        try await again.append(SpanGenerator.batch(seed: 30))
        await again.close()
        // The restored store is its own: the backup is as it was.
        #expect(try verify(backup).0.isSound)
    }

    @Test func `a backup while batches arrive has all that was acknowledged before it`()
        async throws
    {
        let folder = TemporaryDirectory()
        var options = EngineOptions.small
        options.segmentBytes = 16_384
        options.headFlushBytes = 200_000
        options.merging = true
        options.maintenanceInterval = .milliseconds(1)
        let store = try open(folder.path + "/data", options)
        let writer = Task {
            var seed: UInt64 = 1_000
            while !Task.isCancelled, seed < 1_200 {
                try await store.append(SpanGenerator.batch(seed: seed))
                seed += 1
            }
        }
        var ledger = Ledger()
        for round in UInt64(0)..<3 {
            for seed in round * 10..<round * 10 + 10 { await ledger.append(seed, to: store) }
            let backup = folder.path + "/backup\(round)"
            let made = try StoreBackup.make(of: folder.path + "/data", at: backup)
            #expect(made.incomplete.isEmpty)
            let restored = folder.path + "/restored\(round)"
            _ = try restore(backup, restored)
            let again = try open(restored)
            #expect(again.statistics.damagedRecords == 0)
            let wanted = Ledger.spans(ledger.acknowledged)
            let ids = Set(wanted.map(\.traceID))
            let answer = try await again.traces(TraceRequest(ids: Array(ids)))
            var found: Set<SpanValue> = []
            for row in 0..<answer.columns.count { found.insert(SpanValue(answer.columns, row)) }
            #expect(wanted.subtracting(found).isEmpty, "round \(round)")
            await again.close()
            #expect(try verify(folder.path + "/data").0.isSound, "the running store")
        }
        writer.cancel()
        _ = await writer.result
        await store.close()
    }

    @Test func `an interrupted backup is none, and the next one clears it away`() async throws {
        let folder = TemporaryDirectory()
        let data = folder.path + "/data"
        let store = try open(data)
        for seed in UInt64(1)...4 {
            try await store.append(SpanGenerator.batch(seed: seed))
            if seed == 2 { try await store.flush() }
        }
        var interrupted = 0
        for call in 1...60 {
            let backup = folder.path + "/backup\(call)"
            let disk = BrokenDisk(failingAt: call)
            let made = try? StoreBackup.make(of: data, at: backup, disk: disk)
            if made == nil {
                interrupted += 1
                // The very last call only makes the name last: by then the backup is whole.
                if FileManager.default.fileExists(atPath: backup) {
                    #expect(!FileManager.default.fileExists(atPath: backup + ".partial"))
                    #expect(try verify(backup).0.isSound, "call \(call)")
                    continue
                }
                if FileManager.default.fileExists(atPath: backup + ".partial") {
                    #expect(throws: EngineError.self) {
                        try restore(backup + ".partial", folder.path + "/never")
                    }
                }
                _ = try StoreBackup.make(of: data, at: backup)
            }
            #expect(try verify(backup).0.isSound, "call \(call)")
        }
        #expect(interrupted > 10)
        await store.close()
    }

    @Test func `an interrupted restore is no store`() async throws {
        let folder = TemporaryDirectory()
        let store = try open(folder.path + "/data")
        for seed in UInt64(1)...4 {
            try await store.append(SpanGenerator.batch(seed: seed))
            if seed == 2 { try await store.flush() }
        }
        await store.abandon()
        let backup = folder.path + "/backup"
        _ = try StoreBackup.make(of: folder.path + "/data", at: backup)
        var interrupted = 0
        for call in 1...40 {
            let target = folder.path + "/restored\(call)"
            let disk = BrokenDisk(failingAt: call)
            do {
                _ = try StoreBackup.restore(
                    backup,
                    into: target,
                    disk: disk,
                    decoder: SpanGenerator.Decoder()
                )
            } catch {
                interrupted += 1
                // Either nothing was begun, and an empty store opens, or it is refused.
                if let opened = try? open(target) {
                    var ledger = Ledger()
                    // The very last calls only clear up: by then it is whole.
                    if opened.statistics.spans > 0 {
                        for seed in UInt64(1)...4 { ledger.note(seed) }
                    }
                    #expect(try await ledger.violations(in: opened).isEmpty, "call \(call)")
                    await opened.close()
                }
                continue
            }
            let opened = try open(target)
            var ledger = Ledger()
            for seed in UInt64(1)...4 { ledger.note(seed) }
            #expect(try await ledger.violations(in: opened).isEmpty)
            await opened.close()
        }
        #expect(interrupted > 10)
    }

    @Test func `a damaged backup is not restored`() async throws {
        let folder = TemporaryDirectory()
        let store = try open(folder.path + "/data")
        for seed in UInt64(1)...4 {
            try await store.append(SpanGenerator.batch(seed: seed))
            if seed == 2 { try await store.flush() }
        }
        await store.abandon()
        let backup = folder.path + "/backup"
        _ = try StoreBackup.make(of: folder.path + "/data", at: backup)
        let files = try FileManager.default.subpathsOfDirectory(atPath: backup).filter {
            var isDirectory: ObjCBool = false
            let path = backup + "/" + $0
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }
        #expect(files.count >= 4, "\(files)")
        var number = 0
        for name in files {
            let path = backup + "/" + name
            let whole = try Data(contentsOf: URL(filePath: path))
            // Parts are links into the store: they are replaced here, not written.
            for place in stride(from: 3, to: whole.count, by: max(1, whole.count / 9)) {
                var damaged = whole
                damaged[place] ^= 0x10
                try damaged.write(to: URL(filePath: path), options: .atomic)
                number += 1
                let target = folder.path + "/restored\(number)"
                #expect(throws: EngineError.self, "\(name), byte \(place)") {
                    try restore(backup, target)
                }
                #expect((try? open(target))?.statistics.spans ?? 0 == 0)
                if let summary = try? verify(backup).0 {
                    #expect(!summary.isSound, "\(name), byte \(place)")
                }
            }
            try FileManager.default.removeItem(atPath: path)
            number += 1
            #expect(throws: EngineError.self, "\(name) missing") {
                try restore(backup, folder.path + "/restored\(number)")
            }
            try whole.write(to: URL(filePath: path))
        }
        _ = try restore(backup, folder.path + "/restored")
    }

    @Test func `paths that a backup states are never followed`() async throws {
        let folder = TemporaryDirectory()
        let store = try open(folder.path + "/data")
        try await store.append(SpanGenerator.batch(seed: 1))
        try await store.flush()
        await store.close()
        let backup = folder.path + "/backup"
        _ = try StoreBackup.make(of: folder.path + "/data", at: backup)
        // A part that is a link to somewhere else, even to the right bytes.
        let part = backup + "/parts/0000000000000001.part"
        let elsewhere = folder.path + "/elsewhere"
        try FileManager.default.moveItem(atPath: part, toPath: elsewhere)
        try FileManager.default.createSymbolicLink(atPath: part, withDestinationPath: elsewhere)
        #expect(throws: EngineError.self) { try restore(backup, folder.path + "/restored") }
        #expect(try !verify(backup).0.isSound)
    }

    @Test func `directories that are in the way are refused and left alone`() async throws {
        let folder = TemporaryDirectory()
        let data = folder.path + "/data"
        let store = try open(data)
        try await store.append(SpanGenerator.batch(seed: 1))
        await store.close()
        let backup = folder.path + "/backup"
        _ = try StoreBackup.make(of: data, at: backup)
        let twice = #expect(throws: EngineError.self) {
            try StoreBackup.make(of: data, at: backup)
        }
        #expect(twice?.description.contains(backup) == true)
        #expect(throws: EngineError.self) {
            try StoreBackup.make(of: folder.path + "/nothing", at: folder.path + "/other")
        }
        let served = #expect(throws: EngineError.self) { try open(backup) }
        #expect(served?.description.contains("skein restore") == true)
        #expect(throws: EngineError.self) { try restore(backup, data) }
        #expect(throws: EngineError.self) { try restore(data, folder.path + "/restored") }
        let strange = folder.path + "/strange.partial"
        try FileManager.default.createDirectory(
            atPath: strange,
            withIntermediateDirectories: false
        )
        try Data("precious".utf8).write(to: URL(filePath: strange + "/thesis.tex"))
        #expect(throws: EngineError.self) {
            try StoreBackup.make(of: data, at: folder.path + "/strange")
        }
        #expect(FileManager.default.fileExists(atPath: strange + "/thesis.tex"))
        #expect(try verify(data).0.isSound)
    }

    @Test(arguments: [0, 1, 9, 2_000])
    func `a BACKUP file whose end is no text is told to be damaged`(byteCount: Int) async throws {
        let folder = TemporaryDirectory()
        let store = try open(folder.path + "/data")
        try await store.append(SpanGenerator.batch(seed: 1))
        await store.close()
        let backup = folder.path + "/backup"
        _ = try StoreBackup.make(of: folder.path + "/data", at: backup)
        let marker = URL(fileURLWithPath: backup + "/BACKUP")
        var bytes = try Data(contentsOf: marker)
        let line = try #require(bytes.dropLast().lastIndex(of: UInt8(ascii: "\n")))
        bytes.removeSubrange((line + 1)...)
        bytes.append(Data(repeating: 0xFF, count: byteCount))
        bytes.append(UInt8(ascii: "\n"))
        try bytes.write(to: marker)
        let (summary, lines) = try verify(backup)
        #expect(summary.damagedCount == 1)
        #expect(lines.contains { $0.hasPrefix("DAMAGED  BACKUP") }, "\(lines)")
        let error = #expect(throws: EngineError.self) {
            _ = try restore(backup, folder.path + "/restored")
        }
        #expect(error?.description.contains(marker.path) == true)
    }

    @Test func `verification finds any flipped byte of a part, and a missing one`() async throws {
        let folder = TemporaryDirectory()
        let data = folder.path + "/data"
        let store = try open(data)
        try await store.append(SpanGenerator.batch(seed: 3))
        await store.close()
        let path = data + "/parts/0000000000000001.part"
        let whole = try Data(contentsOf: URL(filePath: path))
        for place in stride(from: 0, to: whole.count, by: max(1, whole.count / 97)) {
            var damaged = whole
            damaged[place] ^= 0x04
            try damaged.write(to: URL(filePath: path))
            do {
                let (summary, lines) = try verify(data)
                #expect(!summary.isSound, "byte \(place)")
                #expect(lines.contains { $0.hasPrefix("DAMAGED  parts/0000000000000001.part: ") })
            } catch {
                #expect("\(error)".contains("format version"), "byte \(place): \(error)")
            }
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(try !verify(data).0.isSound)
    }
}

/// The real disk, until a certain call that changes something; from then on nothing works.
private final class BrokenDisk: Disk {
    private let disk = PosixDisk()
    private let left: Monitor<Int>

    init(failingAt call: Int) { left = Monitor(call) }

    fileprivate func use(_ path: String, _ operation: DiskError.Operation) throws(DiskError) {
        let isBroken = left.withLock { left in
            left -= 1
            return left <= 0
        }
        if isBroken { throw DiskError(path: path, operation: operation, code: 5) }
    }

    func open(_ path: String) throws(DiskError) -> any DiskFile { try disk.open(path) }

    func openForReading(_ path: String) throws(DiskError) -> any DiskFile {
        try disk.openForReading(path)
    }

    func create(_ path: String) throws(DiskError) -> any DiskFile {
        try use(path, .create)
        return BrokenFile(try disk.create(path), path, self)
    }

    func link(_ path: String, to newPath: String) throws(DiskError) {
        try use(path, .link)
        try disk.link(path, to: newPath)
    }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        try use(path, .rename)
        try disk.rename(path, to: newPath)
    }

    func remove(_ path: String) throws(DiskError) {
        try use(path, .remove)
        try disk.remove(path)
    }

    func list(_ directory: String) throws(DiskError) -> [String] { try disk.list(directory) }

    func createDirectory(_ path: String) throws(DiskError) {
        try use(path, .createDirectory)
        try disk.createDirectory(path)
    }

    func syncDirectory(_ path: String) throws(DiskError) {
        try use(path, .syncDirectory)
        try disk.syncDirectory(path)
    }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? { try disk.lock(path) }

    func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        try disk.freeByteCount(path)
    }
}

private final class BrokenFile: DiskFile {
    private let file: any DiskFile
    private let path: String
    private let disk: BrokenDisk

    init(_ file: any DiskFile, _ path: String, _ disk: BrokenDisk) {
        self.file = file
        self.path = path
        self.disk = disk
    }

    func read(at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        try file.read(at: offset, count: count)
    }

    func write(_ pieces: [[UInt8]], at offset: UInt64) throws(DiskError) {
        try disk.use(path, .write)
        try file.write(pieces, at: offset)
    }

    func sync() throws(DiskError) {
        try disk.use(path, .sync)
        try file.sync()
    }

    func preallocate(_ byteCount: UInt64) throws(DiskError) { try file.preallocate(byteCount) }

    func byteCount() throws(DiskError) -> UInt64 { try file.byteCount() }
}
