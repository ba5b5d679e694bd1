// SPDX-License-Identifier: Apache-2.0

public import Platform

import SkeinModel
import Store

/// What is on disk, for people: `skein inspect DIR`. Reads only, and needs no lock: beside a running
/// store a part may vanish while it looks, which it says.
public enum EngineInspection {
    /// A report of every file of the store in `directory`, with damage named where it is found.
    ///
    /// - Throws: `EngineError` where `directory` holds no store, `DiskError` where it cannot be read.
    public static func inspect(
        directory: String,
        disk: any Disk = PosixDisk()
    ) throws -> String {
        let names = FileNames(directory: directory)
        guard try disk.list(directory).contains("MANIFEST") else {
            throw EngineError("\(directory) holds no Skein data: there is no MANIFEST in it")
        }
        let bytes = try read(names.manifest, disk)
        var report = Report()
        let manifest: Manifest
        do {
            manifest = try Manifest(parsing: bytes)
        } catch {
            throw EngineError("\(names.manifest) cannot be read: \(error.what)")
        }
        report.line("manifest  version \(Manifest.version), \(bytes.count) bytes")
        report.line("          log flushed up to record \(manifest.flushedSequence)")
        try inspectLog(names, disk, manifest, &report)
        inspectParts(names, disk, manifest, &report)
        let aside = (try? disk.list(names.quarantine)) ?? []
        if !aside.isEmpty { report.line("set aside  " + aside.joined(separator: ", ")) }
        return report.text
    }

    private static func read(_ path: String, _ disk: any Disk) throws(DiskError) -> [UInt8] {
        let file = try disk.open(path)
        return try file.read(at: 0, count: Int(clamping: try file.byteCount()))
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
            let bytes = try read(names.segment(number), disk)
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
                        + "\(entry.byteCount / UInt64(spans)) bytes a span"
                )
                try inspect(part, &report)
            } catch {
                report.line("\(title): DAMAGED: \(error.what)")
            }
        }
    }

    private static func inspect(_ part: Part, _ report: inout Report) throws(PartDamage) {
        let decompressor = Decompressor()
        var columns: [(bytes: Int, text: String)] = []
        for column in part.directory.columns {
            var stored = 0
            var raw = 0
            for reference in [column.dictionary] + column.chunks {
                guard let reference else { continue }
                _ = try part.chunk(reference, decompressor)
                stored += Int(reference.storedByteCount)
                raw += Int(reference.byteCount)
            }
            guard stored > 0 else { continue }
            let coding = column.dictionary == nil ? "" : ", dictionary"
            columns.append(
                (stored, "\(stored) bytes (\(raw) unpacked\(coding))  \(title(of: column, part))")
            )
        }
        for column in columns.sorted(by: { $0.bytes > $1.bytes }) {
            report.line("          " + column.text)
        }
    }

    private static func title(of column: PartDirectory.Column, _ part: Part) -> String {
        guard column.field == .attribute else { return "\(column.field)" }
        let owner =
            switch column.table {
            case .spans, .traces: "span"
            case .events: "event"
            case .links: "link"
            }
        let key =
            column.key == PartDirectory.Column.overflowKey
            ? "(rare keys)" : part.shared.columns.strings.text(column.key)
        return "\(owner) \(key) \(column.type.word)"
    }

    private struct Report {
        var text = ""

        mutating func line(_ line: String) { text += line + "\n" }
    }
}
