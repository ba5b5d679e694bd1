// SPDX-License-Identifier: Apache-2.0

import Platform
import Store

/// Which traces some parts held that retention removed: a file of its own, `removed/N.ids`, whose
/// number is the highest of those parts.
///
/// It consists of pages of 4,096 bytes, of which a look-up reads as few as it needs: two on average for
/// an id that is not in it. The first page says what the file is:
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `SkRI` |
/// | 4 | 4 | CRC-32C of bytes 8..<4096 |
/// | 8 | 4 | format version, 1 |
/// | 12 | 4 | words of the filter |
/// | 16 | 8 | store key |
/// | 24 | 8 | number of the file |
/// | 32 | 8 | when the parts were removed, nanoseconds since 1970 |
/// | 40 | 8 | traces that were noted; one that lay in several parts counts in each |
/// | 48 | 8 | bits of the filter that are set |
/// | 56 | 4 | parts |
/// | 60 | 4 | why they were removed: 0 for their age, 1 for room |
/// | 64 | | tenant, a run; zeros up to the end |
///
/// The others hold the filter, 511 words each:
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | CRC-32C of bytes 4..<4096 |
/// | 4 | 4 | number of the page, from 1 |
/// | 8 | 4,088 | words; zeros behind the last |
///
/// The filter is a Bloom filter of the low halves of trace ids with 20 bits a trace and 14 probes: one id in
/// 15,000 that was never noted seems to be in it. (That of a part has half the bits and errs a hundred times
/// as often: over a hundred files it would say "removed" of most ids.) Probe `p` looks at bit
/// `(h + p × (g | 1)) × bits / 2^64`, where `h` is the low half mixed once and `g` twice (`mixed`).
///
/// Written as `N.new`, synced, then renamed. No manifest lists it: losing it costs a word in an answer.
struct RemovedTraces: Sendable, Equatable {
    static let magic: UInt32 = 0x4952_6B53
    static let version: UInt32 = 1
    static let pageByteCount = 4_096
    static let wordsPerPage = 511
    private static let bitsPerTrace = 20
    private static let probes = 14

    let number: UInt64
    let removedAt: UInt64
    let traceCount: UInt64
    let partCount: UInt32
    let cause: TraceAbsence.Cause
    let tenant: String
    let wordCount: Int
    let setBitCount: UInt64

    private var pageCount: Int { (wordCount + Self.wordsPerPage - 1) / Self.wordsPerPage }

    var byteCount: UInt64 { UInt64(Self.pageByteCount) * UInt64(1 + pageCount) }

    /// How likely an id that was not noted seems to be in the filter.
    var errorRate: Double {
        let part = Double(setBitCount) / Double(64 * wordCount)
        return (0..<Self.probes).reduce(1) { rate, _ in rate * part }
    }

    /// The bit that a probe for an id looks at.
    private static func bit(_ low: UInt64, _ probe: Int, wordCount: Int) -> Int {
        let first = mixed(low)
        let hash = first &+ UInt64(probe) &* (mixed(first) | 1)
        return Int(hash.multipliedFullWidth(by: UInt64(wordCount * 64)).high)
    }

