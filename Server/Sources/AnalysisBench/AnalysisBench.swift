// SPDX-License-Identifier: Apache-2.0

import Analysis
import FoundationEssentials
import Glibc
import SkeinModel

// Prints what each analysis costs on traces it makes, and the layout of a map on a file of calls in
// Jaeger's form (`[{"parent": "a", "child": "b", "callCount": 1}]`) where one is given. Run by
// `make bench-analysis`. CPU time, the best of five passes: the machine is shared, and only the best
// pass was alone.

@main
struct AnalysisBench {
    static func main() throws {
        guard CommandLine.arguments.count <= 2 else {
            print("usage: AnalysisBench [CALLS.json]")
            exit(64)
        }
        for count in [50_000, 1_000_000] {
            let sequence = made(count) { _, number in (1, UInt64(number) * 100_000, 90_000) }
            explain(sequence, "\(count) calls one after another")
            let mixed = made(count) { frame, number in
                // Ten calls a span, each overlapping the next.
                let caller = number / 10
                let length = frame.end[caller] - frame.start[caller]
                let start = frame.start[caller] + length / 11 * UInt64(number % 10)
                return (frame.spanID[caller], start, length / 9)
            }
            explain(mixed, "\(count) spans, ten to a caller")
        }
        guard let path = CommandLine.arguments.dropFirst().first else { return }
        let links = try JSONDecoder().decode(
            [Link].self,
            from: Data(contentsOf: URL(filePath: path))
        )
        let calls = links.map {
            ServiceMap.Call(
                parent: $0.parent,
                child: $0.child,
                callCount: $0.callCount,
                errorCount: 0
            )
        }
        let services = Set(calls.flatMap { [$0.parent, $0.child] }).count
        report("map of \(services) services, \(calls.count) edges") {
            ServiceMap(calls: calls).nodes.count
        }
    }

    private struct Link: Decodable {
        var parent: String
        var child: String
        var callCount: UInt64
    }

    /// A root and `count` spans, each told by its parent's id, its start and its duration.
    private static func made(
        _ count: Int,
        _ span: (SpanFrame, Int) -> (parent: UInt64, start: UInt64, duration: UInt64)
    ) -> (frame: SpanFrame, tree: TraceTree) {
        var frame = SpanFrame(capacity: count + 1)
        frame.append(spanID: 1, parentID: 0, start: 0, end: 1_000_000_000_000)
        for number in 0..<count {
            let (parent, start, duration) = span(frame, number)
            frame.append(
                spanID: UInt64(number) + 2,
                parentID: parent,
                start: start,
                end: start + duration,
                service: UInt32(number % 7)
            )
        }
        return (frame, TraceTree(frame))
    }

    private static func explain(_ made: (frame: SpanFrame, tree: TraceTree), _ name: String) {
        let names = (0..<made.frame.count).map { UInt32($0 % 13) }
        let isError = (0..<made.frame.count).map { $0 % 1_000 == 999 }
        func placed() -> PlacedTrace {
            PlacedTrace(made.frame, made.tree, name: names, isError: isError) { "name\($0)" }
        }
        let trace = placed()
        let path = CriticalPath(trace)
        let statistics = TraceStatistics(trace, path)
        report("\(name): placed") { placed().count }
        report("\(name): critical path") { CriticalPath(trace).segments.count }
        report("\(name): equal siblings") { SiblingRollup(trace).places.count + 1 }
        report("\(name): statistics") { TraceStatistics(trace, path).levelCount }
        report("\(name): diagnosis") {
            TraceDiagnosis(trace, path, statistics).findings.count
        }
        report("\(name): paths") { PathGraph(trace, path, statistics).nodes.count }
    }

    /// Runs `pass` five times and prints the least time; `pass` returns something that it found.
    private static func report(_ name: String, _ pass: () -> Int) {
        var best = Double.infinity
        for _ in 0..<5 {
            let start = clock()
            guard pass() > 0 else {
                print("\(name): found nothing")
                exit(1)
            }
            best = min(best, Double(clock() - start) / Double(CLOCKS_PER_SEC))
        }
        print("\(name): \((best * 10_000).rounded() / 10) ms")
    }
}
