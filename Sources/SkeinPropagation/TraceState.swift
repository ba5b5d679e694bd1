// SPDX-License-Identifier: Apache-2.0

/// W3C's `tracestate`: what each tracing system on the way noted for itself, newest first.
///
/// Kept as the text that travels, checked and without empty members:
/// ```
/// "ot=th:8, ,rojo=00f067aa0ba902b7"  ->  "ot=th:8,rojo=00f067aa0ba902b7"
/// ```
/// Most traces carry none, and then this is an empty string.
public struct TraceState: Sendable, Hashable {
    /// The value of the header; empty for none.
    public private(set) var text: String

    /// Makes a state without members.
    public init() { text = "" }

    /// Whether there are no members.
    public var isEmpty: Bool { text.isEmpty }

    /// Reads the value of the header.
    ///
    /// Members past the 32nd, repeated keys and whatever lies past 8,192 bytes are dropped from the
    /// right, which is where the oldest stand.
    ///
    /// - Returns: `nil` where a member is malformed: then nothing of the header can be trusted.
    public init?(header: String) {
        let bytes = Array(header.utf8.prefix(Limits.traceStateByteCount))
        let isCut = bytes.count < header.utf8.count
        var members: [ArraySlice<UInt8>] = []
        var isValid = true
        forEachListMember(of: bytes, isCut: isCut) { member in
            if member.isEmpty { return true }
            guard let equals = Self.validate(member) else {
                isValid = false
                return false
            }
            let key = member[..<equals]
            if !members.contains(where: { $0.starts(with: key + [UInt8(ascii: "=")]) }) {
                members.append(member)
            }
            return members.count < Limits.traceStateMemberCount
        }
        guard isValid else { return nil }
        let joined = members.joined(separator: [UInt8(ascii: ",")])
        text = String(decoding: Array(joined), as: UTF8.self)
    }

    /// The value of `key`.
    public subscript(key: String) -> String? {
        for member in text.utf8.split(separator: UInt8(ascii: ",")) {
            guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { continue }
            if member[..<equals].elementsEqual(key.utf8) {
                return String(member[member.index(after: equals)...])
            }
        }
        return nil
    }

    /// Puts `value` for `key` in front, in place of an older one; a 33rd member falls off the end.
    ///
    /// - Returns: `false`, and no change, where the standard does not allow the key or the value.
    @discardableResult
    public mutating func set(_ value: String, forKey key: String) -> Bool {
        let member = Array((key + "=" + value).utf8)
        let equals = key.utf8.count
        guard Self.validate(member[...]) == equals else { return false }
        remove(key)
        var members = text.split(separator: ",")
        members.insert(Substring(decoding: member, as: UTF8.self), at: 0)
        text = members.prefix(Limits.traceStateMemberCount).joined(separator: ",")
        return true
    }

    /// Drops the member of `key`, if there is one.
    public mutating func remove(_ key: String) {
        guard self[key] != nil else { return }
        text = text.split(separator: ",")
            .filter { !$0.hasPrefix(key + "=") }
            .joined(separator: ",")
    }

    /// Where the `=` of a well-formed member stands.
    private static func validate(_ member: ArraySlice<UInt8>) -> Int? {
        guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let key = member[..<equals]
        let value = member[(equals + 1)...]
        let limit = 1...Limits.traceStateTextByteCount
        guard limit.contains(key.count), limit.contains(value.count) else { return nil }
        guard let first = key.first, isLowerAlphanumeric(first) else { return nil }
        guard key.allSatisfy({ isLowerAlphanumeric($0) || keyPunctuation.contains($0) }) else {
            return nil
        }
        guard value.last != UInt8(ascii: " ") else { return nil }
        let isPrintable = value.allSatisfy {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=")
        }
        return isPrintable ? equals : nil
    }

    private static let keyPunctuation = Array("_-*/@".utf8)

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
