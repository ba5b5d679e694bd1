// SPDX-License-Identifier: Apache-2.0

/// Keys and values that the application sends along with a request, for every service on the way.
///
/// At most 64 members and 8,192 bytes as sent; what goes past that is dropped and counted. Baggage
/// leaves the process in clear text: keep secrets out of it.
public struct Baggage: Sendable, Hashable {
    /// One key with its value.
    public struct Member: Sendable, Hashable {
        /// A token of HTTP: letters, digits and ! # $ % & ' * + - . ^ _ ` | ~.
        public let key: String
        /// Any text.
        public let value: String
        /// What followed the value on the wire, from the first `;` on, passed on as it came.
        public let properties: String

        fileprivate let encoded: String
    }

    /// The members, in the order they came.
    public private(set) var members: [Member] = []
    /// Members that were malformed or went past a limit.
    public private(set) var droppedCount = 0

    /// Makes a baggage without members.
    public init() {}

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// Whether it says nothing at all, not even that members were dropped.
    var isVoid: Bool { members.isEmpty && droppedCount == 0 }

    /// Reads the value of the header. Malformed members are dropped; of a repeated key the last
    /// value counts. Bytes that are not UTF-8 once decoded read as U+FFFD.
    public init(header: String) {
        let bytes = Array(header.utf8.prefix(Limits.baggageByteCount))
        let isCut = bytes.count < header.utf8.count
        if isCut { droppedCount = 1 }
        forEachListMember(of: bytes, isCut: isCut) { member in
            if member.isEmpty { return true }
            guard members.count < Limits.baggageMemberCount else {
                droppedCount += 1
                return true
            }
            if !add(member) { droppedCount += 1 }
            return true
        }
    }

    /// The value of the header: what other processes are sent.
    public var header: String { members.map(\.encoded).joined(separator: ",") }

    /// The value of `key`.
    public subscript(key: String) -> String? { members.first { $0.key == key }?.value }

    /// Sets the value of `key`.
    ///
    /// - Returns: `false`, no change and one more in `droppedCount` where `key` is not a token of
    ///   HTTP or the limits leave no room.
    @discardableResult
    public mutating func set(_ value: String, forKey key: String) -> Bool {
        guard store(key: Array(key.utf8)[...], value: value, properties: "") else {
            droppedCount += 1
            return false
        }
        return true
    }

    /// Drops the member of `key`, if there is one.
    public mutating func remove(_ key: String) { members.removeAll { $0.key == key } }

    private mutating func add(_ member: ArraySlice<UInt8>) -> Bool {
        let semicolon = member.firstIndex(of: UInt8(ascii: ";")) ?? member.endIndex
        guard let equals = member[..<semicolon].firstIndex(of: UInt8(ascii: "=")) else {
            return false
        }
        return store(
            key: trimmed(member[..<equals]),
            value: PercentCoding.decoded(trimmed(member[(equals + 1)..<semicolon])),
            properties: String(decoding: member[semicolon...], as: UTF8.self)
        )
    }

    private mutating func store(
        key: ArraySlice<UInt8>,
        value: String,
        properties: String
    ) -> Bool {
        guard !key.isEmpty, key.allSatisfy(isToken) else { return false }
        let key = String(decoding: key, as: UTF8.self)
        let encoded = key + "=" + PercentCoding.encoded(value) + properties
        let old = members.firstIndex { $0.key == key }
        let kept = members.reduce(0) { $0 + $1.encoded.utf8.count + 1 }
        let freed = old.map { members[$0].encoded.utf8.count + 1 } ?? 0
        guard kept - freed + encoded.utf8.count <= Limits.baggageByteCount else { return false }
        let member = Member(key: key, value: value, properties: properties, encoded: encoded)
        if let old {
            members[old] = member
        } else {
            guard members.count < Limits.baggageMemberCount else { return false }
            members.append(member)
        }
        return true
    }
}

/// W3C Baggage: the header `baggage`.
public struct W3CBaggage: Propagator {
    /// Makes the propagator.
    public init() {}

    public var keys: [String] { ["baggage"] }

    public func extract(into context: inout PropagatedContext, value: (String) -> String?) {
        guard let header = value("baggage") else { return }
        context.baggage = Baggage(header: header)
    }

    public func inject(_ context: PropagatedContext, set: (String, String) -> Void) {
        guard context.hasBaggage else { return }
        if !context.baggage.isEmpty { set("baggage", context.baggage.header) }
    }
}

private func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: tokenPunctuation.contains(byte)
    }
}

private let tokenPunctuation = Array("!#$%&'*+-.^_`|~".utf8)
