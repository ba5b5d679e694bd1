// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import Platform
import Simulation
import Store
import StoreContract
import Testing

/// Directories that a store must not take: each is refused with one line that names the path and
/// what to do, and is as it was afterwards.
@Suite struct BadDirectoryTests {
    private static let directory = "/store"

    /// A disk with a store that holds a part and records in the log.
    private func filled() async throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try open(disk)
        try await store.append(SpanGenerator.batch(seed: 1))
        try await store.flush()
        try await store.append(SpanGenerator.batch(seed: 2))
        await store.abandon()
        return disk
    }

    private func open(_ disk: any Disk) throws -> EmbeddedStore {
        try EmbeddedStore.open(
            directory: Self.directory,
            options: .small,
            disk: disk,
            clock: SimulatedClock(),
            decoder: SpanGenerator.Decoder()
        )
    }

    /// Tries to open, and compares every file before and after.
    private func expectRefusal(
        _ disk: SimulatedDisk,
        _ words: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let before = disk.paths().map { ($0, disk.bytes(of: $0)) }
        let error = #expect(throws: EngineError.self, sourceLocation: sourceLocation) {
            try open(disk)
        }
        let text = error?.description ?? ""
        for word in words {
            #expect(text.contains(word), "\(text)", sourceLocation: sourceLocation)
        }
        #expect(!text.contains("\n"), sourceLocation: sourceLocation)
        let after = disk.paths().filter { !$0.hasSuffix("/LOCK") }
        #expect(
            after == before.map(\.0).filter { !$0.hasSuffix("/LOCK") },
            sourceLocation: sourceLocation
        )
        for (path, bytes) in before {
            #expect(disk.bytes(of: path) == bytes, sourceLocation: sourceLocation)
        }
    }

    /// Bytes whose version field, at offset 8 behind magic and checksum, says something else.
    private func versioned(_ bytes: [UInt8], _ version: UInt8, through end: Int) -> [UInt8] {
        var bytes = bytes
        bytes[8] = version
        let checksum = CRC32C.checksum(bytes, 8..<end)
        for index in 0..<4 { bytes[4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index)) }
        return bytes
    }

    @Test(arguments: [UInt8(1), 9])
    func `a manifest of another version is named and left alone`(version: UInt8) async throws {
        let disk = try await filled()
        let path = Self.directory + "/MANIFEST"
        let bytes = disk.bytes(of: path)
        let changed = disk.copy(
            changing: path,
            to: versioned(bytes, version, through: bytes.count)
        )
        let advice = version == 1 ? "name a new directory" : "newer version"
        expectRefusal(changed, [path, "format version \(version)", advice])
    }

    @Test func `a log segment of another version is named and left alone`() async throws {
        let disk = try await filled()
        let path = try #require(disk.paths().last { $0.hasSuffix(".log") })
        let changed = disk.copy(
            changing: path,
            to: versioned(disk.bytes(of: path), 77, through: 32)
        )
        expectRefusal(changed, [path, "format version 77", "newer version"])
    }

    @Test func `a part of another version is named and left alone, not set aside`() async throws {
        let disk = try await filled()
        let path = try #require(disk.paths().first { $0.hasSuffix(".part") })
        let changed = disk.copy(
            changing: path,
            to: versioned(disk.bytes(of: path), 77, through: 32)
        )
        expectRefusal(changed, [path, "format version 77", "newer version"])
    }

    @Test func `a manifest cut at any byte is refused`() async throws {
        let disk = try await filled()
        let path = Self.directory + "/MANIFEST"
        let bytes = disk.bytes(of: path)
        for count in 0..<bytes.count {
            let cut = disk.copy(changing: path, to: Array(bytes[..<count]))
            expectRefusal(cut, [path, "cannot be read", "backup"])
        }
    }

    @Test func `files of another store are named and left alone`() async throws {
        let disk = try await filled()
        let other = try await filled()
        for suffix in [".part", ".log"] {
            let path = try #require(disk.paths().last { $0.hasSuffix(suffix) })
            expectRefusal(
                disk.copy(changing: path, to: other.bytes(of: path)),
                [path, "another store"]
            )
        }
        let manifest = Self.directory + "/MANIFEST"
        expectRefusal(
            disk.copy(changing: manifest, to: other.bytes(of: manifest)),
            [manifest, "another store"]
        )
    }

    /// What of other versions and other stores is there is found before anything is changed: the
    /// records of the segments before it are not flushed, what a crash left stays.
    @Test(arguments: ["log", "parts", "totals"])
    func `nothing is changed where the last file of all is refused`(folder: String) async throws {
        let disk = try await filled()
        let store = try open(disk)
        try await store.append(SpanGenerator.batch(seed: 3))
        try await store.append(SpanGenerator.callBatch(seed: 1))
        if folder == "totals" { try await store.flush() }
        await store.abandon()
        let path = try #require(
            disk.paths().last { $0.hasPrefix(Self.directory + "/" + folder + "/") }
        )
        let left = [
            "/MANIFEST.new", "/parts/0000000000000077.new", "/log/0000000000000066.free",
        ].map { Self.directory + $0 }
        for path in left { try disk.create(path).write([[1, 2, 3]], at: 0) }
        let changed = disk.copy(
            changing: path,
            to: versioned(disk.bytes(of: path), 77, through: 32)
        )
        expectRefusal(changed, [path, "format version 77", "newer version"])
    }

    /// Files of a tebibyte, all hole: none may be read as a whole.
    @Test(arguments: ["log/0000000000000099.log", "MANIFEST"])
    func `a file that is too long for what it is called is refused`(name: String) async throws {
        let directory = TemporaryDirectory()
        let decoder = SpanGenerator.Decoder()
        let store = try EmbeddedStore.open(
            directory: directory.path,
            options: .small,
            decoder: decoder
        )
        await store.close()
        let path = directory.path + "/" + name
        if !FileManager.default.fileExists(atPath: path) {
            try Data().write(to: URL(fileURLWithPath: path))
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 1 << 40)
        try file.close()
        let calls: [() throws -> Void] = [
            {
                _ = try EmbeddedStore.open(
                    directory: directory.path,
                    options: .small,
                    decoder: decoder
                )
            },
            {
                _ = try StoreVerification.verify(directory: directory.path, decoder: decoder) { _ in
                }
            },
            { _ = try StoreBackup.make(of: directory.path, at: directory.path + "-backup") },
            { _ = try EngineInspection.inspect(directory: directory.path) },
        ]
        for call in calls {
            let error = #expect(throws: EngineError.self) { try call() }
            let text = error?.description ?? ""
            #expect(text.contains(path) && text.contains("1099511627776 bytes"), "\(text)")
            #expect(text.contains("move it away") || text.contains("new folder"), "\(text)")
        }
        try? FileManager.default.removeItem(atPath: directory.path + "-backup.partial")
    }

    @Test func `a folder that cannot be written can be inspected`() async throws {
        let disk = try await filled()
        let report = try EngineInspection.inspect(directory: Self.directory, disk: disk)
        let readOnly = ReadOnlyDisk(disk)
        #expect(try EngineInspection.inspect(directory: Self.directory, disk: readOnly) == report)
        disk.fail(SimulatedDisk.Fault(call: .read, number: 1, code: 5, isSticky: true))
        let error = #expect(throws: EngineError.self) {
            _ = try EngineInspection.inspect(directory: Self.directory, disk: disk)
        }
        #expect(error?.description.contains(Self.directory) == true)
    }

    @Test(arguments: [
        (DiskError.Operation.lock, Int32(13), "writable"),
        (.lock, 30, "writable"),
        (.createDirectory, 30, "writable"),
        (.createDirectory, 20, "another directory"),
        (.list, 13, "writable"),
        (.open, 5, "health"),
        (.createDirectory, 28, "free some space"),
    ])
    func `a call that fails while opening is told with what to do`(
        operation: DiskError.Operation,
        code: Int32,
        advice: String
    ) async throws {
        let disk = try await filled()
        let error = #expect(throws: EngineError.self) {
            try open(RefusingDisk(disk, operation, code))
        }
        let text = error?.description ?? ""
        #expect(text.contains(Self.directory) && text.contains(advice), "\(text)")
        #expect(!text.contains("\n"))
    }

    @Test func `a full disk at the start keeps answering, and writes when there is room`()
        async throws
    {
        let disk = try await filled()
        var options = EngineOptions.small
        // So small that the replay wants to flush.
        options.headFlushBytes = 1
        disk.setFreeBytes(0)
        let store = try EmbeddedStore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: SimulatedClock(),
            decoder: SpanGenerator.Decoder()
        )
        var ledger = Ledger()
        ledger.note(1)
        ledger.note(2)
        #expect(try await ledger.violations(in: store).isEmpty)
        disk.setFreeBytes(.max)
        try await store.maintain()
        #expect(store.statistics.headSpans == 0)
        #expect(store.statistics.failure == nil)
        #expect(try await ledger.violations(in: store).isEmpty)
        await store.close()
    }

    @Test func `room that comes back is noticed though nobody appends`() async throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        disk.setFreeBytes(0)
        await #expect(throws: StoreError.self) {
            try await store.append(SpanGenerator.batch(seed: 1))
        }
        #expect(store.statistics.failure != nil)
        try await store.maintain()
        #expect(store.statistics.failure != nil)
        disk.setFreeBytes(.max)
        try await store.maintain()
        #expect(store.statistics.failure == nil)
        await store.close()
    }
}

