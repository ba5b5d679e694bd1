// SPDX-License-Identifier: Apache-2.0

import Platform

/// The file of short links, read and written by one thread.
///
/// In memory stands where each record is, not what it says.
struct AddressFile {
    private struct Place {
        let offset: UInt64
        /// Bytes of the address: two fit the largest.
        let addressByteCount: UInt16
    }

    private let directory: String
    private let disk: any Disk
    private var places: [LinkName: Place] = [:]
    /// Nil until there is a link to keep.
    private var file: (any DiskFile)?
    /// Where the next record goes.
    private var end = UInt64(LinkRecord.slotByteCount)
    /// After a sync that failed nobody knows what is on the disk: nothing more is promised.
    private var failure: String?

    private var path: String { directory + "/LINKS" }

    /// Finds what the file has. A file that cannot be read, or that is another program's, is left as it
    /// is, and each question is refused with the reason.
    init(_ directory: String, _ disk: any Disk) {
        self.directory = directory
        self.disk = disk
        do {
            try read()
        } catch {
            places = [:]
            file = nil
            failure = "\(error)"
        }
    }

    private mutating func read() throws {
        guard try disk.list(directory).contains("LINKS") else { return }
        let file = try disk.open(path)
        let size = try file.byteCount()
        guard size <= ShortLinkLimits.fileByteCount else {
            throw AddressBookError.unavailable(
                "\(path) has \(size) bytes, short links have \(ShortLinkLimits.fileByteCount) at most: it is "
                    + "not theirs. Move it away and start anew"
            )
        }
        let head = try file.read(at: 0, count: LinkRecord.slotByteCount)
        guard let version = LinkRecord.version(of: head) else {
            throw AddressBookError.unavailable(
                "\(path) does not begin as a file of short links does. Move it away and start anew"
            )
        }
        guard version == LinkRecord.version else {
            throw AddressBookError.unavailable(
                "\(path) has format version \(version), this program reads \(LinkRecord.version). "
                    + "Start the program that wrote it, or move the file away"
            )
        }
        self.file = file
        try readRecords(file, size)
    }

    private mutating func readRecords(_ file: any DiskFile, _ size: UInt64) throws(DiskError) {
        let slot = LinkRecord.slotByteCount
        var begin = end
        var window: [UInt8] = []
        var offset = 0
        // A record is looked for at each slot; none is longer than a window.
        while begin + UInt64(offset) < size, places.count < ShortLinkLimits.linkCount {
            let wanted = LinkRecord.addressByteCount(window, at: offset) ?? 0
            if window.count - offset < LinkRecord.headByteCount + wanted,
                offset > 0 || window.isEmpty
            {
                begin += UInt64(offset)
                offset = 0
                window = try file.read(at: begin, count: ShortLinkLimits.windowByteCount)
                if window.isEmpty { return }
                continue
            }
            guard let record = LinkRecord(parsing: window, at: offset) else {
                offset += slot
                continue
            }
            let count = record.address.text.utf8.count
            let place = Place(
                offset: begin + UInt64(offset),
                addressByteCount: UInt16(count)
            )
            if places[record.name] == nil { places[record.name] = place }
            offset += LinkRecord.byteCount(ofAddress: count)
            end = begin + UInt64(offset)
        }
    }

    /// The address that a name stands for; `nil` where it stands for none.
    func address(of name: LinkName) throws(AddressBookError) -> PageAddress? {
        if file == nil, let failure { throw .unavailable(failure) }
        guard let place = places[name], let file else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try file.read(
                at: place.offset,
                count: LinkRecord.headByteCount + Int(place.addressByteCount)
            )
        } catch {
            throw .unavailable("\(error)")
        }
        guard let record = LinkRecord(parsing: bytes, at: 0), record.name == name else {
            throw .unavailable("\(path) is damaged at byte \(place.offset), where this link stands")
        }
        return record.address
    }

    /// The name of an address: the one it has, or a new one, which lasts when this returns.
    mutating func take(_ address: PageAddress) throws(AddressBookError) -> LinkName {
        if let failure { throw .unavailable(failure) }
        for attempt in 0..<ShortLinkLimits.attempts {
            let name = LinkName(of: address, attempt: attempt)
            guard places[name] != nil else {
                return try add(LinkRecord(name: name, address: address))
            }
            // A record that was damaged since keeps its name: the link that was given is not led astray.
            if let known = try? self.address(of: name), known == address { return name }
        }
        throw .full("every name that this address may have stands for another; change the address")
    }

    private mutating func add(_ record: LinkRecord) throws(AddressBookError) -> LinkName {
        let bytes = record.encode()
        guard places.count < ShortLinkLimits.linkCount,
            end + UInt64(bytes.count) <= ShortLinkLimits.fileByteCount
        else {
            throw .full(
                "\(places.count) short links are kept, and no more may be: send the whole address, or "
                    + "stop the server and remove \(path), and with it all links"
            )
        }
        do {
            let file = try opened()
            try file.write([bytes], at: end)
            do {
                try file.sync()
            } catch {
                failure = "\(error). No more short links are made until the server is started anew"
                throw error
            }
        } catch {
            throw .unavailable(failure ?? "\(error)")
        }
        places[record.name] = Place(
            offset: end,
            addressByteCount: UInt16(record.address.text.utf8.count)
        )
        end += UInt64(bytes.count)
        return record.name
    }

    /// The file, made where it is missing: under another name first, so that what is called `LINKS` has
    /// its first slot.
    private mutating func opened() throws(DiskError) -> any DiskFile {
        if let file { return file }
        let new = try disk.create(path + ".new")
        try new.write([LinkRecord.head], at: 0)
        try new.sync()
        try disk.rename(path + ".new", to: path)
        try disk.syncDirectory(directory)
        file = new
        return new
    }
}
