// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// What to say of a trace in one sentence, as data: the page and the terminal find the words.
///
/// At most `AnalysisLimits.findingCount` findings, those that explain most time first.
public struct TraceDiagnosis: Sendable {
    /// What was found. The words are those of the API.
    public enum Kind: String, Sendable, CaseIterable {
        /// Spans failed. `place`: where the failure of most consequence began, an erring span without
        /// an erring child; `related`: the topmost erring span above it in an unbroken row; `count`:
        /// all erring spans; `time`: of the topmost one, for all of that came to nothing.
        case errors
        /// Calls of one operation below one parent, all failed but the last at most, each after the
        /// one before. `place`: the first; `related`: the parent; `count`: attempts; `time`: from the
        /// start of the first to the start of the last.
        case retries
        /// Calls of one operation below one parent, one after another, that a single call for all
        /// could replace. `place`: the first; `related`: the parent; `count`: calls; `time`: what they
        /// take of the critical path, less the longest of them.
        case sequentialCalls
        /// One operation decided for more than a third of the critical path. `place`: its span with
        /// most of it; `count`: its spans on the path; `time`: theirs on the path.
        case slowOperation
        /// One service did, but no operation of it alone. As `slowOperation`.
        case slowService
        /// More than 30 % of the trace in one stretch without any span (`place` is `nil`), or in which
        /// a span with children had none running (`place`). `time`: the stretch.
        case gap
        /// Clocks were off and corrected. `place`: the span moved most; `count`: spans moved; `time`
        /// is how far, nanoseconds, though it explains none.
        case clockSkew
        /// Spans whose parent did not come. `place`: the first; `count`: all.
        case orphans
    }

    /// One thing to say.
    public struct Finding: Sendable, Equatable {
        public var kind: Kind
        public var place: Int?
        public var related: Int?
        public var count: Int
        /// Nanoseconds.
        public var time: UInt64
        /// Nanoseconds since 1970: the stretch of a gap.
        public var stretch: Range<UInt64>?
        /// Of slow operations and services: whether most of the time is waiting, in spans of clients
        /// and producers, for somebody who sent no spans for it.
        public var isWaiting = false
    }

    public let findings: [Finding]
    /// Nanoseconds that parts are told of: of the trace, from the first start to the last end.
    public let duration: UInt64

    /// Explains `trace`.
    public init(_ trace: PlacedTrace, _ path: CriticalPath, _ statistics: TraceStatistics) {
        duration = statistics.duration
        let search = FindingSearch(trace: trace, path: path, statistics: statistics)
        let runs = SiblingRollup(trace, minimum: 2)
        let told = [search.sequentialCalls(runs), search.gap()].compactMap(\.self)
        var findings = told
        findings += [search.errors(), search.retries(runs), search.slowest(unless: told)]
            .compactMap(\.self)
        if findings.isEmpty, let slowest = search.slowest(unless: [], share: .max) {
            findings.append(slowest)
        }
        let order = Kind.allCases
        findings.sort {
            $0.time == $1.time
                ? order.firstIndex(of: $0.kind) ?? 0 < order.firstIndex(of: $1.kind) ?? 0
                : $0.time > $1.time
        }
        // These explain no time: they say how far the rest can be trusted.
        findings += [search.clockSkew(), search.orphans()].compactMap(\.self)
        self.findings = Array(findings.prefix(AnalysisLimits.findingCount))
    }
}

/// Looks for one kind of finding at a time.
private struct FindingSearch {
    typealias Finding = TraceDiagnosis.Finding

    let trace: PlacedTrace
    let path: CriticalPath
    let statistics: TraceStatistics

    func errors() -> Finding? {
        var hasErringChild = Array(repeating: false, count: trace.count)
        // By place: of erring spans, the topmost erring one above in an unbroken row.
        var topmost = Array(repeating: Int32(-1), count: trace.count)
        for place in 0..<trace.count where trace.isError[place] {
            let parent = Int(trace.parent[place])
            let isBelowError = parent >= 0 && trace.isError[parent]
            if isBelowError { hasErringChild[parent] = true }
            topmost[place] = isBelowError ? topmost[parent] : Int32(truncatingIfNeeded: place)
        }
        var best: Int?
        for place in 0..<trace.count where trace.isError[place] && !hasErringChild[place] {
            guard let known = best else {
                best = place
                continue
            }
            let (consequence, knownConsequence) = (
                trace.duration(Int(topmost[place])), trace.duration(Int(topmost[known]))
            )
            let isWorse =
                consequence == knownConsequence
                ? trace.end[place] < trace.end[known] : consequence > knownConsequence
            if isWorse { best = place }
        }
        return best.map { origin in
            Finding(
                kind: .errors,
                place: origin,
                related: Int(topmost[origin]),
                count: statistics.errorCount,
                time: trace.duration(Int(topmost[origin]))
            )
        }
    }

    func retries(_ runs: SiblingRollup) -> Finding? {
        var best: Finding?
        for run in runs.runs where run.parent >= 0 && run.errorCount >= run.count - 1 {
            let places = runs.places[run.members].map { Int($0) }
            let isRetried = zip(places, places.dropFirst()).allSatisfy { before, after in
                trace.isError[before] && trace.end[before] <= trace.start[after]
            }
            let time = run.lastStart - run.firstStart
            guard isRetried, time > best?.time ?? 0 else { continue }
            best = Finding(
                kind: .retries,
                place: places.first,
                related: run.parent,
                count: run.count,
                time: time
            )
        }
        return best
    }

