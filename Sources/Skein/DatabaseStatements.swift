// SPDX-License-Identifier: Apache-2.0

#if GRDB
public import GRDB
internal import SkeinModel
internal import SkeinPropagation
internal import Synchronization
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
    /// itself is not seen. Inside of another one's body, on the same connection, this goes on where that
    /// is: its statements are this tracer's while `body` runs, and afterwards again the other one's.
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
        let source = OpenStatements.Source(tracer: self, showsArguments: includesArguments)
        let connection = ObjectIdentifier(database)
        let joined = OpenStatements.ofConnections.withLock { $0[connection] }
        let statements = joined ?? OpenStatements(source)
        let outer = statements.exchangeSource(source)
        if joined == nil {
            OpenStatements.ofConnections.withLock { $0[connection] = statements }
            database.trace(options: [.statement, .profile]) { statements.note($0) }
        }
        defer {
            if joined == nil {
                database.trace(options: [])
                OpenStatements.ofConnections.withLock { $0[connection] = nil }
                statements.endAll()
            } else {
                statements.exchangeSource(outer)
            }
        }
        do {
            return try body()
        } catch {
            if let error = error as? DatabaseError { statements.note(error) }
            throw error
        }
    }
}

/// The statements of one connection that run, and those that ran whose error is still to come: whether
/// one failed is known only later.
///
/// Used by the one thread that may use the connection, so nobody ever waits for its lock.
private final class OpenStatements: Sendable {
    /// By connection, while it is traced: a body within a body finds the outer one's here.
    static let ofConnections = Mutex<[ObjectIdentifier: OpenStatements]>([:])

    /// Who records statements that begin now, and how.
    struct Source {
        var tracer: SkeinTracer
        /// Whether the text of a statement holds the values that were given to it.
        var showsArguments: Bool
    }

    private let state: Mutex<State>

    init(_ source: Source) { state = Mutex(State(source: source)) }

    /// Says who records statements from now on, and returns who did until now.
    @discardableResult
    func exchangeSource(_ source: Source) -> Source {
        state.withLock { state in
            defer { state.source = source }
            return state.source
        }
    }

    func note(_ event: Database.TraceEvent) {
        state.withLock { state in
            switch event {
            case .statement(let statement):
                state.begin(statement.sql) { statement.expandedSQL }
            case .profile(let statement, _): state.end(statement.sql)
            }
        }
    }

    /// Records an error with the statement it comes from, once, however many bodies it leaves.
    func note(_ error: DatabaseError) { state.withLock { $0.note(error) } }

    /// Those too that were not run to their end, by a cursor that somebody still holds.
    func endAll() { state.withLock { $0.endAll() } }
}

extension OpenStatements {
    fileprivate struct Statement {
        let text: String
        let span: SkeinSpan
        /// When it ended, though its span has not.
        var end: DefaultTracerClock.Timestamp?
        private var hasFailed = false

        init(_ text: String, _ span: SkeinSpan) {
            self.text = text
            self.span = span
        }

        mutating func fail(_ error: DatabaseError) {
            guard !hasFailed else { return }
            hasFailed = true
            span.fail(error)
            guard span.isRecording else { return }
            let code = "\(error.extendedResultCode.rawValue)"
            span.attributes.set("error.type", value: .string(code))
            span.attributes.set("db.response.status_code", value: .string(code))
        }
    }

    fileprivate struct State {
        var source: Source
        private var open: [Statement] = []
        /// Those that ran, whose error may still come: the last one, and what undid it.
        private var ran: [Statement] = []

        init(source: Source) { self.source = source }

        /// A text that is a comment is no statement: SQLite tells by it that a trigger begins.
        mutating func begin(_ text: String, expanded: () -> String) {
            guard !text.hasPrefix("--"), open.count < Limits.openStatementCount else { return }
            let operation = OpenStatements.operation(text)
            // GRDB undoes a transaction before the error leaves it that made it do so.
            let undoes = operation == "ROLLBACK" || operation == "RELEASE"
            if !undoes || ran.count >= Limits.openStatementCount { endRan() }
            open.append(make(text, operation, expanded))
        }

        private func make(_ text: String, _ operation: String, _ expanded: () -> String)
            -> Statement
        {
            let span = source.tracer.startSpan(operation, ofKind: .client)
            if span.isRecording {
                let shown = source.showsArguments ? expanded() : text
                let all: SpanAttributes = [
                    "db.system.name": "sqlite",
                    "db.operation.name": .string(operation),
                    "db.query.text": .string(OpenStatements.beginning(shown)),
                ]
                span.updateAttributes { $0.merge(all) }
            }
            return Statement(text, span)
        }

        mutating func end(_ text: String) {
            guard let index = open.lastIndex(where: { $0.text == text }) else { return }
            var statement = open.remove(at: index)
            statement.end = DefaultTracerClock.now
            ran.append(statement)
        }

        private mutating func endRan() {
            for statement in ran { statement.span.end(at: statement.end ?? DefaultTracerClock.now) }
            ran = []
        }

        mutating func endAll() {
            endRan()
            for statement in open { statement.span.end() }
            open = []
        }

        /// One that could not even be prepared is a span of no duration.
        mutating func note(_ error: DatabaseError) {
            guard let text = error.sql else { return }
            if let index = ran.lastIndex(where: { $0.text == text }) {
                ran[index].fail(error)
            } else if let index = open.lastIndex(where: { $0.text == text }) {
                open[index].fail(error)
            } else {
                endRan()
                var statement = make(text, OpenStatements.operation(text)) { text }
                statement.end = DefaultTracerClock.now
                statement.fail(error)
                ran.append(statement)
            }
        }
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
