// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Joins totals sections into one for a totals file, window by window: what it holds in memory is a
/// page of each and the spans of one window, never a whole section.
///
/// Nothing is lost: an answer from the joined section is the one from all of them, to the last
/// nanosecond. Hence the exact sums of minutes (`TotalsFormat.exactVersion`).
struct TotalsMerge: ~Copyable {
    /// A section, read page by page.
    private struct Input {
        let section: TotalsSection
        /// By group and by edge of the section: that of the result.
        var groups: [Int] = []
        var edges: [Int] = []
        var nextPage = 0
        var page: TotalsPage?
        var minutes: TotalsMinuteCounts?
        var steps: TotalsSteps?
        var row = 0
        var requestRow = 0

        /// The window of its next row.
        var window: UInt64? {
            guard let page else { return nil }
            let row = row < page.windows.count ? page.windows[row] : nil
            let request =
                requestRow < page.requestWindows.count ? page.requestWindows[requestRow] : nil
            guard let row, let request else { return row ?? request }
            return min(row, request)
        }

        /// Turns to the next page, where the one in hand is used up.
        mutating func turn(_ decompressor: borrowing Decompressor) throws(PartDamage) {
            while window == nil, nextPage < section.index.pages.count {
                let opened = try section.page(nextPage, decompressor)
                minutes = try section.minutes(nextPage, opened, decompressor)
                steps = try section.steps(nextPage, opened)
                page = opened
                row = 0
                requestRow = 0
                nextPage += 1
            }
        }
    }

    /// A row of the result while it is put together.
    private struct Row {
        /// Cell, minute and fine step of a span, as `TotalsPageWriter.add` takes them.
        var entries: [UInt32] = []
        var minuteSums = [UInt64](repeating: 0, count: 10)
        var sum: UInt64 = 0
        var longest: UInt64 = 0
    }

    private struct GroupKey: Hashable {
        var service: Int
        var operation: Int
        var code: UInt64
        var caller: Int
    }

    private struct EdgeKey: Hashable {
        var caller: Int
        var service: Int
    }

    private var inputs: [Input]
    private var index = ByteWriter()
    private let decompressor = Decompressor()

    init(_ sections: [TotalsSection]) { inputs = sections.map { Input(section: $0) } }

    /// Writes the section.
    ///
    /// - Returns: where its index lies; none where there is nothing to count.
    /// - Throws: `PartDamage` where a section cannot be read, `DiskError`.
    mutating func write(to output: inout PartOutput) throws -> ChunkReference {
        index.append(varint: TotalsFormat.exactVersion)
        writeNames()
        // Pages stand behind their count, which is known at the end.
        let front = index
        index = ByteWriter()
        var pageCount = 0
        var lastWindow: UInt64 = 0
        var writer: TotalsPageWriter?
        var requests: [(window: UInt64, edge: Int, entries: [UInt64])] = []
        while let window = try nextWindow() {
            var page = writer ?? TotalsPageWriter(firstWindow: window, hasExactSums: true)
            for (group, row) in takeRows(of: window).sorted(by: { $0.key < $1.key }) {
                page.add(
                    window: window,
                    group: group,
                    entries: row.entries.sorted()[...],
                    minuteSums: row.minuteSums,
                    sum: row.sum,
                    longest: row.longest
                )
            }
            requests += takeRequests(of: window).sorted { $0.key < $1.key }
                .map { (window, $0.key, $0.value.sorted()) }
            writer = page
            if page.rowCount >= Limits.totalsPageRows || page.spanCount >= Limits.totalsPageSpans {
                try finish(&writer, &requests, &lastWindow, &output)
                pageCount += 1
            }
        }
        if writer != nil {
            try finish(&writer, &requests, &lastWindow, &output)
            pageCount += 1
        }
        guard pageCount > 0 else { return .none }
        var whole = front
        whole.append(varint: pageCount)
        output.encoder.append(frame: whole.bytes + index.bytes)
        return try output.finishChunk()
    }

