// SPDX-License-Identifier: Apache-2.0

/// The query language: its sentences as values. `TraceQL.parse` makes them, `description` writes them.
///
/// ```
/// {resource.service.name = "web"} >> {status = error} | count() > 2 order by trace:duration
/// └─────────────── Spanset ─────────────────────────┘   └─ Scalar ┘
/// └──────────────────── Pipeline of Stages ─────────────────────┘   └──── Order ────┘
/// ```
/// A value that came from `parse` is sound: types fit, patterns compile, sizes and depths are within
/// `QueryLimits`.
public enum TraceQL {
    /// One whole query.
    public struct Question: Sendable, Equatable {
        /// What is asked for.
        public var body: Body
        /// The order of the traces found; `nil` for the newest first.
        public var order: Order?
        /// What `with (…)` says.
        public var hints: [Hint]

        /// Makes a question.
        public init(_ body: Body, order: Order? = nil, hints: [Hint] = []) {
            self.body = body
            self.order = order
            self.hints = hints
        }
    }

    /// Traces, or numbers over time.
    public enum Body: Sendable, Equatable {
        case search(Pipeline)
        case metrics(Metrics)
    }

    /// The order of the traces found. Ties go to the smaller trace id.
    public struct Order: Sendable, Equatable {
        /// What traces are compared by.
        public enum Key: String, Sendable, CaseIterable {
            /// First start to last end.
            case duration = "trace:duration"
            /// The earliest start.
            case start = "trace:start"
            case spanCount = "span:count"
        }

        public var key: Key
        /// Smallest first.
        public var isAscending: Bool

        /// Orders by `key`, the greatest first unless said otherwise.
        public init(_ key: Key, isAscending: Bool = false) {
            self.key = key
            self.isAscending = isAscending
        }
    }

    /// One `name = value` of `with (…)`.
    public struct Hint: Sendable, Equatable {
        /// What can be said to whoever runs the query.
        public enum Name: String, Sendable, CaseIterable {
            /// Only the newest traces, in order: always so here.
            case mostRecent = "most_recent"
            /// Look at a part of the data: `true`, or which part, 0 to 1.
            case sample
            case spanSample = "span_sample"
            case traceSample = "trace_sample"
            /// How many traces to name beside the numbers: `true`, `false` or a count.
            case exemplars
        }

        public var name: Name
        public var value: Literal

        /// Says one thing.
        public init(_ name: Name, _ value: Literal) {
            self.name = name
            self.value = value
        }
    }
}
