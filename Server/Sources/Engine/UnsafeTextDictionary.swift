// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// All distinct texts of a column, sorted by bytes, in pages; a text's id is its place.
///
/// Sorted, so that one page answers a look-up, a prefix is a range of ids, and dictionaries merge
/// without hashing. A page is one chunk (`PackedTexts.init(sorted:)`), and so are the postings of
/// its texts. The index is one chunk too, a frame of:
///
/// | field | coding |
/// |---|---|
/// | texts | varint |
/// | pages | varint |
/// | per page: texts | varint |
/// | chunk of texts, chunk of postings | `ChunkReference`, length 0 where there are none |
/// | separator | run: behind every text before the page, at or before its first |
struct TextDictionary: Sendable {
    struct Page: Sendable {
        /// Id of its first text.
        var first: Int
        var count: Int
        var separator: [UInt8]
        var texts: ChunkReference
        /// None where every text stands in so many blocks that a list does not pay.
        var postings = ChunkReference.none

        var ids: Range<Int> { first..<first + count }
    }

    let count: Int
    let pages: [Page]

    init(
        chunk bytes: [UInt8],
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) {
        var outer = ByteReader(bytes)
        var reader = ByteReader(try outer.frame(decompressor))
        let total = try reader.index(below: 1 << 32)
        var pages: [Page] = []
        var first = 0
        for _ in 0..<(try reader.count(ofAtLeast: 9)) {
            let count = try reader.index(below: total - first + 1)
            let texts = try ChunkReference(parsing: &reader)
            let postings = try ChunkReference(parsing: &reader)
            pages.append(
                Page(
                    first: first,
                    count: count,
                    separator: Array(try reader.run()),
                    texts: texts,
                    postings: postings
                )
            )
            first += count
        }
        guard first == total else { throw CorruptBytes(what: "a dictionary is damaged") }
        count = total
        self.pages = pages
    }

    /// The page that has text `id`, which must be below `count`.
    func page(of id: Int) -> Int { last { $0.first <= id } }

    /// The only page that may have `text`, and from which on texts are not before it.
    func page(for text: UnsafeRawBufferPointer) -> Int {
        last { page in
            !page.separator.withRun(0..<page.separator.count) { ByteOrder.isBefore(text, $0) }
        }
    }

    /// The last page that satisfies a condition which holds up to some page; else the first.
    private func last(_ holds: (Page) -> Bool) -> Int {
        var low = 0
        var high = pages.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if holds(pages[middle]) { low = middle } else { high = middle }
        }
        return low
    }
}

/// Writes a dictionary from its texts in ascending order.
struct TextDictionaryWriter: ~Copyable {
    private var page = SortedTextRun()
    private var index = ByteWriter()
    private var pages: [TextDictionary.Page] = []
    private var written = 0
    private var separator: [UInt8] = []

    /// Texts so far.
    var count: Int { written + page.count }

    /// - Parameter text: behind the one before it.
    mutating func append(
        _ text: UnsafeRawBufferPointer,
        to output: inout PartOutput
    ) throws(DiskError) {
        if page.byteCount >= Limits.dictionaryPageBytes { try finishPage(to: &output) }
        if page.count == 0 {
            let same = page.last.withElements {
                ByteOrder.commonPrefix(UnsafeRawBufferPointer($0), text)
            }
            // One byte more than is shared with the text before tells the two apart.
            separator = Array(text.prefix(written == 0 ? 0 : same + 1))
        }
        page.append(text)
    }

    private mutating func finishPage(to output: inout PartOutput) throws(DiskError) {
        output.encoder.append(sorted: page)
        pages.append(
            TextDictionary.Page(
                first: written,
                count: page.count,
                separator: separator,
                texts: try output.finishChunk()
            )
        )
        written += page.count
        page.removeAll()
    }

    /// Writes the last page.
    ///
    /// - Returns: the ids of each page, for their postings.
    mutating func finishPages(to output: inout PartOutput) throws(DiskError) -> [Range<Int>] {
        if page.count > 0 { try finishPage(to: &output) }
        return pages.map(\.ids)
    }

    /// Writes the index.
    ///
    /// - Parameter postings: one a page, or none at all.
    mutating func finish(
        postings: [ChunkReference],
        to output: inout PartOutput
    ) throws(DiskError) -> ChunkReference {
        index.append(varint: written)
        index.append(varint: pages.count)
        for (number, page) in pages.enumerated() {
            index.append(varint: page.count)
            page.texts.encode(to: &index)
            (number < postings.count ? postings[number] : .none).encode(to: &index)
            index.append(run: page.separator)
        }
        output.encoder.append(frame: index.bytes)
        return try output.finishChunk()
    }
}
