// SPDX-License-Identifier: Apache-2.0

/// What a simulated run does.
public struct SimulationOptions: Sendable {
    /// Kinds of trouble.
    public enum Trouble: String, Sendable, CaseIterable {
        /// Crashes alone.
        case crashes
        /// Crashes, and calls that fail.
        case errors
        /// Crashes, and media that spoil what was synced.
        case media
    }

    /// What happens besides the workload; chosen by the seed where `nil`.
    public var trouble: Trouble?
    /// Crashes of a run, at least; those inside recovery count too.
    public var crashes = 12
    /// Steps between two crashes, at most.
    public var sessionSteps = 14
    /// Makes one crash only, in the change of this number, to go through all of them in order; such a
    /// run ends without a crash where it makes fewer changes.
    public var onlyCrashAt: Int?
    /// With `onlyCrashAt`: makes one more, in the change of this number of the recovery.
    public var recoveryCrashAt: Int?
    /// A bug to plant.
    public var bug: PlantedBug?
    /// Whether every call is kept as a line.
    public var isRecording = false

    /// The defaults.
    public init() {}
}

/// What a run came to.
public struct SimulationOutcome: Sendable {
    public var seed: UInt64
    /// What was wrong, with the step; `nil` where nothing was.
    public var violation: String?
    /// Steps done.
    public var steps = 0
    /// Crashes, those inside recovery included.
    public var crashes = 0
    /// Crashes inside recovery.
    public var recoveryCrashes = 0
    /// Answers compared with the ledger.
    public var checks = 0
    /// Spans that were acknowledged.
    public var acknowledgedSpans = 0
    /// Calls that were made to fail.
    public var failures = 0
    /// Places that the medium spoilt.
    public var damages = 0
    /// Starts refused with a reason, as a damaged manifest must be.
    public var refusals = 0
    /// Two runs of one seed have the same.
    public var digest: UInt64 = 0
    /// The calls, where recording was asked for.
    public var lines: [String] = []
}
