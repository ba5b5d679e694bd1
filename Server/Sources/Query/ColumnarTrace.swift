// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Store

extension Trace {
    /// The trace as columns for the page, format TRV1. All numbers are little-endian.
    ///
    /// | offset | size | field |
    /// |---|---|---|
    /// | 0 | 4 | `TRV1` |
    /// | 4 | 4 | H, header bytes; 8 + H is a multiple of 8 |
    /// | 8 | H | JSON: traceId, t0, duration, n, unitNanos, services, names, warnings; then spaces |
    /// | 8+H | 4n | start, units after t0 |
    /// | | 4n | duration, units |
    /// | | 4n | parent's row or -1, signed |
    /// | | 4n | name, an index |
    /// | | 2n | service, an index |
    /// | | 2n | depth, at most 65,535 |
    /// | | n | kind, as OTLP numbers it |
    /// | | n | flags, see `ColumnarFlags` |
    ///
    /// Rows stand depth first. The unit is 1 ns below 4 s, else the least power of ten for which
    /// every start and duration fits 32 bits; values are cut to whole units.
    public func columnarBytes() -> [UInt8] {
        let first = start
        let length = end - first
        let unit = Self.unit(for: length)
        var names = TextIndex(of: spans, limit: Int(UInt32.max))
        var services = TextIndex(of: spans, limit: Int(UInt16.max))
        var nameColumn: [UInt32] = []
        var serviceColumn: [UInt32] = []
        nameColumn.reserveCapacity(count)
        serviceColumn.reserveCapacity(count)
        for place in 0..<count {
            let row = columnsRow(place)
            nameColumn.append(names.index(of: spans.columns.name[row], in: spans))
            serviceColumn.append(services.index(of: spans.columns.service(row), in: spans))
        }
        var bytes = Array("TRV1".utf8)
        bytes.reserveCapacity(count * 22 + 4096)
        let header = header(first, length, unit, services.texts, names.texts)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: header.count))
        bytes += header
        for row in tree.order {
            bytes.append(littleEndian: UInt32(clamping: (frame.start[row] - first) / unit))
        }
        for row in tree.order {
            let duration = frame.end[row] - frame.start[row]
            bytes.append(littleEndian: UInt32(clamping: duration / unit))
        }
        for parent in tree.parent { bytes.append(littleEndian: UInt32(bitPattern: parent)) }
        for name in nameColumn { bytes.append(littleEndian: name) }
        for service in serviceColumn { bytes.append(littleEndian: UInt16(clamping: service)) }
        for depth in tree.depth { bytes.append(littleEndian: UInt16(clamping: depth)) }
        for row in tree.order { bytes.append(frame.kind[row].rawValue) }
        for place in 0..<count { bytes.append(flags(place).rawValue) }
        return bytes
    }

    /// What the page shows of a row without asking for it.
    public struct ColumnarFlags: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The span's status is error.
        public static let error = ColumnarFlags(rawValue: 1)
        /// The parent it names does not stand above it.
        public static let parentMissing = ColumnarFlags(rawValue: 2)
        /// Its times were corrected.
        public static let clockAdjusted = ColumnarFlags(rawValue: 4)
        public static let hasEvents = ColumnarFlags(rawValue: 8)
        public static let hasLinks = ColumnarFlags(rawValue: 16)
        /// The server half of a shared span, under an id of its own.
        public static let shared = ColumnarFlags(rawValue: 32)
    }

    private func flags(_ place: Int) -> ColumnarFlags {
        let row = tree.order[place]
        let stored = rows[row]
        var flags: ColumnarFlags = []
        if spans.columns.status[stored] == StatusCode.error.rawValue { flags.insert(.error) }
        if tree.isParentMissing[place] { flags.insert(.parentMissing) }
        if frame.clockShift[row] != 0 { flags.insert(.clockAdjusted) }
        if spans.columns.spanEvents[stored].count > 0 { flags.insert(.hasEvents) }
        if spans.columns.spanLinks[stored].count > 0 { flags.insert(.hasLinks) }
        if frame.isShared[row] { flags.insert(.shared) }
        return flags
    }

    /// Nanoseconds a unit for times up to `length`.
    private static func unit(for length: UInt64) -> UInt64 {
        guard length >= 4_000_000_000 else { return 1 }
        var unit: UInt64 = 1
        while length / unit > UInt64(UInt32.max) { unit *= 10 }
        return unit
    }

    /// The JSON header, padded with spaces so that the columns begin at a multiple of 8.
    private func header(
        _ first: UInt64,
        _ length: UInt64,
        _ unit: UInt64,
        _ services: [String],
        _ names: [String]
    ) -> [UInt8] {
        var told = Array(warnings.prefix(RunLimits.warningCount))
        if warnings.count > told.count {
            told.append("\(warnings.count - told.count) more warnings")
        }
        told += spans.incomplete
        var text = "{\"traceId\":\"\(traceID.hex)\",\"t0\":\"\(first)\",\"duration\":\"\(length)\","
        text += "\"n\":\(count),\"unitNanos\":\(unit),\"services\":\(Self.json(services)),"
        text += "\"names\":\(Self.json(names)),\"warnings\":\(Self.json(told))}"
        var bytes = Array(text.utf8)
        while (8 + bytes.count) % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
        return bytes
    }

    /// A JSON array of strings. This station writes no other JSON and so has no writer.
    private static func json(_ texts: [String]) -> String {
        let quoted = texts.map { text in
            var result = "\""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "\"": result += "\\\""
                case "\\": result += "\\\\"
                case "\u{0}"..<"\u{20}":
                    result += "\\u00" + (scalar.value < 16 ? "0" : "")
                    result += String(scalar.value, radix: 16)
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result + "\""
        }
        return "[" + quoted.joined(separator: ",") + "]"
    }
}

/// Texts by their string ids, numbered as they come; past `limit` all share the last number.
private struct TextIndex {
    let limit: Int
    var texts: [String] = []
    /// By string id: the number plus one, or 0.
    private var numbers: [UInt32]

    init(of spans: TraceSpans, limit: Int) {
        self.limit = limit
        numbers = Array(repeating: 0, count: spans.columns.strings.count)
    }

    mutating func index(of id: UInt32, in spans: TraceSpans) -> UInt32 {
        let number = numbers[Int(id)]
        if number > 0 { return number - 1 }
        if texts.count >= limit { return UInt32(texts.count - 1) }
        let isLast = texts.count == limit - 1
        texts.append(isLast ? "(others)" : spans.columns.strings.text(id))
        numbers[Int(id)] = UInt32(texts.count)
        return UInt32(texts.count - 1)
    }
}

extension [UInt8] {
    fileprivate mutating func append<Number: FixedWidthInteger>(littleEndian value: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> Number(shift)))
        }
    }
}
