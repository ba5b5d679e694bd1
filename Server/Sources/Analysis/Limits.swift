// SPDX-License-Identifier: Apache-2.0

/// Bounds of what an analysis tells: a trace may have a million spans, and all of them different.
public enum AnalysisLimits {
    /// Equal siblings from which on a run of them is told as one: the eye counts four.
    public static let rollupCount = 5
    /// Siblings that are alike, from which on an outline tells them together: fewer lines would not be
    /// saved than the eye takes in.
    public static let outlineAlikeCount = 6
    /// Siblings alike that an outline shows before the others are told together: enough to see what
    /// they have in common.
    public static let outlineShownCount = 3
    /// Findings of one diagnosis: more than three are not read.
    public static let findingCount = 3
    /// Call paths of one trace told by themselves; the rest is one line.
    public static let pathCount = 2_000
    /// Call paths kept while traces are compared, about 200 bytes each; beyond it spans count as
    /// others.
    public static let comparedPathCount = 100_000
    /// Spans of a path and side whose attributes are looked at: more rarely say more.
    public static let sampledSpanCount = 10
    /// Paths whose attributes are looked at while traces are compared: about 10 MB at 1 kB a span.
    public static let sampledPathCount = 500
    /// Differing attributes told of one path, and of all.
    public static let differenceCount = (path: 10, all: 200)
    /// Values told of one attribute and side.
    public static let differingValueCount = 3
    /// Nodes of a map from which on it is told in groups too: more do not fit a screen.
    public static let ungroupedNodeCount = 300
    /// Sweeps that order the layers of a map: later ones move next to nothing.
    public static let layoutSweepCount = 8
}
