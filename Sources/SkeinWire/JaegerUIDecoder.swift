// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Walks the JSON of Jaeger's page and puts its spans into columns. Not a hot path: people load
/// files with it, no client sends it.
///
/// A span names its process by a key of the trace's `processes`, which may come after the spans:
/// they are skipped and read on the way back.
struct JaegerUIDecoder: ~Copyable {
    private var builder: BatchBuilder
    /// Each distinct process, and each distinct library, once.
    private var resources: [Process: Owner] = [:]
    private var scopes: [Scope: UInt32] = [:]

    private struct Process: Hashable {
        var service = ""
        var tags: [AttributeValue.KeyValue] = []
    }

    /// The row of a process, and the marks that its spans carry.
    private struct Owner {
        var row: UInt32
        var marks: SpanMarks
    }

    private struct Scope: Hashable {
        var name = ""
        var version = ""
    }

    init(payloadByteCount: Int, receivedAt: UInt64, limits: DecodeLimits) {
        builder = BatchBuilder(
            payloadByteCount: payloadByteCount,
            receivedAt: receivedAt,
            limits: limits
        )
    }

    consuming func finish() -> DecodedBatch { builder.finish() }

    mutating func document(_ reader: inout JSONReader) throws(JSONFault) {
        var parts = TraceParts()
        var isEnvelope = false
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard key.equals("data") else {
                try parts.take(
                    isSpans: key.equals("spans"),
                    isProcesses: key.equals("processes"),
                    &reader
                )
                continue
            }
            isEnvelope = true
            if try reader.takeNull() { continue }
            try reader.beginArray()
            while try reader.nextElement() { try trace(&reader) }
        }
        try reader.finish()
        if parts.spans != nil {
            try spans(of: parts, &reader)
        } else if !isEnvelope {
            throw reader.fault(.otherFormat("the object has neither 'data' nor 'spans'"))
        }
    }

    // MARK: Traces and processes

    /// The members of a trace, to be read in our order.
    private struct TraceParts {
        var spans: JSONReader.Bookmark?
        var processes: JSONReader.Bookmark?

        mutating func take(
            isSpans: Bool,
            isProcesses: Bool,
            _ reader: inout JSONReader
        ) throws(JSONFault) {
            if try reader.takeNull() { return }
            let place = try reader.postpone()
            if isSpans { spans = place }
            if isProcesses { processes = place }
        }
    }

    private mutating func trace(_ reader: inout JSONReader) throws(JSONFault) {
        var parts = TraceParts()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            try parts.take(
                isSpans: key.equals("spans"),
                isProcesses: key.equals("processes"),
                &reader
            )
        }
        try spans(of: parts, &reader)
    }

    private mutating func spans(
        of parts: TraceParts,
        _ reader: inout JSONReader
    ) throws(JSONFault) {
        var processes: [String: Owner] = [:]
        if let place = parts.processes {
            let here = reader.move(to: place)
            try reader.beginObject()
            while let key = try reader.nextKey() {
                let name = String(decoding: key, as: UTF8.self)
                processes[name] = try resource(process(&reader))
            }
            reader.move(back: here)
        }
        guard let place = parts.spans else { return }
        let here = reader.move(to: place)
        try reader.beginArray()
        while try reader.nextElement() {
            if builder.admitsSpan() {
                try span(&reader, processes)
            } else {
                try reader.skipValue()
            }
        }
        reader.move(back: here)
    }

    private func process(_ reader: inout JSONReader) throws(JSONFault) -> Process {
        var process = Process()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key.equals("serviceName") {
                process.service = try JaegerTags.text(&reader)
            } else if key.equals("tags") {
                process.tags = try JaegerTags.list(&reader)
            } else {
                try reader.skipValue()
            }
        }
        return process
    }

    private mutating func resource(_ process: Process) -> Owner {
        if let known = resources[process] { return known }
        builder.beginOwner()
        builder.beginAttributes()
        if !process.service.isEmpty {
            builder.attribute("service.name", .string(process.service))
        }
        for tag in process.tags { builder.attribute(tag.key, tag.value) }
        let (run, dropped) = builder.endAttributes()
        let row = builder.columns.resources.append(
            service: builder.service(in: run),
            attributes: run,
            dropped: dropped
        )
        let owner = Owner(row: row, marks: builder.marks)
        resources[process] = owner
        return owner
    }

    private mutating func scope(_ scope: Scope) -> UInt32 {
        if let known = scopes[scope] { return known }
        let row = builder.columns.scopes.append(
            name: builder.name(scope.name),
            version: builder.name(scope.version)
        )
        scopes[scope] = row
        return row
    }

    // MARK: Spans

    private mutating func span(
        _ reader: inout JSONReader,
        _ processes: [String: Owner]
    ) throws(JSONFault) {
        let offset = reader.position
        let read = try JaegerSpan(&reader)
        let process: Owner?
        if let inline = read.process {
            let here = reader.move(to: inline)
            process = resource(try self.process(&reader))
            reader.move(back: here)
        } else {
            process = processes[read.processID]
        }
        if let problem = read.problem {
            return builder.reject("\(problem) (span at byte \(offset))")
        }
        guard let resource = process else {
            return builder.reject(
                "the trace has no process of the span's processID (span at byte \(offset))"
            )
        }
        var row = read.row
        row.resource = resource.row
        builder.beginSpan(marks: resource.marks)
        var found = Scope()
        builder.beginAttributes()
        for tag in read.tags where !field(tag, &row, &found) {
            builder.attribute(tag.key, tag.value)
        }
        (row.attributes, row.droppedAttributes) = builder.endAttributes()
        row.scope = scope(found)
        row.name = builder.name(read.operation)
        events(read.logs, &row)
        links(read, &row)
        builder.append(&row)
    }

    /// Puts a tag that stands for a field into the field; false for any other.
    private mutating func field(
        _ tag: AttributeValue.KeyValue,
        _ row: inout SpanRow,
        _ scope: inout Scope
    ) -> Bool {
        switch (tag.key, tag.value) {
        case ("span.kind", .string(let word)):
            guard let kind = SpanKind(word: word) else { return false }
            row.kind = kind
        case ("error", .bool(true)), ("error", .string("true")): row.status = .error
        case ("otel.status_code", .string("ERROR")): row.status = .error
        case ("otel.status_code", .string("OK")):
            if row.status == .unset { row.status = .ok }
        case ("otel.status_description", .string(let text)): row.statusMessage = builder.name(text)
        case ("w3c.tracestate", .string(let text)): row.traceState = builder.name(text)
        case ("otel.scope.name", .string(let text)), ("otel.library.name", .string(let text)):
            scope.name = text
        case ("otel.scope.version", .string(let text)),
            ("otel.library.version", .string(let text)):
            scope.version = text
        default: return false
        }
        return true
    }

    private mutating func events(_ logs: [JaegerSpan.Log], _ row: inout SpanRow) {
        let first = builder.columns.events.count
        for log in logs {
            guard builder.admitsEvent(since: first) else {
                row.droppedEvents += 1
                continue
            }
            var name = ""
            builder.beginAttributes()
            for field in log.fields {
                if name.isEmpty, field.key == "event", case .string(let text) = field.value {
                    name = text
                } else {
                    builder.attribute(field.key, field.value)
                }
            }
            let (run, dropped) = builder.endAttributes()
            builder.columns.events.append(
                time: log.time,
                name: builder.name(name),
                attributes: run,
                dropped: dropped
            )
        }
        row.events = Run(
            first: UInt32(first),
            count: UInt32(builder.columns.events.count &- first)
        )
    }

    /// The first reference into the same trace is the parent, `CHILD_OF` before `FOLLOWS_FROM`;
    /// what is left are links. A parent that is followed keeps a link that says so.
    private mutating func links(_ read: JaegerSpan, _ row: inout SpanRow) {
        let inTrace = { (reference: JaegerSpan.Reference) in
            reference.traceID == read.row.traceID
        }
        let parent =
            read.references.firstIndex { inTrace($0) && $0.isChild }
            ?? read.references.firstIndex(where: inTrace)
        if let parent {
            row.parentID = read.references[parent].spanID
        } else {
            row.parentID = read.parentID
        }
        let first = builder.columns.links.count
        for (index, reference) in read.references.enumerated() {
            if index == parent, reference.isChild { continue }
            guard builder.admitsLink(since: first) else {
                row.droppedLinks += 1
                continue
            }
            builder.beginAttributes()
            if reference.isChild || index == parent {
                let type = reference.isChild ? "child_of" : "follows_from"
                builder.attribute("opentracing.ref_type", .string(type))
            }
            builder.columns.links.append(
                traceID: reference.traceID,
                spanID: reference.spanID,
                attributes: builder.endAttributes().run
            )
        }
        row.links = Run(first: UInt32(first), count: UInt32(builder.columns.links.count &- first))
    }
}
