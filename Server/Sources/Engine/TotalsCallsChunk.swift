// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// A chunk of call statistics in memory (`TotalsCalls` has its format): its rows in order of minute,
/// their durations as they lie in the chunk, unpacked row by row when they are asked for.
final class TotalsCallsChunk: Sendable {
    /// Calls of one group in one minute.
    struct Row: BitwiseCopyable {
        var group: UInt32
        /// Since 1970.
        var minute: UInt32
        /// Whole minutes before its own in which its calls may have begun.
        var reach: UInt32
        /// Its durations are bytes `first..<end` of the chunk.
        fileprivate var first: UInt32
        fileprivate var end: UInt32
        var count: UInt64
        var sum: UInt64
        var longest: UInt64
    }

    let groups: [TotalsCalls.Group]
    let rows: [Row]
    /// The first minute whose spans these counts may stand for.
    let firstCovered: UInt64
    private let bytes: [UInt8]

    /// Memory held.
    var byteCount: Int {
        bytes.count + rows.count * MemoryLayout<Row>.stride
            + groups.count * MemoryLayout<TotalsCalls.Group>.stride
    }

    /// Any bytes are safe: numbers are checked against what they number.
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        guard bytes.count <= Limits.chunkBytes else {
            throw CorruptBytes(what: "its calls are too long")
        }
        var reader = ByteReader(bytes)
        groups = try Self.groups(&reader)
        var rows: [Row] = []
        var firstCovered = UInt64.max
        var minute: UInt32 = 0
        for _ in 0..<(try reader.count(ofAtLeast: 6)) {
            let (next, overflow) = minute.addingReportingOverflow(try reader.small())
            guard !overflow else { throw CorruptBytes(what: "a minute is out of range") }
            minute = next
            let group = try reader.index(below: groups.count)
            let sum = try reader.varint()
            let longest = try reader.varint()
            let run = try reader.run()
            let durations = try Self.sketch(run)
            let reach = TotalsCoverage.reach(durations.bound(longest))
            firstCovered = min(firstCovered, UInt64(minute) - min(reach, UInt64(minute)))
            rows.append(
                Row(
                    group: UInt32(group),
                    minute: minute,
                    reach: UInt32(reach),
                    first: UInt32(run.startIndex),
                    end: UInt32(run.endIndex),
                    count: durations.count,
                    sum: sum,
                    longest: longest
                )
            )
        }
        guard reader.remaining == 0 else { throw CorruptBytes(what: "its calls are too long") }
        self.rows = rows
        self.firstCovered = firstCovered
        self.bytes = bytes
    }

    private static func groups(
        _ reader: inout ByteReader
    ) throws(CorruptBytes) -> [TotalsCalls.Group] {
        var names: [String] = []
        for _ in 0..<(try reader.count()) { names.append(try reader.text()) }
        var groups: [TotalsCalls.Group] = []
        for _ in 0..<(try reader.count(ofAtLeast: 4)) {
            let service = names[try reader.index(below: names.count)]
            let operation = try reader.index(below: names.count + 1)
            let code = try reader.index(below: 512)
            let peer = try reader.index(below: names.count + 1)
            groups.append(
                TotalsCalls.Group(
                    service: service,
                    operation: operation == 0 ? nil : names[operation - 1],
                    kind: UInt8(code >> 1),
                    isError: code & 1 == 1,
                    peer: peer == 0 ? nil : names[peer - 1]
                )
            )
        }
        guard Set(groups).count == groups.count else {
            throw CorruptBytes(what: "a group of calls stands twice")
        }
        return groups
    }

    private static func sketch(_ bytes: ArraySlice<UInt8>) throws(CorruptBytes) -> LatencySketch {
        do throws(LatencySketch.Malformed) {
            return try LatencySketch(decoding: bytes)
        } catch { throw CorruptBytes(what: error.what) }
    }

    /// How the calls of a row are spread.
    func durations(_ row: Int) -> LatencySketch {
        // They were read once already.
        (try? Self.sketch(bytes[Int(rows[row].first)..<Int(rows[row].end)])) ?? LatencySketch()
    }

    /// Calls `body` with the cells and fine steps of a row that are not empty, ascending.
    @inline(__always)
    func forEachCell(of row: Int, _ body: (_ cell: Int, _ step: Int, _ times: Int64) -> Void) {
        var place = Int(rows[row].first)
        let zeros = varint(&place)
        if zeros > 0 { body(0, 0, Int64(clamping: zeros)) }
        var bucket = 0
        for _ in 0..<varint(&place) {
            bucket += Int(varint(&place))
            let times = Int64(clamping: varint(&place)).addingReportingOverflow(1)
            body(
                TotalsFormat.cell(bucket),
                bucket % TotalsFormat.fineSteps,
                times.overflow ? .max : times.partialValue
            )
            bucket += 1
        }
    }

    /// A number of a sketch, all of which were checked when the chunk was read.
    @inline(__always)
    private func varint(_ place: inout Int) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }
}

extension LatencySketch {
    /// Nanoseconds that no call took longer than, for not every sender tells the longest.
    ///
    /// - Parameter told: the longest, as the sender has it.
    func bound(_ told: UInt64) -> UInt64 {
        guard let top = buckets.reduce(nil, { $1.index }) else { return 0 }
        if let bucket = LatencyBucket.index(of: told), bucket >= top { return told }
        let middle = LatencyBucket.representative(top)
        // Above the upper end of a bucket, which is within 0.55 % of its middle.
        let (bound, overflow) = middle.addingReportingOverflow(middle >> 7 + 1)
        return overflow ? .max : bound
    }

    /// Calls `body` with the cells and fine steps that are not empty, ascending.
    @inline(__always)
    func forEachCell(_ body: (_ cell: Int, _ step: Int, _ times: Int64) -> Void) {
        if zeroCount > 0 { body(0, 0, Int64(clamping: zeroCount)) }
        for (bucket, times) in buckets {
            body(
                TotalsFormat.cell(bucket),
                bucket % TotalsFormat.fineSteps,
                Int64(clamping: times)
            )
        }
    }
}
