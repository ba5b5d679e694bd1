// SPDX-License-Identifier: Apache-2.0

public import Platform
import SkeinModel
import Store

/// What is on disk, for people: `skein inspect DIR`. Reads only, and needs no lock: beside a running
/// store a part may vanish while it looks, which it says.
public enum EngineInspection {
    /// A report of every file of the store in `directory`, with damage named where it is found.
    ///
    /// - Throws: `EngineError` where `directory` holds no store or cannot be read.
    public static func inspect(
        directory: String,
        disk: any Disk = PosixDisk()
    ) throws -> String {
        do {
            return try report(FileNames(directory: directory), ReadingDisk(disk))
        } catch let error as DiskError {
            throw EngineError(error)
        }
    }

    private static func report(_ names: FileNames, _ disk: any Disk) throws -> String {
        guard try disk.list(names.directory).contains("MANIFEST") else {
            throw EngineError(
                "\(names.directory) holds no Skein data: there is no MANIFEST in it"
            )
        }
        let (manifest, bytes) = try Manifest.read(names, disk)
        var report = Report()
        report.line("manifest  version \(Manifest.version), \(bytes.count) bytes")
        report.line("          log flushed up to record \(manifest.flushedSequence)")
        try inspectLog(names, disk, manifest, &report)
        inspectParts(names, disk, manifest, &report)
        inspectTotals(names, disk, manifest, &report)
        inspectRemoved(names, disk, manifest, &report)
        let aside = (try? disk.list(names.quarantine)) ?? []
        if !aside.isEmpty { report.line("set aside  " + aside.joined(separator: ", ")) }
        return report.text
    }

    private static func inspectLog(
        _ names: FileNames,
        _ disk: any Disk,
        _ manifest: Manifest,
        _ report: inout Report
    ) throws {
        for name in try disk.list(names.log) {
            if let number = FileNames.number(in: name, suffix: ".free") {
                let file = try disk.open(names.freeSegment(number))
                report.line("segment   \(name): \(try file.byteCount()) bytes, waits for reuse")
                continue
            }
            guard let number = FileNames.number(in: name, suffix: ".log") else { continue }
            let bytes = try disk.segmentBytes(names.segment(number))
            let version = LogSegmentHeader.version(of: bytes).map { "version \($0)" }
            var scanner = LogScanner(
                bytes,
                key: LogSegmentHeader.key(store: manifest.storeKey, number: number)
            )
            var records = 0
            var waiting = 0
            var payload = 0
            while let record = scanner.next() {
                records += 1
                payload += record.payload.bytes.count
                if record.sequence > manifest.flushedSequence { waiting += 1 }
            }
            report.line(
                "segment   \(name): \(version ?? "damaged head"), \(bytes.count) bytes, "
                    + "\(records) records, \(waiting) not flushed, \(payload) bytes of payload"
                    + (scanner.damaged.isEmpty ? "" : ", \(scanner.damaged.count) DAMAGED")
            )
        }
    }

    private static func inspectParts(
        _ names: FileNames,
        _ disk: any Disk,
        _ manifest: Manifest,
        _ report: inout Report
    ) {
        for entry in manifest.parts {
            let title = "part      \(entry.number), tenant \(entry.tenant)"
            if let reason = entry.lost {
                report.line("\(title): \(entry.spanCount) spans SET ASIDE: \(reason)")
                continue
            }
            do throws(PartDamage) {
                let part = try Part(
                    entry,
                    storeKey: manifest.storeKey,
                    names: names,
                    disk: disk
                )
                let directory = part.directory
                let spans = max(directory.spanCount, 1)
                report.line(
                    "\(title): version \(PartFormat.version), \(entry.byteCount) bytes, "
                        + "\(directory.spanCount) spans, \(directory.traceCount) traces, "
                        + "\(directory.blocks.count) blocks of \(directory.blockRows) rows, "
                        + "\(hundredths(entry.byteCount, UInt64(spans))) bytes a span"
                )
                try inspect(part, &report)
            } catch {
                report.line("\(title): DAMAGED: \(error.what)")
            }
        }
    }

