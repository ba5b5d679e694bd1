// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Writes one part whose rows somebody else puts in order: `PartFlush` from tables in memory, block by
/// block, or `PartMerge` from other parts, column by column.
///
/// What must be known at the start is the vocabulary and how many rows there will be, duplicates left
/// out. Then, in any order:
/// - `blocks`, one for each block of rows;
/// - `addTrace` for each trace, in order;
/// - a `ColumnWriter` for every field of the tables spans, events and links and for every attribute
///   column, fed with `output` block after block (all blocks, also those in which it has no value;
///   several columns may be fed in turn), and then `add`ed, finished;
/// - the three postings, fed with the forms, resource rows and event forms of each block;
/// - `count` for each row before the `addTrace` of its trace.
///
/// Then `finish`. Chunks go to the file as they are made; in memory stay what `ColumnWriter` keeps
/// (filters, postings) and the low halves of the trace ids.
struct PartAssembler: ~Copyable {
    /// Blocks that the rows make.
    let blockCount: Int
    let blockRows: Int
    var output: PartOutput
    /// To be filled by whoever knows the rows.
    var blocks: [PartDirectory.Block] = []
    /// Fed with the values of `form` of each block.
    var formPostings: PostingsBuilder
    /// Fed with the rows of the vocabulary's resources of each block.
    var resourcePostings: PostingsBuilder
    /// Fed with the values of `eventForm` of each block.
    var eventFormPostings: PostingsBuilder
    var overflowKeys = 0
    var overflowValues = 0

    private let tenant: String
    private let receivedAt: UInt64
    private let vocabulary: PartVocabulary
    private var fixed: [PartDirectory.Column?]
    private var attributes: [PartDirectory.Column] = []
    private var traces: TraceRowsWriter
    private var totals = TotalsBuilder()
    /// By form: that of `totals`.
    private var totalsForms: [UInt32] = []

    /// - Parameters:
    ///   - spanCount: rows to come.
    ///   - receivedAt: newest receipt among the spans.
    ///   - output: where the file goes; its head is written already.
    init(
        tenant: String,
        receivedAt: UInt64,
        vocabulary: PartVocabulary,
        spanCount: Int,
        blockRows: Int,
        output: consuming PartOutput
    ) {
        self.tenant = tenant
        self.receivedAt = receivedAt
        self.vocabulary = vocabulary
        self.blockRows = blockRows
        self.output = output
        blockCount = (spanCount + blockRows - 1) / blockRows
        formPostings = PostingsBuilder(valueCount: vocabulary.forms.count)
        resourcePostings = PostingsBuilder(valueCount: vocabulary.resources.count)
        eventFormPostings = PostingsBuilder(valueCount: vocabulary.eventForms.count)
        fixed = Array(repeating: nil, count: PartField.fixed.count)
        traces = TraceRowsWriter(blockRows: blockRows)
        totalsForms.reserveCapacity(vocabulary.forms.count)
        for form in vocabulary.forms {
            totalsForms.append(
                totals.addForm(
                    service: form.service,
                    operation: form.name,
                    kind: form.kind,
                    status: form.status
                )
            )
        }
    }

    /// Counts the next row of the trace in hand for the totals.
    ///
    /// - Parameters:
    ///   - parentID: 0 for none.
    ///   - duration: 0 where the end lies before the start.
    mutating func count(
        form: UInt32,
        spanID: UInt64,
        parentID: UInt64,
        start: UInt64,
        duration: UInt64,
        isShared: Bool
    ) {
        totals.add(
            form: totalsForms[Int(form)],
            spanID: spanID,
            parentID: parentID,
            start: start,
            duration: duration,
            isShared: isShared
        )
    }

    /// Adds the next trace, whose rows were counted.
    mutating func addTrace(_ row: TraceRowsWriter.Row) throws(DiskError) {
        totals.endTrace()
        try traces.append(row, to: &output)
    }

    /// Takes a finished column.
    mutating func add(_ column: PartDirectory.Column) {
        if column.field == .attribute {
            attributes.append(column)
        } else {
            fixed[Int(column.field.rawValue)] = column
        }
    }

    /// Writes the rest: traces, vocabulary, postings, directory.
    ///
    /// - Returns: what the manifest says of the part, but for its number.
    mutating func finish() throws(DiskError) -> Manifest.Entry {
        let traces = try traces.finish(to: &output)
        for column in traces.columns { add(column) }
        let forms = try Self.write(
            formPostings,
            count: vocabulary.forms.count,
            to: &output
        )
        let resources = try Self.write(
            resourcePostings,
            count: vocabulary.resources.count,
            to: &output
        )
        let eventForms = try Self.write(
            eventFormPostings,
            count: vocabulary.eventForms.count,
            to: &output
        )
        vocabulary.encode(to: &output.encoder)
        let vocabularyChunk = try output.finishChunk()
        let names = vocabulary.names
        let totalsChunks = try totals.finish(name: { Array(names[Int($0)]) }, to: &output)
        let directory = PartDirectory(
            tenant: tenant,
            blockRows: blockRows,
            spanCount: blocks.reduce(0) { $0 + $1.rowCount },
            traceCount: traces.traceCount,
            firstStart: blocks.lazy.map(\.firstStart).min() ?? 0,
            lastStart: blocks.lazy.map(\.lastStart).max() ?? 0,
            receivedAt: receivedAt,
            longestTexts: output.longestTexts,
            overflowKeys: overflowKeys,
            overflowValues: overflowValues,
            vocabulary: vocabularyChunk,
            formPostings: forms,
            resourcePostings: resources,
            eventFormPostings: eventForms,
            totals: totalsChunks,
            blocks: blocks,
            traceBlocks: traces.blocks,
            indexBlocks: traces.indexBlocks,
            columns: columns(traces),
            filter: traces.filter
        )
        let (byteCount, checksum) = try output.finish(directory)
        return Manifest.Entry(
            number: 0,
            byteCount: byteCount,
            spanCount: UInt64(directory.spanCount),
            firstStart: directory.firstStart,
            lastStart: directory.lastStart,
            receivedAt: receivedAt,
            checksum: checksum,
            tenant: tenant,
            lost: nil
        )
    }

    private static func write(
        _ postings: borrowing PostingsBuilder,
        count: Int,
        to output: inout PartOutput
    ) throws(DiskError) -> ChunkReference {
        try postings.finish().write([0..<count], to: &output).first ?? .none
    }

    /// All columns; a field that nobody wrote has no values.
    private func columns(_ traces: TraceRowsWriter.Result) -> [PartDirectory.Column] {
        var columns: [PartDirectory.Column] = []
        for field in PartField.fixed {
            let count =
                switch field.table {
                case .spans, .events, .links: blocks.count
                case .traces: traces.blocks.count
                case .index: traces.indexBlocks.count
                }
            columns.append(
                fixed[Int(field.rawValue)]
                    ?? PartDirectory.Column(
                        field: field,
                        table: field.table,
                        key: 0,
                        type: .empty,
                        chunks: Array(repeating: .none, count: count)
                    )
            )
        }
        return columns + attributes
    }
}
