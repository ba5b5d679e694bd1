// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Testing

@Suite struct APIIncompletenessTests {
    private static let reason = "part 7 was set aside"

    @Test(arguments: [
        (TestAPI.Interface.main, "/api/services"), (.main, "/api/services/web/operations"),
        (.main, "/api/operations?service=web"), (.main, "/api/v3/services"),
        (.zipkin, "/api/v2/services"), (.zipkin, "/api/v2/spans?serviceName=web"),
        (.zipkin, "/api/v2/remoteServices?serviceName=web"),
        (.zipkin, "/api/v2/autocompleteValues?key=environment"), (.zipkin, "/api/v2/trace/abc"),
        (.zipkin, "/api/v2/traceMany?traceIds=abc,abd"), (.tempo, "/api/search/tags"),
        (.tempo, "/api/v2/search/tags"), (.tempo, "/api/search/tag/order.id/values"),
        (.tempo, "/api/v2/search/tag/.order.id/values"), (.tempo, "/api/v2/search/tag/name/values"),
    ])
    func `a list that is not whole says so, whoever asks`(
        _ interface: TestAPI.Interface,
        _ path: String
    ) async throws {
        let name = try #require(HTTPField.Name("Skein-Incomplete"))
        let half = TestAPI(interface, asking: AskedStore(missing: [Self.reason]))
        let answer = try await half.ask(path)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.headers[name]?.contains(Self.reason) == true)
        let whole = try await TestAPI(interface).ask(path)
        #expect(whole.status == 200 && whole.bytes == answer.bytes)
        #expect(whole.headers[name]?.contains(Self.reason) != true)
    }

    @Test func `a comparison for an assistant says what it did not see`() async throws {
        let half = TestAPI(asking: AskedStore(missing: [Self.reason]))
        let answer = try await half.ask(
            "/api/skein/v1/mcp",
            method: .post,
            body: #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"#
                + #""name":"compare_traces","arguments":{"trace_id_a":"abc","trace_id_b":"abc"}}}"#
        )
        #expect(answer.status == 200)
        #expect(answer.text.contains("This is not everything: \(Self.reason)"), "\(answer.text)")
    }
}
