// SPDX-License-Identifier: Apache-2.0

import Query
import SkeinModel
import SkeinWire
import Store

/// Messages of `tempopb`, by their field numbers.
extension ProtobufWriter {
    /// `TraceSearchMetadata{1 traceID, 2 rootServiceName, 3 rootTraceName, 4 startTimeUnixNano,
    /// 5 durationMs, 6 spanSet, 7 spanSets, 8 serviceStats}`
    mutating func tempoTrace(_ trace: FoundTrace, _ asked: TempoSearch) {
        string(1, trace.summary.traceID.tempoText)
        string(2, trace.summary.rootService)
        string(3, trace.summary.rootOperation)
        varint(4, trace.summary.start)
        varint(5, UInt64(UInt32(clamping: trace.summary.duration / 1_000_000)))
        if let first = trace.spansets.first {
            message(6) { $0.tempoSpanset(first, asked) }
        }
        for spanset in trace.spansets {
            message(7) { $0.tempoSpanset(spanset, asked) }
        }
        for service in trace.summary.services {
            message(8) { entry in
                entry.string(1, service.name)
                entry.message(2) { counts in
                    counts.varint(1, UInt64(UInt32(clamping: service.spanCount)))
                    counts.varint(2, UInt64(UInt32(clamping: service.errorCount)))
                }
            }
        }
    }

    /// `SpanSet{1 spans, 2 matched, 3 attributes}` of
    /// `Span{1 spanID, 2 name, 3 startTimeUnixNano, 4 durationNanos, 5 attributes}`
    private mutating func tempoSpanset(_ spanset: FoundSpanset, _ asked: TempoSearch) {
        for span in spanset.spans {
            message(1) { message in
                message.string(1, span.spanID.hex)
                message.string(2, span.name)
                message.varint(3, span.start)
                message.varint(4, span.duration)
                message.tempoAttributes(5, asked.attributes(span.values))
            }
        }
        varint(2, UInt64(UInt32(clamping: spanset.spanCount)))
        tempoAttributes(3, asked.attributes(spanset.keys))
    }

    /// `KeyValue{1 key, 2 value}`
    mutating func tempoAttributes(_ field: UInt32, _ attributes: [TempoAttribute]) {
        for attribute in attributes {
            message(field) { message in
                message.string(1, attribute.key)
                message.message(2) { $0.anyValue(attribute.value) }
            }
        }
    }

    /// The inside of OTLP's `AnyValue`. Recursion is bounded by `NestedValue.depthLimit`.
    private mutating func anyValue(_ value: AttributeValue) {
        switch value {
        case .empty: break
        case .string(let text): string(1, always: text)
        case .bool(let flag): varint(2, always: flag ? 1 : 0)
        case .int(let number): varint(3, always: UInt64(bitPattern: number))
        case .double(let number): fixed64(4, always: number.bitPattern)
        case .array(let elements):
            message(5) { list in
                for element in elements { list.message(1) { $0.anyValue(element) } }
            }
        case .map(let entries):
            message(6) { list in
                for entry in entries {
                    list.message(1) { pair in
                        pair.string(1, entry.key)
                        pair.message(2) { $0.anyValue(entry.value) }
                    }
                }
            }
        case .bytes(let data): bytes(7, data)
        }
    }

    /// `SearchMetrics{1 inspectedTraces, 3 totalBlocks, 4 completedJobs, 5 totalJobs,
    /// 7 inspectedSpans}`: a job is a trace that may still be told.
    mutating func tempoProgress(_ progress: TempoProgress) {
        varint(1, UInt64(UInt32(clamping: progress.examinedTraceCount)))
        varint(3, 1)
        varint(4, UInt64(progress.isDone ? progress.traceLimit : progress.traceCount))
        varint(5, UInt64(progress.traceLimit))
        varint(7, UInt64(progress.examinedSpanCount))
    }

    /// `MetadataMetrics{2 totalJobs, 3 completedJobs, 4 totalBlocks}`
    mutating func tempoDone() {
        for field: UInt32 in 2...4 { varint(field, 1) }
    }
}