    func sequentialCalls(_ runs: SiblingRollup) -> Finding? {
        // By place: time on the path of all spans before it.
        var pathTimeBefore: [UInt64] = [0]
        pathTimeBefore.reserveCapacity(trace.count + 1)
        for time in path.time {
            pathTimeBefore.append(saturatingSum(pathTimeBefore.last ?? 0, time))
        }
        var best: Finding?
        for run in runs.runs
        where run.count >= AnalysisLimits.rollupCount && run.isSequential && run.parent >= 0 {
            var sum: UInt64 = 0
            var longest: UInt64 = 0
            for place in runs.places[run.members].lazy.map({ Int($0) }) {
                let onPath = pathTimeBefore[Int(trace.subtreeEnd[place])] - pathTimeBefore[place]
                sum = saturatingSum(sum, onPath)
                longest = max(longest, onPath)
            }
            let saved = sum - longest
            // Less than a twentieth is not worth a sentence.
            guard saved > max(best?.time ?? 0, statistics.duration / 20) else { continue }
            best = Finding(
                kind: .sequentialCalls,
                place: Int(runs.places[run.members.lowerBound]),
                related: run.parent,
                count: run.count,
                time: saved
            )
        }
        return best
    }

    /// What is missing in the trace, where it is 30 % of it or more: all stretches without any span
    /// together, or the longest in which a span with children had none running, whichever is more.
    func gap() -> Finding? {
        let limit = statistics.duration / 10 * 3
        let silence = silence()
        var best = silence.flatMap { $0.time > limit ? $0 : nil }
        for segment in path.mainSegments where !trace.isLeaf(segment.place) {
            let time = segment.to - segment.from
            guard time > max(limit, best?.time ?? 0) else { continue }
            best = Finding(
                kind: .gap,
                place: segment.place,
                count: 1,
                time: time,
                stretch: segment.from..<segment.to
            )
        }
        return best
    }

    /// All stretches in which no span ran, as one finding that leads to the longest.
    private func silence() -> Finding? {
        var found: Finding?
        // A root covers its descendants or is outlasted by them: only all spans tell what none covers.
        var end = statistics.start
        for place in (0..<trace.count).sorted(by: { trace.start[$0] < trace.start[$1] }) {
            let start = trace.start[place]
            if start > end {
                var silence = found ?? Finding(kind: .gap, count: 0, time: 0)
                silence.count += 1
                silence.time += start - end
                if start - end > silence.stretch.map({ $0.upperBound - $0.lowerBound }) ?? 0 {
                    silence.stretch = end..<start
                }
                found = silence
            }
            end = max(end, trace.end[place])
        }
        return found
    }

    /// The operation, or the service, that decided for more than `1 / share` of the main path, unless
    /// nearly all of that is told already, and better: why the operation took so long.
    func slowest(unless told: [Finding], share: UInt64 = 3) -> Finding? {
        guard let root = path.root else { return nil }
        // The path of a root that is a small part of its trace explains nothing beside what is told.
        if !told.isEmpty, trace.duration(root) < statistics.duration / 20 { return nil }
        var operations = Array(repeating: UInt64(0), count: trace.operations.count)
        var services = Array(repeating: UInt64(0), count: trace.services.count)
        for segment in path.mainSegments {
            operations[Int(trace.operation[segment.place])] += segment.to - segment.from
            services[trace.service(segment.place)] += segment.to - segment.from
        }
        let least = trace.duration(root) / share
        if let (operation, time) = largest(operations), time > least {
            let isTold = told.contains { finding in
                finding.place.map { Int(trace.operation[$0]) } == operation
                    && finding.time >= time / 5 * 4
            }
            if isTold { return nil }
            return slow(.slowOperation, time) { Int(trace.operation[$0]) == operation }
        }
        if let (service, time) = largest(services), time > least {
            return slow(.slowService, time) { trace.service($0) == service }
        }
        return nil
    }

    private func largest(_ times: [UInt64]) -> (number: Int, time: UInt64)? {
        times.enumerated().max { ($0.element, -$0.offset) < ($1.element, -$1.offset) }
            .map { ($0.offset, $0.element) }
    }

    private func slow(
        _ kind: TraceDiagnosis.Kind,
        _ time: UInt64,
        isMember: (Int) -> Bool
    ) -> Finding {
        var waiting: UInt64 = 0
        var count = 0
        var place: Int?
        guard let root = path.root else { return Finding(kind: kind, count: 0, time: time) }
        for member in root..<Int(trace.subtreeEnd[root])
        where path.time[member] > 0 && isMember(member) {
            count += 1
            if trace.kind[member] == .client || trace.kind[member] == .producer {
                waiting += path.time[member]
            }
            if path.time[member] > place.map({ path.time[$0] }) ?? 0 { place = member }
        }
        return Finding(
            kind: kind,
            place: place,
            count: count,
            time: time,
            isWaiting: waiting > time / 2
        )
    }

    func clockSkew() -> Finding? {
        let moved = trace.clockShift.indices
            .max { trace.clockShift[$0].magnitude < trace.clockShift[$1].magnitude }
        guard let moved, trace.clockShift[moved] != 0 else { return nil }
        return Finding(
            kind: .clockSkew,
            place: moved,
            count: statistics.movedCount,
            time: trace.clockShift[moved].magnitude
        )
    }

    func orphans() -> Finding? {
        guard let first = trace.isParentMissing.firstIndex(of: true) else { return nil }
        return Finding(kind: .orphans, place: first, count: statistics.orphanCount, time: 0)
    }
}
