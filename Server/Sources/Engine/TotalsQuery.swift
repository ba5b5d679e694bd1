// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Answers a question for totals from sections and from facts in memory.
///
/// No span is read: pages of the asked windows, in two rounds (`TotalsTally`). Windows that the range
/// or a step cuts are split by minute.
struct TotalsQuery: ~Copyable {
    /// A section with those of its pages that the range touches.
    private struct Section {
        let index: TotalsIndex
        var pages: [TotalsPage] = []
        /// By page: how rows are cut by minute; `nil` where none is cut.
        var minutes: [TotalsMinuteCounts?] = []
        var steps: [TotalsSteps] = []
        /// By group: its line, -1 for none, -2 for not asked yet.
        var lines: [Int]
        /// By edge.
        var edgeLines: [Int]
        /// By name of the section: its number in the answer, -1 for not asked yet.
        var names: [Int]

        /// What statistics would have to cover for spans of a group of edges, or of others, not to
        /// count. Of groups that have a line.
        func scope(_ group: Int, _ asked: TotalsRequest.Lines) -> TotalsCoverage.Scope {
            let own = index.groups[group]
            let caller = asked == .edges ? own.caller.map { names[$0] } ?? -1 : -1
            return TotalsCoverage.Scope(service: names[own.service], caller: caller)
        }
    }

    private let plan: TotalsPlan
    private let context: QueryContext
    private let decompressor = Decompressor()
    private var lines: TotalsLines
    private var sections: [Section] = []
    private var facts: [TotalsFacts] = []
    /// By set of facts, by group (by edge): its line, or -1.
    private var factLines: [[Int]] = []
    private var factEdgeLines: [[Int]] = []
    private var factScopes: [[TotalsCoverage.Scope]] = []
    private var calls = TotalsCalls()
    /// By group of `calls`: its line, or -1.
    private var callLines: [Int] = []
    private var coverage: TotalsCoverage
    private var hasOthers = false
    /// A sender did not tell all of its operations apart.
    private var hasUntold = false

    init(_ plan: TotalsPlan, _ context: QueryContext) {
        self.plan = plan
        self.context = context
        lines = TotalsLines(plan.request)
        coverage = TotalsCoverage(plan.request)
    }

    /// Counts call statistics in; before anything else, for what they cover does not count again.
    mutating func add(_ calls: TotalsCalls) {
        self.calls = calls
        let isEdges = plan.request.lines == .edges
        var scopes: [TotalsCoverage.Scope?] = []
        for group in calls.groups {
            let isCalling =
                group.kind == SpanKind.client.rawValue || group.kind == SpanKind.producer.rawValue
            guard !isEdges || isCalling && group.peer != nil else {
                scopes.append(nil)
                callLines.append(-1)
                continue
            }
            let service = lines.name(group.service)
            let peer = isEdges ? lines.name(group.peer ?? "") : -1
            scopes.append(
                TotalsCoverage.Scope(
                    service: isEdges ? peer : service,
                    caller: isEdges ? service : -1
                )
            )
            let line = lines.line(
                service: isEdges ? peer : service,
                operation: group.operation.map { lines.name($0) },
                kind: group.kind,
                caller: isEdges ? service : nil
            )
            callLines.append(line)
        }
        for row in calls.rows {
            guard let scope = scopes[row.group] else { continue }
            let minute = UInt64(row.minute)
            let first = minute - min(TotalsCoverage.reach(row.bound), minute)
            coverage.insert((first..<minute + 1).clamped(to: plan.minutes), scope)
            guard plan.minutes.contains(minute) else { continue }
            let isUntold = calls.groups[row.group].operation == nil
            switch plan.request.lines {
            case .services, .edges: break
            case .operations, .operationsByKind:
                if isUntold, callLines[row.group] >= 0 { hasUntold = true }
            }
        }
    }

