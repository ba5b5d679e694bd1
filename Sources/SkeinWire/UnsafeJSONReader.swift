// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What a JSON payload got wrong, and where in its bytes.
struct JSONFault: Error {
    enum Kind {
        case truncated, unexpected(String), badEscape, controlCharacter, badNumber, outOfRange
        case tooDeep, trailing, value(String), otherFormat(String)
    }

    let kind: Kind
    let offset: Int
}

/// A strict, bounded pull reader over one JSON text (RFC 8259).
///
/// The caller asks for what it expects and is answered in place: text without escapes is a window on
/// the payload, text with escapes a window on a scratch buffer that the next text overwrites.
/// `position <= bytes.count` always; nesting is counted; nothing recurses.
struct JSONReader: ~Copyable {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0
    private var scratch = Column<UInt8>()
    /// What `hold` keeps from being overwritten.
    private var held = Column<UInt8>()
    /// Where we are, for errors: one frame for each open object or array.
    private var frames: [Frame] = []
    private let depthLimit: Int

    private struct Frame {
        /// Start of the current member's name inside its quotes, -1 in an array.
        var key: Int
        /// Members or elements begun so far.
        var index: Int
    }

    /// A place to come back to: a member that must be read after one that may follow it.
    struct Bookmark {
        fileprivate let position: Int
        fileprivate let end: Int
    }

    init(_ bytes: UnsafeRawBufferPointer, depthLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    func fault(_ kind: JSONFault.Kind) -> JSONFault { JSONFault(kind: kind, offset: position) }

    // MARK: Structure

    /// The first byte of the next token, without taking it; 0 at the end.
    mutating func peek() -> UInt8 {
        while position < bytes.count {
            // Bound: position < bytes.count.
            let byte = bytes[position]
            if byte != 0x20, byte != 0x0A, byte != 0x0D, byte != 0x09 { return byte }
            position &+= 1
        }
        return 0
    }

    /// Takes `null` if it is next: proto3 JSON lets it stand for any absent value.
    mutating func takeNull() throws(JSONFault) -> Bool {
        guard peek() == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    mutating func beginObject() throws(JSONFault) {
        guard peek() == UInt8(ascii: "{") else { throw expected("an object") }
        try push(key: 0)
    }

    mutating func beginArray() throws(JSONFault) {
        guard peek() == UInt8(ascii: "[") else { throw expected("an array") }
        try push(key: -1)
    }

    private mutating func push(key: Int) throws(JSONFault) {
        guard frames.count < depthLimit else { throw fault(.tooDeep) }
        position &+= 1
        frames.append(Frame(key: key, index: 0))
    }

    /// Moves to the next element of the innermost array; false, and out of it, at its end.
    mutating func nextElement() throws(JSONFault) -> Bool {
        if peek() == UInt8(ascii: "]") {
            position &+= 1
            frames.removeLast()
            return false
        }
        try separator("']'")
        frames[frames.count - 1].index += 1
        return true
    }

    /// Moves to the next member of the innermost object and gives its name, which is valid until
    /// the next text is read; `nil`, and out of it, at its end.
    mutating func nextKey() throws(JSONFault) -> UnsafeRawBufferPointer? {
        if peek() == UInt8(ascii: "}") {
            position &+= 1
            frames.removeLast()
            return nil
        }
        try separator("'}'")
        guard peek() == UInt8(ascii: "\"") else { throw expected("a member's name") }
        frames[frames.count - 1].index += 1
        frames[frames.count - 1].key = position &+ 1
        let key = try text()
        guard peek() == UInt8(ascii: ":") else { throw expected("':'") }
        position &+= 1
        return key
    }

    private mutating func separator(_ end: String) throws(JSONFault) {
        guard frames[frames.count - 1].index > 0 else { return }
        guard peek() == UInt8(ascii: ",") else { throw expected("',' or \(end)") }
        position &+= 1
        let next = peek()
        if next == UInt8(ascii: "]") || next == UInt8(ascii: "}") { throw expected("a value") }
    }

    /// The end of the text: nothing but white space may follow.
    mutating func finish() throws(JSONFault) {
        if peek() != 0 || position < bytes.count { throw fault(.trailing) }
    }

    /// Skips the value that is next and returns a place to read it from later.
    mutating func postpone() throws(JSONFault) -> Bookmark {
        _ = peek()
        let start = position
        try skipValue()
        return Bookmark(position: start, end: position)
    }

    /// The bytes of a postponed value.
    func written(_ bookmark: Bookmark) -> UnsafeRawBufferPointer {
        // Bound: both ends were positions of this reader, in order.
        UnsafeRawBufferPointer(rebasing: bytes[bookmark.position..<bookmark.end])
    }

    /// Goes to a postponed value and returns the way back.
    mutating func move(to bookmark: Bookmark) -> Int {
        let here = position
        position = bookmark.position
        return here
    }

    /// Goes back to where `move(to:)` came from.
    mutating func move(back here: Int) { position = here }

    /// Whether `text` lies in the payload itself, not in a buffer that later texts overwrite.
    func isInPlace(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress, let origin = bytes.baseAddress else { return true }
        return start >= origin && start < origin + bytes.count
    }

    /// Skips one value of any kind; checks its form.
    mutating func skipValue() throws(JSONFault) {
        let outer = frames.count
        repeat {
            switch peek() {
            case UInt8(ascii: "{"): try push(key: 0)
            case UInt8(ascii: "["): try push(key: -1)
            case UInt8(ascii: "\""): _ = try text()
            case UInt8(ascii: "t"): try literal("true")
            case UInt8(ascii: "f"): try literal("false")
            case UInt8(ascii: "n"): try literal("null")
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try number()
            default: throw expected("a value")
            }
            // Out of everything that ends here, up to the next value or our own level.
            while frames.count > outer {
                let open = frames[frames.count - 1].key
                if open < 0 ? try nextElement() : try nextKey() != nil { break }
            }
        } while frames.count > outer
    }

    // MARK: Scalars

    /// A string's bytes: UTF-8 as written, escapes resolved, lone surrogates as U+FFFD.
    mutating func text() throws(JSONFault) -> UnsafeRawBufferPointer {
        guard peek() == UInt8(ascii: "\"") else { throw expected("a string") }
        position &+= 1
        let start = position
        while position < bytes.count {
            // Bound: position < bytes.count.
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let body = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
                position &+= 1
                return body
            }
            if byte == UInt8(ascii: "\\") { return try escapedText(from: start) }
            guard byte >= 0x20 else { throw fault(.controlCharacter) }
            position &+= 1
        }
        throw fault(.truncated)
    }

    /// Keeps the text just read valid until the next call of this, however many texts are read.
    mutating func hold() { swap(&scratch, &held) }

    private mutating func escapedText(from start: Int) throws(JSONFault) -> UnsafeRawBufferPointer {
        scratch.truncate(to: 0)
        UnsafeRawBufferPointer(rebasing: bytes[start..<position]).withMemoryRebound(to: UInt8.self)
        {
            scratch.append(contentsOf: $0)
        }
        while position < bytes.count {
            let byte = bytes[position]
            position &+= 1
            switch byte {
            case UInt8(ascii: "\""):
                // The window is good until the next text is read, as `text` promises.
                return scratch.withElements { UnsafeRawBufferPointer($0) }
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20:
                position &-= 1
                throw fault(.controlCharacter)
            default: scratch.append(byte)
            }
        }
        throw fault(.truncated)
    }

    private mutating func escape() throws(JSONFault) {
        guard position < bytes.count else { throw fault(.truncated) }
        let byte = bytes[position]
        position &+= 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(byte)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"): appendScalar(try unicodeEscape())
        default: throw fault(.badEscape)
        }
    }

