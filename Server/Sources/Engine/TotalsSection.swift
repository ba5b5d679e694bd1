// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Where chunks of a totals section are read from: a part, or a totals file.
protocol TotalsSource: Sendable {
    /// The stored bytes of a chunk, checked.
    func chunk(_ reference: ChunkReference) throws(PartDamage) -> [UInt8]

    /// The damage `what` of this file.
    func damage(_ what: String) -> PartDamage
}

extension Part: TotalsSource {}

/// The totals section of an open file. What is unpacked of it stays in the cache that parts share.
struct TotalsSection {
    let index: TotalsIndex
    private let source: any TotalsSource
    private let number: UInt64
    private let cache: PartCache

    /// - Parameter cache: `nil` for the one that parts share.
    /// - Returns: `nil` where the part has none.
    init?(_ part: Part, cache: PartCache? = nil) throws(PartDamage) {
        guard let reference = part.directory.totals.first else { return nil }
        try self.init(part, reference, part.number, cache ?? part.cache)
    }

    init(
        _ source: any TotalsSource,
        _ reference: ChunkReference,
        _ number: UInt64,
        _ cache: PartCache
    ) throws(PartDamage) {
        self.source = source
        self.number = number
        self.cache = cache
        let key = PartCache.Key(part: number, kind: .totals, column: 0, page: 0)
        if case .totals(let known) = cache.find(key) {
            index = known
            return
        }
        let bytes = try source.chunk(reference)
        do throws(CorruptBytes) {
            var reader = ByteReader(bytes)
            index = try TotalsIndex(parsing: try reader.frame(Decompressor()))
            cache.insert(.totals(index), index.byteCount, key)
        } catch { throw source.damage(error.what) }
    }

    private func key(_ chunk: TotalsChunk, _ page: Int) -> PartCache.Key {
        PartCache.Key(part: number, kind: .totals, column: 1 + chunk.rawValue, page: page)
    }

    func page(
        _ number: Int,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> TotalsPage {
        let key = key(.counts, number)
        if case .totalsPage(let known) = cache.find(key) { return known }
        let made = try TotalsPage(index.pages[number], of: index, source, decompressor)
        cache.insert(.totalsPage(made), made.byteCount, key)
        return made
    }

    func minutes(
        _ number: Int,
        _ page: TotalsPage,
        _ decompressor: borrowing Decompressor
    ) throws(PartDamage) -> TotalsMinuteCounts {
        let key = key(.minutes, number)
        if case .totalsMinutes(let known) = cache.find(key) { return known }
        let made = try page.minutes(source, hasExactSums: index.hasExactSums, decompressor)
        cache.insert(.totalsMinutes(made), made.byteCount, key)
        return made
    }

    func steps(_ number: Int, _ page: TotalsPage) throws(PartDamage) -> TotalsSteps {
        let key = key(.fine, number)
        if case .totalsSteps(let known) = cache.find(key) { return known }
        let made = try page.steps(source)
        cache.insert(.totalsSteps(made), made.byteCount, key)
        return made
    }
}

/// The index of a totals section (`TotalsFormat`): what is counted, and where the pages lie.
final class TotalsIndex: Sendable {
    struct Group: Sendable {
        var service: Int
        /// `nil`: operations beyond the bound, counted together.
        var operation: Int?
        var kind: UInt8
        var status: UInt8
        var caller: Int?
    }

    struct Edge: Sendable {
        var caller: Int
        var service: Int
    }

    struct Page: Sendable {
        var windows: ClosedRange<UInt64>
        var rowCount: Int
        var requestRowCount: Int
        var spanCount: UInt64
        /// By `TotalsChunk`.
        var chunks: [ChunkReference]
    }

    /// Whether sums of minutes are nanoseconds, not `TotalsSum`s.
    let hasExactSums: Bool
    let names: [String]
    let groups: [Group]
    let edges: [Edge]
    let pages: [Page]
    /// Memory held.
    let byteCount: Int

    /// Any bytes are safe: numbers are checked against what they number.
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        let version = try reader.varint()
        guard version == TotalsFormat.version || version == TotalsFormat.exactVersion else {
            throw CorruptBytes(
                what: "its totals have format version \(version), this program reads "
                    + "\(TotalsFormat.version) and \(TotalsFormat.exactVersion)"
            )
        }
        hasExactSums = version == TotalsFormat.exactVersion
        var names: [String] = []
        for _ in 0..<(try reader.count()) { names.append(try reader.text()) }
        var groups: [Group] = []
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            let service = try reader.index(below: names.count)
            let operation = try reader.index(below: names.count + 1)
            let code = try reader.index(below: 256)
            let caller = try reader.index(below: names.count + 1)
            groups.append(
                Group(
                    service: service,
                    operation: operation == names.count ? nil : operation,
                    kind: UInt8(code >> 2),
                    status: UInt8(code & 3),
                    caller: caller == 0 ? nil : caller - 1
                )
            )
        }
        var edges: [Edge] = []
        for _ in 0..<(try reader.count(ofAtLeast: 2)) {
            let caller = try reader.index(below: names.count)
            edges.append(Edge(caller: caller, service: try reader.index(below: names.count)))
        }
        self.names = names
        self.groups = groups
        self.edges = edges
        pages = try Self.pages(&reader)
        byteCount = 2 * bytes.count + 64 * (names.count + groups.count + 2 * pages.count)
        guard reader.remaining == 0 else { throw CorruptBytes(what: "its totals are too long") }
    }

    private static func pages(_ reader: inout ByteReader) throws(CorruptBytes) -> [Page] {
        var pages: [Page] = []
        var window: UInt64 = 0
        /// The highest window there can be.
        let limit = UInt64.max / (TotalsFormat.minute * TotalsFormat.windowMinutes)
        for _ in 0..<(try reader.count(ofAtLeast: 5 + TotalsChunk.allCases.count)) {
            let step = try reader.varint()
            guard step <= limit - window, step > 0 || pages.isEmpty else {
                throw CorruptBytes(what: "its totals are out of order")
            }
            window += step
            let first = window
            let more = try reader.varint()
            guard more <= limit - window else {
                throw CorruptBytes(what: "its totals are out of range")
            }
            let rowCount = Int(try reader.small())
            let requestRowCount = Int(try reader.small())
            let spanCount = try reader.varint()
            var chunks: [ChunkReference] = []
            for _ in TotalsChunk.allCases {
                chunks.append(
                    try ChunkReference(parsing: &reader, after: chunks.last?.end ?? 0)
                )
            }
            // Every span has its half byte: so no count is larger than what is stored.
            guard spanCount < UInt64(Limits.chunkBytes),
                (spanCount + 1) / 2 == UInt64(chunks[TotalsChunk.fine.rawValue].byteCount),
                UInt64(max(rowCount, requestRowCount)) <= spanCount
            else { throw CorruptBytes(what: "a page of totals has too many rows") }
            window += more
            pages.append(
                Page(
                    windows: first...window,
                    rowCount: rowCount,
                    requestRowCount: requestRowCount,
                    spanCount: spanCount,
                    chunks: chunks
                )
            )
        }
        return pages
    }
}
