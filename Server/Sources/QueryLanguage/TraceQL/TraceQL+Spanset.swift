// SPDX-License-Identifier: Apache-2.0

extension TraceQL {
    /// Stages, each working on what the one before left of a trace: `{…} | by(…) | count() > 2`.
    public struct Pipeline: Sendable, Equatable {
        public var stages: [Stage]

        /// Makes a pipeline.
        public init(_ stages: [Stage]) { self.stages = stages }
    }

    /// One step of a pipeline.
    public enum Stage: Sendable, Equatable {
        /// Keeps spans.
        case spans(Spanset)
        /// Keeps the spansets for which a comparison of numbers holds.
        case filter(ScalarFilter)
        /// `by(…)`: one spanset for each value.
        case group(Field)
        /// `coalesce()`: one spanset again.
        case coalesce
        /// `select(…)`: what to tell of each span found.
        case select([Operand])
    }

    /// Spans of a trace that stand together.
    public indirect enum Spanset: Sendable, Equatable {
        /// `{ }` for every span, else `{ … }`.
        case filter(Field?)
        /// Both sides have spans: all of them.
        case and(Spanset, Spanset)
        /// All spans of both sides.
        case or(Spanset, Spanset)
        /// Spans of the right side that stand in `relation` to the left.
        case related(Relation, Form, Spanset, Spanset)
        /// Spans of the left side after which none of the right side came, for so many nanoseconds;
        /// without a number, where the trace has none of the right side at all.
        case without(Spanset, Spanset, within: UInt64?)
        /// `( {…} | … )`
        case pipeline(Pipeline)
    }

    /// How a span of the right side stands to one of the left.
    public enum Relation: String, Sendable, CaseIterable {
        case child = ">"
        case parent = "<"
        case descendant = ">>"
        case ancestor = "<<"
        case sibling = "~"
    }

    /// Which spans a relation gives; the raw value is written before it.
    public enum Form: String, Sendable, CaseIterable {
        /// Those of the right side that stand so to some span of the left.
        case plain = ""
        /// Those of the right side that stand so to no span of the left.
        case negated = "!"
        /// Those of both sides that stand so to one another.
        case union = "&"
    }

    /// A number about one spanset.
    public indirect enum Scalar: Sendable, Equatable {
        case literal(Literal)
        case aggregate(Aggregate, Field?)
        /// `-x`
        case negation(Scalar)
        case arithmetic(Arithmetic, Scalar, Scalar)
    }

    /// How the numbers of many spans become one.
    public enum Aggregate: String, Sendable, CaseIterable {
        case count, avg, min, max, sum
    }

    /// Two numbers of a spanset compared.
    public struct ScalarFilter: Sendable, Equatable {
        public var comparison: Comparison
        public var left: Scalar
        public var right: Scalar

        /// Compares `left` with `right`.
        public init(_ comparison: Comparison, _ left: Scalar, _ right: Scalar) {
            self.comparison = comparison
            self.left = left
            self.right = right
        }
    }
}
