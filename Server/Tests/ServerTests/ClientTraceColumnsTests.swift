// SPDX-License-Identifier: Apache-2.0

import Client
import SkeinModel
import Testing

@Suite struct ClientTraceColumnsTests {
    /// Columns of spans with these parents, as a server would write them.
    private static func columns(_ parents: [Int32]) -> [UInt8] {
        let header = Array(
            """
            {"traceId":"abc","t0":"1000","duration":"100","n":\(parents.count),"unitNanos":1,\
            "services":["shop"],"names":["op"],"warnings":[]}
            """.utf8
        )
        func bytes(_ number: UInt32, _ width: Int = 4) -> [UInt8] {
            (0..<width).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
        }
        let rows = parents.indices
        var result = Array("TRV1".utf8) + bytes(UInt32(header.count)) + header
        result += rows.flatMap { bytes(UInt32($0)) } + rows.flatMap { _ in bytes(1) }
        result += parents.flatMap { bytes(UInt32(bitPattern: $0)) }
        result += rows.flatMap { _ in bytes(0) } + rows.flatMap { _ in bytes(0, 2) }
        // The depth, which the client takes from the parents; columns end with the flags.
        result += rows.flatMap { _ in bytes(0, 3) } + rows.flatMap { _ in bytes(0, 1) }
        return result
    }

    private static func read(_ parents: [Int32]) async throws -> [Int] {
        let bytes = columns(parents)
        let head = "HTTP/1.1 200 OK\r\ncontent-length: \(bytes.count)\r\n\r\n"
        let server = try await ScriptedHTTPServer { _ in Array(head.utf8) + bytes }
        let api = try NativeAPI(address: server.baseURL)
        do {
            let trace = try await api.traceColumns(TraceID(high: 0, low: 0xABC))
            await api.close()
            try await server.stop()
            return trace.spans.map(\.parent)
        } catch {
            await api.close()
            try await server.stop()
            throw error
        }
    }

    @Test(arguments: [[-1], [-1, 0, 1, 1, 0, -1, 5], [-1, -1, -1], []] as [[Int32]])
    func `columns in the order of a tree are read`(_ parents: [Int32]) async throws {
        #expect(try await Self.read(parents) == parents.map(Int.init))
    }

    @Test(
        arguments: [
            // After the second root nothing can hang below the first.
            [-1, -1, 0], [-1, 0, 0, 1], [-1, 0, 1, 0, 2], [0], [-1, 1], [-1, 2, 0], [-2], [-1, -3],
        ] as [[Int32]]
    )
    func `columns in no order of a tree are refused`(_ parents: [Int32]) async throws {
        let error = await #expect(throws: ClientError.self) { try await Self.read(parents) }
        #expect("\(error as Any)".contains("is damaged"))
    }
}