    private static func inspectTotals(
        _ names: FileNames,
        _ disk: any Disk,
        _ manifest: Manifest,
        _ report: inout Report
    ) {
        for entry in manifest.totals {
            let title = "totals    \(entry.number), tenant \(entry.tenant)"
            do {
                let file = try TotalsFile(
                    entry,
                    storeKey: manifest.storeKey,
                    names: names,
                    disk: disk
                )
                try file.verify()
                let index = try file.section()?.index
                let spans = index?.pages.reduce(0) { $0 &+ $1.spanCount } ?? 0
                report.line(
                    "\(title): version \(TotalsFileFormat.version), \(entry.byteCount) bytes, "
                        + "\(spans) spans of \(file.directory.partCount) parts that are gone, "
                        + "\(index?.groups.count ?? 0) groups, \(index?.pages.count ?? 0) pages, "
                        + "\(file.directory.changes.count) chunks of changes, "
                        + "\(file.directory.calls.count) of call statistics"
                )
                for gap in file.directory.gaps {
                    report.line("          MISSING: " + TotalsFile.reason(gap))
                }
            } catch {
                let what = (error as? PartDamage)?.what ?? "\(error)"
                report.line("\(title): DAMAGED: \(what)")
            }
        }
    }

    private static func inspectRemoved(
        _ names: FileNames,
        _ disk: any Disk,
        _ manifest: Manifest,
        _ report: inout Report
    ) {
        for name in (try? disk.list(names.removed)) ?? [] {
            guard let number = FileNames.number(in: name, suffix: ".ids") else { continue }
            do {
                let file = try disk.openForReading(names.removed(number))
                let removed = try RemovedTraces(
                    file,
                    number: number,
                    storeKey: manifest.storeKey
                )
                try removed.verify(file)
                report.line(
                    "removed   \(number), tenant \(removed.tenant): version "
                        + "\(RemovedTraces.version), \(removed.byteCount) bytes, "
                        + "\(removed.traceCount) traces of \(removed.partCount) parts that went at "
                        + "\(removed.removedAt)"
                )
            } catch {
                let what = (error as? CorruptBytes)?.what ?? "\(error)"
                report.line("removed   \(number): DAMAGED: \(what)")
            }
        }
    }

    private static func hundredths(_ count: UInt64, _ divisor: UInt64) -> String {
        let scaled = count &* 100 / divisor
        return "\(scaled / 100).\(scaled % 100 < 10 ? "0" : "")\(scaled % 100)"
    }

    /// Reads every chunk of a part and says what takes how much.
    private static func inspect(_ part: Part, _ report: inout Report) throws(PartDamage) {
        let directory = part.directory
        let vocabulary = try part.vocabulary()
        var items: [(bytes: Int, text: String)] = []
        func add(_ references: [ChunkReference], _ text: String) throws(PartDamage) {
            var bytes = 0
            for reference in references where !reference.isNone {
                bytes += try part.chunk(reference).count
            }
            if bytes > 0 { items.append((bytes, "\(bytes) bytes  \(text)")) }
        }
        for (index, column) in directory.columns.enumerated() {
            let title = title(of: column, vocabulary)
            try add(column.chunks, title)
            if let filter = try part.filter(index) {
                try add([column.filter] + filter.pages, "\(title), filter")
            }
            guard let dictionary = try part.dictionary(index, Decompressor()) else { continue }
            let pages = dictionary.pages
            try add(
                [column.dictionary] + pages.map(\.texts),
                "\(title), dictionary of \(dictionary.count) texts"
            )
            try add(pages.map(\.postings), "\(title), blocks by text")
        }
        try add(
            [directory.vocabulary],
            "vocabulary: \(vocabulary.nameCount) names, \(vocabulary.content.resources.count) "
                + "resources, \(vocabulary.forms.count) forms"
        )
        try add(
            [directory.formPostings, directory.resourcePostings, directory.eventFormPostings],
            "blocks by form, resource and event"
        )
        try add(directory.totals, "totals")
        let rest = Int(part.entry.byteCount) - items.reduce(0) { $0 + $1.bytes }
        items.append((rest, "\(rest) bytes  directory, with the filter of trace ids"))
        for item in items.sorted(by: { $0.bytes > $1.bytes }) {
            report.line("          " + item.text)
        }
        if directory.overflowValues > 0 {
            report.line(
                "          \(directory.overflowValues) values of \(directory.overflowKeys) rare "
                    + "keys share columns"
            )
        }
    }

    private static func title(
        of column: PartDirectory.Column,
        _ vocabulary: Vocabulary
    ) -> String {
        guard column.field == .attribute else { return "\(column.field)" }
        let owner =
            switch column.table {
            case .spans, .traces, .index: "span"
            case .events: "event"
            case .links: "link"
            }
        let key =
            column.key == PartDirectory.Column.overflowKey
            ? "(rare keys)" : vocabulary.text(column.key)
        return "\(owner) \(key) \(column.type.word)"
    }

    private struct Report {
        var text = ""

        mutating func line(_ line: String) { text += line + "\n" }
    }
}
