// SPDX-License-Identifier: Apache-2.0

import Analysis
import Query
import SkeinModel
import Store

extension AnswerJSON {
    mutating func facts(_ analysis: TraceAnalysis) {
        let statistics = analysis.statistics
        member("spanCount", number: analysis.trace.count)
        member("startTimeUnixNano", "\(statistics.start)")
        member("durationNanos", "\(statistics.duration)")
        member("levelCount", number: statistics.levelCount)
        member("serviceCount", number: analysis.trace.services.count)
        member("hostCount", number: statistics.hostCount)
        member("errorCount", number: statistics.errorCount)
        member("orphanCount", number: statistics.orphanCount)
        member("movedCount", number: statistics.movedCount)
        member("droppedPartCount", number: statistics.droppedPartCount)
    }

    mutating func finding(_ finding: TraceDiagnosis.Finding, _ analysis: TraceAnalysis) {
        let operation = finding.place.map { place in
            analysis.trace.operations[Int(analysis.trace.operation[place])]
        }
        let duration = analysis.diagnosis.duration
        object { json in
            json.member("kind", finding.kind.rawValue)
            json.member("row", optional: finding.place)
            json.member("relatedRow", optional: finding.related)
            json.member("service", optional: operation?.service)
            json.member("operation", optional: operation?.name)
            json.member("count", number: finding.count)
            json.member("nanos", "\(finding.time)")
            json.key("share")
            json.number(duration > 0 ? Double(finding.time) / Double(duration) : 0)
            let stretch = finding.stretch
            json.member("startTimeUnixNano", optional: stretch.map { "\($0.lowerBound)" })
            json.member("endTimeUnixNano", optional: stretch.map { "\($0.upperBound)" })
            json.member("waiting", flag: finding.isWaiting)
        }
    }

    /// Members of the main path. Its segments touch: each ends where the next one starts.
    mutating func criticalPath(_ analysis: TraceAnalysis) {
        let path = analysis.path
        let told = path.mainSegments.prefix(RequestLimits.pathSegmentCount)
        let from = path.root.map { analysis.trace.start[$0] } ?? 0
        let to = path.root.map { analysis.trace.end[$0] } ?? 0
        member("rootRow", optional: path.root)
        member("startTimeUnixNano", "\(from)")
        member("durationNanos", "\(to - from)")
        member("pieceCount", number: path.pieces.count)
        member("segmentCount", number: path.mainSegments.count)
        array("rows") { json in
            for segment in told { json.number(segment.place) }
        }
        array("starts") { json in
            for segment in told { json.safeInteger(Int64(clamping: segment.from - from)) }
        }
        var lines: [Int32: Int] = [:]
        for (line, number) in Self.largest(analysis.statistics.operations).enumerated() {
            lines[Int32(truncatingIfNeeded: number)] = line
        }
        array("operations") { json in
            for segment in told {
                if let line = lines[analysis.trace.operation[segment.place]] {
                    json.number(line)
                } else {
                    json.null()
                }
            }
        }
    }

    mutating func runs(_ analysis: TraceAnalysis) {
        let rollup = analysis.rollup
        var told = Array(rollup.runs.indices)
        if told.count > RequestLimits.runCount {
            // The largest, in the order they stand in the trace.
            told.sort {
                let (a, b) = (rollup.runs[$0].count, rollup.runs[$1].count)
                return a == b ? $0 < $1 : a > b
            }
            told = told.prefix(RequestLimits.runCount).sorted()
        }
        member("runCount", number: rollup.runs.count)
        array("runs") { json in
            for run in told.lazy.map({ rollup.runs[$0] }) {
                json.object { json in
                    json.member("parentRow", optional: run.parent >= 0 ? run.parent : nil)
                    json.member("firstRow", number: rollup.places[run.members.lowerBound])
                    json.operation(analysis.trace.operations[run.operation])
                    json.member("count", number: run.count)
                    json.member("errorCount", number: run.errorCount)
                    json.member("sumNanos", "\(run.sum)")
                    json.member("coveredNanos", "\(run.coveredTime)")
                    json.member("p50Nanos", "\(run.p50)")
                    json.member("p99Nanos", "\(run.p99)")
                    json.member("longestNanos", "\(run.longest)")
                    json.member("firstStartTimeUnixNano", "\(run.firstStart)")
                    json.member("lastStartTimeUnixNano", "\(run.lastStart)")
                    json.member("sequential", flag: run.isSequential)
                }
            }
        }
    }

    /// Numbers of the figures that are told: most time on the critical path first.
    private static func largest(_ figures: [TraceStatistics.Figures]) -> [Int] {
        figures.indices
            .sorted {
                let (a, b) = (figures[$0], figures[$1])
                if a.pathTime != b.pathTime { return a.pathTime > b.pathTime }
                return a.selfTime == b.selfTime ? $0 < $1 : a.selfTime > b.selfTime
            }
            .prefix(RequestLimits.figureLineCount)
            .map(\.self)
    }

    mutating func statistics(_ analysis: TraceAnalysis) {
        let trace = analysis.trace
        member("operationCount", number: trace.operations.count)
        array("operations") { json in
            for number in Self.largest(analysis.statistics.operations) {
                json.object { json in
                    json.operation(trace.operations[number])
                    json.figures(analysis.statistics.operations[number])
                }
            }
        }
        array("services") { json in
            for number in Self.largest(analysis.statistics.services) {
                json.object { json in
                    json.member("service", trace.services[number])
                    json.figures(analysis.statistics.services[number])
                }
            }
        }
    }

