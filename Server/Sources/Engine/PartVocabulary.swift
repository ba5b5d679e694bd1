// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// What the numbers in a part's columns mean: names, resources, scopes, and the forms of spans and
/// events. One chunk, read when first needed.
///
/// Everything is sorted, so that what belongs together is a range: names by bytes, resources by
/// service, forms by service, then operation.
struct PartVocabulary: Sendable {
    /// One attribute of a shape.
    struct Entry: Sendable, Hashable, Comparable {
        /// Name id.
        var key: UInt32
        var type: AttributeType

        static func < (a: Entry, b: Entry) -> Bool {
            a.key == b.key ? a.type.rawValue < b.type.rawValue : a.key < b.key
        }
    }

    /// What a span is besides its times, ids and values; ordered as the fields stand.
    struct Form: Sendable, Hashable, Comparable {
        /// Name ids.
        var service: UInt32
        var name: UInt32
        var kind: UInt8
        var status: UInt8
        var flags: UInt32
        /// Row of `scopes`.
        var scope: UInt32
        /// Row of `shapes`.
        var shape: UInt32

        static func < (a: Form, b: Form) -> Bool {
            if a.service != b.service { return a.service < b.service }
            if a.name != b.name { return a.name < b.name }
            if a.kind != b.kind { return a.kind < b.kind }
            if a.status != b.status { return a.status < b.status }
            if a.flags != b.flags { return a.flags < b.flags }
            return a.scope == b.scope ? a.shape < b.shape : a.scope < b.scope
        }
    }

    /// What an event is besides its time and values; ordered as the fields stand.
    struct EventForm: Sendable, Hashable, Comparable {
        /// Name id.
        var name: UInt32
        var shape: UInt32
        /// Attributes dropped.
        var dropped: UInt32

        static func < (a: EventForm, b: EventForm) -> Bool {
            if a.name != b.name { return a.name < b.name }
            return a.shape == b.shape ? a.dropped < b.dropped : a.shape < b.shape
        }
    }

    /// That an event of a form stands in some span of a service.
    struct EventUse: Sendable, Hashable, Comparable {
        /// Name id.
        var service: UInt32
        var form: UInt32

        static func < (a: EventUse, b: EventUse) -> Bool {
            a.service == b.service ? a.form < b.form : a.service < b.service
        }
    }

    /// Sorted; id 0 is the empty one.
    var names: PackedTexts
    /// Each as `ResourceCoding` writes it; sorted by service id, then bytes.
    var resources: PackedTexts
    /// The service of each resource.
    var resourceServices: [UInt32]
    var scopes: PackedTexts
    /// Lists of keys and types; row 0 is the empty one.
    var shapes: [[Entry]]
    var forms: [Form]
    var eventForms: [EventForm]
    /// Sorted by service, then form.
    var eventUses: [EventUse]

    /// The resources of a service: the instance of a span is a place in this range.
    func resources(of service: UInt32) -> Range<Int> {
        let first = Self.lowerBound(resourceServices.count) { resourceServices[$0] >= service }
        let end = Self.lowerBound(resourceServices.count) { resourceServices[$0] > service }
        return first..<end
    }

    /// The forms of a service, or of an operation of it.
    func forms(of service: UInt32, named name: UInt32? = nil) -> Range<Int> {
        func isBehind(_ form: Form, orIn: Bool) -> Bool {
            if form.service != service { return form.service > service }
            guard let name, form.name != name else { return orIn }
            return form.name > name
        }
        let first = Self.lowerBound(forms.count) { isBehind(forms[$0], orIn: true) }
        let end = Self.lowerBound(forms.count) { isBehind(forms[$0], orIn: false) }
        return first..<end
    }