    /// Counts a section in.
    mutating func add(_ section: TotalsSection) throws {
        guard let windows = plan.windows else { return }
        let index = section.index
        var counted = Section(
            index: index,
            lines: Array(repeating: -2, count: index.groups.count),
            edgeLines: Array(repeating: -2, count: index.edges.count),
            names: Array(repeating: -1, count: index.names.count)
        )
        for (number, page) in index.pages.enumerated() where page.windows.overlaps(windows) {
            try context.check()
            let opened = try section.page(number, decompressor)
            let isCut = opened.distinctWindows.contains { window in
                coverage.touches(window)
                    || plan.segments(of: window).contains { !$0.isWhole }
            }
            counted.pages.append(opened)
            counted.minutes.append(isCut ? try section.minutes(number, opened, decompressor) : nil)
            counted.steps.append(try section.steps(number, opened))
        }
        if !counted.pages.isEmpty { sections.append(counted) }
    }

    /// Counts facts in.
    mutating func add(_ facts: TotalsFacts) {
        if !facts.spans.isEmpty || !facts.requests.isEmpty { self.facts.append(facts) }
    }

    /// Answers. Nothing may be added afterwards.
    mutating func run(incomplete: [String]) throws -> Totals {
        findLines()
        var tally = TotalsTally(
            lineCount: lines.lines.count,
            columnCount: plan.columnCount,
            quantiles: plan.request.quantiles
        )
        widen(&tally)
        try tally.makeRoom()
        try count(&tally)
        tally.choose()
        try refine(&tally)
        var result = Totals(range: plan.range, incomplete: incomplete)
        if hasOthers {
            result.incomplete.append(
                "operations beyond \(Limits.totalsGroups) of one part are counted together"
            )
        }
        if hasUntold {
            result.incomplete.append(
                "operations beyond those that a sender of call statistics tells apart are counted "
                    + "together"
            )
        }
        let order = sortedLines()
        if plan.request.lines == .edges {
            let requests = try countRequests()
            for line in order {
                if let edge = edge(line, tally, requests) { result.edges.append(edge) }
            }
        } else {
            for number in order {
                if let line = line(number, tally) { result.lines.append(line) }
            }
        }
        return result
    }

    // MARK: Lines

    private mutating func findLines() {
        for number in sections.indices {
            var section = sections[number]
            for page in section.pages {
                for row in page.groups.indices {
                    let group = Int(page.groups[row])
                    // A row outside the range must not make a line.
                    guard section.lines[group] == -2, !plan.segments(of: page.windows[row]).isEmpty
                    else { continue }
                    section.lines[group] = line(of: section.index.groups[group], &section)
                }
                for edge in page.edges where section.edgeLines[Int(edge)] == -2 {
                    let edge = Int(edge)
                    section.edgeLines[edge] = lines.edge(
                        caller: name(section.index.edges[edge].caller, &section),
                        service: name(section.index.edges[edge].service, &section)
                    )
                }
            }
            sections[number] = section
        }
        for facts in facts {
            factLines.append(
                facts.groups.map {
                    lines.line(
                        service: lines.name($0.service),
                        operation: lines.name($0.operation),
                        kind: $0.kind,
                        caller: $0.caller.map { lines.name($0) }
                    )
                }
            )
            let isEdges = plan.request.lines == .edges
            factScopes.append(
                facts.groups.map {
                    TotalsCoverage.Scope(
                        service: lines.name($0.service),
                        caller: isEdges ? $0.caller.map { lines.name($0) } ?? -1 : -1
                    )
                }
            )
            factEdgeLines.append(
                facts.edges.map {
                    lines.edge(caller: lines.name($0.caller), service: lines.name($0.service))
                }
            )
        }
    }

    private mutating func line(of group: TotalsIndex.Group, _ section: inout Section) -> Int {
        if group.operation == nil { hasOthers = true }
        let service = name(group.service, &section)
        let operation = group.operation.map { name($0, &section) }
        let caller = group.caller.map { name($0, &section) }
        return lines.line(
            service: service,
            operation: operation,
            kind: group.kind,
            caller: caller
        )
    }

