// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Collects the names, resources, scopes, shapes and forms of a head that is being flushed, first in
/// order of appearance, then sorted.
///
/// Ids of a table's strings, resources and so on are translated through arrays. What is known of one
/// table lies behind what is known of the tables before it (`bases`).
struct FlushVocabulary: ~Copyable {
    /// Where the things of a table begin.
    struct Base: BitwiseCopyable {
        var row = 0
        var event = 0
        var link = 0
        fileprivate var name = 0
        var resource = 0
        fileprivate var scope = 0
    }

    /// For every table's rows, events, links and resources, ids in order of appearance; after
    /// `finish` ids of the vocabulary.
    struct Ids: ~Copyable {
        /// By row.
        var forms = Column<UInt32>()
        /// By event.
        var eventForms = Column<UInt32>()
        /// By link.
        var linkShapes = Column<UInt32>()
        /// By resource: row of the vocabulary's resources.
        var resources = Column<UInt32>()
    }

    private let tables: [SpanTable]
    private let views: UnsafePointer<TableView>
    private(set) var bases = Column<Base>()
    private(set) var ids = Ids()
    private let hashing = TextHash()

    private var names = TextInterner()
    private var nameIDs = Column<UInt32>()
    private var scopeIDs = Column<UInt32>()
    private var resources = PlaceInterner()
    /// By resource in order of appearance: its service's name.
    private var services = Column<UInt32>()
    private var scopes = PlaceInterner()
    private var shapes = ShapeInterner()
    private var forms = RecordInterner<PartVocabulary.Form>()
    private var eventForms = RecordInterner<PartVocabulary.EventForm>()
    private var eventUses = RecordInterner<PartVocabulary.EventUse>()
    /// By string of the table in hand: attributes of the last span, or event, of that name, and
    /// their shape. Owners of one name mostly have the same keys.
    private var lastSpan = Column<Run>()
    private var lastEvent = Column<Run>()
    private var lastSpanShape = Column<UInt32>()
    private var lastEventShape = Column<UInt32>()

    private static let unknown = UInt32.max

