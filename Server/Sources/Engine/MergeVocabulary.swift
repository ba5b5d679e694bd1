// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// The vocabularies of several parts as one, and what becomes of each part's numbers.
struct MergeVocabulary {
    /// From one input's ids to those of the joined part; `unused` for what no row needs.
    struct Translation {
        var names: [UInt32] = []
        var scopes: [UInt32] = []
        var shapes: [UInt32] = []
        var forms: [UInt32] = []
        var eventForms: [UInt32] = []
        /// By resource row: the row, and which of its service's resources it is.
        var resources: [UInt32] = []
        var instances: [UInt32] = []
    }

    /// What rows of an input need of its vocabulary.
    struct Use {
        var forms: [Bool]
        var eventForms: [Bool]
        var shapes: [Bool]
        var resources: [Bool]
        /// `nil` where all of the input's stay.
        var eventUses: Set<PartVocabulary.EventUse>?

        /// Everything.
        init(allOf vocabulary: Vocabulary) {
            forms = Array(repeating: true, count: vocabulary.forms.count)
            eventForms = Array(repeating: true, count: vocabulary.eventForms.count)
            shapes = Array(repeating: true, count: vocabulary.shapes.count)
            resources = Array(repeating: true, count: vocabulary.content.resources.count)
        }

        /// Nothing yet.
        init(noneOf vocabulary: Vocabulary) {
            forms = Array(repeating: false, count: vocabulary.forms.count)
            eventForms = Array(repeating: false, count: vocabulary.eventForms.count)
            shapes = Array(repeating: false, count: vocabulary.shapes.count)
            resources = Array(repeating: false, count: vocabulary.content.resources.count)
            eventUses = []
        }
    }

    static let unused = UInt32.max

    let content: PartVocabulary
    let translations: [Translation]

    init(_ vocabularies: [Vocabulary], _ uses: [Use]) {
        var translations = vocabularies.map { _ in Translation() }
        var uses = uses
        for index in uses.indices { Self.complete(&uses[index], vocabularies[index]) }
        let names = Self.names(vocabularies, uses, &translations)
        let scopes = Self.scopes(vocabularies, uses, &translations)
        let (resources, services) = Self.resources(vocabularies, uses, &translations)
        let shapes = Self.shapes(vocabularies, uses, &translations)
        let forms = Self.forms(vocabularies, uses, &translations)
        let eventForms = Self.eventForms(vocabularies, uses, &translations)
        content = PartVocabulary(
            names: names,
            resources: resources,
            resourceServices: services,
            scopes: scopes,
            shapes: shapes,
            forms: forms,
            eventForms: eventForms,
            eventUses: Self.eventUses(vocabularies, uses, translations)
        )
        self.translations = translations
    }

    /// Adds what the used ones are made of.
    private static func complete(_ use: inout Use, _ vocabulary: Vocabulary) {
        use.shapes[0] = true
        for (id, form) in vocabulary.forms.enumerated() where use.forms[id] {
            use.shapes[Int(form.shape)] = true
        }
        for (id, form) in vocabulary.eventForms.enumerated() where use.eventForms[id] {
            use.shapes[Int(form.shape)] = true
        }
    }

    // MARK: Names

    private static func names(
        _ vocabularies: [Vocabulary],
        _ uses: [Use],
        _ translations: inout [Translation]
    ) -> PackedTexts {
        var used: [[Bool]] = []
        for (index, vocabulary) in vocabularies.enumerated() {
            translations[index].names = Array(repeating: unused, count: vocabulary.nameCount)
            used.append(usedNames(vocabulary, uses[index]))
        }
        var next = Array(repeating: 0, count: vocabularies.count)
        var run = TextRun()
        while true {
            var first: Int?
            for index in vocabularies.indices {
                while next[index] < used[index].count, !used[index][next[index]] {
                    next[index] += 1
                }
                guard next[index] < used[index].count else { continue }
                guard let best = first else {
                    first = index
                    continue
                }
                if isBefore(vocabularies[index], next[index], vocabularies[best], next[best]) {
                    first = index
                }
            }
            guard let first else { break }
            let place = next[first]
            let id = UInt32(run.count)
            vocabularies[first].content.names.withBytes(place) { run.append($0) }
            for index in vocabularies.indices where next[index] < used[index].count {
                let isSame = vocabularies[index].content.names.withBytes(next[index]) { text in
                    vocabularies[first].content.names.withBytes(place) {
                        ByteOrder.isSame(text, $0)
                    }
                }
                if isSame {
                    translations[index].names[next[index]] = id
                    next[index] += 1
                }
            }
        }
        return PackedTexts(run)
    }