    /// The number in the answer of a name of a section: a text is hashed once.
    private mutating func name(_ name: Int, _ section: inout Section) -> Int {
        if section.names[name] < 0 { section.names[name] = lines.name(section.index.names[name]) }
        return section.names[name]
    }

    // MARK: Durations

    private func widen(_ tally: inout TotalsTally) {
        for section in sections {
            for page in section.pages {
                for row in page.groups.indices {
                    let line = section.lines[Int(page.groups[row])]
                    let cells = page.firstCell[row + 1] - page.firstCell[row]
                    guard line >= 0, cells > 0 else { continue }
                    let low = Int(page.lowCells[row])
                    tally.widen(line, to: low...low + cells - 1)
                }
            }
        }
        forEachFact { span, line, _, _ in tally.widen(line, to: span.cell...span.cell) }
        forEachCall { row, line, _ in
            if row.durations.zeroCount > 0 { tally.widen(line, to: 0...0) }
            for (bucket, _) in row.durations.buckets {
                tally.widen(line, to: TotalsFormat.cell(bucket)...TotalsFormat.cell(bucket))
            }
        }
    }

    private func count(_ tally: inout TotalsTally) throws {
        for section in sections {
            for number in section.pages.indices {
                try context.check()
                count(section.pages[number], section.minutes[number], section, &tally)
            }
        }
        forEachFact { span, line, column, isError in
            tally.add(Int64(span.times), cell: span.cell, line, column)
            tally.add(
                calls: Int64(span.times),
                isError: isError,
                sum: Int128(span.duration) * Int128(span.times.magnitude),
                longest: span.duration,
                line,
                column
            )
        }
        forEachCall { row, line, column in
            let zeros = Int64(clamping: row.durations.zeroCount)
            if zeros > 0 { tally.add(zeros, cell: 0, line, column) }
            for (bucket, times) in row.durations.buckets {
                tally.add(Int64(clamping: times), cell: TotalsFormat.cell(bucket), line, column)
            }
            tally.add(
                reported: Int64(clamping: row.durations.count),
                isError: calls.groups[row.group].isError,
                sum: Int128(row.sum),
                longest: row.longest,
                line,
                column
            )
        }
    }

    private func count(
        _ page: TotalsPage,
        _ minutes: TotalsMinuteCounts?,
        _ section: Section,
        _ tally: inout TotalsTally
    ) {
        forEachRow(page, section) { row, line, segment in
            let group = section.index.groups[Int(page.groups[row])]
            let isError = group.status == StatusCode.error.rawValue
            let cells = page.firstCell[row]..<page.firstCell[row + 1]
            let low = Int(page.lowCells[row])
            if segment.isWhole {
                let calls = tally.add(page.counts[cells], from: low, line, segment.column)
                tally.add(
                    calls: calls,
                    isError: isError,
                    sum: Int128(page.sums[row]),
                    longest: page.longest[row],
                    line,
                    segment.column
                )
            } else if let minutes {
                var calls: Int64 = 0
                for cell in cells {
                    let count = Int64(truncatingIfNeeded: minutes.count(cell, segment.minutes))
                    if count == 0 { continue }
                    calls &+= count
                    tally.add(count, cell: low + cell - cells.lowerBound, line, segment.column)
                }
                if calls == 0 { return }
                tally.add(
                    calls: calls,
                    isError: isError,
                    sum: Int128(minutes.sum(row, segment.minutes)),
                    longest: 0,
                    line,
                    segment.column
                )
            }
        }
    }

