// SPDX-License-Identifier: Apache-2.0

import Platform

/// The file `BACKUP`: what a backup holds. Text, for people may look at it:
///
/// ```
/// skein backup 1
/// made 1790000100000000000
/// received 1790000099000000000
/// spans 400000
/// records 17
/// file MANIFEST 812 1a2b3c4d
/// file log/0000000000000007.log 65536 99aabbcc
/// file parts/0000000000000012.part 1234567 00112233
/// checksum 5f6e7d8c
/// ```
///
/// | line | meaning |
/// |---|---|
/// | first | format version, 1 |
/// | `made` | when the backup was begun, nanoseconds since 1970 |
/// | `received` | newest receipt of a span in the parts |
/// | `spans`, `records` | spans in the parts, records of the log that are not in parts |
/// | `file` | path, bytes, CRC-32C in hexadecimal: of a part, of its directory (the manifest has the same, and it covers the rest); of every other file, of all of it |
/// | `checksum` | CRC-32C of all bytes before this line |
///
/// Its paths are never used to find a file: what belongs to a backup follows from its manifest.
struct BackupMarker: Equatable {
    static let version = 1

    struct File: Equatable {
        var path: String
        var byteCount: UInt64
        var checksum: UInt32
    }

    var madeAt: UInt64
    var receivedAt: UInt64
    var spanCount: UInt64
    var recordCount: UInt64
    var files: [File] = []

    func encode() -> [UInt8] {
        var text = """
            skein backup \(Self.version)
            made \(madeAt)
            received \(receivedAt)
            spans \(spanCount)
            records \(recordCount)

            """
        for file in files {
            text += "file \(file.path) \(file.byteCount) \(Self.hex(file.checksum))\n"
        }
        let bytes = Array(text.utf8)
        return bytes + Array("checksum \(Self.hex(CRC32C.checksum(bytes)))\n".utf8)
    }

    private static func hex(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    init(madeAt: UInt64, receivedAt: UInt64, spanCount: UInt64, recordCount: UInt64) {
        self.madeAt = madeAt
        self.receivedAt = receivedAt
        self.spanCount = spanCount
        self.recordCount = recordCount
    }

    /// - Throws: `CorruptBytes` saying what is wrong.
    init(parsing bytes: [UInt8]) throws(CorruptBytes) {
        // Places are those of bytes: what is no text has another length as a string.
        var runs = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard runs.count > 6, runs.popLast()?.isEmpty == true, let last = runs.popLast() else {
            throw CorruptBytes(what: "it is cut short")
        }
        let lines = runs.map { String(decoding: $0, as: UTF8.self) }
        guard lines[0] == "skein backup \(Self.version)" else {
            throw CorruptBytes(
                what: "it says \"\(lines[0].prefix(40))\", this program reads backups of format "
                    + "version \(Self.version)"
            )
        }
        let sum = Self.hex(CRC32C.checksum(bytes, 0..<last.startIndex))
        guard last.elementsEqual("checksum \(sum)".utf8) else {
            throw CorruptBytes(what: "its checksum does not match")
        }
        madeAt = try Self.number("made", lines[1])
        receivedAt = try Self.number("received", lines[2])
        spanCount = try Self.number("spans", lines[3])
        recordCount = try Self.number("records", lines[4])
        for line in lines[5...] {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, words[0] == "file", let byteCount = UInt64(words[2]),
                let checksum = UInt32(words[3], radix: 16)
            else { throw CorruptBytes(what: "the line \"\(line.prefix(80))\" is no file") }
            files.append(File(path: words[1], byteCount: byteCount, checksum: checksum))
        }
    }

    private static func number(_ word: String, _ line: String) throws(CorruptBytes) -> UInt64 {
        guard line.hasPrefix(word + " "), let number = UInt64(line.dropFirst(word.utf8.count + 1))
        else { throw CorruptBytes(what: "the line \"\(line.prefix(80))\" has no \(word)") }
        return number
    }
}
