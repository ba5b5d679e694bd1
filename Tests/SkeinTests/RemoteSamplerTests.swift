// SPDX-License-Identifier: Apache-2.0

import Skein
import SkeinModel
import SkeinSampling
import Synchronization
import Testing

/// A sampling service that answers what a test says.
private final class SamplingService: Sendable {
    struct Silent: Error {}

    private let state = Mutex<(answer: String?, count: Int)>((nil, 0))

    var answer: String? {
        get { state.withLock { $0.answer } }
        set { state.withLock { $0.answer = newValue } }
    }
    var questionCount: Int { state.withLock { $0.count } }

    @Sendable func ask() throws -> [UInt8] {
        let answer = state.withLock { state in
            state.count += 1
            return state.answer
        }
        guard let answer else { throw Silent() }
        return Array(answer.utf8)
    }
}

@Suite struct RemoteSamplerTests {
    private let service = SamplingService()
    private let clock = ManualClock()
    private let warnings = Warnings()
    private let none = #"{"probabilisticSampling":{"samplingRate":0}}"#
    private let all = #"{"probabilisticSampling":{"samplingRate":1}}"#

    private func makeSampler(initial: any Sampler = AlwaysSampler()) -> RemoteSampler {
        RemoteSampler(
            initial: initial,
            clock: clock,
            onWarning: { [warnings] in warnings.add($0) },
            ask: service.ask
        )
    }

    private func isSampled(_ sampler: RemoteSampler, _ name: String = "pay") -> Bool {
        let input = SamplingInput(
            traceID: TraceID(high: 1, low: 1),
            parent: nil,
            name: name,
            kind: .server,
            time: 1
        )
        return sampler.decision(for: input).isSampled
    }

    @Test func `asks at once and then each minute, more or less`() async {
        service.answer = none
        let sampler = makeSampler()
        #expect(isSampled(sampler))
        sampler.start()
        sampler.start()
        await clock.untilSleeping(1)
        #expect(service.questionCount == 1)
        #expect(!isSampled(sampler))
        let wait = clock.remaining.first ?? .zero
        #expect(wait >= .seconds(54) && wait <= .seconds(66))
        service.answer = all
        clock.advance(by: .seconds(67))
        await clock.untilSleeping(1)
        #expect(service.questionCount == 2)
        #expect(isSampled(sampler))
        await sampler.stop()
    }

    @Test func `keeps the last good answer and warns once of bad ones`() async {
        service.answer = none
        let sampler = makeSampler()
        #expect(await sampler.refresh())
        for answer in [nil, "", "{}", #"{"probabilisticSampling":{"samplingRate":7}}"#] {
            service.answer = answer
            #expect(await !sampler.refresh())
            #expect(!isSampled(sampler))
        }
        #expect(warnings.all.count == 1)
        #expect(sampler.counters.failureCount == 4)
        service.answer = all
        #expect(await sampler.refresh())
        #expect(isSampled(sampler))
        service.answer = nil
        #expect(await !sampler.refresh())
        #expect(warnings.all.count == 2)
        #expect(sampler.counters.answerCount == 2)
    }

    @Test func `the same answer leaves the rates as they are`() async {
        service.answer = #"{"rateLimitingSampling":{"maxTracesPerSecond":1}}"#
        let sampler = makeSampler()
        _ = await sampler.refresh()
        #expect(isSampled(sampler))
        #expect(!isSampled(sampler))
        _ = await sampler.refresh()
        #expect(!isSampled(sampler))
        #expect(sampler.counters.changeCount == 1)
    }

    @Test func `operations have shares of their own`() async {
        service.answer = #"""
            {"probabilisticSampling":{"samplingRate":0},"operationSampling":{
             "defaultSamplingProbability":0,"perOperationStrategies":[
             {"operation":"pay","probabilisticSampling":{"samplingRate":1}}]}}
            """#
        let sampler = makeSampler(initial: NeverSampler())
        _ = await sampler.refresh()
        #expect(isSampled(sampler, "pay"))
        #expect(!isSampled(sampler, "ship"))
    }

    @Test func `one that was stopped asks no more`() async {
        service.answer = none
        let sampler = makeSampler()
        sampler.start()
        await clock.untilSleeping(1)
        await sampler.stop()
        await sampler.stop()
        sampler.start()
        clock.advance(by: .seconds(600))
        #expect(service.questionCount == 1)
        #expect(!isSampled(sampler))
    }

    @Test func `one that goes away asks no more`() async {
        service.answer = none
        let (closed, close) = AsyncStream.makeStream(of: Void.self)
        var sampler: RemoteSampler? = RemoteSampler(
            initial: AlwaysSampler(),
            clock: clock,
            close: { close.finish() },
            ask: service.ask
        )
        weak let left = sampler
        sampler?.start()
        await clock.untilSleeping(1)
        sampler = nil
        #expect(left == nil)
        // Ends when its connections are let go of.
        for await _ in closed {}
    }

    private func read(_ argument: String?) -> (RemoteSampling?, [String]) {
        var values = ["OTEL_TRACES_SAMPLER": "jaeger_remote"]
        values["OTEL_TRACES_SAMPLER_ARG"] = argument
        let warnings = Warnings()
        var configuration = SkeinConfiguration()
        configuration.pipeline.onWarning = { warnings.add($0) }
        return (
            configuration.applying(TracingEnvironment(values)).remoteSampling, warnings.all
        )
    }

    @Test func `the environment says whom to ask`() {
        var expected = RemoteSampling()
        expected.followsParent = false
        #expect(read(nil).0 == expected)
        expected.url = "http://jaeger:5778/sampling"
        expected.pollInterval = .milliseconds(5_000)
        expected.initialRatio = 0.25
        let argument = """
            endpoint=http://jaeger:5778/sampling,pollingIntervalMs=5000,initialSamplingRate=0.25
            """
        #expect(read(argument).0 == expected)
        #expect(read(argument).1.isEmpty)
    }

    @Test(arguments: [
        "endpoint=jaeger:5778", "pollingIntervalMs=-1", "initialSamplingRate=2", "interval=5",
        "nonsense",
    ])
    func `an argument that makes no sense is reported and ignored`(argument: String) {
        var expected = RemoteSampling()
        expected.followsParent = false
        let (sampling, warnings) = read(argument)
        #expect(sampling == expected)
        #expect(warnings.count == 1)
    }

    @Test func `the environment may follow parents, and choose another sampler`() {
        let following = TracingEnvironment(["OTEL_TRACES_SAMPLER": "parentbased_jaeger_remote"])
        var configuration = SkeinConfiguration().applying(following)
        #expect(configuration.remoteSampling == RemoteSampling())
        let other = TracingEnvironment(["OTEL_TRACES_SAMPLER": "always_on"])
        configuration = configuration.applying(other)
        #expect(configuration.remoteSampling == nil)
    }
}