    private mutating func finish(
        _ writer: inout TotalsPageWriter?,
        _ requests: inout [(window: UInt64, edge: Int, entries: [UInt64])],
        _ lastWindow: inout UInt64,
        _ output: inout PartOutput
    ) throws(DiskError) {
        guard var page = writer else { return }
        for request in requests {
            page.add(
                requestWindow: request.window,
                edge: request.edge,
                entries: request.entries[...]
            )
        }
        _ = try page.finish(after: lastWindow, to: &index, &output)
        lastWindow = page.lastWindow
        writer = nil
        requests = []
    }

    private mutating func nextWindow() throws(PartDamage) -> UInt64? {
        var next: UInt64?
        for number in inputs.indices {
            try inputs[number].turn(decompressor)
            guard let window = inputs[number].window else { continue }
            next = min(next ?? window, window)
        }
        return next
    }

    // MARK: What is counted

    /// Writes names, groups and edges, and tells each input the places of its own.
    private mutating func writeNames() {
        let names = Set(inputs.flatMap(\.section.index.names)).sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        index.append(varint: names.count)
        for name in names { index.append(run: name.utf8) }
        var groups: Set<GroupKey> = []
        var edges: Set<EdgeKey> = []
        var groupKeys: [[GroupKey]] = []
        var edgeKeys: [[EdgeKey]] = []
        for input in inputs {
            let own = input.section.index
            func place(_ name: Int) -> Int { places[own.names[name]] ?? 0 }
            groupKeys.append(
                own.groups.map {
                    GroupKey(
                        service: place($0.service),
                        operation: $0.operation.map { place($0) } ?? names.count,
                        code: UInt64($0.kind) << 2 | UInt64($0.status),
                        caller: $0.caller.map { place($0) + 1 } ?? 0
                    )
                }
            )
            edgeKeys.append(
                own.edges.map { EdgeKey(caller: place($0.caller), service: place($0.service)) }
            )
            groups.formUnion(groupKeys.last ?? [])
            edges.formUnion(edgeKeys.last ?? [])
        }
        let sortedGroups = groups.sorted {
            ($0.service, $0.operation, $0.code, $0.caller)
                < ($1.service, $1.operation, $1.code, $1.caller)
        }
        let sortedEdges = edges.sorted { ($0.caller, $0.service) < ($1.caller, $1.service) }
        index.append(varint: sortedGroups.count)
        for group in sortedGroups {
            index.append(varint: group.service)
            index.append(varint: group.operation)
            index.append(varint: group.code)
            index.append(varint: group.caller)
        }
        index.append(varint: sortedEdges.count)
        for edge in sortedEdges {
            index.append(varint: edge.caller)
            index.append(varint: edge.service)
        }
        let groupPlaces = Dictionary(
            uniqueKeysWithValues: sortedGroups.enumerated().map { ($1, $0) }
        )
        let edgePlaces = Dictionary(uniqueKeysWithValues: sortedEdges.enumerated().map { ($1, $0) })
        for number in inputs.indices {
            inputs[number].groups = groupKeys[number].map { groupPlaces[$0] ?? 0 }
            inputs[number].edges = edgeKeys[number].map { edgePlaces[$0] ?? 0 }
        }
    }

    /// The rows of a window, by group.
    private mutating func takeRows(of window: UInt64) -> [Int: Row] {
        var rows: [Int: Row] = [:]
        for number in inputs.indices {
            let input = inputs[number]
            guard let page = input.page, let minutes = input.minutes, let steps = input.steps
            else { continue }
            var row = input.row
            while row < page.windows.count, page.windows[row] == window {
                let group = input.groups[Int(page.groups[row])]
                Self.add(row, page, minutes, steps, to: &rows[group, default: Row()])
                row += 1
            }
            inputs[number].row = row
        }
        return rows
    }

