// SPDX-License-Identifier: Apache-2.0

public import Analysis
import SkeinModel
import Store

extension Trace {
    /// What analyses read of this trace; place `p` there is row `p` of its columnar form.
    public func placed() -> PlacedTrace {
        var droppedPartCount: UInt64 = 0
        for row in rows {
            droppedPartCount += UInt64(spans.columns.droppedAttributes[row])
            droppedPartCount += UInt64(spans.columns.droppedEvents[row])
            droppedPartCount += UInt64(spans.columns.droppedLinks[row])
        }
        return PlacedTrace(
            frame,
            tree,
            name: rows.map { spans.columns.name[$0] },
            isError: rows.map { spans.columns.status[$0] == StatusCode.error.rawValue },
            droppedPartCount: droppedPartCount
        ) { spans.columns.strings.text($0) }
    }

    /// Everything that is told of a trace as a whole.
    public func analysis() -> TraceAnalysis { TraceAnalysis(placed()) }

    /// Attributes of the span at display place `place` and of its resource, values cut to what a
    /// comparison tells.
    func comparedAttributes(_ place: Int) -> [AttributeValue.KeyValue] {
        let row = columnsRow(place)
        let resource = spans.columns.resources.attributes[Int(spans.columns.resource[row])]
        return
            (spans.columns.keyValues(spans.columns.spanAttributes[row])
            + spans.columns.keyValues(resource))
            .map { .init(key: $0.key, value: $0.value.cut()) }
    }
}

extension AttributeValue {
    /// The value, or of a long one the beginning: a set of traces is compared within bounded memory.
    fileprivate func cut() -> AttributeValue {
        switch self {
        case .string(let text) where text.utf8.count > RunLimits.comparedValueByteCount:
            .string(
                String(decoding: text.utf8.prefix(RunLimits.comparedValueByteCount), as: UTF8.self)
                    + "…"
            )
        case .bytes(let bytes): .bytes(Array(bytes.prefix(RunLimits.comparedValueByteCount)))
        case .array, .map: .string("…")
        default: self
        }
    }
}

/// The analyses of one trace, each made once.
public struct TraceAnalysis: Sendable {
    public let trace: PlacedTrace
    public let path: CriticalPath
    public let statistics: TraceStatistics
    public let rollup: SiblingRollup
    public let diagnosis: TraceDiagnosis

    init(_ trace: PlacedTrace) {
        self.trace = trace
        path = CriticalPath(trace)
        statistics = TraceStatistics(trace, path)
        rollup = SiblingRollup(trace)
        diagnosis = TraceDiagnosis(trace, path, statistics)
    }

    /// The spans merged by call path.
    public func paths() -> PathGraph { PathGraph(trace, path, statistics) }
}
