// SPDX-License-Identifier: Apache-2.0

import Query
import SkeinWire

/// Numbers over time, streamed: one message, once all of them are known.
extension ReadAPI {
    /// The calls of Tempo's port for streaming queries that tell numbers.
    var tempoMetricCalls: [GRPCCall] {
        [
            GRPCCall("MetricsQueryRange", tempoStreamRange),
            GRPCCall("MetricsQueryInstant", tempoStreamInstant),
        ]
    }

    /// `QueryRangeResponse{1 series, 2 metrics, 3 status, 4 message}` of
    /// `TimeSeries{1 labels, 2 samples, 4 exemplars}`
    @Sendable private func tempoStreamRange(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let step = question.number(4)
        let asked = try TempoMeasurement(question, step: step == 0 ? nil : step, now: engine.now())
        let found = try await engine.measure(asked.measurement)
        var message = ProtobufWriter()
        for series in found.series {
            try message.checkMetricByteCount()
            message.message(1) { message in
                message.tempoAttributes(1, series.labels.map(\.tempoAttribute))
                for sample in series.samples(of: found) {
                    message.message(2) { message in
                        message.fixed64(1, sample.value.bitPattern)
                        message.varint(2, sample.milliseconds)
                    }
                }
                for exemplar in series.exemplars {
                    message.message(4) { message in
                        message.tempoAttributes(1, exemplar.tempoAttributes)
                        message.fixed64(2, exemplar.value.bitPattern)
                        message.varint(3, exemplar.time / 1_000_000)
                    }
                }
            }
        }
        message.tempoMeasured(found)
        try message.checkMetricByteCount()
        try await answer.send(message)
        return GRPCIncomplete(reasons: found.incomplete)
    }

    /// `QueryInstantResponse{1 series, 2 metrics, 3 status, 4 message}` of
    /// `InstantSeries{1 labels, 2 value}`
    @Sendable private func tempoStreamInstant(
        _ question: ProtobufFields,
        _ answer: GRPCAnswer
    ) async throws -> GRPCIncomplete {
        let asked = try TempoMeasurement(question, step: nil, now: engine.now())
        let found = try await engine.measureInstant(asked.measurement)
        var message = ProtobufWriter()
        for series in found.series {
            try message.checkMetricByteCount()
            guard case .some(.some(let value)) = series.values.first else { continue }
            message.message(1) { message in
                message.tempoAttributes(1, series.labels.map(\.tempoAttribute))
                message.fixed64(2, value.bitPattern)
            }
        }
        message.tempoMeasured(found)
        try message.checkMetricByteCount()
        try await answer.send(message)
        return GRPCIncomplete(reasons: found.incomplete)
    }
}

extension TempoMeasurement {
    /// What a `QueryRangeRequest` or a `QueryInstantRequest` asks for; both begin alike.
    fileprivate init(_ question: ProtobufFields, step: UInt64?, now: UInt64) throws {
        let end = question.number(3)
        let start = question.number(2)
        let hour: UInt64 = 3_600_000_000_000
        let latest = end == 0 ? now : min(end, now)
        try self.init(
            text: try question.text(1),
            start: start == 0 ? (latest > hour ? latest - hour : 0) : start,
            end: end == 0 ? now : end,
            step: step,
            exemplarCount: question.contains(16) ? question.number(16) : nil,
            seriesCount: question.number(17)
        )
    }
}

extension ProtobufWriter {
    fileprivate mutating func tempoMeasured(_ found: MeasuredSeries) {
        message(2) { message in
            message.varint(1, UInt64(UInt32(clamping: found.examinedTraceCount)))
            for field: UInt32 in 3...5 { message.varint(field, 1) }
            message.varint(7, UInt64(found.examinedSpanCount))
        }
        varint(3, found.incomplete.isEmpty ? 0 : 1)
        string(4, found.incomplete.joined(separator: "; "))
    }
}