    /// The first of `count` places for which a condition holds that holds for all behind it too.
    private static func lowerBound(_ count: Int, _ holds: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

// MARK: Coding

extension PartVocabulary {
    /// Names, sorted and distinct; then resources; then scopes; then the numbers of shapes, forms,
    /// event forms and event uses, column by column.
    func encode(to encoder: inout ChunkEncoder) {
        var names = SortedTextRun()
        for index in 0..<self.names.count { self.names.withBytes(index) { names.append($0) } }
        encoder.append(sorted: names)
        for texts in [resources, scopes] {
            var run = TextRun()
            for index in 0..<texts.count { texts.withBytes(index) { run.append($0) } }
            encoder.append(texts: run)
        }
        encoder.append(integers: shapes.map { UInt64($0.count) })
        encoder.append(integers: shapes.flatMap { $0.map { UInt64($0.key) } })
        encoder.append(integers: shapes.flatMap { $0.map { UInt64($0.type.rawValue) } })
        encoder.append(integers: forms.map { UInt64($0.service) })
        encoder.append(integers: forms.map { UInt64($0.name) })
        encoder.append(integers: forms.map { UInt64($0.kind) })
        encoder.append(integers: forms.map { UInt64($0.status) })
        encoder.append(integers: forms.map { UInt64($0.flags) })
        encoder.append(integers: forms.map { UInt64($0.scope) })
        encoder.append(integers: forms.map { UInt64($0.shape) })
        encoder.append(integers: eventForms.map { UInt64($0.name) })
        encoder.append(integers: eventForms.map { UInt64($0.shape) })
        encoder.append(integers: eventForms.map { UInt64($0.dropped) })
        encoder.append(integers: eventUses.map { UInt64($0.service) })
        encoder.append(integers: eventUses.map { UInt64($0.form) })
    }

    init(
        chunk bytes: [UInt8],
        _ decompressor: borrowing Decompressor
    ) throws(CorruptBytes) {
        var reader = ByteReader(bytes)
        names = try PackedTexts(sorted: &reader, decompressor)
        resources = try PackedTexts(parsing: &reader, decompressor)
        scopes = try PackedTexts(parsing: &reader, decompressor)
        resourceServices = []
        for index in 0..<resources.count {
            var resource = ByteReader([UInt8](resources[index]))
            resourceServices.append(UInt32(try resource.index(below: names.count)))
        }
        shapes = try Self.shapes(&reader, decompressor, names: names.count)
        forms = try Self.forms(&reader, decompressor, names.count, scopes.count, shapes.count)
        eventForms = []
        let eventNames = try Self.column(&reader, decompressor, below: names.count)
        let eventShapes = try Self.column(&reader, decompressor, below: shapes.count)
        let eventDropped = try Self.column(&reader, decompressor, below: 1 << 32)
        guard eventNames.count == eventShapes.count, eventNames.count == eventDropped.count else {
            throw CorruptBytes(what: "its event forms are damaged")
        }
        for index in eventNames.indices {
            eventForms.append(
                EventForm(
                    name: eventNames[index],
                    shape: eventShapes[index],
                    dropped: eventDropped[index]
                )
            )
        }
        eventUses = []
        let services = try Self.column(&reader, decompressor, below: names.count)
        let used = try Self.column(&reader, decompressor, below: eventForms.count)
        guard services.count == used.count, reader.remaining == 0, names.count > 0,
            names.range(0).isEmpty, shapes.first?.isEmpty == true,
            zip(resourceServices, resourceServices.dropFirst()).allSatisfy({ $0 <= $1 })
        else { throw CorruptBytes(what: "its vocabulary contradicts itself") }
        for (service, form) in zip(services, used) {
            eventUses.append(EventUse(service: service, form: form))
        }
    }

    private static func column(
        _ reader: inout ByteReader,
        _ decompressor: borrowing Decompressor,
        below limit: Int
    ) throws(CorruptBytes) -> [UInt32] {
        let values = try PackedIntegers(parsing: &reader, decompressor).values
        guard values.allSatisfy({ $0 < UInt64(limit) }) else {
            throw CorruptBytes(what: "a number of the vocabulary is out of range")
        }
        return values.map { UInt32(truncatingIfNeeded: $0) }
    }

    private static func shapes(
        _ reader: inout ByteReader,
        _ decompressor: borrowing Decompressor,
        names: Int
    ) throws(CorruptBytes) -> [[Entry]] {
        let lengths = try column(&reader, decompressor, below: 1 << 32)
        let keys = try column(&reader, decompressor, below: names)
        let types = try column(&reader, decompressor, below: 1 << 8)
        guard keys.count == types.count else { throw CorruptBytes(what: "its shapes are damaged") }
        var shapes: [[Entry]] = []
        shapes.reserveCapacity(lengths.count)
        var first = 0
        for length in lengths {
            guard Int(length) <= keys.count - first else {
                throw CorruptBytes(what: "its shapes are damaged")
            }
            var shape: [Entry] = []
            shape.reserveCapacity(Int(length))
            for index in first..<first + Int(length) {
                guard let type = AttributeType(rawValue: UInt8(types[index])) else {
                    throw CorruptBytes(what: "an attribute type is unknown")
                }
                shape.append(Entry(key: keys[index], type: type))
            }
            shapes.append(shape)
            first += Int(length)
        }
        guard first == keys.count else { throw CorruptBytes(what: "its shapes are damaged") }
        return shapes
    }

    private static func forms(
        _ reader: inout ByteReader,
        _ decompressor: borrowing Decompressor,
        _ names: Int,
        _ scopes: Int,
        _ shapes: Int
    ) throws(CorruptBytes) -> [Form] {
        let services = try column(&reader, decompressor, below: names)
        let operations = try column(&reader, decompressor, below: names)
        let kinds = try column(&reader, decompressor, below: 1 << 8)
        let statuses = try column(&reader, decompressor, below: 1 << 8)
        let flags = try column(&reader, decompressor, below: 1 << 32)
        let scopeRows = try column(&reader, decompressor, below: scopes)
        let shapeRows = try column(&reader, decompressor, below: shapes)
        let count = services.count
        guard
            [operations, kinds, statuses, flags, scopeRows, shapeRows].allSatisfy({
                $0.count == count
            })
        else { throw CorruptBytes(what: "its forms are damaged") }
        return (0..<count).map { index in
            Form(
                service: services[index],
                name: operations[index],
                kind: UInt8(kinds[index]),
                status: UInt8(statuses[index]),
                flags: flags[index],
                scope: scopeRows[index],
                shape: shapeRows[index]
            )
        }
    }
}
