// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Answers a question for totals from sections, call statistics and facts.
///
/// No span is read: pages of the asked windows, in two rounds (`TotalsTally`), after one that finds the
/// lines there are. Windows that the range or a step cuts are split by minute. What is held in memory
/// is the answer and what `TotalsSources` keeps of what is read.
struct TotalsQuery: ~Copyable {
    private let plan: TotalsPlan
    private let sources: TotalsSources
    private var lines: TotalsLines
    private var sections: [TotalsQuerySection] = []
    private var pageCount = 0
    private var facts: [TotalsQueryFacts] = []
    private var calls: TotalsCallSources
    private var coverage: TotalsCoverage
    /// By line, requests by calls of one request.
    private var requests: [[UInt64: Int64]] = []
    private var hasOthers = false

    init(_ plan: TotalsPlan, _ snapshot: Snapshot, _ context: QueryContext) {
        self.plan = plan
        sources = TotalsSources(context)
        lines = TotalsLines(plan.request)
        calls = TotalsCallSources(plan, snapshot)
        coverage = TotalsCoverage(plan.request)
    }

    /// Counts the section of a part in.
    mutating func add(_ part: Part) {
        let minute = TotalsFormat.minute
        guard part.entry.lastStart / minute >= plan.minutes.lowerBound,
            part.entry.firstStart / minute < plan.minutes.upperBound
        else { return }
        sections.append(TotalsQuerySection(source: .part(part), key: sections.count))
    }

    /// Counts the section and the changes of a totals file in.
    mutating func add(_ file: TotalsFile) {
        sections.append(TotalsQuerySection(source: .file(file), key: sections.count))
        for number in file.changes(in: plan.minutes) {
            facts.append(TotalsQueryFacts(source: .chunk(file, number)))
        }
    }

    /// Counts facts in.
    mutating func add(_ facts: TotalsFacts) {
        guard !facts.spans.isEmpty || !facts.requests.isEmpty else { return }
        self.facts.append(TotalsQueryFacts(source: .held(facts)))
    }

    /// Answers. Nothing may be added afterwards.
    mutating func run(incomplete: [String]) throws -> Totals {
        // First: spans that are covered do not count.
        try calls.begin(sources, &lines, &coverage)
        try findLines()
        let tellsDurations = plan.request.tellsDurations
        var tally = try TotalsTally(
            cells: tellsDurations ? lines.cells : lines.cells.map { _ in nil },
            columnCount: plan.columnCount,
            quantiles: tellsDurations ? plan.request.quantiles : [],
            bounds: tellsDurations ? plan.request.bounds : [],
            sources
        )
        requests = Array(repeating: [:], count: lines.lines.count)
        if tellsDurations {
            try count(&tally)
            try tally.choose(sources)
            try refine(&tally)
        } else {
            try countCalls(&tally)
            try tally.choose(sources)
        }
        var result = Totals(range: plan.range, incomplete: incomplete)
        if hasOthers {
            result.incomplete.append(
                "operations beyond \(Limits.totalsGroups) of one part are counted together"
            )
        }
        if calls.hasUntold {
            result.incomplete.append(
                "operations beyond those that a sender of call statistics tells apart are counted "
                    + "together"
            )
        }
        for number in sortedLines() {
            // A line of the answer, its columns and their quantiles.
            let numbers = plan.request.quantiles.count + plan.request.bounds.count
            let size = MemoryLayout<CallTotals>.stride + 32 + 8 * numbers
            try sources.charge(128 + plan.columnCount * size)
            if plan.request.lines == .edges {
                if let edge = edge(number, tally) { result.edges.append(edge) }
            } else {
                if let line = line(number, tally) { result.lines.append(line) }
            }
        }
        return result
    }

    // MARK: Reading

