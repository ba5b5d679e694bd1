// SPDX-License-Identifier: Apache-2.0

import API
import Testing

@Suite struct APIMetricsTests {
    private let api = TestAPI()
    private let path = "/api/skein/v1/metrics"

    @Test func `numbers over time have the stated shape`() async throws {
        let query = "%7B%7D+%7C+max_over_time(duration)+by+(.zone,+name)+with+(exemplars=1)"
        let answer = try await api.ask(path + "?q=\(query)&start=0&end=9000000&step=3ms")
        #expect(answer.status == 200)
        #expect(
            answer.text == #"{"startTimeUnixNano":"0","endTimeUnixNano":"9000000","#
                + #""stepNanos":"3000000","series":[{"labels":[{"name":".zone","type":"string","#
                + #""value":"a"},{"name":"name","type":"string","value":"POST /<b>"}],"#
                + #""values":[null,0.004,0.004],"exemplars":[{"#
                + #""traceId":"00000000000000000000000000000abc","spanId":"0000000000000007","#
                + #""timeUnixNano":"5000500","value":0.004}]}],"source":"spans","#
                + #""complete":false,"incompleteReasons":["one part is damaged"],"#
                + #""examinedTraces":1,"examinedSpans":2}"#
        )
    }

    @Test func `all of the time can be one step`() async throws {
        let answer = try await api.ask(
            path + "?q=%7B%7D+%7C+count_over_time()&start=1&end=6000000&step=all"
        )
        #expect(answer.text.contains(#""stepNanos":"5999999""#))
        #expect(answer.text.contains(#""values":[1.0]"#))
    }

    @Test(arguments: [
        ("", "parameter q is required"),
        ("?q=%7B%7D", "/api/skein/v1/traces"),
        ("?q=%7B%7D+%7C+rate(", "character 11"),
        ("?q=%7B%7D+%7C+rate()&step=0s", "a step takes time"),
        ("?q=%7B%7D+%7C+rate()&step=1m&start=0", "steps of it, and 11000 can be told"),
        ("?q=%7B%7D+%7C+rate()&step=x", "step"),
        ("?q=%7B%7D+%7C+rate()&start=5&end=5", "the time range is empty"),
        ("?q=%7B%7D+%7C+rate()&start=5&last=5m", "give one of them"),
        ("?q=%7B%7D+%7C+rate()&series=0", "series"),
        ("?q=%7B%7D+%7C+rate()&series=10001", "ask for 1 to 10000"),
        ("?q=%7B%7D+%7C+rate()&exemplars=10001", "ask for 0 to 10000"),
        ("?q=%7B%7D+%7C+rate()&limit=1", "parameter \\\"limit\\\" is not known"),
    ])
    func `what cannot be answered is refused with its reason`(
        query: String,
        reason: String
    ) async throws {
        let answer = try await api.ask(path + query)
        #expect(answer.status == 400)
        #expect(answer.text.contains(reason), "\(answer.text)")
    }
}
