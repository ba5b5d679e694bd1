// SPDX-License-Identifier: Apache-2.0

import GRDB
import Hummingbird
import ServiceLifecycle
import Tracing

/// Keeps the stock in SQLite and reserves articles of it.
struct StockService: Service {
    let station: Station
    private let database: DatabaseQueue

    init(station: Station) throws {
        self.station = station
        database = try DatabaseQueue()
        try database.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE item (
                        sku TEXT PRIMARY KEY, name TEXT, cents INTEGER, quantity INTEGER);
                    CREATE TABLE reservation (
                        id INTEGER PRIMARY KEY, order_id TEXT, sku TEXT, quantity INTEGER);
                    CREATE INDEX reservation_order ON reservation (order_id);
                    """
            )
            for article in Catalogue.articles {
                try database.execute(
                    sql: "INSERT INTO item VALUES (?, ?, ?, 1000)",
                    arguments: [article.sku, article.name, article.cents]
                )
            }
        }
    }

    func run() async throws {
        try await station.serve { router in
            router.post("/reservations") { request, context in
                let wanted = try await request.decode(
                    as: ReservationRequest.self,
                    context: context
                )
                return try await reserve(wanted)
            }
            router.delete("/reservations/{order}") { _, context in
                try await release(try context.parameters.require("order"))
                return Response(status: .noContent)
            }
        }
    }

    private func reserve(_ wanted: ReservationRequest) async throws -> Response {
        if CongestedWarehouse.refuses(wanted) {
            do { try await askPickers(of: wanted) } catch is WarehouseBusy {
                return Response(status: .serviceUnavailable, headers: [.retryAfter: "1"])
            }
        }
        let prices = try await prices(of: wanted)
        var total = 0
        for line in wanted.lines { total += (prices[line.sku] ?? 0) * line.quantity }
        try await take(wanted)
        return try json(Reservation(order: wanted.order, totalCents: total), status: .created)
    }

    private func askPickers(of wanted: ReservationRequest) async throws {
        try await station.span("ask pickers") { span in
            span.attributes["warehouse.name"] = wanted.warehouse
            try await station.work.take(3...8)
            throw WarehouseBusy(name: wanted.warehouse, waitingCount: wanted.lines.count + 11)
        }
    }

    /// The price of each article: in one query, or, as the importer of the marketplace does it, in
    /// one query a line (the N+1 that the demo is there to show).
    private func prices(of wanted: ReservationRequest) async throws -> [String: Int] {
        guard wanted.oneByOne else {
            let marks = wanted.lines.map { _ in "?" }.joined(separator: ", ")
            return try await select(
                "SELECT sku, cents FROM item WHERE sku IN (\(marks))",
                wanted.lines.map(\.sku)
            )
        }
        var prices: [String: Int] = [:]
        for line in wanted.lines {
            let sql = "SELECT sku, cents FROM item WHERE sku = ?"
            prices.merge(try await select(sql, [line.sku])) { $1 }
        }
        return prices
    }

    private func select(_ sql: String, _ skus: [String]) async throws -> [String: Int] {
        try await query("SELECT", "item", sql) { span in
            let prices = try await database.read { database in
                var prices: [String: Int] = [:]
                let arguments = StatementArguments(skus)
                for row in try Row.fetchAll(database, sql: sql, arguments: arguments) {
                    prices[row["sku"]] = row["cents"]
                }
                return prices
            }
            span.attributes["db.response.returned_rows"] = prices.count
            return prices
        }
    }

    private func take(_ wanted: ReservationRequest) async throws {
        // A shop that runs for days restocks: below zero, the delivery has come.
        let update = """
            UPDATE item SET quantity = quantity - ? + (quantity < 100) * 1000 WHERE sku = ?
            """
        try await query("UPDATE", "item", update) { span in
            try await database.write { database in
                for line in wanted.lines {
                    try database.execute(sql: update, arguments: [line.quantity, line.sku])
                }
            }
            span.attributes["db.operation.batch.size"] = wanted.lines.count
        }
        let insert = "INSERT INTO reservation (order_id, sku, quantity) VALUES (?, ?, ?)"
        try await query("INSERT", "reservation", insert) { span in
            try await database.write { database in
                for line in wanted.lines {
                    try database.execute(
                        sql: insert,
                        arguments: [wanted.order, line.sku, line.quantity]
                    )
                }
                try database.execute(
                    sql: "DELETE FROM reservation WHERE id <= ?",
                    arguments: [database.lastInsertedRowID - Int64(Limits.reservationRows)]
                )
            }
            span.attributes["db.operation.batch.size"] = wanted.lines.count
        }
    }

    private func release(_ order: String) async throws {
        let sql = "DELETE FROM reservation WHERE order_id = ?"
        try await query("DELETE", "reservation", sql) { _ in
            try await database.write { try $0.execute(sql: sql, arguments: [order]) }
        }
    }

    /// Runs `body` in the client span of one query.
    private func query<Result: Sendable>(
        _ operation: String,
        _ table: String,
        _ sql: String,
        _ body: (any Tracing.Span) async throws -> Result
    ) async throws -> Result {
        try await station.span("\(operation) \(table)", ofKind: .client) { span in
            span.updateAttributes {
                $0["db.system.name"] = "sqlite"
                $0["db.namespace"] = "stock"
                $0["db.collection.name"] = table
                $0["db.operation.name"] = operation
                $0["db.query.text"] = sql
            }
            // An in-memory database answers in microseconds; a disk would not.
            try await station.work.take(1...6)
            return try await body(span)
        }
    }
}

/// The warehouse that is too busy to answer at the first try.
enum CongestedWarehouse {
    static let name = "north"

    static func refuses(_ wanted: ReservationRequest) -> Bool {
        wanted.warehouse == name && wanted.attempt == 1
    }
}

/// Nobody in the warehouse has time.
struct WarehouseBusy: Error, CustomStringConvertible {
    let name: String
    let waitingCount: Int

    var description: String { "warehouse \(name) is busy: \(waitingCount) orders wait" }
}