/// Another disk, on which one kind of call fails.
private struct RefusingDisk: Disk {
    private let disk: any Disk
    private let refused: DiskError.Operation
    private let code: Int32

    init(_ disk: any Disk, _ refused: DiskError.Operation, _ code: Int32) {
        self.disk = disk
        self.refused = refused
        self.code = code
    }

    private func check(_ operation: DiskError.Operation, _ path: String) throws(DiskError) {
        if operation == refused {
            throw DiskError(path: path, operation: operation, code: code)
        }
    }

    func open(_ path: String) throws(DiskError) -> any DiskFile {
        try check(.open, path)
        return try disk.open(path)
    }

    func create(_ path: String) throws(DiskError) -> any DiskFile { try disk.create(path) }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        try disk.rename(path, to: newPath)
    }

    func remove(_ path: String) throws(DiskError) { try disk.remove(path) }

    func list(_ directory: String) throws(DiskError) -> [String] {
        try check(.list, directory)
        return try disk.list(directory)
    }

    func createDirectory(_ path: String) throws(DiskError) {
        try check(.createDirectory, path)
        try disk.createDirectory(path)
    }

    func syncDirectory(_ path: String) throws(DiskError) { try disk.syncDirectory(path) }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
        try check(.lock, path)
        return try disk.lock(path)
    }

    func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        try disk.freeByteCount(path)
    }
}