    private mutating func figures(_ figures: TraceStatistics.Figures) {
        member("count", number: figures.count)
        member("errorCount", number: figures.errorCount)
        member("totalNanos", "\(figures.total)")
        member("selfNanos", "\(figures.selfTime)")
        member("activeNanos", "\(figures.activeTime)")
        member("pathNanos", "\(figures.pathTime)")
        member("averageNanos", "\(figures.average)")
        member("p50Nanos", "\(figures.p50)")
        member("p95Nanos", "\(figures.p95)")
        member("p99Nanos", "\(figures.p99)")
        member("longestNanos", "\(figures.longest)")
    }

    mutating func node(_ node: PathGraph.Node, _ trace: PlacedTrace) {
        object { json in
            json.member("parent", optional: node.parent)
            json.operation(trace.operations[node.operation])
            json.member("firstRow", number: node.first)
            json.member("count", number: node.count)
            json.member("callerCount", number: node.callerCount)
            json.member("errorCount", number: node.errorCount)
            json.member("totalNanos", "\(node.total)")
            json.member("selfNanos", "\(node.selfTime)")
            json.member("pathNanos", "\(node.pathTime)")
        }
    }

    private mutating func operation(_ operation: PlacedTrace.Operation) {
        member("service", operation.service)
        member("operation", operation.name)
    }

    /// A number, or null.
    private mutating func member(_ name: String, optional number: Int?) {
        key(name)
        if let number { self.number(number) } else { null() }
    }
}

extension AnswerJSON {
    mutating func compared(_ result: PathComparison.Result) {
        array("paths") { json in
            for path in result.paths {
                json.object { json in
                    json.member("parent", optional: path.parent)
                    json.operation(path.operation)
                    json.object("a") { $0.figures(path.a) }
                    json.object("b") { $0.figures(path.b) }
                    let mean = { (nanoseconds: KeyPath<PathComparison.Figures, UInt64>) in
                        Double(path.b[keyPath: nanoseconds]) / Double(max(result.traceCountOfB, 1))
                            - Double(path.a[keyPath: nanoseconds])
                            / Double(max(result.traceCountOfA, 1))
                    }
                    json.key("totalDifferenceNanos")
                    json.number(mean(\.total).rounded())
                    json.key("selfDifferenceNanos")
                    json.number(mean(\.selfTime).rounded())
                }
            }
        }
        object("others") { json in
            json.member("pathCount", number: result.otherPathCount)
            json.object("a") { $0.figures(result.otherA) }
            json.object("b") { $0.figures(result.otherB) }
        }
        array("differences") { json in
            for difference in result.differences {
                json.object { json in
                    json.member("path", number: difference.path)
                    json.member("key", difference.key)
                    json.values("a", difference.a)
                    json.values("b", difference.b)
                }
            }
        }
    }

    private mutating func figures(_ figures: PathComparison.Figures) {
        member("traceCount", number: figures.traceCount)
        member("spanCount", number: figures.spanCount)
        member("errorCount", number: figures.errorCount)
        member("totalNanos", "\(figures.total)")
        member("selfNanos", "\(figures.selfTime)")
    }

    private mutating func values(_ name: String, _ values: [PathComparison.Value]) {
        array(name) { json in
            for value in values {
                json.object { json in
                    json.member("type", value.value.type.word)
                    json.key("value")
                    json.value(value.value)
                    json.member("count", number: value.count)
                }
            }
        }
    }

    mutating func mapped(_ found: LaidOutCalls) {
        array("nodes") { json in
            for node in found.map.nodes {
                json.object { json in
                    json.member("name", node.name)
                    json.place(node.layer, node.x, node.y)
                    json.member("cycle", optional: node.cycle)
                    json.member("group", optional: node.group)
                    json.calls(found.services[node.name])
                }
            }
        }
        array("edges") { json in
            for edge in found.map.edges {
                json.object { json in
                    json.member("from", number: edge.from)
                    json.member("to", number: edge.to)
                    json.calls(found.edges.edges[edge.call].total)
                }
            }
        }
        array("cycles") { json in
            for cycle in found.map.cycles {
                json.object { json in
                    json.array("members") { $0.numbers(cycle.members) }
                    json.array("example") { $0.numbers(cycle.example) }
                    json.member("edgeCount", number: cycle.edgeCount)
                    json.member("callCount", number: cycle.callCount)
                }
            }
        }
        array("groups") { json in
            for group in found.map.groups {
                json.object { json in
                    json.member("name", optional: group.name)
                    json.place(group.layer, group.x, group.y)
                    json.member("nodeCount", number: group.nodeCount)
                    json.member("callCount", number: group.callCount)
                }
            }
        }
        array("groupEdges") { json in
            for edge in found.map.groupEdges {
                json.object { json in
                    json.member("from", number: edge.from)
                    json.member("to", number: edge.to)
                    json.member("callCount", number: edge.callCount)
                    json.member("errorCount", number: edge.errorCount)
                }
            }
        }
    }

    private mutating func numbers(_ numbers: [Int]) {
        for number in numbers { self.number(number) }
    }

    private mutating func place(_ layer: Int, _ x: Double, _ y: Double) {
        member("layer", number: layer)
        key("x")
        number(x)
        key("y")
        number(y)
    }

    /// Counts and the median and 99 % quantile that were asked for.
    private mutating func calls(_ calls: CallTotals?) {
        member("callCount", number: calls?.callCount ?? 0)
        member("errorCount", number: calls?.errorCount ?? 0)
        let quantiles = calls?.quantiles ?? []
        member("p50Nanos", "\(quantiles.first ?? 0)")
        member("p99Nanos", "\(quantiles.last ?? 0)")
    }
}