    private mutating func unicodeEscape() throws(JSONFault) -> UInt32 {
        let first = try hex4()
        guard first & 0xF800 == 0xD800 else { return first }
        // A high surrogate counts only with the low one right behind it.
        guard first < 0xDC00, bytes.count &- position >= 6, bytes[position] == UInt8(ascii: "\\"),
            bytes[position &+ 1] == UInt8(ascii: "u")
        else { return 0xFFFD }
        let before = position
        position &+= 2
        let second = try hex4()
        guard second & 0xFC00 == 0xDC00 else {
            position = before
            return 0xFFFD
        }
        return 0x10000 &+ ((first & 0x3FF) << 10) &+ (second & 0x3FF)
    }

    private mutating func hex4() throws(JSONFault) -> UInt32 {
        guard bytes.count &- position >= 4 else { throw fault(.truncated) }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Hex.value(of: bytes[position]) else { throw fault(.badEscape) }
            value = value << 4 | UInt32(digit)
            position &+= 1
        }
        return value
    }

    private mutating func appendScalar(_ value: UInt32) {
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { scratch.append(byte) }
    }

    private mutating func literal(_ word: StaticString) throws(JSONFault) {
        let count = word.utf8CodeUnitCount
        guard bytes.count &- position >= count else { throw fault(.truncated) }
        for index in 0..<count where bytes[position &+ index] != word.utf8Start[index] {
            throw expected("a value")
        }
        position &+= count
    }

    mutating func bool() throws(JSONFault) -> Bool {
        switch peek() {
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        default: throw expected("true or false")
        }
        return bytes[position &- 2] == UInt8(ascii: "u")
    }

    /// A number's characters, form checked.
    private mutating func number() throws(JSONFault) -> Slice<UnsafeRawBufferPointer> {
        let start = position
        func digits(_ position: inout Int) -> Int {
            let first = position
            while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 {
                position &+= 1
            }
            return position &- first
        }
        if peek() == UInt8(ascii: "-") { position &+= 1 }
        let leading = position
        let whole = digits(&position)
        let padded = whole > 1 && bytes[leading] == UInt8(ascii: "0")
        guard whole > 0, !padded else { throw fault(.badNumber) }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position &+= 1
            guard digits(&position) > 0 else { throw fault(.badNumber) }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position &+= 1
            if position < bytes.count,
                bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position &+= 1
            }
            guard digits(&position) > 0 else { throw fault(.badNumber) }
        }
        return bytes[start..<position]
    }

    /// Digits of a number or, as proto3 JSON writes 64-bit numbers, of a string.
    private mutating func numeral() throws(JSONFault) -> String {
        let next = peek()
        if next == UInt8(ascii: "\"") { return String(decoding: try text(), as: UTF8.self) }
        guard next == UInt8(ascii: "-") || next &- UInt8(ascii: "0") < 10 else {
            throw expected("a number")
        }
        return String(decoding: try number(), as: UTF8.self)
    }

    mutating func uint64() throws(JSONFault) -> UInt64 {
        let digits = try numeral()
        if let value = UInt64(digits) { return value }
        if let value = Double(digits), let whole = UInt64(exactly: value) { return whole }
        throw fault(.outOfRange)
    }

    mutating func int64() throws(JSONFault) -> Int64 {
        let digits = try numeral()
        if let value = Int64(digits) { return value }
        if let value = Double(digits), let whole = Int64(exactly: value) { return whole }
        throw fault(.outOfRange)
    }

    mutating func uint32() throws(JSONFault) -> UInt32 {
        let value = try uint64()
        guard let small = UInt32(exactly: value) else { throw fault(.outOfRange) }
        return small
    }

    mutating func double() throws(JSONFault) -> Double {
        switch try numeral() {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        case let digits:
            guard let value = Double(digits) else { throw fault(.badNumber) }
            return value
        }
    }

    // MARK: Errors

    private mutating func expected(_ what: String) -> JSONFault {
        _ = peek()
        return fault(position >= bytes.count ? .truncated : .unexpected(what))
    }

    /// The fault in words, with the path of the value it stands in.
    func error(_ fault: JSONFault) -> WireError {
        var path = "$"
        for frame in frames {
            if frame.key < 0 {
                path += "[\(max(0, frame.index - 1))]"
            } else if frame.index > 0 {
                path += "." + memberName(at: frame.key)
            }
        }
        let place = "byte \(fault.offset), \(path)"
        var code = WireError.Code.malformed
        var hint = ""
        let message: String
        switch fault.kind {
        case .truncated:
            message = "the JSON ends too early"
            hint = "check that the whole body was sent, and its encoding"
        case .unexpected(let wanted): message = "expected \(wanted)"
        case .badEscape: message = "a string has an escape that JSON does not know"
        case .controlCharacter: message = "a string has an unescaped control character"
        case .badNumber: message = "a number is not in JSON's form"
        case .outOfRange: message = "a number is out of the field's range"
        case .tooDeep:
            code = .tooDeep
            message = "nested deeper than \(depthLimit) levels"
        case .trailing: message = "text follows the end of the JSON"
        case .value(let text): message = text
        case .otherFormat(let text):
            code = .otherFormat
            message = text
        }
        return WireError(code: code, message: message, place: place, hint: hint)
    }

    /// At most 64 bytes of the name that begins at `start`; only plain characters, for it is shown.
    private func memberName(at start: Int) -> String {
        var name = ""
        var index = start
        while index < bytes.count, index - start < 64, bytes[index] != UInt8(ascii: "\"") {
            let byte = bytes[index]
            let plain = byte > 0x20 && byte < 0x7F
            name.unicodeScalars.append(plain ? Unicode.Scalar(byte) : "?")
            index += 1
        }
        return name
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes are `word`.
    @inline(__always)
    func equals(_ word: StaticString) -> Bool {
        // Bound: the counts are equal before memory is compared.
        count == word.utf8CodeUnitCount
            && elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: count))
    }
}
