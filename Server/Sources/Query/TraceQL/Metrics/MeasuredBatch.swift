// SPDX-License-Identifier: Apache-2.0

import QueryLanguage
import SkeinModel
import Store

/// The traces of one call of a walk, each made ready for the query's words only when something asks.
final class MeasuredBatch {
    let walked: WalkedTraces
    let examined: ExaminedBatch
    private var current: ExaminedTrace?
    private var currentIndex = -1

    init(_ walked: WalkedTraces, _ table: OperandTable) {
        self.walked = walked
        examined = ExaminedBatch(walked.spans, table)
    }

    var spans: TraceSpans { walked.spans }

    /// Trace `index` of the batch.
    func trace(_ index: Int) -> ExaminedTrace {
        if index == currentIndex, let current { return current }
        let trace = ExaminedTrace(examined, walked.rows[index])
        (current, currentIndex) = (trace, index)
        return trace
    }

    /// What operand `number` is for the span of `row` of trace `index`.
    func value(of number: Int, row: Int, trace index: Int) -> FieldValue {
        let trace = trace(index)
        return trace.value(of: number, row - trace.rows.lowerBound)
    }
}

/// Spans of a batch on their way to being measured, in the order of their rows.
struct SelectedSpans {
    private(set) var rows: [Int] = []
    /// By span: the step it starts in.
    private(set) var steps: [Int] = []
    /// By span: its trace, as the walk numbers them.
    private(set) var traces: [Int] = []

    var count: Int { rows.count }

    mutating func reserve(_ count: Int) {
        rows.reserveCapacity(count)
        steps.reserveCapacity(count)
        traces.reserveCapacity(count)
    }

    mutating func append(row: Int, step: Int, trace: Int) {
        rows.append(row)
        steps.append(step)
        traces.append(trace)
    }

    /// Leaves out the spans for which `isKept`, told their place, does not hold.
    mutating func filter(_ isKept: (Int) throws -> Bool) rethrows {
        var kept = 0
        for place in rows.indices where try isKept(place) {
            rows[kept] = rows[place]
            steps[kept] = steps[place]
            traces[kept] = traces[place]
            kept += 1
        }
        let left = rows.count - kept
        rows.removeLast(left)
        steps.removeLast(left)
        traces.removeLast(left)
    }
}

extension SharedPart {
    /// Calls `body` with the place in `selection` and the own place of each span's.
    @inline(__always)
    func forEach(
        _ selection: borrowing SelectedSpans,
        _ spans: TraceSpans,
        _ body: (_ place: Int, _ part: Int) throws -> Void
    ) rethrows {
        // One loop for each, so that nothing is decided span by span.
        switch self {
        case .name:
            for (place, row) in selection.rows.enumerated() {
                try body(place, Int(spans.columns.name[row]))
            }
        case .statusMessage:
            for (place, row) in selection.rows.enumerated() {
                try body(place, Int(spans.columns.statusMessage[row]))
            }
        case .kind:
            for (place, row) in selection.rows.enumerated() {
                try body(place, Int(spans.columns.kind[row]))
            }
        case .status:
            for (place, row) in selection.rows.enumerated() {
                try body(place, Int(spans.columns.status[row]))
            }
        case .resource:
            for (place, row) in selection.rows.enumerated() {
                try body(place, Int(spans.columns.resource[row]))
            }
        case .library:
            for (place, row) in selection.rows.enumerated() {
                try body(place, Int(spans.columns.scope[row]))
            }
        }
    }
}
