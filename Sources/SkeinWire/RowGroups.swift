// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Rows of a batch gathered by resource and then scope, each in the order of first appearance.
struct RowGroups {
    /// Rows that share resource and scope.
    struct Scope {
        let row: Int
        var spans: [Int]
    }

    /// Scopes that share a resource.
    struct Resource {
        let row: Int
        var scopes: [Scope]
    }

    private(set) var resources: [Resource] = []

    init(_ columns: borrowing SpanColumns, rows: Range<Int>?) {
        let chosen = rows.map { $0.clamped(to: 0..<columns.count) } ?? 0..<columns.count
        let unknown = -1
        var places = [Int](repeating: unknown, count: columns.resources.count)
        for row in chosen {
            let resource = Int(columns.resource[row])
            let scope = Int(columns.scope[row])
            if places[resource] == unknown {
                places[resource] = resources.count
                resources.append(Resource(row: resource, scopes: []))
            }
            let place = places[resource]
            // The scope of the span before is nearly always the one; a resource has few scopes.
            if let last = resources[place].scopes.indices.last,
                resources[place].scopes[last].row == scope
            {
                resources[place].scopes[last].spans.append(row)
            } else if let index = resources[place].scopes.firstIndex(where: { $0.row == scope }) {
                resources[place].scopes[index].spans.append(row)
            } else {
                resources[place].scopes.append(Scope(row: scope, spans: [row]))
            }
        }
    }
}