    private func refine(_ tally: inout TotalsTally) throws {
        for section in sections {
            for number in section.pages.indices {
                try context.check()
                refine(number, section, &tally)
            }
        }
        forEachFact { span, line, column, _ in
            for choice in tally.choices(line, column)
            where tally.cell(ofChoice: choice) == span.cell {
                tally.refine(choice, step: span.fineStep, times: Int64(span.times))
            }
        }
        forEachCall { row, line, column in
            for choice in tally.choices(line, column) {
                let cell = tally.cell(ofChoice: choice)
                if cell == 0 {
                    let zeros = Int64(clamping: row.durations.zeroCount)
                    tally.refine(choice, step: 0, times: zeros)
                }
                for (bucket, times) in row.durations.buckets
                where TotalsFormat.cell(bucket) == cell {
                    let step = bucket % TotalsFormat.fineSteps
                    tally.refine(choice, step: step, times: Int64(clamping: times))
                }
            }
        }
    }

    private func refine(_ number: Int, _ section: Section, _ tally: inout TotalsTally) {
        let page = section.pages[number]
        let minutes = section.minutes[number]
        let steps = section.steps[number]
        forEachRow(page, section) { row, line, segment in
            let first = page.firstCell[row]
            let cellCount = page.firstCell[row + 1] - first
            let low = Int(page.lowCells[row])
            for choice in tally.choices(line, segment.column) {
                let place = tally.cell(ofChoice: choice) - low
                guard place >= 0, place < cellCount else { continue }
                let cell = first + place
                var start = page.spansBefore[cell]
                var count = page.spansBefore[cell + 1] - start
                if !segment.isWhole, let minutes {
                    start += Int(minutes.count(cell, segment.before))
                    count = Int(minutes.count(cell, segment.minutes))
                }
                tally.refine(choice, steps.counts(start, count))
            }
        }
    }

    /// Calls `body` with each row that belongs to a line, and each run of minutes that counts.
    @inline(__always)
    private func forEachRow(
        _ page: TotalsPage,
        _ section: Section,
        _ body: (_ row: Int, _ line: Int, _ segment: TotalsPlan.Segment) -> Void
    ) {
        var segments: [TotalsPlan.Segment] = []
        var window: UInt64?
        for row in page.groups.indices {
            let group = Int(page.groups[row])
            let line = section.lines[group]
            if line < 0 { continue }
            if window != page.windows[row] {
                window = page.windows[row]
                segments = plan.segments(of: page.windows[row])
            }
            if !coverage.isEmpty {
                let mask = coverage.mask(
                    section.scope(group, plan.request.lines),
                    kind: section.index.groups[group].kind,
                    page.windows[row]
                )
                if mask != 0 {
                    for segment in plan.segments(of: page.windows[row], without: mask) {
                        body(row, line, segment)
                    }
                    continue
                }
            }
            for segment in segments { body(row, line, segment) }
        }
    }

    /// Calls `body` with each fact that belongs to a line, for each column.
    @inline(__always)
    private func forEachFact(
        _ body: (_ span: TotalsFacts.Span, _ line: Int, _ column: Int, _ isError: Bool) -> Void
    ) {
        for (number, facts) in facts.enumerated() {
            for span in facts.spans where plan.minutes.contains(UInt64(span.minute)) {
                let line = factLines[number][Int(span.group)]
                if line < 0 { continue }
                if !coverage.isEmpty {
                    let kind = facts.groups[Int(span.group)].kind
                    let scope = factScopes[number][Int(span.group)]
                    if coverage.contains(UInt64(span.minute), scope, kind: kind) { continue }
                }
                let status = facts.groups[Int(span.group)].status
                let isError = status == StatusCode.error.rawValue
                body(span, line, 0, isError)
                if let step = plan.stepColumn(of: UInt64(span.minute)) {
                    body(span, line, step, isError)
                }
            }
        }
    }

    /// Calls `body` with each row of call statistics that belongs to a line, for each column.
    @inline(__always)
    private func forEachCall(
        _ body: (_ row: TotalsCalls.Row, _ line: Int, _ column: Int) -> Void
    ) {
        for row in calls.rows where plan.minutes.contains(UInt64(row.minute)) {
            let line = callLines[row.group]
            if line < 0 { continue }
            body(row, line, 0)
            if let step = plan.stepColumn(of: UInt64(row.minute)) { body(row, line, step) }
        }
    }

    // MARK: Requests

