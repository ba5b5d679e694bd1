// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Collects the names, resources, scopes, shapes and forms of a head that is being flushed, first in
/// order of appearance, then sorted.
struct FlushVocabulary: ~Copyable {
    /// From ids in order of appearance to ids of the vocabulary.
    struct Ranks {
        var forms: [UInt32]
        var eventForms: [UInt32]
        var shapes: [UInt32]
        /// Row in the vocabulary's resources, and which of its service's it is.
        var resources: [UInt32]
        var instances: [UInt32]
    }

    private let tables: [SpanTable]
    private var names = TextInterner()
    /// By string, resource and scope of each table in turn: its id here, `unknown` for not yet.
    private var nameIDs = Column<UInt32>()
    private var resourceIDs = Column<UInt32>()
    private var scopeIDs = Column<UInt32>()
    /// Where each table begins in the three above.
    private var bases: [(name: Int, resource: Int, scope: Int)] = []
    private var resources: [[UInt8]: UInt32] = [:]
    private var scopes: [[UInt8]: UInt32] = [:]
    /// A table and row of each.
    private var resourcePlaces: [SpanReference] = []
    private var resourceServices: [UInt32] = []
    private var scopePlaces: [SpanReference] = []
    private var shapes = ShapeInterner()
    private var forms = RecordInterner<PartVocabulary.Form>()
    private var eventForms = RecordInterner<PartVocabulary.EventForm>()
    private var eventUses = RecordInterner<PartVocabulary.EventUse>()
    private let hashing = TextHash()
    private static let unknown = UInt32.max