    /// - Parameter views: of `tables`, one each, which stay where they are.
    init(_ tables: [SpanTable], _ views: UnsafePointer<TableView>) {
        self.tables = tables
        self.views = views
        _ = names.intern(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    // MARK: Taking in

    /// Learns all rows of the next table.
    mutating func learn(_ number: Int) {
        let table = tables[number]
        let view = views + number
        bases.append(
            Base(
                row: ids.forms.count,
                event: ids.eventForms.count,
                link: ids.linkShapes.count,
                name: nameIDs.count,
                resource: ids.resources.count,
                scope: scopeIDs.count
            )
        )
        let strings = table.columns.strings.count
        Self.extend(&nameIDs, strings)
        Self.extend(&ids.resources, table.columns.resources.count)
        Self.extend(&scopeIDs, table.columns.scopes.count)
        Self.extend(&ids.eventForms, table.columns.events.count, with: 0)
        Self.extend(&ids.linkShapes, table.columns.links.count, with: 0)
        lastSpanShape.truncate(to: 0)
        lastEventShape.truncate(to: 0)
        Self.extend(&lastSpanShape, strings)
        Self.extend(&lastEventShape, strings)
        if lastSpan.count < strings {
            lastSpan.append(count: strings - lastSpan.count) { $0.initialize(repeating: .empty) }
            lastEvent.append(count: strings - lastEvent.count) { $0.initialize(repeating: .empty) }
        }
        for row in 0..<view.pointee.count { learn(row, of: view, number) }
    }

    private static func extend(
        _ ids: inout Column<UInt32>,
        _ count: Int,
        with id: UInt32 = unknown
    ) {
        ids.append(count: count) { $0.initialize(repeating: id) }
    }

    private mutating func learn(
        _ row: Int,
        of view: UnsafePointer<TableView>,
        _ number: Int
    ) {
        let resource = resource(Int(view.pointee.resource[row]), number)
        let name = view.pointee.name[row]
        let form = PartVocabulary.Form(
            service: services[Int(resource)],
            name: self.name(name, number),
            kind: view.pointee.kind[row],
            status: view.pointee.status[row],
            flags: view.pointee.flags[row],
            scope: scope(Int(view.pointee.scope[row]), number),
            shape: spanShape(view.pointee.attributes(of: row), of: view, number, name: Int(name))
        )
        var hash = hashing.combine(0, UInt64(form.service) << 32 | UInt64(form.name))
        hash = hashing.combine(hash, UInt64(form.scope) << 32 | UInt64(form.shape))
        hash = hashing.combine(
            hash,
            UInt64(form.flags) << 16 | UInt64(form.kind) << 8 | UInt64(form.status)
        )
        ids.forms.append(forms.intern(form, hash: hash))
        for event in view.pointee.events(of: row) {
            learn(event: event, of: view, number, service: form.service)
        }
        for link in view.pointee.links(of: row) {
            ids.linkShapes[bases[number].link + link] = shape(
                view.pointee.attributes(ofLink: link),
                of: view,
                number
            )
        }
    }

    private mutating func learn(
        event: Int,
        of view: UnsafePointer<TableView>,
        _ number: Int,
        service: UInt32
    ) {
        let name = view.pointee.eventName[event]
        let form = PartVocabulary.EventForm(
            name: self.name(name, number),
            shape: eventShape(
                view.pointee.attributes(ofEvent: event),
                of: view,
                number,
                name: Int(name)
            ),
            dropped: view.pointee.eventDropped[event]
        )
        let hash = hashing.combine(0, UInt64(form.name) << 32 | UInt64(form.shape))
        let id = eventForms.intern(form, hash: hashing.combine(hash, UInt64(form.dropped)))
        let use = PartVocabulary.EventUse(service: service, form: id)
        _ = eventUses.intern(
            use,
            hash: hashing.combine(0, UInt64(use.service) << 32 | UInt64(use.form))
        )
        ids.eventForms[bases[number].event + event] = id
    }

    @inline(__always)
    private mutating func spanShape(
        _ rows: Range<Int>,
        of view: UnsafePointer<TableView>,
        _ number: Int,
        name: Int
    ) -> UInt32 {
        let known = lastSpanShape[name]
        if known != Self.unknown, view.pointee.hasSameShape(lastSpan[name].rows, rows) {
            return known
        }
        let shape = shape(rows, of: view, number)
        lastSpan[name] = Run(first: UInt32(rows.lowerBound), count: UInt32(rows.count))
        lastSpanShape[name] = shape
        return shape
    }

    @inline(__always)
    private mutating func eventShape(
        _ rows: Range<Int>,
        of view: UnsafePointer<TableView>,
        _ number: Int,
        name: Int
    ) -> UInt32 {
        let known = lastEventShape[name]
        if known != Self.unknown, view.pointee.hasSameShape(lastEvent[name].rows, rows) {
            return known
        }
        let shape = shape(rows, of: view, number)
        lastEvent[name] = Run(first: UInt32(rows.lowerBound), count: UInt32(rows.count))
        lastEventShape[name] = shape
        return shape
    }

    private mutating func shape(
        _ rows: Range<Int>,
        of view: UnsafePointer<TableView>,
        _ number: Int
    ) -> UInt32 {
        if rows.isEmpty { return 0 }
        shapes.begin()
        for row in rows { shapes.add(name(view.pointee.key[row], number), view.pointee.type[row]) }
        return shapes.finish()
    }

    @inline(__always)
    private mutating func name(_ id: UInt32, _ number: Int) -> UInt32 {
        let place = bases[number].name &+ Int(id)
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

    // MARK: Resources and scopes

    @inline(__always)
    private mutating func resource(_ row: Int, _ number: Int) -> UInt32 {
        let known = ids.resources[bases[number].resource &+ row]
        return known == Self.unknown ? newResource(row, number) : known
    }

    private mutating func newResource(_ row: Int, _ number: Int) -> UInt32 {
        let view = views + number
        let service = name(view.pointee.service(ofResource: row), number)
        var hash = hashing.combine(0, UInt64(service))
        hash = hashing.combine(hash, UInt64(name(view.pointee.resourceSchema[row], number)))
        hash = self.hash(view.pointee.attributes(ofResource: row), of: view, number, from: hash)
        let place = SpanReference(table: UInt32(number), row: UInt32(row))
        var probe = resources.probe(hash)
        while let id = resources.next(&probe) {
            guard isSameResource(place, resources.places[id]) else { continue }
            ids.resources[bases[number].resource + row] = UInt32(id)
            return UInt32(id)
        }
        let new = resources.add(place, probe)
        services.append(service)
        ids.resources[bases[number].resource + row] = new
        return new
    }

    private func isSameResource(_ a: SpanReference, _ b: SpanReference) -> Bool {
        let (first, second) = (views + Int(a.table), views + Int(b.table))
        let (i, j) = (Int(a.row), Int(b.row))
        return first.pointee.resourceDropped[i] == second.pointee.resourceDropped[j]
            && isSameName(
                first.pointee.service(ofResource: i),
                a,
                second.pointee.service(ofResource: j),
                b
            )
            && isSameName(first.pointee.resourceSchema[i], a, second.pointee.resourceSchema[j], b)
            && isSame(
                first.pointee.attributes(ofResource: i),
                a,
                second.pointee.attributes(ofResource: j),
                b
            )
    }

    @inline(__always)
    private mutating func scope(_ row: Int, _ number: Int) -> UInt32 {
        let known = scopeIDs[bases[number].scope &+ row]
        return known == Self.unknown ? newScope(row, number) : known
    }

    private mutating func newScope(_ row: Int, _ number: Int) -> UInt32 {
        let view = views + number
        var hash = hashing.combine(0, UInt64(name(view.pointee.scopeName[row], number)))
        hash = hashing.combine(hash, UInt64(name(view.pointee.scopeVersion[row], number)))
        hash = hashing.combine(hash, UInt64(name(view.pointee.scopeSchema[row], number)))
        hash = self.hash(view.pointee.attributes(ofScope: row), of: view, number, from: hash)
        let place = SpanReference(table: UInt32(number), row: UInt32(row))
        var probe = scopes.probe(hash)
        while let id = scopes.next(&probe) {
            guard isSameScope(place, scopes.places[id]) else { continue }
            scopeIDs[bases[number].scope + row] = UInt32(id)
            return UInt32(id)
        }
        let new = scopes.add(place, probe)
        scopeIDs[bases[number].scope + row] = new
        return new
    }

    private func isSameScope(_ a: SpanReference, _ b: SpanReference) -> Bool {
        let (first, second) = (views + Int(a.table), views + Int(b.table))
        let (i, j) = (Int(a.row), Int(b.row))
        return first.pointee.scopeDropped[i] == second.pointee.scopeDropped[j]
            && isSameName(first.pointee.scopeName[i], a, second.pointee.scopeName[j], b)
            && isSameName(first.pointee.scopeVersion[i], a, second.pointee.scopeVersion[j], b)
            && isSameName(first.pointee.scopeSchema[i], a, second.pointee.scopeSchema[j], b)
            && isSame(
                first.pointee.attributes(ofScope: i),
                a,
                second.pointee.attributes(ofScope: j),
                b
            )
    }

    /// Takes attributes into a hash, and their keys into the names.
    private mutating func hash(
        _ rows: Range<Int>,
        of view: UnsafePointer<TableView>,
        _ number: Int,
        from seed: UInt64
    ) -> UInt64 {
        var hash = seed
        for row in rows {
            let key = UInt64(name(view.pointee.key[row], number)) << 8
            hash = hashing.combine(hash, key | UInt64(view.pointee.type[row]))
            let value =
                view.pointee.holdsText(row)
                ? hashing.of(view.pointee.text(row)) : view.pointee.value[row]
            hash = hashing.combine(hash, value)
        }
        return hash
    }

    /// Whether two strings are the same, both of which were taken in.
    private func isSameName(
        _ i: UInt32,
        _ a: SpanReference,
        _ j: UInt32,
        _ b: SpanReference
    ) -> Bool {
        nameIDs[bases[Int(a.table)].name + Int(i)] == nameIDs[bases[Int(b.table)].name + Int(j)]
    }

    private func isSame(
        _ rows: Range<Int>,
        _ a: SpanReference,
        _ others: Range<Int>,
        _ b: SpanReference
    ) -> Bool {
        guard rows.count == others.count else { return false }
        let (first, second) = (views + Int(a.table), views + Int(b.table))
        for (i, j) in zip(rows, others) {
            guard first.pointee.type[i] == second.pointee.type[j],
                isSameName(first.pointee.key[i], a, second.pointee.key[j], b)
            else { return false }
            let isSame =
                first.pointee.holdsText(i)
                ? ByteOrder.isSame(first.pointee.text(i), second.pointee.text(j))
                : first.pointee.value[i] == second.pointee.value[j]
            if !isSame { return false }
        }
        return true
    }

    // MARK: Sorting

    /// Sorts everything and translates `ids`.
    ///
    /// - Returns: the vocabulary, and for each of its resources which of its service's it is.
    mutating func finish() -> (vocabulary: PartVocabulary, instances: [UInt32]) {
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
        let resources = sortedResources(nameRanks)
        let formOrder = sorted(nameRanks, scopeRanks, shapeRanks)
        let eventFormOrder = sorted(nameRanks, shapeRanks)
        let eventFormRanks = Self.ranks(eventFormOrder.map(\.id))
        let uses = eventUses.records.withElements { uses in
            uses.map { use in
                PartVocabulary.EventUse(
                    service: nameRanks[Int(use.service)],
                    form: eventFormRanks[Int(use.form)]
                )
            }
        }
        Self.translate(&ids.forms, Self.ranks(formOrder.map(\.id)))
        Self.translate(&ids.eventForms, eventFormRanks)
        Self.translate(&ids.linkShapes, shapeRanks)
        Self.translate(&ids.resources, resources.ranks)
        let vocabulary = PartVocabulary(
            names: PackedTexts(run),
            resources: resources.texts,
            resourceServices: resources.services,
            scopes: scopeTexts,
            shapes: shapeList,
            forms: formOrder.map(\.form),
            eventForms: eventFormOrder.map(\.form),
            eventUses: uses.sorted()
        )
        return (vocabulary, resources.instances)
    }

    /// The place of each id in `order`.
    static func ranks(_ order: [UInt32]) -> [UInt32] {
        var ranks = [UInt32](repeating: 0, count: order.count)
        for (rank, id) in order.enumerated() { ranks[Int(id)] = UInt32(rank) }
        return ranks
    }

    /// Ids that nobody took in (of a resource without spans, an event without owner) stay.
    private static func translate(_ ids: inout Column<UInt32>, _ ranks: [UInt32]) {
        for index in 0..<ids.count where Int(ids[index]) < ranks.count {
            ids[index] = ranks[Int(ids[index])]
        }
    }

    private func sorted(
        _ nameRanks: [UInt32],
        _ scopeRanks: [UInt32],
        _ shapeRanks: [UInt32]
    ) -> [(id: UInt32, form: PartVocabulary.Form)] {
        var order: [(id: UInt32, form: PartVocabulary.Form)] = []
        order.reserveCapacity(forms.count)
        for id in 0..<forms.count {
            var form = forms.records[id]
            form.service = nameRanks[Int(form.service)]
            form.name = nameRanks[Int(form.name)]
            form.scope = scopeRanks[Int(form.scope)]
            form.shape = shapeRanks[Int(form.shape)]
            order.append((UInt32(id), form))
        }
        order.sort { $0.form < $1.form }
        return order
    }

    private func sorted(
        _ nameRanks: [UInt32],
        _ shapeRanks: [UInt32]
    ) -> [(id: UInt32, form: PartVocabulary.EventForm)] {
        var order: [(id: UInt32, form: PartVocabulary.EventForm)] = []
        order.reserveCapacity(eventForms.count)
        for id in 0..<eventForms.count {
            var form = eventForms.records[id]
            form.name = nameRanks[Int(form.name)]
            form.shape = shapeRanks[Int(form.shape)]
            order.append((UInt32(id), form))
        }
        order.sort { $0.form < $1.form }
        return order
    }

    private func sortedScopes() -> (PackedTexts, [UInt32]) {
        var all: [(bytes: [UInt8], id: UInt32)] = []
        for id in 0..<scopes.places.count {
            let place = scopes.places[id]
            let base = bases[Int(place.table)].name
            let bytes = ResourceCoding.scope(
                Int(place.row),
                of: tables[Int(place.table)].columns
            ) { nameIDs[base + Int($0)] }
            all.append((bytes, UInt32(id)))
        }
        all.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        return (PackedTexts(all.map(\.bytes)), Self.ranks(all.map(\.id)))
    }

    private struct SortedResources {
        var texts: PackedTexts
        var services: [UInt32]
        var ranks: [UInt32]
        var instances: [UInt32]
    }

    private func sortedResources(_ nameRanks: [UInt32]) -> SortedResources {
        var all: [(service: UInt32, bytes: [UInt8], id: UInt32)] = []
        for id in 0..<resources.places.count {
            let place = resources.places[id]
            let base = bases[Int(place.table)].name
            let bytes = ResourceCoding.resource(
                Int(place.row),
                of: tables[Int(place.table)].columns
            ) { nameIDs[base + Int($0)] }
            all.append((nameRanks[Int(services[id])], bytes, UInt32(id)))
        }
        all.sort {
            $0.service == $1.service
                ? $0.bytes.lexicographicallyPrecedes($1.bytes) : $0.service < $1.service
        }
        var instances: [UInt32] = []
        var first = 0
        for (row, resource) in all.enumerated() {
            if resource.service != all[first].service { first = row }
            instances.append(UInt32(row - first))
        }
        return SortedResources(
            texts: PackedTexts(all.map(\.bytes)),
            services: all.map(\.service),
            ranks: Self.ranks(all.map(\.id)),
            instances: instances
        )
    }
}

/// Places of resources or scopes, each distinct one once; what is the same says who asks.
private struct PlaceInterner: ~Copyable {
    /// Where a look-up is.
    struct Probe {
        fileprivate let hash: UInt64
        fileprivate var slot: Int
    }

    private(set) var places = Column<SpanReference>()
    private var hashes = Column<UInt64>()
    /// Id plus one, 0 for an empty slot.
    private var slots = Column<UInt32>(capacity: 64)

    init() { clearSlots(64) }

    func probe(_ hash: UInt64) -> Probe {
        Probe(hash: hash, slot: Int(truncatingIfNeeded: hash) & (slots.count &- 1))
    }

    /// The next place with the hash; `nil` where there are no more.
    func next(_ probe: inout Probe) -> Int? {
        while slots[probe.slot] != 0 {
            let id = Int(slots[probe.slot]) - 1
            probe.slot = (probe.slot + 1) & (slots.count - 1)
            if hashes[id] == probe.hash { return id }
        }
        return nil
    }

    /// Adds a place after `next` returned `nil`.
    mutating func add(_ place: SpanReference, _ probe: Probe) -> UInt32 {
        places.append(place)
        hashes.append(probe.hash)
        slots[probe.slot] = UInt32(places.count)
        if places.count * 2 > slots.count {
            clearSlots(slots.count * 4)
            for id in 0..<hashes.count {
                var slot = Int(truncatingIfNeeded: hashes[id]) & (slots.count - 1)
                while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
                slots[slot] = UInt32(id + 1)
            }
        }
        return UInt32(places.count - 1)
    }

    private mutating func clearSlots(_ count: Int) {
        slots.truncate(to: 0)
        slots.append(count: count) { $0.initialize(repeating: 0) }
    }
}