    /// A bijection after which neighbours and multiples have nothing in common: ids may be counted up.
    private static func mixed(_ number: UInt64) -> UInt64 {
        var mixed = number &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    // MARK: Making

    /// The words of a filter that is being made.
    struct Filter {
        fileprivate var words: [UInt64]
        fileprivate var traceCount: UInt64 = 0

        init(traceCount: Int) {
            let wanted = (min(traceCount, Limits.removedWords * 64) * bitsPerTrace + 63) / 64
            words = Array(repeating: 0, count: min(max(wanted, 1), Limits.removedWords))
        }

        mutating func insert(_ low: UInt64) {
            traceCount += 1
            for probe in 0..<probes {
                let bit = RemovedTraces.bit(low, probe, wordCount: words.count)
                words[bit >> 6] |= 1 << UInt64(bit & 63)
            }
        }
    }

    init(
        number: UInt64,
        removedAt: UInt64,
        partCount: Int,
        cause: TraceAbsence.Cause,
        tenant: String,
        _ filter: Filter
    ) {
        self.number = number
        self.removedAt = removedAt
        self.partCount = UInt32(clamping: partCount)
        self.cause = cause
        self.tenant = tenant
        traceCount = filter.traceCount
        wordCount = filter.words.count
        setBitCount = filter.words.reduce(0) { $0 + UInt64($1.nonzeroBitCount) }
    }

    /// The pages of the file.
    func encode(_ filter: Filter, storeKey: UInt64) -> [[UInt8]] {
        var body = ByteWriter()
        body.append(Self.version)
        body.append(UInt32(wordCount))
        body.append(storeKey)
        body.append(number)
        body.append(removedAt)
        body.append(traceCount)
        body.append(setBitCount)
        body.append(partCount)
        body.append(UInt32(cause == .age ? 0 : 1))
        body.append(run: tenant.utf8)
        var pages = [Self.page(body.bytes, magic: Self.magic)]
        for page in 1...pageCount {
            let first = (page - 1) * Self.wordsPerPage
            var body = ByteWriter()
            body.append(UInt32(page))
            for word in filter.words[first..<min(first + Self.wordsPerPage, wordCount)] {
                body.append(word)
            }
            pages.append(Self.page(body.bytes, magic: nil))
        }
        return pages
    }

    private static func page(_ body: [UInt8], magic: UInt32?) -> [UInt8] {
        let headByteCount = magic == nil ? 4 : 8
        let zeros = repeatElement(UInt8(0), count: pageByteCount - headByteCount - body.count)
        var writer = ByteWriter()
        if let magic { writer.append(magic) }
        writer.append(CRC32C.checksum(body + zeros))
        return writer.bytes + body + zeros
    }

    // MARK: Reading

    /// Reads the first page of the file with this number.
    ///
    /// - Throws: `CorruptBytes` for what is no such file of this store, `DiskError`.
    init(_ file: any DiskFile, number: UInt64, storeKey: UInt64) throws {
        let page = try file.read(at: 0, count: Self.pageByteCount)
        guard Self.version(of: page) == Self.version else {
            throw CorruptBytes(what: "its first page is damaged")
        }
        var reader = ByteReader(page, from: 12)
        wordCount = Int(try reader.number(UInt32.self))
        let key: UInt64 = try reader.number()
        self.number = try reader.number()
        removedAt = try reader.number()
        traceCount = try reader.number()
        setBitCount = try reader.number()
        partCount = try reader.number()
        cause = try reader.number(UInt32.self) == 0 ? .age : .room
        tenant = try reader.text()
        guard key == storeKey, self.number == number else {
            throw CorruptBytes(what: "it is a file of another store, or another file")
        }
        guard (1...Limits.removedWords).contains(wordCount), setBitCount <= 64 * UInt64(wordCount),
            try file.byteCount() == byteCount
        else { throw CorruptBytes(what: "it has the wrong length") }
    }

    /// The version that an undamaged first page states; `nil` where it is no such page.
    static func version(of page: [UInt8]) -> UInt32? {
        var reader = ByteReader(page)
        guard page.count == pageByteCount, (try? reader.number(UInt32.self)) == magic,
            (try? reader.number(UInt32.self)) == CRC32C.checksum(page, 8..<pageByteCount)
        else { return nil }
        return try? reader.number()
    }

    /// Whether the filter of the file holds an id. Surely not where it says so.
    ///
    /// - Throws: `CorruptBytes` for a damaged page, `DiskError`.
    func mayContain(_ low: UInt64, _ file: any DiskFile) throws -> Bool {
        var known: (page: Int, bytes: [UInt8]) = (0, [])
        for probe in 0..<Self.probes {
            let bit = Self.bit(low, probe, wordCount: wordCount)
            let (page, word) = (bit >> 6).quotientAndRemainder(dividingBy: Self.wordsPerPage)
            if known.page != page + 1 { known = (page + 1, try Self.page(page + 1, of: file)) }
            // A page has all of its bytes: see `page`.
            let byte = known.bytes[8 + 8 * word + (bit & 63) >> 3]
            if byte & 1 << UInt8(bit & 7) == 0 { return false }
        }
        return true
    }

    private static func page(_ number: Int, of file: any DiskFile) throws -> [UInt8] {
        let page = try file.read(
            at: UInt64(number) * UInt64(pageByteCount),
            count: pageByteCount
        )
        var reader = ByteReader(page)
        guard page.count == pageByteCount,
            try reader.number(UInt32.self) == CRC32C.checksum(page, 4..<pageByteCount),
            try reader.number(UInt32.self) == UInt32(number)
        else { throw CorruptBytes(what: "page \(number) is damaged") }
        return page
    }

    /// Reads every page.
    ///
    /// - Throws: `CorruptBytes` for the first that is damaged, `DiskError`.
    func verify(_ file: any DiskFile) throws {
        for page in 1...pageCount { _ = try Self.page(page, of: file) }
    }
}
