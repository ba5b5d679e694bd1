// SPDX-License-Identifier: Apache-2.0

import Foundation
import SkeinWire
import Testing

@Suite struct JaegerSamplingTests {
    private func decode(_ text: String) throws -> JaegerSampling {
        try Jaeger.decodeSampling(Array(text.utf8))
    }

    @Test func `a share of all traces`() throws {
        let answer = try decode(
            #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.42}}"#
        )
        #expect(answer.ratio == 0.42)
        #expect(answer.tracesPerSecond == nil)
        #expect(answer.operations == nil)
    }

    @Test func `a rate`() throws {
        let answer = try decode(
            #"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":42}}"#
        )
        #expect(answer.tracesPerSecond == 42)
        #expect(answer.ratio == nil)
    }

    @Test func `shares by operation`() throws {
        let answer = try decode(
            #"""
            {"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5},
             "operationSampling":{"defaultSamplingProbability":0.42,
              "defaultLowerBoundTracesPerSecond":2,"perOperationStrategies":[
                {"operation":"foo","probabilisticSampling":{"samplingRate":0.1},"new":[{}]},
                {"operation":"b\u00e4r","probabilisticSampling":{}}],
              "defaultUpperBoundTracesPerSecond":11.2}, "more":null}
            """#
        )
        var operations = JaegerSampling.Operations()
        operations.otherwise = 0.42
        operations.leastPerSecond = 2
        operations.mostPerSecond = 11.2
        operations.ratios = ["foo": 0.1, "bär": 0]
        #expect(answer.operations == operations)
        #expect(answer.ratio == 0.5)
    }

    @Test func `a bound of 0 is none, and null is nothing`() throws {
        let answer = try decode(
            #"""
            {"probabilisticSampling":null,"rateLimitingSampling":null,"operationSampling":
             {"defaultUpperBoundTracesPerSecond":0,"perOperationStrategies":null}}
            """#
        )
        #expect(answer.operations == JaegerSampling.Operations())
        #expect(answer.ratio == nil)
    }

    private static let data = URL(fileURLWithPath: #filePath)
        .appending(path: "../../../../shared/data/jaeger/sampling").standardized

    @Test(.enabled(if: FileManager.default.fileExists(atPath: data.path)))
    func `Jaeger's own answers are read`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.data.path)
            .filter { $0.hasPrefix("TestService") }
        #expect(!names.isEmpty)
        for name in names {
            let text = try Data(contentsOf: Self.data.appending(path: name))
            let answer = try Jaeger.decodeSampling(Array(text))
            #expect(answer != JaegerSampling(), "\(name)")
            if name.hasSuffix("ServiceA.json") {
                #expect(answer.operations?.ratios == ["/health": 0.1], "\(name)")
            } else {
                #expect(answer.tracesPerSecond == 3, "\(name)")
            }
        }
        let nonsense = try Data(contentsOf: Self.data.appending(path: "bad_strategies.json"))
        #expect(throws: WireError.self) { try Jaeger.decodeSampling(Array(nonsense)) }
    }

    @Test(arguments: [
        "", "{}", "[]", #""nonsense""#, "{", #"{"strategyType":"PROBABILISTIC"}"#,
        #"{"probabilisticSampling":{"samplingRate":1.01}}"#,
        #"{"probabilisticSampling":{"samplingRate":-0.1}}"#,
        #"{"probabilisticSampling":{"samplingRate":"NaN"}}"#,
        #"{"probabilisticSampling":{"samplingRate":1e999}}"#,
        #"{"probabilisticSampling":0.5}"#, #"{"rateLimitingSampling":{"maxTracesPerSecond":-1}}"#,
        #"{"rateLimitingSampling":{"maxTracesPerSecond":"Infinity"}}"#,
        #"{"probabilisticSampling":{"samplingRate":1}} x"#,
        #"{"operationSampling":{"perOperationStrategies":[7]}}"#,
        #"{"a":\#(String(repeating: "[", count: 200_000))"#,
    ])
    func `what makes no sense is refused`(text: String) {
        #expect(throws: WireError.self) { try decode(text) }
    }

    @Test func `an answer that is too long is refused`() {
        let text = #"{"probabilisticSampling":{"samplingRate":1}}"#
        #expect(throws: WireError.self) {
            try decode(text + String(repeating: " ", count: 1 << 20))
        }
    }
}