    private static func add(
        _ row: Int,
        _ page: TotalsPage,
        _ minutes: TotalsMinuteCounts,
        _ steps: TotalsSteps,
        to sum: inout Row
    ) {
        for (place, cell) in (page.firstCell[row]..<page.firstCell[row + 1]).enumerated() {
            let high = UInt32(page.lowCells[row] + UInt64(place)) << 8
            var span = page.spansBefore[cell]
            for minute in 0..<10 {
                let count = minutes.count(cell, TotalsMinuteCounts.Wanted(minute..<minute + 1))
                for _ in 0..<count {
                    sum.entries.append(high | UInt32(minute) << 4 | UInt32(steps[span]))
                    span += 1
                }
            }
        }
        for minute in 0..<10 {
            let own = minutes.sum(row, TotalsMinuteCounts.Wanted(minute..<minute + 1))
            sum.minuteSums[minute] = saturating(sum.minuteSums[minute], own)
        }
        sum.sum = saturating(sum.sum, page.sums[row])
        sum.longest = max(sum.longest, page.longest[row])
    }

    private static func saturating(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }

    /// The requests of a window, by edge: calls and minute of each.
    private mutating func takeRequests(of window: UInt64) -> [Int: [UInt64]] {
        var rows: [Int: [UInt64]] = [:]
        for number in inputs.indices {
            let input = inputs[number]
            guard let page = input.page, let minutes = input.minutes else { continue }
            let base = page.firstRequestCell[0]
            var row = input.requestRow
            while row < page.requestWindows.count, page.requestWindows[row] == window {
                let edge = input.edges[Int(page.edges[row])]
                for cell in page.firstRequestCell[row]..<page.firstRequestCell[row + 1] {
                    for minute in 0..<10 {
                        let wanted = TotalsMinuteCounts.Wanted(minute..<minute + 1)
                        let entry = page.calls[cell - base] << 4 | UInt64(minute)
                        for _ in 0..<minutes.count(cell, wanted) {
                            rows[edge, default: []].append(entry)
                        }
                    }
                }
                row += 1
            }
            inputs[number].requestRow = row
        }
        return rows
    }
}

/// Which totals may be joined: the result must stay within what one file may hold. The first always
/// fits, whatever it holds.
struct TotalsMergePlan {
    /// A group by its names: the same group of several sections is one of the result.
    private struct Group: Hashable {
        var service: String
        var operation: String?
        var kind: UInt8
        var status: UInt8
        var caller: String?
    }

    private let groupLimit: Int
    private let cellLimit: UInt64
    private var isEmpty = true
    private var indexes: [TotalsIndex] = []
    /// At least as many groups as the result will have.
    private var groupCount = 0
    private var spans: UInt64 = 0
    private var cells: UInt64 = 0

    init(_ options: EngineOptions) {
        groupLimit = options.totalsFileGroups
        cellLimit = UInt64(options.totalsFileCells)
    }

    /// Counts totals in, where they fit.
    ///
    /// - Parameters:
    ///   - index: of the section; `nil` for none.
    ///   - callCells: counters of call statistics.
    mutating func add(_ index: TotalsIndex?, callCells: UInt64 = 0) -> Bool {
        let all = indexes + (index.map { [$0] } ?? [])
        let cells = cells &+ callCells
        let spans = index?.pages.reduce(spans) { $0 &+ $1.spanCount } ?? spans
        var groupCount = groupCount + (index?.groups.count ?? 0)
        if !isEmpty {
            guard cells <= cellLimit, spans <= UInt64(Limits.totalsSpans) else { return false }
            // Names are compared only where the sum of all does not do.
            if groupCount > groupLimit { groupCount = Self.groupCount(all) }
            guard groupCount <= groupLimit else { return false }
        }
        isEmpty = false
        indexes = all
        self.cells = cells
        self.spans = spans
        self.groupCount = groupCount
        return true
    }

    private static func groupCount(_ indexes: [TotalsIndex]) -> Int {
        var groups: Set<Group> = []
        for index in indexes {
            for group in index.groups {
                groups.insert(
                    Group(
                        service: index.names[group.service],
                        operation: group.operation.map { index.names[$0] },
                        kind: group.kind,
                        status: group.status,
                        caller: group.caller.map { index.names[$0] }
                    )
                )
            }
        }
        return groups.count
    }
}

