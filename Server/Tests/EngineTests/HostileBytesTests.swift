// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import Platform
import Simulation
import Store
import StoreContract
import Testing

/// Bytes that no store writes, behind checksums that are right: they are refused or said to be
/// damage, and never end the process.
@Suite struct HostileBytesTests {
    private static let directory = "/store"

    /// A store with two parts that are set aside, one that lives, and a record in the log.
    private func filled() throws -> SimulatedDisk {
        var disk = SimulatedDisk()
        for seed in UInt64(1)...3 {
            let store = try open(disk)
            try store.append([SpanGenerator.batch(seed: seed)])
            try store.flush()
            try store.append([SpanGenerator.batch(seed: seed + 10)])
            store.close(flushing: false)
            guard seed < 3 else { break }
            let path = try #require(disk.paths().last { $0.hasSuffix(".part") })
            disk = disk.copy(changing: path, to: Array(disk.bytes(of: path).dropLast(9)))
        }
        return disk
    }

    private func open(_ disk: SimulatedDisk) throws -> StoreCore {
        var options = EngineOptions.small
        options.replayThreads = 0
        return try StoreCore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: SimulatedClock(),
            decoder: SpanGenerator.Decoder()
        )
    }

    /// Opens and uses the store, where it opens.
    private func use(_ disk: SimulatedDisk) {
        guard let store = try? open(disk) else { return }
        _ = store.statistics
        _ = try? store.scan(ScanPlan(range: 0..<UInt64.max))
        for fields in [SpanFields.all, SpanFields([.parentID, .events, .links])] {
            let plan = WalkPlan(range: 0..<UInt64.max, fields: fields)
            _ = try? store.walk(plan) { (walked) throws(StoreError) in
                if !walked.rows.isEmpty { _ = try walked.summary(0) }
                return .goOn
            }
        }
        _ = try? store.append([SpanGenerator.batch(seed: 99)])
        _ = try? store.flush()
        store.maintain()
        _ = store.statistics
        store.close()
    }

    private func put(_ number: UInt64, at place: Int, _ bytes: inout [UInt8], byteCount: Int = 8) {
        for index in 0..<byteCount {
            bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
        }
    }

    /// Bytes with a number put in, and the checksum at `sum` made right.
    private func changed(
        _ bytes: [UInt8],
        _ number: UInt64,
        at place: Int,
        byteCount: Int = 8,
        sum: Int,
        of range: Range<Int>
    ) -> [UInt8] {
        var bytes = bytes
        put(number, at: place, &bytes, byteCount: byteCount)
        put(UInt64(CRC32C.checksum(bytes, range)), at: sum, &bytes, byteCount: 4)
        return bytes
    }

    private static let sequences: [UInt64] = [
        0, 1, 0xFFFF_FFFF, 0x1_0000_0000, 0x2_0000_0000, .max - 0xFFFF_FFFF, .max - 1, .max,
    ]

    @Test(arguments: sequences)
    func `a log record may state any sequence`(sequence: UInt64) throws {
        let disk = try filled()
        for path in disk.paths() where path.hasSuffix(".log") {
            let bytes = disk.bytes(of: path)
            let magic = Array("SkWR".utf8)
            for place in stride(from: 32, to: bytes.count - 40, by: 8)
            where bytes[place..<place + 4].elementsEqual(magic) {
                // Payloads and tenants are short here: lower halves of their lengths.
                let length = Int(bytes[place + 32]) | Int(bytes[place + 33]) << 8
                let end = place + 40 + Int(bytes[place + 36]) + length
                guard end <= bytes.count else { continue }
                let record = changed(
                    bytes,
                    sequence,
                    at: place + 16,
                    sum: place + 4,
                    of: place + 8..<end
                )
                use(disk.copy(changing: path, to: record))
            }
        }
    }

    private static let numbers: [UInt64] = [0x7FFF_FFFF, .max >> 1, .max]

    /// Every place, so whatever number stands there: counts, lengths, parts' numbers and sizes.
    @Test(arguments: numbers)
    func `a manifest may state any number`(number: UInt64) throws {
        let disk = try filled()
        let path = Self.directory + "/MANIFEST"
        let bytes = disk.bytes(of: path)
        for place in 16..<bytes.count {
            // As it stands in the fixed fields, and as a varint in the place of the one that is there.
            let fixed = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
            let end = bytes[place...].firstIndex { $0 < 0x80 } ?? place
            for (piece, range) in [
                (fixed, place..<min(place + 8, bytes.count)), (varint(number), place..<end + 1),
            ] {
                var long = bytes
                long.replaceSubrange(range, with: piece)
                let whole = changed(
                    long,
                    UInt64(long.count - 16),
                    at: 12,
                    byteCount: 4,
                    sum: 4,
                    of: 8..<long.count
                )
                use(disk.copy(changing: path, to: whole))
            }
        }
    }

    private func varint(_ number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