    /// Calls `body` with each page.
    private func forEachPage(
        wantsSteps: Bool,
        _ body: (
            _ page: TotalsSources.Page, _ section: TotalsQuerySection, _ index: TotalsIndex
        ) throws -> Void
    ) throws {
        let (plan, coverage) = (plan, coverage)
        for section in sections where !section.pages.isEmpty {
            try sources.withSection(section.key, section.open) { opened in
                for (place, number) in section.pages.enumerated() {
                    try sources.withPage(
                        section.firstKey + place,
                        number,
                        of: opened,
                        isCut: { Self.isCut($0, plan, coverage) },
                        wantsSteps: wantsSteps
                    ) { try body($0, section, opened.index) }
                }
            }
        }
    }

    /// Whether some of a page's minutes count and others do not, or not in the same column.
    private static func isCut(
        _ page: TotalsPage,
        _ plan: TotalsPlan,
        _ coverage: TotalsCoverage
    ) -> Bool {
        page.distinctWindows.contains { window in
            coverage.touches(window) || plan.segments(of: window).contains { !$0.isWhole }
        }
    }

    // MARK: Lines

    private mutating func findLines() throws {
        for number in sections.indices {
            let known = sections[number]
            var section = known
            try sources.withSection(known.key, known.open) { opened in
                try findLines(in: opened, &section)
            }
            sections[number] = section
        }
        for number in facts.indices {
            let known = facts[number]
            var own = known
            try known.read(number, sources) { findLines(of: $0, &own) }
            let size = MemoryLayout<TotalsCoverage.Scope>.stride + MemoryLayout<Int32>.stride
            try sources.charge(own.scopes.count * size + lines.takeGrowth())
            facts[number] = own
        }
    }

    private mutating func findLines(in opened: TotalsSection, _ section: inout TotalsQuerySection)
        throws
    {
        guard let windows = plan.windows else { return }
        let index = opened.index
        section.pages = index.pages.indices.filter { index.pages[$0].windows.overlaps(windows) }
        guard !section.pages.isEmpty else { return }
        section.firstKey = pageCount
        pageCount += section.pages.count
        section.lines = Array(repeating: -2, count: index.groups.count)
        section.edgeLines = Array(repeating: -2, count: index.edges.count)
        section.names = Array(repeating: -1, count: index.names.count)
        try sources.charge(section.byteCount)
        let (plan, coverage) = (plan, coverage)
        for (place, page) in section.pages.enumerated() {
            try sources.withPage(
                section.firstKey + place,
                page,
                of: opened,
                isCut: { Self.isCut($0, plan, coverage) },
                wantsSteps: false
            ) { findLines(of: $0.counts, index, &section) }
            try sources.charge(lines.takeGrowth())
        }
    }

    private mutating func findLines(
        of page: TotalsPage,
        _ index: TotalsIndex,
        _ section: inout TotalsQuerySection
    ) {
        for row in page.groups.indices {
            let group = Int(page.groups[row])
            var line = section.lines[group]
            if line == -2 {
                // A row outside the range must not make a line.
                if plan.segments(of: page.windows[row]).isEmpty { continue }
                line = Int32(self.line(of: index.groups[group], index, &section))
                section.lines[group] = line
            }
            let cells = page.firstCell[row + 1] - page.firstCell[row]
            guard line >= 0, cells > 0 else { continue }
            let low = Int(page.lowCells[row])
            lines.widen(Int(line), to: low...low + cells - 1)
        }
        for edge in page.edges where section.edgeLines[Int(edge)] == -2 {
            let own = index.edges[Int(edge)]
            let line = lines.edge(
                caller: name(own.caller, index, &section),
                service: name(own.service, index, &section)
            )
            section.edgeLines[Int(edge)] = Int32(line)
        }
    }

    private mutating func findLines(of facts: TotalsFacts, _ own: inout TotalsQueryFacts) {
        let isEdges = plan.request.lines == .edges
        for group in facts.groups {
            let service = lines.name(group.service)
            let caller = group.caller.map { lines.name($0) }
            let line = lines.line(
                service: service,
                operation: lines.name(group.operation),
                kind: group.kind,
                caller: caller
            )
            own.lines.append(Int32(line))
            own.scopes.append(
                TotalsCoverage.Scope(service: service, caller: isEdges ? caller ?? -1 : -1)
            )
        }
        for edge in facts.edges {
            let line = lines.edge(
                caller: lines.name(edge.caller),
                service: lines.name(edge.service)
            )
            own.edgeLines.append(Int32(line))
        }
        for span in facts.spans where plan.minutes.contains(UInt64(span.minute)) {
            let line = Int(own.lines[Int(span.group)])
            if line >= 0 { lines.widen(line, to: span.cell...span.cell) }
        }
    }

