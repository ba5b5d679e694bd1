// SPDX-License-Identifier: Apache-2.0

import Analysis
import Testing

@Suite struct TraceComparisonTests {
    private func span(
        _ parent: Int,
        _ label: String,
        _ duration: UInt64,
        isError: Bool = false
    ) -> TraceComparison.Span {
        .init(
            parent: parent,
            label: label,
            duration: duration,
            selfTime: duration / 2,
            isError: isError
        )
    }

    @Test func `spans of one path are told together, and paths of one side stand too`() {
        let comparison = TraceComparison(
            [span(-1, "buy", 100), span(0, "SELECT", 10), span(0, "charge", 40)],
            [
                span(-1, "buy", 300), span(0, "SELECT", 20), span(0, "SELECT", 30, isError: true),
                span(2, "charge", 8),
            ]
        )
        let told = comparison.paths.indices.map { place in
            let path = comparison.paths[place]
            let labels = comparison.labels(of: place, last: 9).joined(separator: ">")
            return "\(labels) \(path.left.spanCount)/\(path.right.spanCount) "
                + "\(path.left.duration)/\(path.right.duration) \(path.right.errorCount)"
        }
        #expect(
            told == [
                "buy 1/1 100/300 0", "buy>SELECT 1/2 10/50 1", "buy>charge 1/0 40/0 0",
                "buy>SELECT>charge 0/1 0/8 0",
            ]
        )
        #expect(comparison.paths.map(\.selfTimeDifference) == [100, 20, 20, 4])
        #expect(comparison.labels(of: 3, last: 2) == ["SELECT", "charge"])
    }

    @Test func `a trace equals itself`() {
        let spans = [span(-1, "a", 5), span(0, "b", 3), span(-1, "a", 7)]
        #expect(TraceComparison(spans, spans).paths.allSatisfy { $0.left == $0.right })
        #expect(TraceComparison([], []).paths.isEmpty)
    }

    @Test func `durations beyond 64 bits stay at their bound`() {
        let spans = [span(-1, "a", .max), span(-1, "a", .max)]
        #expect(TraceComparison(spans, []).paths.map(\.left.duration) == [.max])
    }
}