    private static func isBefore(_ a: Vocabulary, _ i: Int, _ b: Vocabulary, _ j: Int) -> Bool {
        a.content.names.withBytes(i) { first in
            b.content.names.withBytes(j) { ByteOrder.isBefore(first, $0) }
        }
    }

    private static func usedNames(_ vocabulary: Vocabulary, _ use: Use) -> [Bool] {
        var used = Array(repeating: use.eventUses == nil, count: vocabulary.nameCount)
        guard use.eventUses != nil else { return used }
        used[0] = true
        func mark(_ id: UInt32) -> UInt32 {
            used[Int(id)] = true
            return id
        }
        for (id, form) in vocabulary.forms.enumerated() where use.forms[id] {
            _ = mark(form.service)
            _ = mark(form.name)
        }
        for (id, form) in vocabulary.eventForms.enumerated() where use.eventForms[id] {
            _ = mark(form.name)
        }
        for (id, shape) in vocabulary.shapes.enumerated() where use.shapes[id] {
            for entry in shape { _ = mark(entry.key) }
        }
        for row in use.resources.indices where use.resources[row] {
            _ = ResourceCoding.resource(row, of: vocabulary.shared.columns, name: mark)
        }
        for row in usedScopes(vocabulary, use) {
            _ = ResourceCoding.scope(row, of: vocabulary.shared.columns, name: mark)
        }
        return used
    }

    // MARK: Resources and scopes

    private static func usedScopes(_ vocabulary: Vocabulary, _ use: Use) -> [Int] {
        var rows: Set<Int> = []
        for (id, form) in vocabulary.forms.enumerated() where use.forms[id] {
            rows.insert(Int(form.scope))
        }
        return rows.sorted()
    }

    private static func scopes(
        _ vocabularies: [Vocabulary],
        _ uses: [Use],
        _ translations: inout [Translation]
    ) -> PackedTexts {
        var all: [(bytes: [UInt8], input: Int, row: Int)] = []
        for (index, vocabulary) in vocabularies.enumerated() {
            let names = translations[index].names
            let count = vocabulary.content.scopes.count
            translations[index].scopes = Array(repeating: unused, count: count)
            for row in usedScopes(vocabulary, uses[index]) {
                let bytes = ResourceCoding.scope(row, of: vocabulary.shared.columns) {
                    names[Int($0)]
                }
                all.append((bytes, index, row))
            }
        }
        all.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        var distinct: [[UInt8]] = []
        for item in all {
            if distinct.last != item.bytes { distinct.append(item.bytes) }
            translations[item.input].scopes[item.row] = UInt32(distinct.count - 1)
        }
        return PackedTexts(distinct)
    }

    private static func resources(
        _ vocabularies: [Vocabulary],
        _ uses: [Use],
        _ translations: inout [Translation]
    ) -> (PackedTexts, services: [UInt32]) {
        var all: [(service: UInt32, bytes: [UInt8], input: Int, row: Int)] = []
        for (index, vocabulary) in vocabularies.enumerated() {
            let names = translations[index].names
            let count = vocabulary.content.resources.count
            translations[index].resources = Array(repeating: unused, count: count)
            translations[index].instances = Array(repeating: unused, count: count)
            for row in 0..<count where uses[index].resources[row] {
                let bytes = ResourceCoding.resource(row, of: vocabulary.shared.columns) {
                    names[Int($0)]
                }
                let service = names[Int(vocabulary.content.resourceServices[row])]
                all.append((service, bytes, index, row))
            }
        }
        all.sort {
            $0.service == $1.service
                ? $0.bytes.lexicographicallyPrecedes($1.bytes) : $0.service < $1.service
        }
        var distinct: [[UInt8]] = []
        var services: [UInt32] = []
        var first = 0
        for item in all {
            if services.last != item.service { first = distinct.count }
            if services.last != item.service || distinct.last != item.bytes {
                distinct.append(item.bytes)
                services.append(item.service)
            }
            let row = distinct.count - 1
            translations[item.input].resources[item.row] = UInt32(row)
            translations[item.input].instances[item.row] = UInt32(row - first)
        }
        return (PackedTexts(distinct), services)
    }

