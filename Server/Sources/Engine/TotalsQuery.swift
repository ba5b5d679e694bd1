// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Counts calls between services, trace by trace: each trace once, wherever its spans lie.
///
/// A call is a span whose parent span is of another service. The server half of a Zipkin span, which
/// shares its id with the client half, is a call by the client's service.
struct TotalsQuery {
    private struct Member {
        var id: UInt64
        var parent: UInt64
        var start: UInt64
        var service: Int
        var isShared: Bool
        var isError: Bool
    }

    private struct Edge: Hashable {
        var parent: Int
        var child: Int
    }

    private let request: TotalsRequest
    private let gatherer: TraceGatherer
    private let context: QueryContext
    private var services: [String: Int] = [:]
    private var names: [String] = []
    private var calls: [Edge: (calls: UInt64, errors: UInt64)] = [:]

    init(_ request: TotalsRequest, _ snapshot: Snapshot, _ context: QueryContext) {
        self.request = request
        self.context = context
        gatherer = TraceGatherer(snapshot, context)
    }

    mutating func run() throws -> Totals {
        var scattered: Set<TraceID> = []
        for batch in gatherer.snapshot.head {
            let table = batch.table
            for row in 0..<table.columns.count
            where request.range.contains(table.columns.start[row]) {
                scattered.insert(
                    TraceID(high: table.columns.traceHigh[row], low: table.columns.traceLow[row])
                )
            }
        }
        for session in gatherer.sessions
        where session.part.entry.lastStart >= request.range.lowerBound
            && session.part.entry.firstStart < request.range.upperBound
        {
            for block in session.part.directory.traceBlocks.indices {
                try context.check()
                for trace in try session.reader.traces(block: block)
                where trace.start < request.range.upperBound {
                    let id = try session.reader.id(of: trace)
                    if scattered.contains(id) { continue }
                    if try gatherer.isElsewhere(id, than: session) {
                        scattered.insert(id)
                    } else {
                        count(try members(trace, session))
                    }
                }
            }
        }
        for id in scattered {
            try context.check()
            count(members(try gatherer.gather(id)))
        }
        let edges = calls.map { edge, count in
            Totals.Edge(
                parent: names[edge.parent],
                child: names[edge.child],
                callCount: count.calls,
                errorCount: count.errors
            )
        }
        return Totals(
            edges: edges.sorted { ($0.parent, $0.child) < ($1.parent, $1.child) },
            incomplete: gatherer.snapshot.incomplete
        )
    }

    private mutating func service(_ name: String) -> Int {
        if let known = services[name] { return known }
        services[name] = names.count
        names.append(name)
        return names.count - 1
    }

    private mutating func members(
        _ trace: PartTrace,
        _ session: PartSession
    ) throws -> [Member] {
        let blockRows = session.part.directory.blockRows
        var result: [Member] = []
        var row = trace.rows.lowerBound
        while row < trace.rows.upperBound {
            let block = row / blockRows
            let base = block * blockRows
            let rows = row - base..<min(trace.rows.upperBound - base, blockRows)
            let ids = try session.reader.numbers(.spanID, block)
            let starts = try session.reader.starts(block)
            let vocabulary = try session.reader.vocabulary
            let forms = try session.reader.numbers(.form, block)
            let marks = try session.reader.numbers(.marks, block)
            let parents = try session.reader.parentIDs(rows, block)
            for (index, local) in rows.enumerated() {
                let form = vocabulary.forms[Int(forms[local])]
                result.append(
                    Member(
                        id: ids[local],
                        parent: parents[index],
                        start: starts[local],
                        service: service(vocabulary.text(form.service)),
                        isShared: marks[local] & UInt64(SpanMarks.shared.rawValue) != 0,
                        isError: form.status == StatusCode.error.rawValue
                    )
                )
            }
            row = base + rows.upperBound
        }
        return result
    }

    private mutating func members(_ gathered: GatheredTrace) -> [Member] {
        gathered.rows.map { place in
            let table = gathered.tables[Int(place.table)]
            let row = Int(place.row)
            let name = table.columns.strings.text(table.columns.service(row))
            return Member(
                id: table.columns.spanID[row],
                parent: table.columns.parentID[row],
                start: table.columns.start[row],
                service: service(name),
                isShared: table.columns.marks[row] & SpanMarks.shared.rawValue != 0,
                isError: table.columns.status[row] == StatusCode.error.rawValue
            )
        }
    }

    private mutating func count(_ members: [Member]) {
        var byID: [UInt64: [Int]] = [:]
        for (index, member) in members.enumerated() { byID[member.id, default: []].append(index) }
        for (index, member) in members.enumerated() where request.range.contains(member.start) {
            guard let parent = caller(of: index, members, byID) else { continue }
            let edge = Edge(parent: members[parent].service, child: member.service)
            guard edge.parent != edge.child else { continue }
            var count = calls[edge] ?? (0, 0)
            count.calls += 1
            if member.isError { count.errors += 1 }
            calls[edge] = count
        }
    }

    private func caller(of index: Int, _ members: [Member], _ byID: [UInt64: [Int]]) -> Int? {
        let member = members[index]
        if member.isShared {
            let halves = byID[member.id] ?? []
            if let client = halves.first(where: { !members[$0].isShared }) { return client }
        }
        guard member.parent != 0 else { return nil }
        let parents = (byID[member.parent] ?? []).filter { $0 != index }
        return parents.first { members[$0].service == member.service }
            ?? parents.first { members[$0].isShared }
            ?? parents.first
    }
}
