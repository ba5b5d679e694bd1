// SPDX-License-Identifier: Apache-2.0

/// Mistakes that storage engines make, planted between the engine and the disk to show that a
/// simulation finds them.
public enum PlantedBug: String, Sendable, CaseIterable {
    /// A batch is acknowledged when the next one is written.
    case acknowledgeEarly
    /// The log is synced one sync late.
    case logSyncLate
    /// The log is never synced.
    case logNotSynced
    /// A new segment's name is not synced.
    case logDirectoryNotSynced
    /// A failed write or preallocation of the log is taken for success.
    case logErrorIgnored
    /// Only the first half of a log write is made.
    case logWriteShort
    /// A failed sync is tried again, and the second answer believed.
    case syncTriedAgain
    /// A part is not synced before the manifest names it.
    case partNotSynced
    /// A part's new name is not synced before the manifest names it.
    case partDirectoryNotSynced
    /// A totals file's new name is not synced before the manifest names it instead of its part.
    case totalsDirectoryNotSynced
    /// The manifest is not synced before it is renamed.
    case manifestNotSynced
    /// The manifest's new name is not synced.
    case manifestDirectoryNotSynced
    /// The manifest is overwritten where it stands.
    case manifestInPlace
    /// Segments are given up before the manifest that makes them needless is there.
    case segmentRecycledEarly
    /// Reading a segment gives what was there before the last sync.
    case logReadStale
    /// Replay ends at the first damaged record.
    case replayStopsAtDamage
    /// Replay takes every record twice.
    case replayTwice
    /// A part that is damaged is left out of answers without a word.
    case damageHidden
    /// Expired parts stay in the manifest, and their files on the disk.
    case expiredPartKept

    /// What has to happen for it to show.
    public var trouble: SimulationOptions.Trouble {
        switch self {
        case .syncTriedAgain, .logErrorIgnored: .errors
        case .replayStopsAtDamage, .damageHidden: .media
        default: .crashes
        }
    }

    /// Runs within which it must be found; at least four times what was seen.
    public var seedLimit: UInt64 { 200 }
}