    // MARK: Shapes and forms

    private static func shapes(
        _ vocabularies: [Vocabulary],
        _ uses: [Use],
        _ translations: inout [Translation]
    ) -> [[PartVocabulary.Entry]] {
        var all: [(shape: [PartVocabulary.Entry], input: Int, row: Int)] = []
        for (index, vocabulary) in vocabularies.enumerated() {
            let names = translations[index].names
            translations[index].shapes = Array(repeating: unused, count: vocabulary.shapes.count)
            for (row, shape) in vocabulary.shapes.enumerated() where uses[index].shapes[row] {
                let entries = shape.map {
                    PartVocabulary.Entry(key: names[Int($0.key)], type: $0.type)
                }
                all.append((entries, index, row))
            }
        }
        all.sort { $0.shape.lexicographicallyPrecedes($1.shape) }
        var distinct: [[PartVocabulary.Entry]] = []
        for item in all {
            if distinct.last != item.shape { distinct.append(item.shape) }
            translations[item.input].shapes[item.row] = UInt32(distinct.count - 1)
        }
        return distinct
    }

    private static func forms(
        _ vocabularies: [Vocabulary],
        _ uses: [Use],
        _ translations: inout [Translation]
    ) -> [PartVocabulary.Form] {
        var all: [(form: PartVocabulary.Form, input: Int, id: Int)] = []
        for (index, vocabulary) in vocabularies.enumerated() {
            let own = translations[index]
            translations[index].forms = Array(repeating: unused, count: vocabulary.forms.count)
            for (id, form) in vocabulary.forms.enumerated() where uses[index].forms[id] {
                var form = form
                form.service = own.names[Int(form.service)]
                form.name = own.names[Int(form.name)]
                form.scope = own.scopes[Int(form.scope)]
                form.shape = own.shapes[Int(form.shape)]
                all.append((form, index, id))
            }
        }
        all.sort { $0.form < $1.form }
        var distinct: [PartVocabulary.Form] = []
        for item in all {
            if distinct.last != item.form { distinct.append(item.form) }
            translations[item.input].forms[item.id] = UInt32(distinct.count - 1)
        }
        return distinct
    }

    private static func eventForms(
        _ vocabularies: [Vocabulary],
        _ uses: [Use],
        _ translations: inout [Translation]
    ) -> [PartVocabulary.EventForm] {
        var all: [(form: PartVocabulary.EventForm, input: Int, id: Int)] = []
        for (index, vocabulary) in vocabularies.enumerated() {
            let own = translations[index]
            let count = vocabulary.eventForms.count
            translations[index].eventForms = Array(repeating: unused, count: count)
            for (id, form) in vocabulary.eventForms.enumerated() where uses[index].eventForms[id] {
                var form = form
                form.name = own.names[Int(form.name)]
                form.shape = own.shapes[Int(form.shape)]
                all.append((form, index, id))
            }
        }
        all.sort { $0.form < $1.form }
        var distinct: [PartVocabulary.EventForm] = []
        for item in all {
            if distinct.last != item.form { distinct.append(item.form) }
            translations[item.input].eventForms[item.id] = UInt32(distinct.count - 1)
        }
        return distinct
    }

    private static func eventUses(
        _ vocabularies: [Vocabulary],
        _ uses: [Use],
        _ translations: [Translation]
    ) -> [PartVocabulary.EventUse] {
        var all: Set<PartVocabulary.EventUse> = []
        for (index, vocabulary) in vocabularies.enumerated() {
            for use in uses[index].eventUses.map(Array.init) ?? vocabulary.content.eventUses {
                all.insert(
                    PartVocabulary.EventUse(
                        service: translations[index].names[Int(use.service)],
                        form: translations[index].eventForms[Int(use.form)]
                    )
                )
            }
        }
        return all.sorted()
    }
}
