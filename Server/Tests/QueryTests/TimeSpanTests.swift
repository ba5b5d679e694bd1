// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import Testing

@Suite struct TimeSpanTests {
    @Test(arguments: [
        (TraceQuery.TimeSpan.last(5), TraceQuery.TimeSpan.last(5)),
        (.between(start: 3, end: 7), .between(start: 3, end: 7)),
        (.between(start: 3, end: .max), .between(start: 3, end: 100)),
        (.between(start: 300, end: .max), .between(start: 300, end: 301)),
        (.between(start: .max - 1, end: .max), .between(start: .max - 1, end: .max)),
    ])
    func `time without an end has numbers up to now`(
        _ asked: TraceQuery.TimeSpan,
        _ told: TraceQuery.TimeSpan
    ) {
        #expect(asked.ended(at: 100) == told)
    }
}
