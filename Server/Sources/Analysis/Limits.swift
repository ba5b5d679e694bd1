// SPDX-License-Identifier: Apache-2.0

/// Bounds of what an analysis tells: a trace may have a million spans, and all of them different.
public enum AnalysisLimits {
    /// Equal siblings from which on a run of them is told as one: the eye counts four.
    public static let rollupCount = 5
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
    /// Characters of a message that are read for what it has in common with others: what follows is
    /// a dump as a rule.
    public static let templatedLength = 1_024
    /// Characters of that which are kept: two lines of a page.
    public static let templateLength = 200
    /// Characters between quotes; a quote that closes later is none.
    static let quotedLength = 512
    /// Call paths kept while call trees are told apart, about 50 bytes each; a call with further ones
    /// has no tree.
    public static let shapedPathCount = 100_000
    /// Lines of one call tree told: those nearest to its root come first.
    public static let shapeLineCount = 200
    /// Lines told that the most frequent tree has and another has not.
    public static let missingLineCount = 20
}
