// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import QueryLanguage
import SkeinModel
import SkeinWire
import Store

/// `jaeger.api_v2.metrics.MetricsQueryService`.
extension ReadAPI {
    var jaegerMetricCalls: [GRPCCall] {
        [
            metricCall("GetLatencies", .latencies),
            metricCall("GetCallRates", .calls),
            metricCall("GetErrorRates", .errors),
            GRPCCall("GetMinStepDuration") { _, answer in
                var message = ProtobufWriter()
                message.nanoseconds(1, TotalsRequest.minute)
                try await answer.send(message)
                return .whole
            },
        ]
    }

    private func metricCall(_ method: String, _ metric: JaegerMetric) -> GRPCCall {
        GRPCCall(method) { question, answer in
            var asked = try JaegerMetricQuestion(question.message(1))
            if metric == .latencies { asked.quantile = Double(bitPattern: question.number(2)) }
            let found = try await jaegerMetric(metric, asked)
            var message = ProtobufWriter()
            message.message(1) { $0.metricFamily(found) }
            try message.checkMetricByteCount()
            try await answer.send(message)
            return GRPCIncomplete(reasons: found.incomplete)
        }
    }
}

extension JaegerMetricQuestion {
    /// Reads `MetricsQueryBaseRequest`.
    fileprivate init(_ base: ProtobufFields?) throws {
        self.init()
        guard let base else { return }
        services = Set(try base.texts(1).filter { !$0.isEmpty })
        isByOperation = base.flag(2)
        end = try base.moment(3, "end_time")
        lookback = try base.duration(4, "lookback") ?? lookback
        step = try base.duration(5, "step") ?? step
        ratePer = try base.duration(6, "ratePer") ?? ratePer
        let numbers = try base.numbers(7)
        guard !numbers.isEmpty else { return }
        kinds = Set(
            try numbers.map { number in
                guard let kind = UInt8(exactly: number).flatMap(SpanKind.init(rawValue:)) else {
                    throw Failure.badRequest("spanKinds has \(number); kinds are 0 to 5")
                }
                return kind
            }
        )
    }
}

extension ProtobufWriter {
    /// A family of gauges.
    fileprivate mutating func metricFamily(_ found: FoundJaegerMetric) {
        string(1, found.name)
        varint(2, 1)
        string(4, found.help)
        for line in found.lines {
            message(5) { message in
                for label in line.labels {
                    message.message(1) { message in
                        message.string(1, label.name)
                        message.string(2, label.value)
                    }
                }
                for point in line.points { message.message(2) { $0.metricPoint(point) } }
            }
        }
    }

    private mutating func metricPoint(_ point: (time: UInt64, value: Double)) {
        message(2) { $0.fixed64(1, always: point.value.bitPattern) }
        nanoseconds(8, point.time)
    }
}
