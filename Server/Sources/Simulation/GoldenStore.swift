// SPDX-License-Identifier: Apache-2.0

public import Engine
public import Platform

import CZstd
import SkeinModel
import Store

/// A store directory of which every byte is made of the code and nothing else. One of each format
/// version is kept in the repository, and read for ever: see `Tests/EngineTests/Golden/README.md`.
///
/// It holds a joined part, a small one, one of another tenant, one that was set aside, two totals files
/// of call statistics, and records of spans and of call statistics that are in no file.
public enum GoldenStore {
    /// A file of the directory.
    public struct File: Sendable, Equatable {
        /// Inside of the directory.
        public let path: String
        public var bytes: [UInt8]

        /// Names a file.
        public init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// The version of the library that compressed what is made here: another may choose other bytes.
    public static var compressorVersion: UInt { UInt(ZSTD_versionNumber()) }

    static let tenants = [Tenant.default, Tenant("second"), Tenant("set aside")]

    /// Where the store lies on `disk(of:)`.
    public static let directory = "/golden"

    /// Makes the files, sorted by path; the lock is not among them.
    ///
    /// - Throws: where the engine refuses what it must take.
    public static func make() throws -> [File] {
        let disk = SimulatedDisk()
        let clock = SimulatedClock(GoldenSpans.start)
        try fill(open(directory, disk, clock), clock)
        guard let last = disk.paths().last(where: { $0.hasSuffix(".part") }) else { return [] }
        let spoilt = disk.copy(changing: last, to: Array(disk.bytes(of: last).dropLast(9)))
        // Sets the spoilt part aside.
        let store = try open(directory, spoilt, clock)
        try store.append([GoldenSpans.batch(21, count: 5, tenant: .default)])
        try store.append([GoldenSpans.batch(22, count: 3, tenant: tenants[1])])
        try store.append([GoldenSpans.calls(12, tenant: .default)])
        // Sent again: it must not count again.
        try store.append([GoldenSpans.calls(9, tenant: .default)])
        store.close(flushing: false)
        return spoilt.paths().filter { $0 != directory + "/LOCK" }.map { path in
            File(path: String(path.dropFirst(directory.count + 1)), bytes: spoilt.bytes(of: path))
        }
    }

    /// Writes the files into `store` of a directory, and beside it what they answer and with which
    /// compressor they were made.
    public static func write(to directory: String, _ disk: any Disk) throws {
        let files = try make()
        for file in files {
            let path = directory + "/store/" + file.path
            try disk.createDirectory(DiskImage.parent(of: path))
            try write(file.bytes, path, disk)
        }
        let answers = try GoldenAnswers(of: open(Self.directory, Self.disk(of: files)))
        try write(Array(answers.text.utf8), directory + "/answers.txt", disk)
        let version = "\(compressorVersion)\n"
        try write(Array(version.utf8), directory + "/zstd-version.txt", disk)
    }

    /// A disk that holds the files, as a store in `directory`.
    public static func disk(of files: [File]) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        for file in files {
            let path = directory + "/" + file.path
            try disk.createDirectory(DiskImage.parent(of: path))
            try write(file.bytes, path, disk)
        }
        return disk
    }

    private static func write(_ bytes: [UInt8], _ path: String, _ disk: any Disk) throws {
        let file = try disk.create(path)
        try file.write([bytes], at: 0)
        try file.sync()
    }

    private static func fill(_ store: StoreCore, _ clock: SimulatedClock) throws {
        // As many as are joined, then one that stays small.
        for seed in UInt64(1)...9 {
            try store.append([GoldenSpans.batch(seed, count: 12, tenant: .default)])
            if seed == 3 || seed == 9 {
                try store.append([GoldenSpans.calls(seed, tenant: .default)])
            }
            try store.flush()
            clock.advance(.seconds(60))
            if seed == 8 { store.maintain() }
        }
        for (index, tenant) in tenants.enumerated().dropFirst() {
            try store.append([GoldenSpans.batch(UInt64(10 + index), count: 10, tenant: tenant)])
            try store.flush()
        }
        store.close()
    }

    /// Opens a golden directory, or a copy of one.
    ///
    /// - Parameter directory: where it is; opening changes it.
    public static func open(_ directory: String, _ disk: any Disk) throws -> StoreCore {
        try open(directory, disk, SimulatedClock(GoldenSpans.start))
    }

    private static func open(
        _ directory: String,
        _ disk: any Disk,
        _ clock: SimulatedClock
    ) throws -> StoreCore {
        var options = EngineOptions()
        options.segmentBytes = 4 << 10
        options.segmentsAhead = 0
        options.reserveBytes = 0
        options.blockRows = 16
        options.replayThreads = 0
        return try StoreCore.open(
            directory: directory,
            options: options,
            disk: disk,
            clock: clock,
            randomness: SimulatedRandomness(seed: 2),
            decoder: GoldenSpans.Decoder()
        )
    }
}