    init(_ tables: [SpanTable]) {
        self.tables = tables
        for table in tables {
            bases.append((nameIDs.count, resourceIDs.count, scopeIDs.count))
            Self.extend(&nameIDs, table.columns.strings.count)
            Self.extend(&resourceIDs, table.columns.resources.count)
            Self.extend(&scopeIDs, table.columns.scopes.count)
        }
        _ = names.intern(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    private static func extend(_ ids: inout Column<UInt32>, _ count: Int) {
        ids.append(count: count) { $0.initialize(repeating: unknown) }
    }

    var formCount: Int { forms.count }

    // MARK: Taking in

    /// The form of span `row` of table `number`, and its resource, both in order of appearance.
    mutating func form(
        _ row: Int,
        of view: UnsafePointer<TableView>,
        _ number: Int
    ) -> (form: UInt32, resource: UInt32) {
        let resource = resource(Int(view.pointee.resource[row]), number)
        let form = PartVocabulary.Form(
            service: resourceServices[Int(resource)],
            name: name(view.pointee.name[row], number),
            kind: view.pointee.kind[row],
            status: view.pointee.status[row],
            flags: view.pointee.flags[row],
            scope: scope(Int(view.pointee.scope[row]), number),
            shape: shape(view.pointee.attributes(of: row), of: view, number)
        )
        var hash = hashing.combine(0, UInt64(form.service) << 32 | UInt64(form.name))
        hash = hashing.combine(hash, UInt64(form.scope) << 32 | UInt64(form.shape))
        hash = hashing.combine(
            hash,
            UInt64(form.flags) << 16 | UInt64(form.kind) << 8 | UInt64(form.status)
        )
        return (forms.intern(form, hash: hash), resource)
    }

    /// The form of event `row` of table `number`, in order of appearance.
    mutating func eventForm(
        _ row: Int,
        of view: UnsafePointer<TableView>,
        _ number: Int,
        resource: UInt32
    ) -> UInt32 {
        let form = PartVocabulary.EventForm(
            name: name(view.pointee.eventName[row], number),
            shape: shape(view.pointee.attributes(ofEvent: row), of: view, number),
            dropped: view.pointee.eventDropped[row]
        )
        let hash = hashing.combine(0, UInt64(form.name) << 32 | UInt64(form.shape))
        let id = eventForms.intern(form, hash: hashing.combine(hash, UInt64(form.dropped)))
        let use = PartVocabulary.EventUse(service: resourceServices[Int(resource)], form: id)
        _ = eventUses.intern(
            use,
            hash: hashing.combine(0, UInt64(use.service) << 32 | UInt64(use.form))
        )
        return id
    }

    /// The shape of some attributes of table `number`, in order of appearance.
    mutating func shape(_ rows: Range<Int>, of view: UnsafePointer<TableView>, _ number: Int)
        -> UInt32
    {
        if rows.isEmpty { return 0 }
        shapes.begin()
        for row in rows { shapes.add(name(view.pointee.key[row], number), view.pointee.type[row]) }
        return shapes.finish()
    }

    @inline(__always)
    private mutating func name(_ id: UInt32, _ number: Int) -> UInt32 {
        let place = bases[number].name + Int(id)
        let known = nameIDs[place]
        return known == Self.unknown ? newName(id, number, place) : known
    }

    @inline(never)
    private mutating func newName(_ id: UInt32, _ number: Int, _ place: Int) -> UInt32 {
        // The text stays where it is while the table lives, and `tables` keeps it.
        let text = tables[number].columns.strings.withBytes(of: id) { $0 }
        let new = names.intern(text)
        nameIDs[place] = new
        return new
    }

    @inline(__always)
    private mutating func resource(_ row: Int, _ number: Int) -> UInt32 {
        let known = resourceIDs[bases[number].resource + row]
        return known == Self.unknown ? newResource(row, number) : known
    }

    private mutating func newResource(_ row: Int, _ number: Int) -> UInt32 {
        let bytes = resourceBytes(row, number)
        let new = resources[bytes] ?? UInt32(resourcePlaces.count)
        if Int(new) == resourcePlaces.count {
            resources[bytes] = new
            resourcePlaces.append(SpanReference(table: UInt32(number), row: UInt32(row)))
            let service = tables[number].columns.resources.service[row]
            resourceServices.append(name(service, number))
        }
        resourceIDs[bases[number].resource + row] = new
        return new
    }

    @inline(__always)
    private mutating func scope(_ row: Int, _ number: Int) -> UInt32 {
        let known = scopeIDs[bases[number].scope + row]
        return known == Self.unknown ? newScope(row, number) : known
    }

    private mutating func newScope(_ row: Int, _ number: Int) -> UInt32 {
        let bytes = scopeBytes(row, number)
        let new = scopes[bytes] ?? UInt32(scopePlaces.count)
        if Int(new) == scopePlaces.count {
            scopes[bytes] = new
            scopePlaces.append(SpanReference(table: UInt32(number), row: UInt32(row)))
        }
        scopeIDs[bases[number].scope + row] = new
        return new
    }

    private mutating func resourceBytes(_ row: Int, _ number: Int) -> [UInt8] {
        let table = tables[number]
        return ResourceCoding.resource(row, of: table.columns) { name($0, number) }
    }

    private mutating func scopeBytes(_ row: Int, _ number: Int) -> [UInt8] {
        let table = tables[number]
        return ResourceCoding.scope(row, of: table.columns) { name($0, number) }
    }

    // MARK: Sorting

    /// The vocabulary, and where everything went.
    mutating func finish() -> (vocabulary: PartVocabulary, ranks: Ranks) {
        let nameOrder = names.texts.withElements { TextSort.order($0) }
        let nameRanks = Self.ranks(nameOrder)
        var run = TextRun()
        for id in nameOrder { run.append(names.texts[Int(id)]) }
        // From here on a table's strings translate to ids of the vocabulary.
        for place in 0..<nameIDs.count where nameIDs[place] != Self.unknown {
            nameIDs[place] = nameRanks[Int(nameIDs[place])]
        }
        let (shapeList, shapeRanks) = shapes.sorted(nameRanks)
        let (scopeTexts, scopeRanks) = sortedScopes()
        let (resourceTexts, services, resourceRanks, instances) = sortedResources(nameRanks)
        let formList = forms.records.withElements { forms in
            forms.enumerated().map { id, form in
                var form = form
                form.service = nameRanks[Int(form.service)]
                form.name = nameRanks[Int(form.name)]
                form.scope = scopeRanks[Int(form.scope)]
                form.shape = shapeRanks[Int(form.shape)]
                return (UInt32(id), form)
            }
        }
        .sorted { $0.1 < $1.1 }
        let eventFormList = eventForms.records.withElements { forms in
            forms.enumerated().map { id, form in
                var form = form
                form.name = nameRanks[Int(form.name)]
                form.shape = shapeRanks[Int(form.shape)]
                return (UInt32(id), form)
            }
        }
        .sorted { $0.1 < $1.1 }
        let eventFormRanks = Self.ranks(eventFormList.map(\.0))
        let uses = eventUses.records.withElements { uses in
            uses.map { use in
                PartVocabulary.EventUse(
                    service: nameRanks[Int(use.service)],
                    form: eventFormRanks[Int(use.form)]
                )
            }
        }
        let vocabulary = PartVocabulary(
            names: PackedTexts(run),
            resources: resourceTexts,
            resourceServices: services,
            scopes: scopeTexts,
            shapes: shapeList,
            forms: formList.map(\.1),
            eventForms: eventFormList.map(\.1),
            eventUses: uses.sorted()
        )
        let ranks = Ranks(
            forms: Self.ranks(formList.map(\.0)),
            eventForms: eventFormRanks,
            shapes: shapeRanks,
            resources: resourceRanks,
            instances: instances
        )
        return (vocabulary, ranks)
    }

    /// The place of each id in `order`.
    static func ranks(_ order: [UInt32]) -> [UInt32] {
        var ranks = [UInt32](repeating: 0, count: order.count)
        for (rank, id) in order.enumerated() { ranks[Int(id)] = UInt32(rank) }
        return ranks
    }

    private mutating func sortedScopes() -> (PackedTexts, [UInt32]) {
        var all: [(bytes: [UInt8], id: UInt32)] = []
        for (id, place) in scopePlaces.enumerated() {
            all.append((scopeBytes(Int(place.row), Int(place.table)), UInt32(id)))
        }
        all.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        return (PackedTexts(all.map(\.bytes)), Self.ranks(all.map(\.id)))
    }

    private mutating func sortedResources(
        _ nameRanks: [UInt32]
    ) -> (PackedTexts, services: [UInt32], rows: [UInt32], instances: [UInt32]) {
        var all: [(service: UInt32, bytes: [UInt8], id: UInt32)] = []
        for (id, place) in resourcePlaces.enumerated() {
            let bytes = resourceBytes(Int(place.row), Int(place.table))
            all.append((nameRanks[Int(resourceServices[id])], bytes, UInt32(id)))
        }
        all.sort {
            $0.service == $1.service
                ? $0.bytes.lexicographicallyPrecedes($1.bytes) : $0.service < $1.service
        }
        var instances = [UInt32](repeating: 0, count: all.count)
        var first = 0
        for (row, resource) in all.enumerated() {
            if resource.service != all[first].service { first = row }
            instances[Int(resource.id)] = UInt32(row - first)
        }
        return (
            PackedTexts(all.map(\.bytes)), all.map(\.service), Self.ranks(all.map(\.id)), instances
        )
    }
}

/// Each distinct list of attribute keys and types once; 0 is the empty one.
private struct ShapeInterner: ~Copyable {
    /// Key << 8 | type, list after list.
    private var entries = Column<UInt64>(capacity: 256)
    private var ends = Column<Int>(capacity: 64)
    private var hashes = Column<UInt64>(capacity: 64)
    private var slots = Column<UInt32>(capacity: 256)
    private var hash: UInt64 = 0
    private let hashing = TextHash()

    init() {
        ends.append(0)
        hashes.append(0)
        clearSlots(256)
    }

    /// Begins a list; it is kept behind the others until `finish` knows whether it is new.
    @inline(__always)
    mutating func begin() { hash = 0 }

    @inline(__always)
    mutating func add(_ key: UInt32, _ type: UInt8) {
        let entry = UInt64(key) << 8 | UInt64(type)
        entries.append(entry)
        hash = hashing.combine(hash, entry)
    }

    mutating func finish() -> UInt32 {
        let first = ends[ends.count - 1]
        let count = entries.count - first
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let id = Int(slots[slot])
            if hashes[id] == hash, isSame(id, first, count) {
                entries.truncate(to: first)
                return UInt32(id)
            }
            slot = (slot &+ 1) & mask
        }
        slots[slot] = UInt32(ends.count)
        ends.append(entries.count)
        hashes.append(hash)
        if ends.count * 2 > slots.count { rehash(to: slots.count * 4) }
        return UInt32(ends.count - 1)
    }

    @inline(__always)
    private func isSame(_ id: Int, _ first: Int, _ count: Int) -> Bool {
        let start = ends[id - 1]
        guard ends[id] - start == count else { return false }
        for index in 0..<count where entries[start + index] != entries[first + index] {
            return false
        }
        return true
    }

    private mutating func clearSlots(_ count: Int) {
        slots.truncate(to: 0)
        slots.append(count: count) { $0.initialize(repeating: 0) }
    }

    private mutating func rehash(to size: Int) {
        clearSlots(size)
        for id in 1..<ends.count {
            var slot = Int(truncatingIfNeeded: hashes[id]) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(id)
        }
    }

    /// All lists with the vocabulary's name ids, sorted, and where each went.
    func sorted(_ nameRanks: [UInt32]) -> (shapes: [[PartVocabulary.Entry]], ranks: [UInt32]) {
        var all: [(id: UInt32, shape: [PartVocabulary.Entry])] = []
        for id in 0..<ends.count {
            var shape: [PartVocabulary.Entry] = []
            for index in (id == 0 ? 0 : ends[id - 1])..<ends[id] {
                let entry = entries[index]
                let type = AttributeType(rawValue: UInt8(truncatingIfNeeded: entry)) ?? .empty
                shape.append(PartVocabulary.Entry(key: nameRanks[Int(entry >> 8)], type: type))
            }
            all.append((UInt32(id), shape))
        }
        all.sort { $0.shape.lexicographicallyPrecedes($1.shape) }
        return (all.map(\.shape), FlushVocabulary.ranks(all.map(\.id)))
    }
}