    /// By line, requests by calls of one request.
    private func countRequests() throws -> [[UInt64: Int64]] {
        var counts = [[UInt64: Int64]](repeating: [:], count: lines.lines.count)
        for section in sections {
            for (number, page) in section.pages.enumerated() {
                try context.check()
                let base = page.firstRequestCell[0]
                for row in page.edges.indices {
                    let line = section.edgeLines[Int(page.edges[row])]
                    // Column 0 is the first of each window.
                    guard line >= 0, let own = plan.segments(of: page.requestWindows[row]).first
                    else { continue }
                    for cell in page.firstRequestCell[row]..<page.firstRequestCell[row + 1] {
                        let count =
                            own.isWhole
                            ? page.counts[cell]
                            : section.minutes[number]?.count(cell, own.minutes) ?? 0
                        counts[line][page.calls[cell - base], default: 0] += Int64(clamping: count)
                    }
                }
            }
        }
        for (number, facts) in facts.enumerated() {
            for request in facts.requests where plan.minutes.contains(UInt64(request.minute)) {
                let line = factEdgeLines[number][Int(request.edge)]
                if line < 0 { continue }
                let calls = UInt64(request.callCount)
                counts[line][calls, default: 0] += Int64(request.times)
            }
        }
        return counts
    }

    // MARK: The answer

    private func sortedLines() -> [Int] {
        let sorted = lines.names.indices.sorted { lines.names[$0] < lines.names[$1] }
        var ranks = [Int](repeating: 0, count: sorted.count)
        for (rank, name) in sorted.enumerated() { ranks[name] = rank }
        func key(_ line: TotalsLines.Line) -> (Int, Int, UInt8) {
            let other = line.other >= 0 ? ranks[line.other] : line.other == -1 ? -1 : Int.max
            return plan.request.lines == .edges
                ? (other, ranks[line.service], 0) : (ranks[line.service], other, line.kind)
        }
        let keys = lines.lines.map { key($0) }
        return keys.indices.sorted { keys[$0] < keys[$1] }
    }

    private func steps(_ number: Int, _ tally: borrowing TotalsTally) -> [CallTotals] {
        let none = CallTotals(quantiles: plan.request.quantiles.map { _ in 0 })
        return (1..<plan.columnCount).map { tally.total(number, $0) ?? none }
    }

    private func line(_ number: Int, _ tally: borrowing TotalsTally) -> Totals.Line? {
        guard let total = tally.total(number, 0) else { return nil }
        let line = lines.lines[number]
        let hasOperation = plan.request.lines != .services
        return Totals.Line(
            service: lines.names[line.service],
            operation: !hasOperation
                ? nil : line.other >= 0 ? lines.names[line.other] : "(other operations)",
            kind: plan.request.lines == .operationsByKind
                ? SpanKind(rawValue: line.kind) ?? .unspecified : nil,
            total: total,
            steps: steps(number, tally)
        )
    }

    private func edge(
        _ number: Int,
        _ tally: borrowing TotalsTally,
        _ requests: [[UInt64: Int64]]
    ) -> Totals.Edge? {
        guard let total = tally.total(number, 0) else { return nil }
        let line = lines.lines[number]
        let sorted = requests[number].filter { $0.value > 0 }.sorted { $0.key < $1.key }
        let count = sorted.reduce(UInt64(0)) { $0 &+ UInt64($1.value) }
        return Totals.Edge(
            parent: lines.names[line.other],
            child: lines.names[line.service],
            total: total,
            steps: steps(number, tally),
            requestCount: count,
            requestCallCount: sorted.reduce(0) { $0 &+ $1.key &* UInt64($1.value) },
            requestQuantiles: plan.request.quantiles.map { q in
                guard count > 0 else { return 0 }
                var rest = LatencySketch.rank(q, of: count)
                for (calls, times) in sorted {
                    if rest <= UInt64(times) { return calls }
                    rest -= UInt64(times)
                }
                return 0
            }
        )
    }
}
