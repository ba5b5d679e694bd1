// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Where every decoder puts what it reads: columns, with the limits applied and the marks kept.
///
/// One owner of attributes is open at a time (`beginAttributes` ... `endAttributes`), so that its
/// run is contiguous. A span that turns out to be refused is taken back with `rewind`.
struct BatchBuilder: ~Copyable {
    var columns: SpanColumns
    let limits: DecodeLimits
    /// The limits that readers of nested bytes need, apart so that these pass in two registers.
    let depths: DepthLimits
    /// Nanoseconds since 1970 when the payload came.
    private(set) var receivedAt: UInt64
    /// Marks of the owner being read.
    var marks: SpanMarks = []

    private(set) var rejected = 0
    private var firstRejection = ""
    private var runStart = 0
    private var runDropped: UInt32 = 0
    private var valueBytesLeft: Int
    private var serviceKey: UInt32
    /// Where the last short text of each key lies, by the key's id: senders repeat themselves, and
    /// the same text need not be checked and kept twice.
    private var lastTexts = Column<UInt64>(capacity: 256)

    init(payloadByteCount: Int, receivedAt: UInt64, limits: DecodeLimits) {
        // 400 bytes a span is usual; tiny payloads and tiny spans grow from there.
        let expected = min(payloadByteCount / 400 + 1, limits.spansPerPayload)
        columns = SpanColumns(capacity: expected)
        // In such a span a third of the bytes are values, and an attribute takes about 40.
        columns.attributes = AttributeColumns(
            capacity: payloadByteCount / 40,
            byteCapacity: payloadByteCount * 2 / 5
        )
        serviceKey = columns.strings.intern("service.name")
        self.limits = limits
        depths = DepthLimits(parsed: limits.parsedDepth, stored: limits.storedDepth)
        self.receivedAt = receivedAt
        valueBytesLeft = limits.spanValueByteCount
    }

    /// Begins the next payload in the memory of the last.
    mutating func restart(receivedAt: UInt64) {
        columns.removeAll()
        lastTexts.truncate(to: 0)
        serviceKey = columns.strings.intern("service.name")
        self.receivedAt = receivedAt
        rejected = 0
        firstRejection = ""
    }

    /// What was built, in memory of just its size.
    func finish() -> DecodedBatch {
        let reason =
            switch rejected {
            case 0: ""
            case 1: "1 span was rejected: \(firstRejection)"
            default: "\(rejected) spans were rejected, the first: \(firstRejection)"
            }
        return DecodedBatch(columns: columns.packed(), rejected: rejected, rejectionReason: reason)
    }

    // MARK: Text

    /// The id of a name, key or other text that repeats.
    @inline(__always)
    mutating func intern(_ bytes: UnsafeRawBufferPointer, limit: Int) -> UInt32 {
        if bytes.count <= limit, Text.isASCII(bytes) { return columns.strings.intern(bytes) }
        return internRepaired(bytes, limit: limit)
    }

    @inline(__always)
    mutating func key(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        intern(bytes, limit: limits.keyByteCount)
    }

    @inline(__always)
    mutating func name(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        intern(bytes, limit: limits.valueByteCount)
    }

    @inline(never)
    private mutating func internRepaired(_ bytes: UnsafeRawBufferPointer, limit: Int) -> UInt32 {
        let kept = Text.prefix(bytes, limit)
        if kept.count < bytes.count { marks.insert(.limited) }
        if Text.isUTF8(kept) { return columns.strings.intern(kept) }
        marks.insert(.textRepaired)
        var text = String(decoding: kept, as: UTF8.self)
        return text.withUTF8 {
            columns.strings.intern(Text.prefix(UnsafeRawBufferPointer($0), limit))
        }
    }

    // MARK: Attributes

    /// Attributes, events and links that still fit the payload's budget.
    private var itemsLeft: Int {
        let used = columns.attributes.count + columns.events.count + columns.links.count
        return max(limits.itemsPerPayload - used, 0)
    }

    mutating func beginAttributes() {
        runStart = columns.attributes.count
        runDropped = 0
    }

    /// The run since `beginAttributes`, and how many attributes our limits dropped from it.
    mutating func endAttributes() -> (run: Run, dropped: UInt32) {
        let count = columns.attributes.count &- runStart
        return (Run(first: UInt32(runStart), count: UInt32(count)), runDropped)
    }

