// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// Reads a trace table: one span a row, written by the pods of a cluster.
///
/// `TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration`
///
/// Ids are hexadecimal, the parent of a root is `root`, times are nanoseconds since 1970; the
/// duration repeats them and is not read. The service is the pod's name without the two hashes of
/// its deployment: `cart-579b9bff58-t2dbm` is a pod of `cart`.
struct CSVSource {
    static let header = Array(
        "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano".utf8
    )

    private var reader: ByteReader
    private var lineNumber = 1

    init(_ reader: ByteReader) throws(ClientError) {
        self.reader = reader
        _ = try self.reader.line()
    }

    /// The next rows as spans, `nil` at the end of the file.
    mutating func next() throws(ClientError) -> SpanColumns? {
        var columns = SpanColumns(capacity: Limits.groupRowCount)
        var resources: [Substring: UInt32] = [:]
        let scope = columns.scopes.append()
        while columns.count < Limits.groupRowCount, let line = try reader.line() {
            lineNumber += 1
            if line.isEmpty { continue }
            let text = String(decoding: line, as: UTF8.self)
            let fields = text.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 7 else {
                throw error("expected 8 fields, found \(fields.count)")
            }
            let pod = fields[3]
            let resource: UInt32
            if let known = resources[pod] {
                resource = known
            } else {
                resource = Self.resource(of: pod, in: &columns)
                resources[pod] = resource
            }
            var span = try row(fields, resource: resource, scope: scope)
            span.name = columns.strings.intern(String(fields[4]))
            columns.append(span)
        }
        if columns.count == 0 { return nil }
        return columns
    }

    private func row(
        _ fields: [Substring],
        resource: UInt32,
        scope: UInt32
    ) throws(ClientError) -> SpanRow {
        guard let traceID = TraceID(hex: fields[0]), traceID.isValid else {
            throw error("TraceID '\(fields[0])' is not a hexadecimal id")
        }
        guard let spanID = SpanID(hex: fields[1]), spanID.isValid else {
            throw error("SpanID '\(fields[1])' is not a hexadecimal id")
        }
        var parentID = SpanID.none
        if fields[2] != "root" {
            guard let parent = SpanID(hex: fields[2]) else {
                throw error("ParentID '\(fields[2])' is neither a hexadecimal id nor 'root'")
            }
            parentID = parent
        }
        guard let start = UInt64(fields[5]), let end = UInt64(fields[6]) else {
            throw error("'\(fields[5])' or '\(fields[6])' is not a time in nanoseconds")
        }
        return SpanRow(
            traceID: traceID,
            spanID: spanID,
            parentID: parentID,
            start: start,
            end: end,
            resource: resource,
            scope: scope
        )
    }

    private static func resource(of pod: Substring, in columns: inout SpanColumns) -> UInt32 {
        let service = String(service(of: pod))
        let attributes = columns.appendAttributes([
            .init(key: "service.name", value: .string(service)),
            .init(key: "k8s.pod.name", value: .string(String(pod))),
        ])
        return columns.resources.append(
            service: columns.strings.intern(service),
            attributes: attributes
        )
    }

    private static func service(of pod: Substring) -> Substring {
        let parts = pod.split(separator: "-")
        guard parts.count > 2, let end = parts.dropLast(2).last?.endIndex else { return pod }
        return pod[..<end]
    }

    private func error(_ message: String) -> ClientError {
        ClientError(message, at: "\(reader.path), line \(lineNumber)")
    }
}