/// Another disk, mounted for reading alone.
private struct ReadOnlyDisk: Disk {
    private let disk: any Disk

    init(_ disk: any Disk) { self.disk = disk }

    private func refusal(_ path: String, _ operation: DiskError.Operation) -> DiskError {
        DiskError(path: path, operation: operation, code: DiskError.deniedCode)
    }

    func open(_ path: String) throws(DiskError) -> any DiskFile { throw refusal(path, .open) }

    func openForReading(_ path: String) throws(DiskError) -> any DiskFile {
        try disk.openForReading(path)
    }

    func create(_ path: String) throws(DiskError) -> any DiskFile { throw refusal(path, .create) }

    func rename(_ path: String, to newPath: String) throws(DiskError) {
        throw refusal(path, .rename)
    }

    func remove(_ path: String) throws(DiskError) { throw refusal(path, .remove) }

    func list(_ directory: String) throws(DiskError) -> [String] { try disk.list(directory) }

    func createDirectory(_ path: String) throws(DiskError) {
        throw refusal(path, .createDirectory)
    }

    func syncDirectory(_ path: String) throws(DiskError) { throw refusal(path, .syncDirectory) }

    func lock(_ path: String) throws(DiskError) -> (any DiskLock)? { throw refusal(path, .lock) }

    func freeByteCount(_ path: String) throws(DiskError) -> UInt64 {
        try disk.freeByteCount(path)
    }
}
