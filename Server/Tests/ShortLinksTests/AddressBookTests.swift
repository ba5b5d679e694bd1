// SPDX-License-Identifier: Apache-2.0

import Platform
import ShortLinks
import Simulation
import Testing

@Suite struct AddressBookTests {
    private static let file = "data/LINKS"

    private static func disk(seed: UInt64 = 0) throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: seed)
        try disk.createDirectory("data")
        return disk
    }

    /// Runs `body` with the book of a disk, as one run of the server has it.
    private static func run<Value>(
        _ disk: any Disk,
        _ body: (AddressBook) async throws -> Value
    ) async throws -> Value {
        let book = AddressBook(directory: "data", disk: disk)
        do {
            let value = try await body(book)
            await book.close()
            return value
        } catch {
            await book.close()
            throw error
        }
    }

    private static func address(_ number: Int, length: Int = 0) throws -> PageAddress {
        let text = "/trace/\(number)?shut="
        return try PageAddress(text + String(repeating: "7", count: max(0, length - text.count)))
    }

    /// A disk with short links for addresses of these lengths, and their names.
    private static func filled(
        _ lengths: [Int]
    ) async throws -> (disk: SimulatedDisk, links: [(name: String, address: PageAddress)]) {
        let disk = try disk()
        let links = try await run(disk) { book async throws in
            var links: [(name: String, address: PageAddress)] = []
            for (number, length) in lengths.enumerated() {
                let address = try address(number, length: length)
                links.append((try await book.name(of: address), address))
            }
            return links
        }
        return (disk, links)
    }

    @Test func `a name leads to its address, after the next start too`() async throws {
        let (disk, links) = try await Self.filled([
            1, 48, 49, 2_000, ShortLinkLimits.addressByteCount,
        ])
        #expect(Set(links.map(\.name)).count == 5)
        try await Self.run(disk) { book async throws in
            for (name, address) in links {
                #expect(name.utf8.count == 12)
                #expect(try await book.address(named: name) == address)
                #expect(try await book.name(of: address) == name)
            }
        }
        #expect(disk.paths() == [Self.file])
    }

    @Test func `a folder without links gets no file`() async throws {
        let disk = try Self.disk()
        try await Self.run(disk) { book async throws in
            #expect(try await book.address(named: "000000000000") == nil)
        }
        #expect(disk.paths().isEmpty)
    }

    @Test(arguments: ["", "0", "00000000000i", "0000000000000", "00000000000A", "../../../etc"])
    func `what is no name stands for nothing`(_ text: String) async throws {
        let (disk, _) = try await Self.filled([40])
        try await Self.run(disk) { book async throws in
            #expect(try await book.address(named: text) == nil)
        }
    }

    @Test func `every truncation keeps the links before it and takes new ones`() async throws {
        let (disk, links) = try await Self.filled([30, 100, 60])
        let whole = disk.bytes(of: Self.file)
        // Where each record ends: 64 bytes of head, then 64, 128 and 128.
        let ends = [64 + 16 + 30, 128 + 16 + 100, 256 + 16 + 60]
        #expect(whole.count == 384)
        for count in 64..<whole.count {
            let cut = disk.copy(changing: Self.file, to: Array(whole.prefix(count)))
            let fresh = try Self.address(77, length: 90)
            let name = try await Self.run(cut) { book async throws in
                for (link, end) in zip(links, ends) {
                    let found = try await book.address(named: link.name)
                    #expect(found == (end <= count ? link.address : nil), "cut to \(count)")
                }
                return try await book.name(of: fresh)
            }
            let found = try await Self.run(cut) { try await $0.address(named: name) }
            #expect(found == fresh, "cut to \(count)")
        }
    }

    @Test func `a changed byte takes one link and leads none astray`() async throws {
        let (disk, links) = try await Self.filled([30, 100, 60])
        let whole = disk.bytes(of: Self.file)
        for place in 64..<whole.count {
            var bytes = whole
            bytes[place] ^= 0x41
            let spoilt = disk.copy(changing: Self.file, to: bytes)
            try await Self.run(spoilt) { book async throws in
                var lost = 0
                for link in links {
                    let found = try await book.address(named: link.name)
                    if found == nil { lost += 1 } else { #expect(found == link.address) }
                }
                #expect(lost <= 1, "byte \(place)")
            }
        }
    }

    @Test func `damage under a running book is told`() async throws {
        let (disk, links) = try await Self.filled([30])
        try await Self.run(disk) { book async throws in
            // It has read the file by now.
            let before = try await book.address(named: links[0].name)
            #expect(before == links[0].address)
            let file = try disk.open(Self.file)
            try file.write([[0xFF]], at: 64 + 20)
            let error = await #expect(throws: AddressBookError.self) {
                try await book.address(named: links[0].name)
            }
            #expect(error?.description.contains("is damaged at byte 64") == true)
        }
    }

    @Test(arguments: [
        ([UInt8](), "does not begin as a file of short links"),
        (Array("SKNLINKS".utf8), "does not begin as a file of short links"),
        ([UInt8](repeating: 0xA5, count: 4_096), "does not begin as a file of short links"),
        (Array("SKNLINKS".utf8) + [2] + [UInt8](repeating: 0, count: 55), "format version 2"),
    ])
    func `a file that is not ours is refused and left alone`(
        _ bytes: [UInt8],
        _ reason: String
    ) async throws {
        let (disk, links) = try await Self.filled([30])
        let other = disk.copy(changing: Self.file, to: bytes)
        try await Self.run(other) { book async throws in
            for _ in 0..<2 {
                let ofName = await #expect(throws: AddressBookError.self) {
                    try await book.name(of: links[0].address)
                }
                #expect(ofName?.description.contains(reason) == true)
                await #expect(throws: AddressBookError.self) {
                    try await book.address(named: links[0].name)
                }
            }
        }
        #expect(other.bytes(of: Self.file) == bytes)
    }

    @Test func `a file that is longer than any of ours is not read`() async throws {
        let (disk, links) = try await Self.filled([30])
        let file = try disk.open(Self.file)
        try file.write([[0]], at: 64 << 20)
        try await Self.run(disk) { book async throws in
            let error = await #expect(throws: AddressBookError.self) {
                try await book.name(of: links[0].address)
            }
            #expect(error?.description.contains("not theirs") == true)
        }
        #expect(disk.bytes(of: Self.file).count == (64 << 20) + 1)
    }

    @Test func `a name that another address has is not given twice`() async throws {
        let (disk, links) = try await Self.filled([30, 31])
        // The second record says the name of the first one's address: their hashes are made to collide.
        let whole = disk.bytes(of: Self.file)
        var record = Array(whole[128..<128 + 16 + 31])
        record.replaceSubrange(8..<16, with: whole[72..<80])
        let sum = CRC32C.checksum(record, 4..<record.count)
        for place in 0..<4 { record[place] = UInt8(truncatingIfNeeded: sum >> (place * 8)) }
        var bytes = Array(whole[..<64]) + record
        bytes += [UInt8](repeating: 0, count: 128 - bytes.count)
        let colliding = disk.copy(changing: Self.file, to: bytes)
        try await Self.run(colliding) { book async throws in
            let name = try await book.name(of: links[0].address)
            #expect(name != links[0].name)
            #expect(try await book.address(named: name) == links[0].address)
            #expect(try await book.address(named: links[0].name) == links[1].address)
            #expect(try await book.name(of: links[0].address) == name)
        }
    }

    /// Loses power in the middle of each call that changes something, with several outcomes of each.
    @Test(arguments: SimulatedDisk.Crash.allCases)
    func `no crash takes a link that was told`(_ crash: SimulatedDisk.Crash) async throws {
        var crashCount = 0
        for call in 1...40 {
            for seed in 0..<UInt64(6) {
                let disk = try Self.disk(seed: seed)
                disk.crash(atCall: call)
                var told: [(name: String, address: PageAddress)] = []
                try await Self.run(disk) { book async throws in
                    for number in 0..<8 {
                        let address = try Self.address(number, length: number * 300)
                        guard let name = try? await book.name(of: address) else { break }
                        told.append((name, address))
                    }
                }
                if disk.isCrashed { crashCount += 1 }
                disk.restart(after: crash)
                try await Self.run(disk) { book async throws in
                    for (name, address) in told {
                        #expect(try await book.address(named: name) == address, "SEED=\(seed)")
                    }
                    _ = try await book.name(of: try Self.address(99))
                }
            }
        }
        #expect(crashCount > 100)
    }

    @Test func `after a sync that failed nothing is promised until the next start`() async throws {
        let (disk, links) = try await Self.filled([30])
        let address = try Self.address(5)
        try await Self.run(disk) { book async throws in
            disk.fail(.init(call: .sync, number: 1, code: 5))
            for _ in 0..<2 {
                let error = await #expect(throws: AddressBookError.self) {
                    try await book.name(of: address)
                }
                #expect(error?.description.contains("started anew") == true)
            }
            #expect(try await book.address(named: links[0].name) == links[0].address)
        }
        _ = try await Self.run(disk) { try await $0.name(of: address) }
    }

    @Test(arguments: [SimulatedDisk.Call.create, .write, .rename, .syncDirectory])
    func `a full disk is told, and does not last`(_ call: SimulatedDisk.Call) async throws {
        let disk = try Self.disk()
        let address = try Self.address(5)
        try await Self.run(disk) { book async throws in
            disk.fail(.init(call: call, number: 1, code: DiskError.outOfSpaceCode))
            let error = await #expect(throws: AddressBookError.self) {
                try await book.name(of: address)
            }
            #expect(error?.description.contains("cannot") == true)
            let name = try await book.name(of: address)
            #expect(try await book.address(named: name) == address)
        }
    }

    @Test func `a full book takes no more and keeps what it has`() async throws {
        let (disk, links) = try await Self.filled([30])
        // The record stands again where the last one can.
        let whole = disk.bytes(of: Self.file)
        var bytes = Array(whole[..<64]) + [UInt8](repeating: 0, count: 64 << 20 - 128)
        bytes += whole[64..<128]
        let full = disk.copy(changing: Self.file, to: bytes)
        try await Self.run(full) { book async throws in
            let error = await #expect(throws: AddressBookError.self) {
                try await book.name(of: try Self.address(6))
            }
            #expect(error?.description.contains("no more may be") == true)
            let again = try await book.name(of: links[0].address)
            #expect(again == links[0].name)
        }
    }

    @Test func `as many as may wait do, and the others are told to come back`() async throws {
        let (disk, _) = try await Self.filled([30])
        try await Self.run(disk) { book async throws in
            disk.holdSyncs()
            let first = Task { try await book.name(of: try Self.address(500)) }
            // The first holds the thread; 64 wait behind it.
            await disk.heldSync()
            var busy = 0
            var named = 0
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<80 {
                    group.addTask {
                        let address = try Self.address(number)
                        do {
                            _ = try await book.name(of: address)
                            return true
                        } catch AddressBookError.busy {
                            return false
                        }
                    }
                }
                for try await isNamed in group {
                    if isNamed { named += 1 } else { busy += 1 }
                    if busy == 16 { disk.releaseSyncs() }
                }
            }
            #expect(busy == 16 && named == 64)
            #expect(try await first.value.utf8.count == 12)
        }
    }
}
