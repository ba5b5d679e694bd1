// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Answers `names` from what batches know of themselves, and from the vocabularies and sorted
/// dictionaries of parts.
struct NamesQuery {
    let request: NamesRequest
    let snapshot: Snapshot
    let context: QueryContext
    private var found: Set<NamesResult.Name> = []
    private var isCut = false
    /// Blocks of parts that may still be read for values that stand in no dictionary.
    var blocksLeft = Limits.namesBlocks
    /// Whether more blocks than these have such values.
    var hasUnreadBlocks = false

    /// What values to list.
    struct Wish {
        let scope: AttributeScope
        let key: String
        let service: TextMatch?
        let prefix: [UInt8]

        func wants(_ other: AttributeScope) -> Bool { scope == .any || scope == other }
    }

    init(_ request: NamesRequest, _ snapshot: Snapshot, _ context: QueryContext) {
        self.request = request
        self.snapshot = snapshot
        self.context = context
    }

    mutating func run() throws -> NamesResult {
        switch request.scope {
        case .services, .operations, .keys:
            for batch in snapshot.head {
                try context.check()
                add(batch.knownNames)
            }
            for part in snapshot.parts {
                try context.check()
                add(try part.vocabulary())
            }
        case .values(let scope, let key, let service, let prefix):
            let wish = Wish(scope: scope, key: key, service: service, prefix: Array(prefix.utf8))
            for batch in snapshot.head {
                try context.check()
                add(batch.table, wish)
            }
            let scratch = ReadScratch(context.budget)
            // Values that are looked for block by block are those of the newest spans.
            for part in snapshot.parts.sorted(by: { $0.entry.lastStart > $1.entry.lastStart }) {
                try context.check()
                var reader = PartReader(part, scratch)
                try add(&reader, wish)
                reader.release()
            }
        }
        return answer()
    }

