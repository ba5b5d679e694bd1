// SPDX-License-Identifier: Apache-2.0

#if GRDB
public import GRDB
internal import SkeinModel
internal import SkeinPropagation
internal import Tracing

// Statements of GRDB as spans of a client, named and described as in OpenTelemetry's conventions for
// databases.
extension SkeinTracer {
    /// A function for GRDB's `read`, `write` and their like that puts each statement of `body` into a
    /// span, below the span that is current here and now: GRDB runs it on a thread of its own.
    ///
    /// ```swift
    /// let players = try await queue.read(tracer.tracingStatements { db in try Player.fetchAll(db) })
    /// ```
    /// What GRDB itself does around `body`, such as the commit after a `write`, is not part of it; to see
    /// that, use `writeWithoutTransaction` and `db.inTransaction`. While `body` runs, this takes the place
    /// of `Database.trace`.
    ///
    /// - Parameters:
    ///   - includesArguments: Whether the text of statements holds the values that were given to them,
    ///     which may be anybody's data.
    ///   - body: Uses the database.
    public func tracingStatements<Result>(
        includingArguments includesArguments: Bool = false,
        _ body: @escaping @Sendable (Database) throws -> Result
    ) -> @Sendable (Database) throws -> Result {
        let trace = CapturedTrace()
        return { [self] database in
            try trace.run {
                try tracingStatements(on: database, includingArguments: includesArguments) {
                    try body(database)
                }
            }
        }
    }

    /// Puts each statement of `body` into a span below the current one.
    ///
    /// An error that `body` throws is recorded with the statement it comes from; one that `body` catches
    /// itself is not seen.
    ///
    /// - Parameters:
    ///   - database: The connection; this is called where it may be used.
    ///   - includesArguments: See the other form.
    ///   - body: Uses the database.
    public func tracingStatements<Result>(
        on database: Database,
        includingArguments includesArguments: Bool = false,
        _ body: () throws -> Result
    ) rethrows -> Result {
        let statements = OpenStatements(self, showsArguments: includesArguments)
        database.trace(options: [.statement, .profile]) { statements.note($0) }
        defer {
            database.trace(options: [])
            statements.endAll()
        }
        do {
            return try body()
        } catch {
            if let error = error as? DatabaseError { statements.note(error) }
            throw error
        }
    }
}

/// The statements of one connection that run, and the last one that ran: whether that failed is known
/// only later.
///
/// Used by the one thread that may use the connection.
private final class OpenStatements {
    private struct Statement {
        var text: String
        let span: SkeinSpan
    }

    private let tracer: SkeinTracer
    private let showsArguments: Bool
    private var open: [Statement] = []
    private var last: (statement: Statement, end: DefaultTracerClock.Timestamp)?

    init(_ tracer: SkeinTracer, showsArguments: Bool) {
        self.tracer = tracer
        self.showsArguments = showsArguments
    }

    func note(_ event: Database.TraceEvent) {
        switch event {
        case .statement(let statement): begin(statement.sql) { statement.expandedSQL }
        case .profile(let statement, _): end(statement.sql)
        }
    }

    /// A text that is a comment is no statement: SQLite tells by it that a trigger begins.
    private func begin(_ text: String, expanded: () -> String) {
        guard !text.hasPrefix("--"), open.count < Limits.openStatementCount else { return }
        endLast()
        open.append(make(text, expanded))
    }

    private func make(_ text: String, _ expanded: () -> String) -> Statement {
        let operation = Self.operation(text)
        let span = tracer.startSpan(operation, ofKind: .client)
        if span.isRecording {
            let shown = showsArguments ? expanded() : text
            let all: SpanAttributes = [
                "db.system.name": "sqlite",
                "db.operation.name": .string(operation),
                "db.query.text": .string(Self.beginning(shown)),
            ]
            span.updateAttributes { $0.merge(all) }
        }
        return Statement(text: text, span: span)
    }

    private func end(_ text: String) {
        guard let index = open.lastIndex(where: { $0.text == text }) else { return }
        endLast()
        last = (open.remove(at: index), DefaultTracerClock.now)
    }

    private func endLast() {
        if let last { last.statement.span.end(at: last.end) }
        last = nil
    }

    /// Those too that were not run to their end, by a cursor that somebody still holds.
    func endAll() {
        endLast()
        for statement in open { statement.span.end() }
        open = []
    }

    /// Records an error with the statement it comes from; one that could not even be prepared is a span
    /// of no duration.
    func note(_ error: DatabaseError) {
        guard let text = error.sql else { return }
        let span: SkeinSpan
        if let last, last.statement.text == text {
            span = last.statement.span
        } else if let running = open.last(where: { $0.text == text }) {
            span = running.span
        } else {
            let statement = make(text) { text }
            span = statement.span
            endLast()
            last = (statement, DefaultTracerClock.now)
        }
        guard span.isRecording else { return }
        let code = "\(error.extendedResultCode.rawValue)"
        span.fail(error)
        span.attributes.set("error.type", value: .string(code))
        span.attributes.set("db.response.status_code", value: .string(code))
    }

    /// The first word.
    private static func operation(_ text: String) -> String {
        let word = text.utf8.prefix {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
        }
        return word.isEmpty ? "statement" : (String(word) ?? "").uppercased()
    }

    /// At most so many bytes, a whole number of characters.
    private static func beginning(_ text: String) -> String {
        guard text.utf8.count > Limits.statementByteCount else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: Limits.statementByteCount)
        while String(text.utf8[..<end]) == nil, end > text.startIndex {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }
}
#endif
