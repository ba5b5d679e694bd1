// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Answers `names` from what batches and parts know of themselves; values of a key are read from
/// its columns.
struct NamesQuery {
    private let request: NamesRequest
    private let snapshot: Snapshot
    private let flag: CancellationFlag
    private var found: Set<NamesResult.Name> = []
    private var isCut = false

    init(_ request: NamesRequest, _ snapshot: Snapshot, _ flag: CancellationFlag) {
        self.request = request
        self.snapshot = snapshot
        self.flag = flag
    }

    mutating func run() throws -> NamesResult {
        switch request.scope {
        case .services, .operations, .keys:
            for batch in snapshot.head {
                try flag.check()
                add(batch.knownNames)
            }
            for part in snapshot.parts {
                try flag.check()
                add(part.knownNames)
            }
        case .values(let scope, let key, let service, let prefix):
            let wanted = ValueWish(scope: scope, key: key, service: service, prefix: prefix)
            for batch in snapshot.head {
                try flag.check()
                add(batch.table, wanted)
            }
            for part in snapshot.parts { try add(part, wanted) }
        }
        var names = found.sorted { a, b in
            if a.text != b.text { return a.text < b.text }
            if a.kind != b.kind { return (a.kind?.rawValue ?? 0) < (b.kind?.rawValue ?? 0) }
            return (a.scope?.rawValue ?? "") < (b.scope?.rawValue ?? "")
        }
        var incomplete = snapshot.incomplete
        if names.count > request.limit || isCut {
            names = Array(names.prefix(request.limit))
            incomplete.append("more than \(request.limit) names: narrow the request")
        }
        return NamesResult(names: names, incomplete: incomplete)
    }

    private mutating func add(_ known: KnownNames) {
        switch request.scope {
        case .services:
            for operation in known.operations {
                found.insert(NamesResult.Name(text: operation.service))
            }
        case .operations(let service):
            for operation in known.operations where service?.matches(operation.service) ?? true {
                found.insert(NamesResult.Name(text: operation.name, kind: operation.kind))
            }
        case .keys(let service):
            for key in known.keys where service?.matches(key.service) ?? true {
                found.insert(NamesResult.Name(text: key.key, scope: key.scope))
            }
        case .values: break
        }
    }

    // MARK: Values

    private struct ValueWish {
        let scope: AttributeScope
        let key: String
        let service: TextMatch?
        let prefix: String

        func wants(_ other: AttributeScope) -> Bool { scope == .any || scope == other }
    }

    private mutating func add(_ value: AttributeValue, _ wanted: ValueWish) {
        guard found.count < Limits.names else {
            isCut = true
            return
        }
        let text: String
        switch value {
        case .string(let string): text = string
        case .bool(let flag): text = flag ? "true" : "false"
        case .int(let number): text = String(number)
        case .double(let number): text = number.description
        case .array(let elements):
            for element in elements { add(element, wanted) }
            return
        case .empty, .bytes, .map: return
        }
        guard !text.isEmpty, text.utf8.starts(with: wanted.prefix.utf8) else { return }
        found.insert(NamesResult.Name(text: text))
    }

    private mutating func add(_ table: SpanTable, _ wanted: ValueWish) {
        guard let key = table.columns.strings.find(wanted.key) else { return }
        var services: [Bool] = []
        for row in 0..<table.columns.resources.count {
            let id = table.columns.resources.service[row]
            services.append(
                wanted.service?.matches(table.columns.strings.text(id)) ?? true
            )
        }
        var resources: Set<Int> = []
        for row in 0..<table.columns.count {
            let resource = Int(table.columns.resource[row])
            guard services[resource] else { continue }
            if wanted.wants(.resource), resources.insert(resource).inserted {
                add(table, table.columns.resources.attributes[resource], key, wanted)
            }
            if wanted.wants(.span) {
                add(table, table.columns.spanAttributes[row], key, wanted)
            }
            if wanted.wants(.event) {
                for event in table.columns.spanEvents[row].rows {
                    add(table, table.columns.events.attributes[event], key, wanted)
                }
            }
        }
    }

    private mutating func add(_ table: SpanTable, _ run: Run, _ key: UInt32, _ wanted: ValueWish) {
        for row in run.rows where table.columns.attributes.key[row] == key {
            add(table.columns.attributes[row], wanted)
        }
    }

