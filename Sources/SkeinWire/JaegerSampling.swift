// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What Jaeger's sampling endpoint (`GET /sampling?service=NAME`, port 5778) answers.
///
/// ```
/// {"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.42},
///  "operationSampling":{"defaultSamplingProbability":0.42,"defaultLowerBoundTracesPerSecond":2,
///   "perOperationStrategies":[{"operation":"foo","probabilisticSampling":{"samplingRate":0.1}}]}}
/// ```
/// `strategyType` says nothing that the other members do not, and is not looked at.
public struct JaegerSampling: Hashable, Sendable {
    /// A share of all traces, 0 to 1.
    public var ratio: Double?
    /// Traces a second, at most.
    public var tracesPerSecond: Double?
    /// Shares by operation; they count before the others.
    public var operations: Operations?

    /// Shares by operation.
    public struct Operations: Hashable, Sendable {
        /// The share of operations not named, 0 to 1.
        public var otherwise = 0.0
        /// Traces a second to record of each operation at least.
        public var leastPerSecond = 0.0
        /// Traces a second to record of each operation at most; `nil` for no bound.
        public var mostPerSecond: Double?
        /// Share by operation, 0 to 1.
        public var ratios: [String: Double] = [:]

        /// Makes shares of nothing.
        public init() {}
    }

    /// Makes an answer that asks for nothing.
    public init() {}
}

extension Jaeger {
    /// Decodes an answer of the sampling endpoint.
    ///
    /// - Parameter bytes: JSON, at most 1 MiB.
    /// - Returns: What is asked for: one of its three parts at least.
    /// - Throws: `WireError` for what is no such answer, and for numbers that make no sense.
    public static func decodeSampling(_ bytes: [UInt8]) throws(WireError) -> JaegerSampling {
        try bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            var limits = DecodeLimits.standard
            limits.payloadByteCount = 1 << 20
            guard buffer.count <= limits.payloadByteCount else {
                throw .tooLarge(buffer.count, limits)
            }
            var reader = JSONReader(buffer, depthLimit: limits.parsedDepth)
            do throws(JSONFault) {
                return try samplingAnswer(&reader)
            } catch {
                throw reader.error(error)
            }
        }
    }

    private static func samplingAnswer(
        _ reader: inout JSONReader
    ) throws(JSONFault) -> JaegerSampling {
        var answer = JaegerSampling()
        try reader.beginObject()
        while let member = try reader.nextKey() {
            if member.equals("probabilisticSampling") {
                if try reader.takeNull() { continue }
                answer.ratio = try Self.member(named: "samplingRate", of: &reader, atMost: 1)
            } else if member.equals("rateLimitingSampling") {
                if try reader.takeNull() { continue }
                answer.tracesPerSecond = try Self.member(
                    named: "maxTracesPerSecond",
                    of: &reader,
                    atMost: .greatestFiniteMagnitude
                )
            } else if member.equals("operationSampling") {
                if try reader.takeNull() { continue }
                answer.operations = try operations(&reader)
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
        guard answer != JaegerSampling() else {
            throw reader.fault(.value("the answer asks for no kind of sampling"))
        }
        return answer
    }

    /// The one member of an object that matters; 0 where it is left out, as proto3 has it.
    private static func member(
        named name: StaticString,
        of reader: inout JSONReader,
        atMost most: Double
    ) throws(JSONFault) -> Double {
        var value = 0.0
        try reader.beginObject()
        while let member = try reader.nextKey() {
            if member.equals(name) {
                value = try number(&reader, atMost: most)
            } else {
                try reader.skipValue()
            }
        }
        return value
    }

    private static func number(
        _ reader: inout JSONReader,
        atMost most: Double
    ) throws(JSONFault) -> Double {
        if try reader.takeNull() { return 0 }
        let value = try reader.double()
        guard value >= 0, value <= most else { throw reader.fault(.outOfRange) }
        return value
    }

    private static func operations(
        _ reader: inout JSONReader
    ) throws(JSONFault) -> JaegerSampling.Operations {
        let most = Double.greatestFiniteMagnitude
        var operations = JaegerSampling.Operations()
        try reader.beginObject()
        while let member = try reader.nextKey() {
            if member.equals("defaultSamplingProbability") {
                operations.otherwise = try number(&reader, atMost: 1)
            } else if member.equals("defaultLowerBoundTracesPerSecond") {
                operations.leastPerSecond = try number(&reader, atMost: most)
            } else if member.equals("defaultUpperBoundTracesPerSecond") {
                // Zero is written where nobody set a bound.
                let bound = try number(&reader, atMost: most)
                operations.mostPerSecond = bound > 0 ? bound : nil
            } else if member.equals("perOperationStrategies") {
                if try reader.takeNull() { continue }
                try reader.beginArray()
                while try reader.nextElement() {
                    let (name, ratio) = try operation(&reader)
                    operations.ratios[name] = ratio
                }
            } else {
                try reader.skipValue()
            }
        }
        return operations
    }

    private static func operation(
        _ reader: inout JSONReader
    ) throws(JSONFault) -> (name: String, ratio: Double) {
        var name = ""
        var ratio = 0.0
        try reader.beginObject()
        while let member = try reader.nextKey() {
            if member.equals("operation") {
                name = String(decoding: try reader.text(), as: UTF8.self)
            } else if member.equals("probabilisticSampling") {
                if try reader.takeNull() { continue }
                ratio = try Self.member(named: "samplingRate", of: &reader, atMost: 1)
            } else {
                try reader.skipValue()
            }
        }
        return (name, ratio)
    }
}
