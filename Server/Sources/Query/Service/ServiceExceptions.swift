// SPDX-License-Identifier: Apache-2.0

public import Analysis
import QueryLanguage
public import SkeinModel
import Store

/// Exceptions of one operation that are of one type and whose messages have one template.
public struct ExceptionGroup: Sendable, Equatable {
    /// One of them, to look at.
    public struct Example: Sendable, Equatable {
        public var traceID: TraceID
        public var spanID: SpanID
        /// When its span starts, nanoseconds since 1970.
        public var start: UInt64
        /// What came, or the beginning of it.
        public var message: String
        /// The same; `nil` where none came.
        public var stackTrace: String?
    }

    /// `exception.type`; `nil` where none came.
    public var type: String?
    /// What the messages have in common.
    public var message: MessageTemplate
    public var operation: String
    /// Whether they are events; else spans that failed without one, by the text of their status.
    public var isEvent: Bool
    public var count: UInt64
    public var traceCount: UInt64
    /// When the first and the last span with one start, nanoseconds since 1970.
    public var first: UInt64
    public var last: UInt64
    /// By step of the range.
    public var steps: [UInt64]
    /// The newest.
    public var example: Example
    /// TraceQL that finds their spans, and hardly any others.
    public var query: String
}

/// The exceptions of a service.
public struct ServiceExceptions: Sendable {
    public var facts: ServiceAnswerFacts
    /// Nanoseconds of one step of `ExceptionGroup.steps`, which begin where the range does.
    public var step: UInt64
    /// All exceptions, those of groups that are not told among them.
    public var exceptionCount: UInt64
    /// Groups there are, of those that were counted.
    public var groupCount: Int
    /// The most frequent first; of as many, the one seen last.
    public var groups: [ExceptionGroup]
}

extension QueryEngine {
    /// Exceptions by type, message and operation.
    public func exceptions(_ question: ServiceQuestion) async throws -> ServiceExceptions {
        let range = range(question.time)
        let failed: SpanPredicate = .or([.eventName(.exactly("exception")), .status(.error)])
        let plan = WalkPlan(
            tenant: tenant,
            range: range,
            span: .and([question.predicate, failed]),
            fields: SpanFields(
                [.events, .statusMessage],
                attributeKeys: Set(ExceptionKeys.all)
            )
        )
        var (counter, facts) = try await count(ExceptionCounter(question, range), plan)
        if counter.uncountedCount > 0 {
            facts.add(
                "there are more than \(RunLimits.exceptionGroupCount) different exceptions; "
                    + "\(counter.uncountedCount) further ones are in no group"
            )
        }
        let all = counter.cells.sorted { $0.precedes($1) }
        return ServiceExceptions(
            facts: facts,
            step: counter.step,
            exceptionCount: all.reduce(counter.uncountedCount) { $0 + $1.count },
            groupCount: all.count,
            groups: all.prefix(question.limit).map { $0.told(question) }
        )
    }
}

private enum ExceptionKeys {
    static let type = "exception.type"
    static let message = "exception.message"
    static let stackTrace = "exception.stacktrace"
    static let all = [type, message, stackTrace]
}

/// What exceptions of one group have in common.
private struct ExceptionKey: Hashable, Sendable {
    var isEvent: Bool
    var type: String?
    var message: MessageTemplate
    var operation: String

    /// What the answer is sorted by, last of all.
    var order: (String, String, String, Int) {
        (operation, type ?? "", message.text, (isEvent ? 2 : 0) + (message.isCut ? 1 : 0))
    }

    var conditions: [String] {
        func literal(_ text: String) -> TraceQL.Literal { .string(text) }
        var conditions = ["name = \(literal(operation))"]
        let pattern = literal(message.pattern)
        if isEvent {
            conditions.append("event:name = \(literal("exception"))")
            if let type { conditions.append("event.\(ExceptionKeys.type) = \(literal(type))") }
            if !message.text.isEmpty {
                conditions.append("event.\(ExceptionKeys.message) =~ \(pattern)")
            }
        } else {
            conditions.append("status = error")
            conditions.append("!(event:name = \(literal("exception")))")
            conditions.append("statusMessage =~ \(pattern)")
        }
        return conditions
    }
}

/// Exceptions of one group.
private struct ExceptionCell: Sendable {
    let key: ExceptionKey
    var count: UInt64 = 0
    var traceCount: UInt64 = 0
    var first = UInt64.max
    var last: UInt64 = 0
    var steps = Array(repeating: UInt64(0), count: RunLimits.exceptionStepCount)
    var example: ExceptionGroup.Example?
    private var lastTrace: TraceID?

    init(_ key: ExceptionKey) { self.key = key }