extension TotalsFacts {
    /// Adds all of `other`.
    mutating func add(_ other: TotalsFacts) {
        var groupPlaces = Dictionary(uniqueKeysWithValues: groups.enumerated().map { ($1, $0) })
        var edgePlaces = Dictionary(uniqueKeysWithValues: edges.enumerated().map { ($1, $0) })
        let ownGroups = other.groups.map { group in
            if let known = groupPlaces[group] { return UInt32(known) }
            groupPlaces[group] = groups.count
            groups.append(group)
            return UInt32(groups.count - 1)
        }
        let ownEdges = other.edges.map { edge in
            if let known = edgePlaces[edge] { return UInt32(known) }
            edgePlaces[edge] = edges.count
            edges.append(edge)
            return UInt32(edges.count - 1)
        }
        for var span in other.spans {
            span.group = ownGroups[Int(span.group)]
            spans.append(span)
        }
        for var request in other.requests {
            request.edge = ownEdges[Int(request.edge)]
            requests.append(request)
        }
    }

    /// Sorts facts by minute and makes one of those that are alike; what is taken away and comes
    /// again leaves no trace.
    mutating func settle() {
        spans.sort { ($0.minute, $0.group, $0.duration) < ($1.minute, $1.group, $1.duration) }
        var kept: [Span] = []
        for span in spans {
            if let last = kept.last, last.minute == span.minute, last.group == span.group,
                last.duration == span.duration
            {
                kept[kept.count - 1].times &+= span.times
            } else {
                if kept.last?.times == 0 { kept.removeLast() }
                kept.append(span)
            }
        }
        if kept.last?.times == 0 { kept.removeLast() }
        spans = kept
        requests.sort { ($0.minute, $0.edge, $0.callCount) < ($1.minute, $1.edge, $1.callCount) }
        var keptRequests: [Request] = []
        for request in requests {
            if let last = keptRequests.last, last.minute == request.minute,
                last.edge == request.edge, last.callCount == request.callCount
            {
                keptRequests[keptRequests.count - 1].times &+= request.times
            } else {
                if keptRequests.last?.times == 0 { keptRequests.removeLast() }
                keptRequests.append(request)
            }
        }
        if keptRequests.last?.times == 0 { keptRequests.removeLast() }
        requests = keptRequests
    }

    /// Facts in pieces of at most `limit`, each with the groups and edges it needs, and with the
    /// minutes it reaches over. The facts must be settled.
    func pieces(of limit: Int) -> [(minutes: ClosedRange<UInt64>, facts: TotalsFacts)] {
        var pieces: [(minutes: ClosedRange<UInt64>, facts: TotalsFacts)] = []
        var first = 0
        while first < spans.count {
            let own = spans[first..<min(first + limit, spans.count)]
            var piece = TotalsFacts()
            piece.groups = groups
            piece.spans = Array(own)
            piece.dropUnused()
            let last = UInt64(own[own.endIndex - 1].minute)
            pieces.append((UInt64(own[own.startIndex].minute)...last, piece))
            first = own.endIndex
        }
        first = 0
        while first < requests.count {
            let own = requests[first..<min(first + limit, requests.count)]
            var piece = TotalsFacts()
            piece.edges = edges
            piece.requests = Array(own)
            piece.dropUnused()
            let last = UInt64(own[own.endIndex - 1].minute)
            pieces.append((UInt64(own[own.startIndex].minute)...last, piece))
            first = own.endIndex
        }
        return pieces
    }

    private mutating func dropUnused() {
        let usedGroups = Set(spans.map(\.group)).sorted()
        let groupPlaces = Dictionary(
            uniqueKeysWithValues: usedGroups.enumerated().map { ($1, UInt32($0)) }
        )
        groups = usedGroups.map { groups[Int($0)] }
        for index in spans.indices { spans[index].group = groupPlaces[spans[index].group] ?? 0 }
        let usedEdges = Set(requests.map(\.edge)).sorted()
        let edgePlaces = Dictionary(
            uniqueKeysWithValues: usedEdges.enumerated().map { ($1, UInt32($0)) }
        )
        edges = usedEdges.map { edges[Int($0)] }
        for index in requests.indices {
            requests[index].edge = edgePlaces[requests[index].edge] ?? 0
        }
    }
}
