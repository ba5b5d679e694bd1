// SPDX-License-Identifier: Apache-2.0

#if RedisStreams
/// A message of a stream.
public struct RedisMessage: Sendable, Hashable {
    /// The id that the server gave it: milliseconds since 1970, `-`, and a number.
    public let id: String
    /// What it says, with the fields that carry the trace, in the order they came. Empty for a message
    /// that was removed from the stream since it was received first.
    public let fields: [Field]

    /// A name and what it stands for.
    public struct Field: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value: any bytes.
        public var value: [UInt8]

        /// Pairs a name with its value.
        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// The text of a field; of several the last.
    public func text(_ name: String) -> String? {
        fields.last { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// A header for a tracer, which asks in lower case.
    func header(_ key: String) -> String? {
        fields.last { $0.name.lowercased() == key }.map {
            String(decoding: $0.value, as: UTF8.self)
        }
    }

    /// When the server took it, in nanoseconds since 1970, where its sender did not say when it was
    /// sent: the id tells.
    var sentAt: UInt64? {
        guard header(MessageHeaders.sentAt) == nil,
            let milliseconds = UInt64(id.prefix { $0 != "-" })
        else { return nil }
        let (nanoseconds, overflows) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return overflows ? nil : nanoseconds
    }

    /// Reads the answer to `XREADGROUP`: none, or for each stream its key and its messages, each of
    /// which is an id and a flat list of names and values, or none where it was removed.
    static func messages(in answer: RedisValue) throws(RedisError) -> [RedisMessage] {
        if answer == .none { return [] }
        guard let streams = answer.elements else { throw unreadable }
        var messages: [RedisMessage] = []
        for stream in streams {
            guard let parts = stream.elements, parts.count == 2, let entries = parts[1].elements
            else { throw unreadable }
            for entry in entries { messages.append(try message(in: entry)) }
        }
        return messages
    }

    private static func message(in entry: RedisValue) throws(RedisError) -> RedisMessage {
        guard let parts = entry.elements, parts.count == 2, let id = parts[0].text else {
            throw unreadable
        }
        let flat = parts[1].elements ?? []
        guard flat.count % 2 == 0 else { throw unreadable }
        var fields: [Field] = []
        for index in stride(from: 0, to: flat.count, by: 2) {
            guard let name = flat[index].text, case .bytes(let value) = flat[index + 1] else {
                throw unreadable
            }
            fields.append(Field(name: name, value: value))
        }
        return RedisMessage(id: id, fields: fields)
    }

    private static let unreadable = RedisError(.answer, "XREADGROUP is not answered by messages")
}
#endif