    /// Whether one more attribute fits its owner; counts and marks one that does not.
    @inline(__always)
    private mutating func admitsAttribute() -> Bool {
        if columns.attributes.count &- runStart < limits.attributesPerOwner, itemsLeft > 0 {
            return true
        }
        dropAttribute()
        return false
    }

    /// Counts an attribute of the open owner that is not kept.
    mutating func dropAttribute() {
        runDropped &+= 1
        marks.insert(.limited)
    }

    /// Adds a string attribute; `text` is copied.
    @inline(__always)
    mutating func attribute(key: UnsafeRawBufferPointer, text: UnsafeRawBufferPointer) {
        guard admitsAttribute() else { return }
        string(key: self.key(key), text)
    }

    /// Adds an attribute that is no run of bytes.
    @inline(__always)
    mutating func attribute(key: UnsafeRawBufferPointer, _ type: AttributeType, bits: UInt64) {
        guard admitsAttribute() else { return }
        columns.attributes.append(key: self.key(key), type: type, bits: bits)
    }

    /// Adds an attribute; `value.body` is copied.
    @inline(__always)
    mutating func attribute(key: UnsafeRawBufferPointer, _ value: RawValue) {
        guard admitsAttribute() else { return }
        switch value.type {
        case .empty, .bool, .int, .double:
            columns.attributes.append(key: self.key(key), type: value.type, bits: value.bits)
        case .string:
            string(key: self.key(key), value.body)
        case .bytes, .array, .map:
            long(key: key, value)
        }
    }

    /// Adds a string attribute.
    @inline(__always)
    private mutating func string(key: UInt32, _ bytes: UnsafeRawBufferPointer) {
        let room = min(limits.valueByteCount, valueBytesLeft)
        guard bytes.count <= room else { return repairedString(key: key, bytes, room: room) }
        let index = Int(truncatingIfNeeded: key)
        if index >= lastTexts.count { forgetTexts(upTo: index) }
        let last = lastTexts[index]
        if columns.attributes.holds(last, bytes) {
            valueBytesLeft &-= bytes.count
            return columns.attributes.append(key: key, type: .string, bits: last)
        }
        guard Text.isASCII(bytes) else { return repairedString(key: key, bytes, room: room) }
        valueBytesLeft &-= bytes.count
        columns.attributes.append(key: key, type: .string, bytes: bytes)
        lastTexts[index] = columns.attributes.value[columns.attributes.count &- 1]
    }

    /// Makes room for the texts of keys that are new.
    @inline(never)
    private mutating func forgetTexts(upTo key: Int) {
        lastTexts.append(count: key + 1 - lastTexts.count) { $0.initialize(repeating: 0) }
    }

    @inline(never)
    private mutating func repairedString(
        key: UInt32,
        _ bytes: UnsafeRawBufferPointer,
        room: Int
    ) {
        let kept = Text.prefix(bytes, room)
        if kept.count < bytes.count { marks.insert(.limited) }
        if Text.isUTF8(kept) {
            valueBytesLeft &-= kept.count
            columns.attributes.append(key: key, type: .string, bytes: kept)
            return
        }
        marks.insert(.textRepaired)
        var text = String(decoding: kept, as: UTF8.self)
        text.withUTF8 {
            let repaired = Text.prefix(UnsafeRawBufferPointer($0), room)
            valueBytesLeft &-= repaired.count
            columns.attributes.append(key: key, type: .string, bytes: repaired)
        }
    }

    /// Adds a bytes, array or map attribute. Bytes are cut; a list cannot be, and is dropped.
    @inline(never)
    private mutating func long(key: UnsafeRawBufferPointer, _ value: RawValue) {
        let room = min(limits.valueByteCount, valueBytesLeft)
        if value.type == .bytes {
            let kept = value.body.count > room ? .init(rebasing: value.body[..<room]) : value.body
            if kept.count < value.body.count { marks.insert(.limited) }
            valueBytesLeft &-= kept.count
            columns.attributes.append(key: self.key(key), type: .bytes, bytes: kept)
            return
        }
        guard value.body.count <= room else { return dropAttribute() }
        let id = self.key(key)
        guard value.isTooDeep || value.hasBadText else {
            valueBytesLeft &-= value.body.count
            columns.attributes.append(key: id, type: value.type, bytes: value.body)
            return
        }
        marks.formUnion(value.isTooDeep ? .limited : [])
        marks.formUnion(value.hasBadText ? .textRepaired : [])
        var rewritten: [UInt8] = []
        if value.type == .array {
            NestedValue.encode(array: NestedValue.array(value.body), to: &rewritten)
        } else {
            NestedValue.encode(map: NestedValue.map(value.body), to: &rewritten)
        }
        // U+FFFD takes three bytes where one bad byte stood.
        guard rewritten.count <= room else { return dropAttribute() }
        valueBytesLeft &-= rewritten.count
        rewritten.withUnsafeBytes {
            columns.attributes.append(key: id, type: value.type, bytes: $0)
        }
    }

