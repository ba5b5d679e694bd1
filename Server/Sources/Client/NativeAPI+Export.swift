// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import NIOCore

/// What to export.
public struct ExportSearch: Sendable, Hashable {
    /// The forms an export has.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// A `TracesData` object a line.
        case json
        /// `TracesData` messages, each after its length.
        case protobuf
    }

    public var format: Format
    /// A TraceQL query; `nil` for all traces.
    public var query: String?
    /// Nanoseconds since 1970.
    public var start: UInt64?
    public var end: UInt64?
    /// How far to look back, such as `1h`.
    public var last: String?

    /// Exports the last hour.
    public init(_ format: Format) { self.format = format }

    var parameters: [(String, String)] {
        let pairs: [(String, String?)] = [
            ("format", format.rawValue), ("q", query), ("start", start.map { "\($0)" }),
            ("end", end.map { "\($0)" }), ("last", last),
        ]
        return pairs.compactMap { pair in pair.1.map { (pair.0, $0) } }
    }
}

/// What an export came to, as its end says.
public struct ExportSummary: Sendable, Decodable {
    public var traceCount: Int
    public var spanCount: Int
    public var complete: Bool
    public var incompleteReasons: [String]
}

extension NativeAPI {
    /// Hands the bytes of an export to `write`, piece by piece: the next is asked for when it returns.
    ///
    /// - Returns: The counts that stand at its end.
    /// - Throws: `ClientError` when the server refuses, or when the export was interrupted: what was
    ///   written is not all.
    public func export(
        _ search: ExportSearch,
        _ write: ([UInt8]) throws -> Void
    ) async throws -> ExportSummary {
        let path = "/api/skein/v1/export" + Self.query(search.parameters)
        var end: [UInt8] = []
        var byteCount = 0
        do {
            try await stream(path, accept: "*/*") { piece in
                try write(piece)
                byteCount += piece.count
                end = Array((end + piece).suffix(Limits.exportEndByteCount))
                return true
            }
        } catch let error as ClientError where byteCount > 0 {
            throw interrupted(byteCount, error.message)
        }
        guard let summary = Self.summary(of: end) else {
            throw interrupted(byteCount, "it ends before its end")
        }
        return summary
    }

    private func interrupted(_ byteCount: Int, _ reason: String) -> ClientError {
        notReached(
            "the export was interrupted after \(byteCount) bytes: \(reason)",
            hint: "what was written is not all; ask again"
        )
    }

    /// The counts that the last object of an export holds: text at the very end of it.
    private static func summary(of end: [UInt8]) -> ExportSummary? {
        let mark = Array(#"{"traceCount":"#.utf8)
        guard end.count > mark.count else { return nil }
        let place = (0...end.count - mark.count).last { end[$0...].starts(with: mark) }
        guard let place else { return nil }
        var text = end[place...]
        // A line of JSON closes the object around it.
        if text.last == UInt8(ascii: "\n") { text = text.dropLast(2) }
        return try? JSONDecoder().decode(ExportSummary.self, from: Data(text))
    }
}
