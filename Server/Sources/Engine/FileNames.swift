// SPDX-License-Identifier: Apache-2.0

/// The names of everything in a store's directory.
///
/// ```
/// DIR/LOCK                            held by the one process that has the store open
/// DIR/RESERVE                         room on the disk, given back when there is no other
/// DIR/MANIFEST                        which parts live, how far the log is flushed
/// DIR/MANIFEST.new                    the next manifest being written; garbage after a crash
/// DIR/LINKS                           short links, the server's; DIR/LINKS.new while it is first made
/// DIR/log/0000000000000007.log        a log segment
/// DIR/log/0000000000000003.free       a flushed segment waiting to be overwritten
/// DIR/parts/0000000000000012.part     a part
/// DIR/parts/0000000000000013.new      empty: 13.part is being made, and is garbage after a crash
/// DIR/totals/0000000000000014.totals  minute totals kept of parts that retention removed
/// DIR/totals/0000000000000015.new     empty: 15.totals is being made, and is garbage after a crash
/// DIR/removed/0000000000000012.ids    which traces parts up to number 12 held that retention removed
/// DIR/removed/0000000000000012.new    the same being written; garbage after a crash
/// DIR/quarantine/                     files that failed a checksum, under their old names
/// ```
struct FileNames: Sendable {
    let directory: String
    /// Where the parts are looked for; `inQuarantine` looks elsewhere.
    private var partsFolder = "parts"

    init(directory: String) { self.directory = directory }

    /// The names that parts have once they are set aside.
    var inQuarantine: FileNames {
        var names = self
        names.partsFolder = "quarantine"
        return names
    }

    var lock: String { directory + "/LOCK" }
    var manifest: String { directory + "/MANIFEST" }
    var newManifest: String { directory + "/MANIFEST.new" }
    var log: String { directory + "/log" }
    var reserve: String { directory + "/RESERVE" }
    var parts: String { directory + "/" + partsFolder }
    var totals: String { directory + "/totals" }
    var removed: String { directory + "/removed" }
    var quarantine: String { directory + "/quarantine" }

    /// Stands in a backup, and says what is in it.
    static let backupMarker = "BACKUP"
    /// Stands in a directory while a backup is being restored into it.
    static let restoreMarker = "RESTORING"

    /// Files that the server keeps beside the store's, and under its lock. Nothing here reads them; a
    /// backup takes them along. They have checksums of their own and only grow, so that a copy made
    /// while one is written holds all that was acknowledged before.
    static let companions = ["LINKS"]

    /// Names that may stand in a directory that is not yet a store.
    static let known: Set<String> = [
        "LOCK", "MANIFEST", "MANIFEST.new", "RESERVE", "LINKS", "LINKS.new", "log", "parts",
        "totals", "removed", "quarantine", "lost+found",
    ]

    func segment(_ number: UInt64) -> String { log + "/" + Self.padded(number) + ".log" }
    func freeSegment(_ number: UInt64) -> String { log + "/" + Self.padded(number) + ".free" }
    func part(_ number: UInt64) -> String { parts + "/" + Self.padded(number) + ".part" }
    func totals(_ number: UInt64) -> String { totals + "/" + Self.padded(number) + ".totals" }
    /// The mark of a totals file that no manifest lists yet.
    func newTotals(_ number: UInt64) -> String { totals + "/" + Self.padded(number) + ".new" }
    func quarantinedTotals(_ number: UInt64) -> String {
        quarantine + "/" + Self.padded(number) + ".totals"
    }
    /// The mark of a part that no manifest lists yet.
    func newPart(_ number: UInt64) -> String { parts + "/" + Self.padded(number) + ".new" }

    func removed(_ number: UInt64) -> String { removed + "/" + Self.padded(number) + ".ids" }
    /// What becomes `removed(number)`.
    func newRemoved(_ number: UInt64) -> String { removed + "/" + Self.padded(number) + ".new" }
    func quarantinedRemoved(_ number: UInt64) -> String {
        quarantine + "/" + Self.padded(number) + ".ids"
    }

    /// Paths inside of the directory.
    static func relativePart(_ number: UInt64) -> String { "parts/" + padded(number) + ".part" }
    static func relativeRemoved(_ number: UInt64) -> String { "removed/" + padded(number) + ".ids" }
    static func relativeTotals(_ number: UInt64) -> String {
        "totals/" + padded(number) + ".totals"
    }

    /// The number in a name of the form made above, if it has this suffix.
    static func number(in name: String, suffix: String) -> UInt64? {
        guard name.hasSuffix(suffix) else { return nil }
        let digits = name.dropLast(suffix.count)
        guard digits.utf8.count == 16 else { return nil }
        return UInt64(digits)
    }

    private static func padded(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits
    }
}