    // MARK: Resources and spans

    /// The service a run of resource attributes names; marks its absence.
    mutating func service(in run: Run) -> UInt32 {
        for row in run.rows
        where columns.attributes.key[row] == serviceKey && columns.attributes.type(row) == .string {
            let service = columns.attributes.withBytes(row) { columns.strings.intern($0) }
            if service != 0 { return service }
        }
        marks.insert(.serviceMissing)
        return columns.strings.intern("unknown_service")
    }

    /// Begins an owner that is no span: its own marks, its own share of value bytes.
    mutating func beginOwner() {
        marks = []
        valueBytesLeft = limits.spanValueByteCount
    }

    /// Begins a span that carries the marks of its resource and scope.
    @inline(__always)
    mutating func beginSpan(marks inherited: SpanMarks) {
        marks = inherited
        valueBytesLeft = limits.spanValueByteCount
    }

    /// Whether one more event fits the span whose events began at `first`.
    mutating func admitsEvent(since first: Int) -> Bool {
        if columns.events.count &- first < limits.eventsPerSpan, itemsLeft > 0 { return true }
        marks.insert(.limited)
        return false
    }

    /// Whether one more link fits the span whose links began at `first`.
    mutating func admitsLink(since first: Int) -> Bool {
        if columns.links.count &- first < limits.linksPerSpan, itemsLeft > 0 { return true }
        marks.insert(.limited)
        return false
    }

    /// Whether one more span fits; counts one that does not.
    @inline(__always)
    mutating func admitsSpan() -> Bool {
        let limit = limits.spansPerPayload
        if columns.count < limit { return true }
        reject("the limit is \(limit) spans per request, send smaller batches")
        return false
    }

    /// Counts a refused span; the first reason is the one that is told.
    @inline(never)
    mutating func reject(_ reason: @autoclosure () -> String) {
        if rejected == 0 { firstRejection = reason() }
        rejected &+= 1
    }

    /// Adds the span that was begun, with what is missing filled in and marked.
    @inline(__always)
    mutating func append(_ row: inout SpanRow) {
        if row.start == 0 {
            row.start = receivedAt
            marks.insert(.startMissing)
        }
        if row.end == 0 {
            row.end = row.start
            marks.insert(.durationMissing)
        }
        row.marks = marks
        columns.append(row)
    }

    /// Gives the spans from row `first` on their resource, and what was noted on it.
    mutating func place(spansFrom first: Int, resource: UInt32, _ marks: SpanMarks) {
        for row in first..<columns.count { columns.resource[row] = resource }
        mark(spansFrom: first, marks)
    }

    /// Gives the spans from row `first` on their scope, and what was noted on it.
    mutating func place(spansFrom first: Int, scope: UInt32, _ marks: SpanMarks) {
        for row in first..<columns.count { columns.scope[row] = scope }
        mark(spansFrom: first, marks)
    }

    private mutating func mark(spansFrom first: Int, _ marks: SpanMarks) {
        guard !marks.isEmpty else { return }
        for row in first..<columns.count { columns.marks[row] |= marks.rawValue }
    }

    /// Where the tables stand, to take a refused span back.
    var position: (attributes: Int, bytes: Int, events: Int, links: Int) {
        (
            columns.attributes.count, columns.attributes.bytes.count, columns.events.count,
            columns.links.count
        )
    }

    /// Takes back everything added since `position` was asked.
    mutating func rewind(to position: (attributes: Int, bytes: Int, events: Int, links: Int)) {
        columns.attributes.truncate(to: position.attributes, byteCount: position.bytes)
        columns.events.truncate(to: position.events)
        columns.links.truncate(to: position.links)
    }
}

/// An attribute's value as a decoder found it.
struct RawValue {
    var type: AttributeType = .empty
    /// Of bool, int and double.
    var bits: UInt64 = 0
    /// Of string, bytes, array and map; lists in the form of `NestedValue`.
    var body = UnsafeRawBufferPointer(start: nil, count: 0)
    /// A list nested deeper than is stored.
    var isTooDeep = false
    /// A list that holds text which is not UTF-8.
    var hasBadText = false
}
