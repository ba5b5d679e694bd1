// SPDX-License-Identifier: Apache-2.0

public import SkeinModel

extension TraceQL {
    /// A query for traces with everything that stands beside its text.
    public struct Search: Sendable, Equatable {
        public var question: Question
        /// When a span that the query finds starts.
        public var time: TraceQuery.TimeSpan
        /// Traces in the answer, at most.
        public var limit: Int
        /// Where the page before ended.
        public var cursor: Cursor?
        /// Spans told of each spanset, at most.
        public var toldSpanLimit: Int

        /// Asks for the traces of the last hour.
        public init(
            _ question: Question,
            time: TraceQuery.TimeSpan = .last(3_600_000_000_000),
            limit: Int = 20,
            cursor: Cursor? = nil,
            toldSpanLimit: Int = 3
        ) {
            self.question = question
            self.time = time
            self.limit = limit
            self.cursor = cursor
            self.toldSpanLimit = toldSpanLimit
        }

        /// The order of the answer.
        public var order: Order { question.order ?? Order(.start) }

        /// This search, once everything about it is sound.
        ///
        /// - Throws: what is out of bounds and what the bounds are.
        public func validated() throws(QueryError) -> Search {
            _ = try TraceQuery(time: time, limit: limit).validated()
            guard QueryLimits.toldSpanCount.contains(toldSpanLimit) else {
                throw QueryError(
                    text: "\(toldSpanLimit)",
                    problem: "the number of spans told is out of bounds",
                    hint: "ask for \(QueryLimits.toldSpanCount.lowerBound) to "
                        + "\(QueryLimits.toldSpanCount.upperBound)"
                )
            }
            if let cursor, cursor.order != order {
                throw QueryError(
                    parameter: "cursor",
                    text: cursor.text,
                    problem: "the cursor belongs to an answer in another order",
                    hint: "leave the cursor out, or ask the query it came from again"
                )
            }
            return self
        }
    }

    /// The last trace of a page: pages go on after it.
    public struct Cursor: Sendable, Equatable {
        /// The order it is a place in.
        public var order: Order
        /// Nanoseconds or spans, whatever traces are compared by.
        public var value: UInt64
        public var traceID: TraceID

        /// Names a place in an order.
        public init(order: Order, value: UInt64, traceID: TraceID) {
            self.order = order
            self.value = value
            self.traceID = traceID
        }

        /// The text a client hands back: `newest-<16 hex digits>-<32 hex digits>`.
        public var text: String { "\(order.word)-\(Hex.text(value))-\(traceID.hex)" }

        /// Parses what `text` wrote.
        ///
        /// - Throws: when it is no such text.
        public init(text: String) throws(QueryError) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 3, let order = Order(word: parts[0]),
                parts[1].utf8.count == 16, let value = SpanID(hex: parts[1])?.raw,
                parts[2].utf8.count == 32, let traceID = TraceID(hex: parts[2])
            else {
                throw QueryError(
                    parameter: "cursor",
                    text: text,
                    problem: "this is no cursor",
                    hint: "give the \"cursor\" of the previous page unchanged, or none"
                )
            }
            self.init(order: order, value: value, traceID: traceID)
        }
    }
}

extension TraceQL.Order {
    /// One word for it, as answers tell it.
    public var word: String {
        switch (key, isAscending) {
        case (.start, false): "newest"
        case (.start, true): "oldest"
        case (.duration, false): "slowest"
        case (.duration, true): "fastest"
        case (.spanCount, false): "largest"
        case (.spanCount, true): "smallest"
        }
    }

    /// Parses the word.
    public init?(word: some StringProtocol) {
        let orders = Key.allCases.flatMap { [Self($0), Self($0, isAscending: true)] }
        guard let order = orders.first(where: { $0.word == word }) else { return nil }
        self = order
    }
}
