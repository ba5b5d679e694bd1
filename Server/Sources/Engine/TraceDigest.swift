// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// What a result list says of a trace, from its spans in order of start.
struct TraceDigest {
    struct Service {
        /// One span of the service: its table and row.
        var source: Int
        var row: Int
        var spanCount: Int
        var errorCount: Int
        fileprivate let name: UInt32
    }

    private(set) var start = UInt64.max
    /// Latest end less earliest start; a span that ends before it starts ends where it starts.
    private(set) var duration: UInt64 = 0
    private(set) var errorCount = 0
    /// Place in the rows of the first span without parent, else 0: the earliest.
    private(set) var root = 0
    private(set) var services: [Service] = []
    /// Places in `services` by name, once there are so many that looking at each would be slow.
    private var places: [String: Int] = [:]
    private static let fewServices = 16

    init(_ rows: ArraySlice<SpanReference>, of tables: [SpanTable]) {
        var finish: UInt64 = 0
        var hasRoot = false
        for (index, place) in rows.enumerated() {
            let table = tables[Int(place.table)]
            let row = Int(place.row)
            let begin = table.columns.start[row]
            start = min(start, begin)
            finish = max(finish, max(begin, table.columns.end[row]))
            let isError = table.columns.status[row] == StatusCode.error.rawValue
            if isError { errorCount += 1 }
            if !hasRoot, table.columns.parentID[row] == 0 {
                hasRoot = true
                root = index
            }
            count(table, place, isError: isError, in: tables)
        }
        duration = rows.isEmpty ? 0 : finish - start
    }

    private mutating func count(
        _ table: SpanTable,
        _ place: SpanReference,
        isError: Bool,
        in tables: [SpanTable]
    ) {
        let name = table.columns.service(Int(place.row))
        let known = serviceIndex(of: name, table, Int(place.table), in: tables)
        let index: Int
        if let known {
            index = known
        } else {
            index = services.count
            services.append(
                Service(
                    source: Int(place.table),
                    row: Int(place.row),
                    spanCount: 0,
                    errorCount: 0,
                    name: name
                )
            )
            if services.count > Self.fewServices {
                if places.isEmpty {
                    for (index, service) in services.enumerated() {
                        places[tables[service.source].columns.strings.text(service.name)] = index
                    }
                }
                places[table.columns.strings.text(name)] = index
            }
        }
        services[index].spanCount += 1
        if isError { services[index].errorCount += 1 }
    }
}

extension TraceDigest {
    /// Where the service with this name id of `table` is counted, if it is yet.
    private func serviceIndex(
        of name: UInt32,
        _ table: SpanTable,
        _ source: Int,
        in tables: [SpanTable]
    ) -> Int? {
        if !places.isEmpty { return places[table.columns.strings.text(name)] }
        return services.firstIndex { service in
            if service.source == source { return service.name == name }
            return table.columns.strings.withBytes(of: name) { wanted in
                tables[service.source].columns.strings.withBytes(of: service.name) {
                    wanted.elementsEqual($0)
                }
            }
        }
    }
}

/// Finds parents among the rows of one trace.
struct FamilyIndex {
    private var parents: [Int?] = []

    init(_ rows: ArraySlice<SpanReference>, of tables: [SpanTable]) {
        var ids: [(id: UInt64, index: Int)] = []
        ids.reserveCapacity(rows.count)
        for (index, place) in rows.enumerated() {
            ids.append((tables[Int(place.table)].columns.spanID[Int(place.row)], index))
        }
        ids.sort { $0.id == $1.id ? $0.index < $1.index : $0.id < $1.id }
        parents.reserveCapacity(rows.count)
        for (index, place) in rows.enumerated() {
            let wanted = tables[Int(place.table)].columns.parentID[Int(place.row)]
            var low = 0
            var high = ids.count
            while low < high {
                let middle = (low + high) / 2
                if ids[middle].id < wanted { low = middle + 1 } else { high = middle }
            }
            let isFound = wanted != 0 && low < ids.count && ids[low].id == wanted
            parents.append(isFound ? ids[low].index - index : nil)
        }
    }

    /// Rows from `index` to the first row with its parent's id; `nil` where there is none.
    func parent(of index: Int) -> Int? { parents[index] }
}

/// When a trace begins and ends.
struct TraceExtent {
    private(set) var start = UInt64.max
    private var finish: UInt64 = 0

    /// Latest end less earliest start; a span that ends before it starts ends where it starts.
    var duration: UInt64 { start > finish ? 0 : finish - start }

    mutating func add(_ start: UInt64, _ end: UInt64) {
        self.start = min(self.start, start)
        finish = max(finish, max(start, end))
    }

    mutating func add(_ other: TraceExtent) {
        start = min(start, other.start)
        finish = max(finish, other.finish)
    }
}
