// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Skein
import SkeinSampling
import SkeinTesting
import Testing
import Tracing

/// A folder of a test's own, which goes away with it.
private final class Folder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("skein-database-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

@Suite struct DatabaseStatementTests {
    private let folder: Folder
    let pool: DatabasePool
    let spans = SpanCollector()
    let tracer: SkeinTracer

    init() throws {
        folder = try Folder()
        tracer = spans.makeTracer()
        pool = try DatabasePool(path: folder.url.appendingPathComponent("shop.sqlite").path)
        try pool.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, count INTEGER);
                    INSERT INTO item (name, count) VALUES ('apple', 3), ('pear', 5);
                    """
            )
        }
    }

    private func texts(_ spans: [SpanRecord]) -> [String] {
        spans.compactMap { span in
            guard case .string(let text) = span.attributes.get("db.query.text") else { return nil }
            return text
        }
    }

    @Test func `statements are spans of a client below the one around the access`() async throws {
        let names = try await tracer.withSpan("order") { _ in
            try await pool.read(
                tracer.tracingStatements { db in
                    try String.fetchAll(
                        db,
                        sql: "SELECT name FROM item WHERE count > ? ORDER BY name",
                        arguments: [1]
                    )
                }
            )
        }
        #expect(names == ["apple", "pear"])
        let order = try #require(spans.first(named: "order"))
        let select = try #require(spans.first(named: "SELECT"))
        #expect(spans.spans.count == 2)
        #expect(select.parentSpanID == order.spanID)
        #expect(select.kind == .client)
        #expect(select.attributes.get("db.system.name") == "sqlite")
        #expect(select.attributes.get("db.operation.name") == "SELECT")
        #expect(
            select.attributes.get("db.query.text")
                == "SELECT name FROM item WHERE count > ? ORDER BY name"
        )
        #expect(select.status == nil)
        #expect(select.start >= order.start && select.end <= order.end)
    }

    @Test func `each statement of a transaction is one span`() throws {
        try tracer.span("order") { _ in
            try pool.writeWithoutTransaction { db in
                try tracer.tracingStatements(on: db) {
                    try db.inTransaction {
                        try db.execute(sql: "  update item set count = count - 1")
                        try db.execute(sql: "DELETE FROM item WHERE count < ?", arguments: [3])
                        return .commit
                    }
                }
            }
        }
        let names = spans.spans.map(\.name)
        #expect(names.first?.hasPrefix("BEGIN") == true)
        #expect(names.contains("UPDATE") && names.contains("DELETE"))
        #expect(names.dropLast().last == "COMMIT")
        let order = try #require(spans.first(named: "order"))
        #expect(spans.children(of: order).count == names.count - 1)
    }

    @Test(arguments: [true, false])
    func `arguments are shown where somebody asked for them`(areShown: Bool) async throws {
        try await pool.write(
            tracer.tracingStatements(includingArguments: areShown) { db in
                try db.execute(
                    sql: "UPDATE item SET count = ? WHERE name = ?",
                    arguments: [7, "secret"]
                )
            }
        )
        let text = try #require(texts(spans.spans(named: "UPDATE")).first)
        #expect(text.contains("secret") == areShown)
        #expect(text.contains("?") == !areShown)
    }

    @Test func `an error is recorded with its statement and thrown on`() async throws {
        let error = await #expect(throws: DatabaseError.self) {
            try await pool.write(
                tracer.tracingStatements { db in
                    try db.execute(sql: "UPDATE item SET count = 1")
                    try db.execute(
                        sql: "INSERT INTO item (name) VALUES (?)",
                        arguments: ["apple"]
                    )
                }
            )
        }
        #expect(error?.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE)
        let update = try #require(spans.first(named: "UPDATE"))
        #expect(update.status == nil)
        let insert = try #require(spans.first(named: "INSERT"))
        #expect(insert.status?.code == .error)
        #expect(insert.attributes.get("db.response.status_code") == "2067")
        #expect(insert.attributes.get("error.type") == "2067")
        let event = try #require(insert.events.first)
        #expect(event.name == "exception")
        guard case .string(let text) = event.attributes.get("exception.message") else {
            Issue.record("no message")
            return
        }
        #expect(text.contains("UNIQUE"))
        #expect(!text.contains("apple"))
    }

    @Test(arguments: ["SELEKT 1", "SELECT * FROM nothing"])
    func `a statement that cannot be prepared is a span too`(sql: String) throws {
        #expect(throws: DatabaseError.self) {
            try pool.read { db in
                try tracer.tracingStatements(on: db) { try Row.fetchAll(db, sql: sql) }
            }
        }
        let failed = spans.spans.filter { $0.status?.code == .error }
        #expect(texts(failed) == [sql])
    }

    @Test func `an error that is none of the database's is not its statements'`() throws {
        struct Broken: Error {}
        #expect(throws: Broken.self) {
            try pool.read { db in
                try tracer.tracingStatements(on: db) {
                    _ = try Int.fetchOne(db, sql: "SELECT 1")
                    throw Broken()
                }
            }
        }
        #expect(spans.spans.map(\.name) == ["SELECT"])
        #expect(spans.spans[0].status == nil)
    }

    @Test func `statements within one that is not read to its end have spans of their own`() throws
    {
        try pool.read { db in
            try tracer.tracingStatements(on: db) {
                let cursor = try Int.fetchCursor(db, sql: "SELECT id FROM item")
                while let id = try cursor.next() {
                    _ = try String.fetchOne(
                        db,
                        sql: "SELECT name FROM item WHERE id = ?",
                        arguments: [id]
                    )
                }
                _ = try Int.fetchCursor(db, sql: "SELECT count FROM item").next()
            }
        }
        #expect(
            texts(spans.spans).sorted() == [
                "SELECT count FROM item", "SELECT id FROM item",
                "SELECT name FROM item WHERE id = ?", "SELECT name FROM item WHERE id = ?",
            ]
        )
        #expect(tracer.counters.abandonedCount == 0)
        let outer = try #require(
            spans.spans.first { $0.attributes.get("db.query.text") == "SELECT id FROM item" }
        )
        for inner in spans.spans where texts([inner])[0].contains("WHERE") {
            #expect(inner.start >= outer.start && inner.end <= outer.end)
        }
    }

    @Test func `what a trigger does belongs to the statement that set it off`() throws {
        try pool.write { db in
            try db.execute(
                sql: """
                    CREATE TRIGGER restock AFTER UPDATE ON item WHEN new.count < 1 BEGIN
                        UPDATE item SET count = 10 WHERE id = new.id;
                    END
                    """
            )
            try tracer.tracingStatements(on: db) {
                try db.execute(sql: "UPDATE item SET count = 0")
            }
        }
        #expect(texts(spans.spans) == ["UPDATE item SET count = 0"])
    }

    @Test func `a long statement is cut at a whole character`() throws {
        let sql = "SELECT 'x" + String(repeating: "ä", count: 5_000) + "'"
        try pool.read { db in
            try tracer.tracingStatements(on: db) { _ = try Row.fetchAll(db, sql: sql) }
        }
        let text = try #require(texts(spans.spans).first)
        #expect(text.utf8.count == 4_095)
        #expect(sql.hasPrefix(text))
    }

    @Test func `a trace that nobody records costs no spans`() async throws {
        var options = TracerOptions()
        options.sampler = NeverSampler()
        let silent = spans.makeTracer(options: options)
        let count = try await pool.read(
            silent.tracingStatements { try Int.fetchOne($0, sql: "SELECT count(*) FROM item") }
        )
        #expect(count == 2)
        #expect(spans.spans.isEmpty)
    }

    @Test(arguments: [true, false])
    func `statements are counted and errors as such, recorded or not`(isRecorded: Bool) async {
        let counter = CallCounter()
        let pipeline = SpanPipeline(exporter: counter)
        var options = TracerOptions()
        options.sampler = isRecorded ? AlwaysSampler() : NeverSampler()
        let tracer = SkeinTracer(
            resource: Resource(serviceName: "test"),
            pipeline: pipeline,
            options: options
        )
        for name in ["plum", "apple"] {
            try? await pool.write(
                tracer.tracingStatements { db in
                    try db.execute(sql: "UPDATE item SET count = 1")
                    try db.execute(sql: "INSERT INTO item (name) VALUES (?)", arguments: [name])
                }
            )
        }
        #expect(await pipeline.shutdown())
        #expect(
            counter.counts == [
                CallCounter.Key(operation: "UPDATE"): 2,
                CallCounter.Key(operation: "INSERT"): 1,
                CallCounter.Key(operation: "INSERT", isError: true): 1,
            ]
        )
    }

    @Test func `a traced body in a traced body leaves the outer one traced`() async throws {
        try await tracer.withSpan("order") { _ in
            try await pool.write(
                tracer.tracingStatements(includingArguments: true) { db in
                    try db.execute(sql: "UPDATE item SET count = ?", arguments: [1])
                    try tracer.span("restock") { _ in
                        try tracer.tracingStatements(on: db) {
                            try db.execute(sql: "UPDATE item SET count = ?", arguments: [2])
                        }
                    }
                    try db.execute(sql: "UPDATE item SET count = ?", arguments: [3])
                }
            )
        }
        let order = try #require(spans.first(named: "order"))
        let restock = try #require(spans.first(named: "restock"))
        #expect(
            texts(spans.children(of: order)) == [
                "UPDATE item SET count = 1", "UPDATE item SET count = 3",
            ]
        )
        // The inner one did not ask for arguments.
        #expect(texts(spans.children(of: restock)) == ["UPDATE item SET count = ?"])
        #expect(tracer.counters.abandonedCount == 0)
    }

    @Test func `a cursor outlives the inner traced body that made it`() throws {
        let names = try pool.read { db in
            try tracer.tracingStatements(on: db) {
                let cursor = try tracer.tracingStatements(on: db) {
                    let cursor = try String.fetchCursor(db, sql: "SELECT name FROM item")
                    _ = try cursor.next()
                    return cursor
                }
                return try Array(cursor)
            }
        }
        #expect(names == ["pear"])
        #expect(texts(spans.spans) == ["SELECT name FROM item"])
        #expect(tracer.counters.abandonedCount == 0)
    }

    @Test func `an error that leaves two traced bodies is recorded once`() throws {
        let insert = "INSERT INTO item (name) VALUES ('apple')"
        #expect(throws: DatabaseError.self) {
            try pool.writeWithoutTransaction { db in
                try tracer.tracingStatements(on: db) {
                    // Caught, and so none of the outer body's.
                    _ = try? tracer.tracingStatements(on: db) { try db.execute(sql: insert) }
                    try db.execute(sql: "UPDATE item SET count = 1")
                    try tracer.tracingStatements(on: db) { try db.execute(sql: insert) }
                }
            }
        }
        #expect(spans.spans.map(\.name) == ["INSERT", "UPDATE", "INSERT"])
        #expect(spans.spans.map(\.events.count) == [1, 0, 1])
        #expect(spans.spans.map { $0.status?.code == .error } == [true, false, true])
    }

    @Test func `an error of a transaction stays with its statement`() throws {
        #expect(throws: DatabaseError.self) {
            try pool.writeWithoutTransaction { db in
                try tracer.tracingStatements(on: db) {
                    try db.inTransaction {
                        try db.execute(sql: "INSERT INTO item (name) VALUES ('apple')")
                        return .commit
                    }
                }
            }
        }
        let names = spans.spans.map(\.name)
        #expect(names.filter { $0 == "INSERT" }.count == 1, "\(names)")
        let failed = spans.spans.filter { $0.status?.code == .error }
        #expect(failed.map(\.name) == ["INSERT"])
    }

    @Test func `afterwards nothing is traced`() throws {
        try pool.writeWithoutTransaction { db in
            try tracer.tracingStatements(on: db) { _ = try Int.fetchOne(db, sql: "SELECT 1") }
            _ = try Int.fetchOne(db, sql: "SELECT 2")
        }
        #expect(texts(spans.spans) == ["SELECT 1"])
    }
}
