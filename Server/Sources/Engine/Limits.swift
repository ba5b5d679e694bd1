// SPDX-License-Identifier: Apache-2.0

/// The engine's fixed numbers; what an operator may set is in `EngineOptions`.
enum Limits {
    /// Bytes of payload in one log record. Receivers refuse above 64 MiB; this leaves room for
    /// formats that grow a little on the way.
    static let payloadBytes = 128 << 20
    /// Bytes of the file of a log segment: the longest record, and a segment.
    static let segmentFileBytes = 256 << 20
    /// Bytes of a manifest: some hundred thousand parts.
    static let manifestBytes = 64 << 20
    /// Bytes of the file `BACKUP`: a line for each file of such a manifest.
    static let markerBytes = 64 << 20
    /// Bytes of a tenant's name.
    static let tenantBytes = 256
    /// Recycled log segments kept for overwriting; more are removed to give the space back. As many
    /// as one flush frees.
    static let freeSegments = 8
    /// How long no segment is taken before free ones are given back.
    static let segmentIdleTime = Duration.seconds(10)
    /// Attribute columns of one owner kind in a part; keys beyond share one column a type.
    static let attributeColumns = 1024
    /// Bytes of one chunk before compression. Far above what a full head can put in one block.
    static let chunkBytes = 1 << 30
    /// Chunks at least this long are worth trying to compress, bytes.
    static let compressibleBytes = 64
    /// Bytes gathered before a write to a part file.
    static let writeBytes = 1 << 20
    /// Bytes of text in one page of a dictionary: what a look-up unpacks.
    static let dictionaryPageBytes = 12 << 10
    /// Texts of a column after which it is asked whether numbering them pays at all.
    static let sampledTexts = 4_096
    /// Percent of texts that differ above which a sampled column gets no dictionary.
    static let rawPercent = 85
    /// Percent of texts that differ above which a column gets no dictionary.
    static let dictionaryPercent = 70
    /// Bytes of a text on average up to which texts without a dictionary get a filter: nobody looks
    /// for a whole stack trace.
    static let filteredTextBytes = 96
    /// Distinct ints of a block up to which a column gets no filter.
    static let unfilteredNumbers = 16
    /// How often, at least, a dictionary's texts must stand in a column on average for lists of
    /// blocks; with fewer, a filter is shorter.
    static let postingsRepeats = 4
    /// Bytes of one page of a value filter: what a look-up reads.
    static let filterPageBytes = 32 << 10
    /// Bytes that all parts together hold of vocabularies, dictionaries and lists of blocks.
    static let partCacheBytes = 64 << 20
    /// Bytes of unpacked chunks that one query holds of one part.
    static let readerBytes = 8 << 20
    /// Bytes of unpacked chunks that a merge holds of one part, beside the blocks being copied.
    static let mergeReaderBytes = 2 << 20
    /// Blocks that a merge holds unpacked, at least one a part.
    static let mergeBlocks = 12
    /// How long, in nanoseconds, memory that flushes and merges freed is kept for the next ones: five
    /// seconds. Between the head's blocks their holes do not close by themselves.
    static let freeMemoryNanoseconds: UInt64 = 5_000_000_000
    /// Traces that a merge copies before it looks whether something else is due.
    static let mergePauseTraces = 4_096
    /// Bytes of distinct texts up to which a merge gives up a dictionary that does not pay.
    static let mergeTextBytes = 4 << 20
    /// Spans that a merge unpacks at once to find exact duplicates.
    static let comparedSpans = 4_096
    /// How far from a trace, in nanoseconds, a part that cannot be read may still be thought to hold
    /// more of its spans: an hour.
    static let traceReachNanoseconds: UInt64 = 3_600_000_000_000
    /// Traces in one answer of `scan`.
    static let scanTraces = 10_000
    /// Ids in one `traces` request.
    static let requestedTraces = 10_000
    /// Blocks read by one request for values of a key that no dictionary tells: the newest half
    /// million spans, some 8 CPU ms.
    static let namesBlocks = 64
    /// Names in one answer.
    static let names = 100_000
    /// Queries waiting for a query thread before more are refused.
    static let waitingQueries = 256
    /// Neighbouring parts of one size class that are joined into one.
    static let mergeParts = 8
    /// Spans that a merged part may hold.
    static let mergedSpans = 4_000_000
    /// Bytes of payloads that are decoded ahead while the log is replayed: two large requests.
    static let replayBytes = 64 << 20
    /// Records that are decoded ahead: enough for all threads while the head is flushed.
    static let replayRecords = 256
    /// Bytes of payloads that are decoded without threads of their own: a few milliseconds' work.
    static let replayAloneBytes = 1 << 20
    /// Bytes of free disk that a new log segment leaves to parts: a full head, compressed, takes about
    /// a tenth of its memory.
    static let roomForParts = 8 << 20
    /// Spans of a trace that share one id and are looked at for a caller: two do where Zipkin's client
    /// and server share it, more are a mistake or an attack.
    static let spansOfOneID = 64
    /// Groups (service, operation, kind, status, caller) that the totals of one part keep apart.
    /// Operations named beyond are counted together, by service.
    static let totalsGroups = 65_536
    /// Rows (a group in ten minutes) that one page of totals holds at least, but the last.
    static let totalsPageRows = 512
    /// Spans at which a page of joined totals ends with its window: what a question unpacks of it stays
    /// a few mebibytes.
    static let totalsPageSpans: UInt64 = 4 << 20
    /// Spans of a section that are gathered before they are sorted: 4 MiB of them.
    static let totalsRunSpans = 512 << 10
    /// Spans of sections that are joined into one: half of what one page could count.
    static let totalsSpans = 512 << 20
    /// Changes in one chunk of a totals file: about a mebibyte.
    static let totalsFacts = 64 << 10
    /// Totals files of one tenant and day at which they are joined while more may come of that day.
    static let totalsFiles = 8
    /// Gaps that one totals file tells apart; those beyond are told as one.
    static let totalsGaps = 64
    /// Counters of call statistics in one chunk of a totals file: about half a mebibyte.
    static let totalsCallCells = 256 << 10
    /// Counters that a row of call statistics is reckoned at beside its own: what it takes in memory.
    static let totalsCallRowCells = 20
    /// Totals files that are joined at once: a chunk of each is in memory, 2 MiB at most.
    static let totalsJoinedFiles = 32
    /// How long a sender of call statistics is known after its last window, nanoseconds: a day.
    static let callSenderNanoseconds: UInt64 = 86_400_000_000_000
    /// Time between two looks for such senders, nanoseconds.
    static let forgetNanoseconds: UInt64 = 3_600_000_000_000
    /// Runs of windows that are told apart of one sender.
    static let callWindowRuns = 64
    /// Gaps between runs of all senders of a tenant together: 3 MiB.
    static let callWindowGaps = 200_000
    /// Bytes that a record without spans is reckoned at in the head.
    static let emptyBatchBytes = 512
    /// Of the bytes that retention leaves, totals files may have one in so many.
    static let totalsShare: UInt64 = 4
    /// How long, in nanoseconds, a part that is too old is kept because the disk will not read it: a
    /// day. Then it goes uncounted.
    static let unreadableNanoseconds: UInt64 = 86_400_000_000_000
    /// Bytes of memory for traces that lie in several parts, while one of those is removed.
    static let totalsMemoryBytes = 256 << 20
    /// Bytes read at once when a file is copied or its checksum is made.
    static let copyBytes = 4 << 20
    /// How often a backup is begun anew because the store changed meanwhile: each time there is less
    /// left to copy.
    static let backupAttempts = 100
    /// How often a verification looks again because a server changed the store meanwhile.
    static let verificationAttempts = 1_000
    /// How often a backup or a verification reads the log again because a record is missing in it.
    static let logReadings = 5
    /// Traces lying in several places whose changes to totals are remembered; then all are forgotten.
    static let totalsChanges = 200_000
    /// Bytes that a question for totals is reckoned to hold for a trace that lies in several places.
    static let totalsPlacesBytes = 192
    /// Steps of one answer of `totals`: a week by the minute.
    static let totalsSteps = 10_080
    /// Counters that one question for totals may need (64 MiB): lines, times steps, times the cells
    /// of their durations.
    static let totalsCounters = 8 << 20
    /// Files that say which traces were removed: each is looked into for an id that is not found.
    static let removedFiles = 1_024
    /// Words of the filter of such a file, 16 MiB: beyond some 6,000,000 traces it errs more often.
    static let removedWords = 2 << 20
    /// How long a removed trace is remembered, nanoseconds: 90 days, as long as totals are by default.
    static let removedNanoseconds: UInt64 = 7_776_000_000_000_000
    /// Parts that tell how a tenant's traces are sampled, the newest: all their tracestates are read once.
    static let sampledParts = 16
    /// How long before its newest receipt a tenant's parts tell that, nanoseconds: an hour, for
    /// sampling changes.
    static let sampledNanoseconds: UInt64 = 3_600_000_000_000
    /// Bytes of log header or record padding: records begin at multiples of this.
    static let logAlignment = 8
}