    /// Counts one.
    ///
    /// - Returns: Whether it is to be the example: the newest, so that the order of reading does not
    ///   tell.
    mutating func add(_ traceID: TraceID, _ spanID: SpanID, start: UInt64, step: Int) -> Bool {
        count += 1
        if lastTrace != traceID { traceCount += 1 }
        lastTrace = traceID
        first = min(first, start)
        last = max(last, start)
        steps[step] += 1
        guard let example else { return true }
        if example.start != start { return start > example.start }
        return (traceID, spanID.raw) < (example.traceID, example.spanID.raw)
    }

    func precedes(_ other: ExceptionCell) -> Bool {
        if count != other.count { return count > other.count }
        return last == other.last ? key.order < other.key.order : last > other.last
    }

    func told(_ question: ServiceQuestion) -> ExceptionGroup {
        // A cell is made for its first exception, which is its example until there is a newer one.
        guard let example else { preconditionFailure("a group without exceptions") }
        var question = question
        question.operation = nil
        return ExceptionGroup(
            type: key.type,
            message: key.message,
            operation: key.operation,
            isEvent: key.isEvent,
            count: count,
            traceCount: traceCount,
            first: first,
            last: last,
            steps: steps,
            example: example,
            query: question.text(key.conditions)
        )
    }
}

private struct ExceptionCounter: SpanCounting {
    let question: ServiceQuestion
    let range: Range<UInt64>
    let step: UInt64
    var cells: [ExceptionCell] = []
    var uncountedCount: UInt64 = 0
    private var numbers: [ExceptionKey: Int] = [:]

    init(_ question: ServiceQuestion, _ range: Range<UInt64>) {
        self.question = question
        self.range = range
        let length = range.upperBound - range.lowerBound
        // Rounded up, so that the last moment is in the last step.
        step = length / UInt64(RunLimits.exceptionStepCount) + 1
    }

    mutating func add(_ spans: TraceSpans, _ rows: Range<Int>) {
        let exception = spans.columns.strings.find("exception")
        for row in question.matching(rows, of: spans, in: range) {
            var hasEvent = false
            for event in spans.columns.spanEvents[row].rows
            where spans.columns.events.name[event] == exception {
                hasEvent = true
                count(event, of: row, spans)
            }
            if !hasEvent, spans.columns.status[row] == StatusCode.error.rawValue {
                count(nil, of: row, spans)
            }
        }
    }

    /// - Parameter event: `nil` for a span that failed without one.
    private mutating func count(_ event: Int?, of row: Int, _ spans: TraceSpans) {
        let parts = Parts(event, of: row, spans)
        let operation = spans.columns.strings.text(spans.columns.name[row])
        let key = ExceptionKey(
            isEvent: event != nil,
            type: parts.type,
            message: MessageTemplate(parts.message),
            operation: operation.cut(to: RunLimits.exceptionNameByteCount)
        )
        var number = numbers[key]
        if number == nil, cells.count < RunLimits.exceptionGroupCount {
            number = cells.count
            numbers[key] = cells.count
            cells.append(ExceptionCell(key))
        }
        guard let number else {
            uncountedCount += 1
            return
        }
        let start = spans.columns.start[row]
        let traceID = TraceID(
            high: spans.columns.traceHigh[row],
            low: spans.columns.traceLow[row]
        )
        let spanID = SpanID(spans.columns.spanID[row])
        let place = Int(clamping: (start - range.lowerBound) / step)
        guard cells[number].add(traceID, spanID, start: start, step: place) else { return }
        cells[number].example = ExceptionGroup.Example(
            traceID: traceID,
            spanID: spanID,
            start: start,
            message: parts.message.cut(to: RunLimits.exceptionTextByteCount.message),
            stackTrace: parts.stackTrace?.cut(to: RunLimits.exceptionTextByteCount.stack)
        )
    }

    /// What an exception says.
    private struct Parts {
        var type: String?
        var message = ""
        var stackTrace: String?

        init(_ event: Int?, of row: Int, _ spans: TraceSpans) {
            guard let event else {
                message = spans.columns.strings.text(spans.columns.statusMessage[row])
                return
            }
            func text(_ key: String) -> String? {
                guard let id = spans.columns.strings.find(key),
                    let row = spans.columns.events.attributes[event].rows
                        .first(where: { spans.columns.attributes.key[$0] == id }),
                    case .string(let text) = spans.columns.attributes[row]
                else { return nil }
                return text
            }
            type = text(ExceptionKeys.type)?.cut(to: RunLimits.exceptionNameByteCount)
            message = text(ExceptionKeys.message) ?? ""
            stackTrace = text(ExceptionKeys.stackTrace)
        }
    }
}

extension String {
    /// The text, or of a long one the beginning.
    fileprivate func cut(to byteCount: Int) -> String {
        guard utf8.count > byteCount else { return self }
        return String(decoding: utf8.prefix(byteCount), as: UTF8.self) + "…"
    }
}
