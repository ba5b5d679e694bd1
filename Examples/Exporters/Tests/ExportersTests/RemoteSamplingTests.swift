// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinSampling
import Testing

@Suite(.timeLimit(.minutes(1))) struct RemoteSamplingTests {
    private func ask(_ answer: String) async throws -> (RemoteSampler, [String], Bool) {
        let server = try await ScriptedHTTPServer { _ in Array(answer.utf8) }
        var sampling = RemoteSampling()
        sampling.url = server.baseURL
        let sampler = RemoteSampler(sampling, service: "order & co", onWarning: { _ in })
        let isAnswered = await sampler.refresh()
        await sampler.stop()
        try await server.stop()
        return (sampler, server.requests, isAnswered)
    }

    @Test func `asks Jaeger's endpoint for the service`() async throws {
        let body =
            #"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":2}}"#
        let (sampler, requests, isAnswered) = try await ask(
            "HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        #expect(isAnswered)
        #expect(
            requests.first?.hasPrefix("GET /sampling?service=order%20%26%20co HTTP/1.1") == true
        )
        #expect(sampler.strategy == SamplingStrategy(tracesPerSecond: 2))
    }

    @Test(arguments: [
        "HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ])
    func `what is no answer changes nothing`(text: String) async throws {
        let (sampler, _, isAnswered) = try await ask(text)
        #expect(!isAnswered)
        #expect(sampler.strategy == nil)
        #expect(sampler.counters.failureCount == 1)
    }
}