    private mutating func line(
        of group: TotalsIndex.Group,
        _ index: TotalsIndex,
        _ section: inout TotalsQuerySection
    ) -> Int {
        if group.operation == nil { hasOthers = true }
        let service = name(group.service, index, &section)
        let operation = group.operation.map { name($0, index, &section) }
        let caller = group.caller.map { name($0, index, &section) }
        return lines.line(
            service: service,
            operation: operation,
            kind: group.kind,
            caller: caller
        )
    }

    /// The number in the answer of a name of a section: a text is hashed once.
    private mutating func name(
        _ name: Int,
        _ index: TotalsIndex,
        _ section: inout TotalsQuerySection
    ) -> Int {
        if section.names[name] < 0 {
            section.names[name] = Int32(lines.name(index.names[name]))
        }
        return Int(section.names[name])
    }

    // MARK: Durations

    private mutating func count(_ tally: inout TotalsTally) throws {
        // Held apart while the sections are read.
        var requests = requests
        try forEachPage(wantsSteps: false) { page, section, index in
            count(page.counts, page.minutes, section, index, &tally)
            try count(requestsOf: page, section, &requests)
        }
        try forEachFact { span, line, column, isError in
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
        try count(requestsOfFacts: &requests)
        self.requests = requests
        try calls.forEach(sources) { row, line, column in
            row.durations.forEachCell { cell, _, times in
                tally.add(times, cell: cell, line, column)
            }
            tally.add(
                reported: Int64(clamping: row.count),
                isError: row.isError,
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
        _ section: TotalsQuerySection,
        _ index: TotalsIndex,
        _ tally: inout TotalsTally
    ) {
        forEachRow(page, section, index) { row, line, segment in
            let group = index.groups[Int(page.groups[row])]
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

    /// Counts calls without their durations.
    private mutating func countCalls(_ tally: inout TotalsTally) throws {
        // Held apart while the sections are read.
        var requests = requests
        try forEachPage(wantsSteps: false) { page, section, index in
            countCalls(page.counts, page.minutes, section, index, &tally)
            try count(requestsOf: page, section, &requests)
        }
        try forEachFact { span, line, column, isError in
            tally.add(
                calls: Int64(span.times),
                isError: isError,
                sum: 0,
                longest: 0,
                line,
                column
            )
        }
        try count(requestsOfFacts: &requests)
        self.requests = requests
        try calls.forEach(sources) { row, line, column in
            tally.add(
                reported: Int64(clamping: row.count),
                isError: row.isError,
                sum: 0,
                longest: 0,
                line,
                column
            )
        }
    }

    private func countCalls(
        _ page: TotalsPage,
        _ minutes: TotalsMinuteCounts?,
        _ section: TotalsQuerySection,
        _ index: TotalsIndex,
        _ tally: inout TotalsTally
    ) {
        var known: (row: Int, whole: UInt64, minutes: SIMD16<UInt64>) = (-1, 0, SIMD16())
        forEachRow(page, section, index) { row, line, segment in
            if known.row != row {
                let cells = page.firstCell[row]..<page.firstCell[row + 1]
                known = (
                    row, page.counts[cells].reduce(0, &+), minutes?.byMinute(cells) ?? SIMD16()
                )
            }
            var calls: UInt64 = 0
            if segment.isWhole {
                calls = known.whole
            } else {
                for minute in segment.range { calls &+= known.minutes[minute] }
            }
            if calls == 0 { return }
            let group = index.groups[Int(page.groups[row])]
            tally.add(
                calls: Int64(truncatingIfNeeded: calls),
                isError: group.status == StatusCode.error.rawValue,
                sum: 0,
                longest: 0,
                line,
                segment.column
            )
        }
    }

    private func refine(_ tally: inout TotalsTally) throws {
        try forEachPage(wantsSteps: true) { page, section, index in
            refine(page, section, index, &tally)
        }
        try forEachFact { span, line, column, _ in
            for choice in tally.choices(line, column)
            where tally.cell(ofChoice: choice) == span.cell {
                tally.refine(choice, step: span.fineStep, times: Int64(span.times))
            }
        }
        try calls.forEach(sources) { row, line, column in
            let choices = tally.choices(line, column)
            if choices.isEmpty { return }
            row.durations.forEachCell { cell, step, times in
                for choice in choices where tally.cell(ofChoice: choice) == cell {
                    tally.refine(choice, step: step, times: times)
                }
            }
        }
    }

    private func refine(
        _ whole: TotalsSources.Page,
        _ section: TotalsQuerySection,
        _ index: TotalsIndex,
        _ tally: inout TotalsTally
    ) {
        let page = whole.counts
        let minutes = whole.minutes
        guard let steps = whole.steps else { return }
        forEachRow(page, section, index) { row, line, segment in
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
        _ section: TotalsQuerySection,
        _ index: TotalsIndex,
        _ body: (_ row: Int, _ line: Int, _ segment: TotalsPlan.Segment) -> Void
    ) {
        var segments: [TotalsPlan.Segment] = []
        var window: UInt64?
        for row in page.groups.indices {
            let group = Int(page.groups[row])
            let line = Int(section.lines[group])
            if line < 0 { continue }
            if window != page.windows[row] {
                window = page.windows[row]
                segments = plan.segments(of: page.windows[row])
            }
            if !coverage.isEmpty {
                let mask = coverage.mask(
                    section.scope(index.groups[group], plan.request.lines),
                    kind: index.groups[group].kind,
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
    ) throws {
        for (number, own) in facts.enumerated() {
            try own.read(number, sources) { facts in
                for span in facts.spans where plan.minutes.contains(UInt64(span.minute)) {
                    let line = Int(own.lines[Int(span.group)])
                    if line < 0 { continue }
                    if !coverage.isEmpty {
                        let kind = facts.groups[Int(span.group)].kind
                        let scope = own.scopes[Int(span.group)]
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
    }

    // MARK: Requests

    private func count(
        requestsOf whole: TotalsSources.Page,
        _ section: TotalsQuerySection,
        _ counts: inout [[UInt64: Int64]]
    ) throws {
        guard plan.request.lines == .edges else { return }
        let page = whole.counts
        let base = page.firstRequestCell[0]
        var newCount = 0
        for row in page.edges.indices {
            let line = Int(section.edgeLines[Int(page.edges[row])])
            // Column 0 is the first of each window.
            guard line >= 0, let own = plan.segments(of: page.requestWindows[row]).first
            else { continue }
            let known = counts[line].count
            for cell in page.firstRequestCell[row]..<page.firstRequestCell[row + 1] {
                let count =
                    own.isWhole
                    ? page.counts[cell] : whole.minutes?.count(cell, own.minutes) ?? 0
                counts[line][page.calls[cell - base], default: 0] += Int64(clamping: count)
            }
            newCount += counts[line].count - known
        }
        try sources.charge(newCount * 48)
    }

    private func count(requestsOfFacts counts: inout [[UInt64: Int64]]) throws {
        guard plan.request.lines == .edges else { return }
        for (number, own) in facts.enumerated() {
            var newCount = 0
            try own.read(number, sources) { facts in
                for request in facts.requests
                where plan.minutes.contains(UInt64(request.minute)) {
                    let line = Int(own.edgeLines[Int(request.edge)])
                    if line < 0 { continue }
                    let known = counts[line].count
                    counts[line][UInt64(request.callCount), default: 0] += Int64(request.times)
                    newCount += counts[line].count - known
                }
            }
            try sources.charge(newCount * 48)
        }
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
        let none = CallTotals(
            quantiles: plan.request.quantiles.map { _ in 0 },
            boundCounts: plan.request.bounds.map { _ in 0 }
        )
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

    private func edge(_ number: Int, _ tally: borrowing TotalsTally) -> Totals.Edge? {
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
