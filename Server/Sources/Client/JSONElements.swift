// SPDX-License-Identifier: Apache-2.0

/// Cuts JSON of any length into the elements of its outer list, so that no more than one element is
/// in memory: resource spans of OTLP, spans or traces of Zipkin, traces of Jaeger.
///
/// ```
/// [{…}, {…}]                   Zipkin: each object
/// [[{…}, {…}], [{…}]]          Zipkin, a list a trace: each inner object
/// {"resourceSpans": [{…}]}     OTLP: each object of the list; further documents may follow
/// {"data": [{…}, {…}]}         Jaeger: each trace
/// {"traceID": …, "spans": …}   one Jaeger trace: the whole
/// {"traceId": …, "id": …}      one Zipkin span: the whole
/// ```
/// It looks at brackets, strings and the keys of the outermost object only; what is inside an
/// element is judged by that element's decoder.
struct JSONElements {
    /// What an element is.
    enum Kind: Sendable {
        case otlpResourceSpans, zipkinSpan, jaegerTrace
    }

    /// One element as it stands in the file.
    struct Element: Sendable {
        var kind: Kind
        var bytes: [UInt8]
        /// Where it begins in the file, after decompression.
        var offset: Int
    }

    private var reader: ByteReader
    /// Open brackets, counted by kind so that `[}` is noticed while it is shallow.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// The kind of the list whose elements are cut out, and how deep it lies.
    private var list: (kind: Kind, depth: Int)?
    /// The last string and the last key of the outermost object; long ones are cut, none that
    /// matters is long.
    private var text: [UInt8] = []
    private var key = ""
    private var keys: [String] = []
    /// The element, or the document as long as it may turn out to be one element.
    private var capture: [UInt8] = []
    private var captureOffset = 0
    private var captureDepth: Int?

    init(_ reader: ByteReader) { self.reader = reader }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 9 || byte == 10 || byte == 13
    }

    /// The next element, `nil` at the end of the file.
    mutating func next() throws(ClientError) -> Element? {
        while let byte = try reader.next() {
            if captureDepth != nil { try keep(byte) }
            if isInString {
                readString(byte)
                continue
            }
            if let element = try readStructure(byte) { return element }
        }
        guard depth == 0 else {
            throw error("the JSON ends in the middle of a document", hint: "is the file complete?")
        }
        return nil
    }

    private mutating func readString(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
            return
        }
        if depth == 1, text.count < 64 { text.append(byte) }
    }

    /// One byte outside of strings; the element that it completes.
    private mutating func readStructure(_ byte: UInt8) throws(ClientError) -> Element? {
        switch byte {
        case UInt8(ascii: "\""):
            try expectStructure(byte)
            isInString = true
            text.removeAll(keepingCapacity: true)
        case UInt8(ascii: ":"):
            if depth == 1, list == nil { setKey() }
        case UInt8(ascii: "{"):
            try open(isObject: true)
        case UInt8(ascii: "["):
            try open(isObject: false)
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            return try close()
        case UInt8(ascii: ","), 0x20, 9, 10, 13:
            break
        default:
            try expectStructure(byte)
        }
        return nil
    }

    private mutating func setKey() {
        key = String(decoding: text, as: UTF8.self)
        if keys.count < 16 { keys.append(key) }
    }

    /// A value that is neither list nor object has no business outside of documents and between
    /// elements.
    private func expectStructure(_ byte: UInt8) throws(ClientError) {
        if depth == 0 {
            throw error("expected a JSON list or object, found '\(Self.shown(byte))'")
        }
        if let list, depth == list.depth, captureDepth == nil {
            throw error("expected an object in the list, found '\(Self.shown(byte))'")
        }
    }

    private static func shown(_ byte: UInt8) -> String {
        byte >= 0x20 && byte < 0x7F
            ? String(Unicode.Scalar(byte)) : "byte 0x" + String(byte, radix: 16)
    }

    private mutating func open(isObject: Bool) throws(ClientError) {
        defer { depth += 1 }
        if let list {
            guard depth == list.depth, captureDepth == nil else { return }
            if isObject {
                try begin()
            } else if list.kind == .zipkinSpan, list.depth == 1 {
                self.list = (.zipkinSpan, 2)
            } else {
                throw error("expected an object in the list, found a list")
            }
            return
        }
        if depth == 0 {
            keys = []
            key = ""
            if isObject {
                try begin()
            } else {
                list = (.zipkinSpan, 1)
            }
        } else if depth == 1, !isObject, key == "resourceSpans" || key == "data" {
            list = (key == "data" ? .jaegerTrace : .otlpResourceSpans, 2)
            captureDepth = nil
            capture = []
        }
    }

    private mutating func close() throws(ClientError) -> Element? {
        guard depth > 0 else { throw error("a bracket closes that was never opened") }
        depth -= 1
        if captureDepth == depth { return try end() }
        if let list, captureDepth == nil, depth == list.depth - 1 {
            // The inner list of Zipkin's list of lists leads back to the outer one.
            self.list = list.kind == .zipkinSpan && list.depth == 2 ? (.zipkinSpan, 1) : nil
        }
        return nil
    }

    private mutating func begin() throws(ClientError) {
        captureDepth = depth
        captureOffset = reader.offset - 1
        capture = [UInt8(ascii: "{")]
    }

    private mutating func keep(_ byte: UInt8) throws(ClientError) {
        guard capture.count < Limits.elementByteCount else {
            throw error(
                "one element is larger than \(Limits.elementByteCount) bytes",
                hint: "no receiver takes that in one request"
            )
        }
        capture.append(byte)
    }

    private mutating func end() throws(ClientError) -> Element? {
        defer {
            captureDepth = nil
            capture = []
        }
        if let list {
            return Element(kind: list.kind, bytes: capture, offset: captureOffset)
        }
        let kind: Kind
        if keys.contains("spans"), keys.contains("processes") {
            kind = .jaegerTrace
        } else if keys.contains("traceId"), keys.contains("id") {
            kind = .zipkinSpan
        } else {
            let found = keys.isEmpty ? "no keys" : "keys " + keys.joined(separator: ", ")
            throw ClientError(
                "this object is no trace data: it has \(found)",
                at: "\(reader.path), byte \(captureOffset)",
                hint: "OTLP has a list resourceSpans, Jaeger a list data, Zipkin is a list"
            )
        }
        return Element(kind: kind, bytes: capture, offset: captureOffset)
    }

    private func error(_ message: String, hint: String = "") -> ClientError {
        ClientError(message, at: "\(reader.path), byte \(reader.offset)", hint: hint)
    }
}