    private mutating func add(_ part: Part, _ wanted: ValueWish) throws {
        guard let key = part.shared.columns.strings.find(wanted.key) else { return }
        let columns = part.shared
        var services: [Bool] = []
        for row in 0..<part.directory.resources.count {
            let id = columns.columns.resources.service[row]
            services.append(
                wanted.service?.matches(columns.columns.strings.text(id)) ?? true
            )
        }
        guard services.contains(true) else { return }
        if wanted.wants(.resource) {
            for row in services.indices where services[row] {
                add(columns, columns.columns.resources.attributes[row], key, wanted)
            }
        }
        var reader = PartReader(part)
        for (scope, table) in [(AttributeScope.span, PartTable.spans), (.event, .events)]
        where wanted.wants(scope) {
            let isKnown = part.shapes.contains { $0.contains { $0.key == key } }
            guard isKnown else { continue }
            for block in part.directory.blocks.indices {
                try flag.check()
                let owners = try reader.owners(
                    table,
                    block,
                    services: services.contains(false) ? services : nil
                )
                var values: [AttributeValue] = []
                try reader.visit(key, table, block, owners: owners) { values.append($0) }
                for value in values { add(value, wanted) }
            }
        }
    }
}

extension PartReader {
    /// Which spans or events of a block belong to the services wanted; `nil` for all.
    mutating func owners(
        _ table: PartTable,
        _ block: Int,
        services: [Bool]?
    ) throws(PartDamage) -> [Bool]? {
        guard let services else { return nil }
        let spans = try numbers(.resource, block).map { services[Int($0)] }
        guard table == .events else { return spans }
        var events: [Bool] = []
        for (row, count) in try numbers(.eventCount, block).enumerated() {
            events += Array(repeating: spans[row], count: Int(count))
        }
        guard events.count == directory.blocks[block].eventCount else {
            throw part.damage("events are missing")
        }
        return events
    }

    /// Calls `body` with the values of a key in a block, each distinct text of a dictionary once.
    mutating func visit(
        _ key: UInt32,
        _ table: PartTable,
        _ block: Int,
        owners: [Bool]?,
        _ body: (AttributeValue) -> Void
    ) throws(PartDamage) {
        let shapes = try numbers(table == .spans ? .shape : .eventShape, block)
        guard shapes.contains(where: { part.shapes[Int($0)].contains { $0.key == key } }) else {
            return
        }
        let types = Set(
            shapes.flatMap { shape in
                part.shapes[Int(shape)].filter { $0.key == key }.map(\.type)
            }
        )
        for type in types {
            guard let column = part.column(key, type, table) else { continue }
            let texts = type.holdsText ? try texts(column: column, block) : nil
            let bits = type.holdsText ? [] : try numbers(column: column, block, count: nil)
            var seen: Set<Int> = []
            var next = 0
            for (owner, shape) in shapes.enumerated() {
                for pair in part.shapes[Int(shape)]
                where part.column(pair.key, pair.type, table) == column && pair.type == type {
                    let index = next
                    next += 1
                    guard pair.key == key, owners?[owner] ?? true else { continue }
                    if let texts {
                        guard index < texts.count else { throw part.damage("a value is missing") }
                        guard seen.insert(texts.place(index)).inserted else { continue }
                        body(value(type, texts, index))
                    } else {
                        guard index < bits.count else { throw part.damage("a value is missing") }
                        body(value(type, bits[index]))
                    }
                }
            }
        }
    }

    private func value(_ type: AttributeType, _ bits: UInt64) -> AttributeValue {
        switch type {
        case .bool: .bool(bits != 0)
        case .int: .int(Int64(bitPattern: bits))
        case .double: .double(Double(bitPattern: bits))
        case .empty, .string, .bytes, .array, .map: .empty
        }
    }

    private func value(_ type: AttributeType, _ texts: TextColumn, _ index: Int) -> AttributeValue {
        texts.texts.withBytes(texts.place(index)) { bytes in
            switch type {
            case .string: .string(String(decoding: bytes, as: UTF8.self))
            case .bytes: .bytes([UInt8](bytes))
            case .array: .array(NestedValue.array(bytes))
            case .map: .map(NestedValue.map(bytes))
            case .empty, .bool, .int, .double: .empty
            }
        }
    }
}