    private func answer() -> NamesResult {
        var names = found.sorted { a, b in
            if a.text != b.text { return a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
            if a.kind != b.kind { return (a.kind?.rawValue ?? 0) < (b.kind?.rawValue ?? 0) }
            return (a.scope?.rawValue ?? "") < (b.scope?.rawValue ?? "")
        }
        var incomplete = snapshot.incomplete
        if names.count > request.limit || isCut {
            names = Array(names.prefix(request.limit))
            incomplete.append("more than \(names.count) names: narrow the request")
        }
        if hasUnreadBlocks {
            incomplete.append(
                "values without a dictionary were looked for in the newest "
                    + "\(Limits.namesBlocks) blocks only: narrow the request to a service"
            )
        }
        return NamesResult(names: names, incomplete: incomplete)
    }

    /// Whether no more values need be looked for.
    var isFull: Bool { isCut }

    private mutating func insert(_ name: NamesResult.Name) {
        guard found.count < Limits.names else {
            isCut = true
            return
        }
        if found.insert(name).inserted { context.budget.charge(64 + name.text.utf8.count) }
    }

    // MARK: Names

    private mutating func add(_ known: KnownNames) {
        switch request.scope {
        case .services:
            for operation in known.operations {
                insert(NamesResult.Name(text: operation.service))
            }
        case .operations(let service):
            for operation in known.operations where service?.matches(operation.service) ?? true {
                insert(NamesResult.Name(text: operation.name, kind: operation.kind))
            }
        case .keys(let service):
            for key in known.keys where service?.matches(key.service) ?? true {
                insert(NamesResult.Name(text: key.key, scope: key.scope))
            }
        case .values: break
        }
    }

    private struct Operation: Hashable {
        var name: UInt32
        var kind: UInt8
    }

    private mutating func add(_ vocabulary: Vocabulary) {
        switch request.scope {
        case .services:
            for service in Set(vocabulary.forms.lazy.map(\.service)) {
                insert(NamesResult.Name(text: vocabulary.text(service)))
            }
        case .operations(let service):
            let services = service.map { vocabulary.names($0) }
            var operations: Set<Operation> = []
            for form in vocabulary.forms where services?.contains(form.service) ?? true {
                operations.insert(Operation(name: form.name, kind: form.kind))
            }
            for operation in operations {
                let kind = SpanKind(rawValue: operation.kind) ?? .unspecified
                insert(NamesResult.Name(text: vocabulary.text(operation.name), kind: kind))
            }
        case .keys(let service): addKeys(vocabulary, service.map { vocabulary.names($0) })
        case .values: break
        }
    }

    private mutating func addKeys(_ vocabulary: Vocabulary, _ services: Set<UInt32>?) {
        func isWanted(_ service: UInt32) -> Bool { services?.contains(service) ?? true }
        let ofSpans = Set(vocabulary.forms.lazy.filter { isWanted($0.service) }.map(\.shape))
        addKeys(ofSpans, .span, vocabulary)
        let uses = vocabulary.content.eventUses.lazy.filter { isWanted($0.service) }
        addKeys(Set(uses.map { vocabulary.eventForms[Int($0.form)].shape }), .event, vocabulary)
        let columns = vocabulary.shared
        var keys: Set<UInt32> = []
        for row in 0..<columns.columns.resources.count
        where isWanted(columns.columns.resources.service[row]) {
            for attribute in columns.columns.resources.attributes[row].rows {
                keys.insert(columns.columns.attributes.key[attribute])
            }
        }
        for key in keys {
            insert(NamesResult.Name(text: vocabulary.text(key), scope: .resource))
        }
    }

    private mutating func addKeys(
        _ shapes: Set<UInt32>,
        _ scope: AttributeScope,
        _ vocabulary: Vocabulary
    ) {
        var keys: Set<UInt32> = []
        for shape in shapes { for pair in vocabulary.shapes[Int(shape)] { keys.insert(pair.key) } }
        for key in keys { insert(NamesResult.Name(text: vocabulary.text(key), scope: scope)) }
    }

    // MARK: Values

    mutating func add(_ value: AttributeValue, _ wish: Wish) {
        let text: String
        switch value {
        case .string(let string): text = string
        case .bool(let flag): text = flag ? "true" : "false"
        case .int(let number): text = String(number)
        case .double(let number): text = number.description
        case .array(let elements):
            for element in elements { add(element, wish) }
            return
        case .empty, .bytes, .map: return
        }
        guard !text.isEmpty, text.utf8.starts(with: wish.prefix) else { return }
        insert(NamesResult.Name(text: text))
    }

    private mutating func add(_ table: SpanTable, _ wish: Wish) {
        guard let key = table.columns.strings.find(wish.key) else { return }
        var services: [Bool] = []
        for row in 0..<table.columns.resources.count {
            let id = table.columns.resources.service[row]
            services.append(
                wish.service.map { match in
                    table.columns.strings.withBytes(of: id) { match.matches($0) }
                } ?? true
            )
        }
        var resources: Set<Int> = []
        for row in 0..<table.columns.count {
            let resource = Int(table.columns.resource[row])
            guard services[resource] else { continue }
            if wish.wants(.resource), resources.insert(resource).inserted {
                add(table, table.columns.resources.attributes[resource], key, wish)
            }
            if wish.wants(.span) {
                add(table, table.columns.spanAttributes[row], key, wish)
            }
            if wish.wants(.event) {
                for event in table.columns.spanEvents[row].rows {
                    add(table, table.columns.events.attributes[event], key, wish)
                }
            }
        }
    }

    mutating func add(_ table: SpanTable, _ run: Run, _ key: UInt32, _ wish: Wish) {
        for row in run.rows where table.columns.attributes.key[row] == key {
            add(table.columns.attributes[row], wish)
        }
    }
}

extension Vocabulary {
    /// The names that match.
    func names(_ match: TextMatch) -> Set<UInt32> {
        switch match {
        case .exactly(let text):
            var text = text
            let id = text.withUTF8 { name(UnsafeRawBufferPointer($0)) }
            return id.map { [$0] } ?? []
        case .ignoringCase:
            var found: Set<UInt32> = []
            for id in 0..<UInt32(nameCount) where withName(id, { match.matches($0) }) {
                found.insert(id)
            }
            return found
        }
    }
}
