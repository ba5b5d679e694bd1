// SPDX-License-Identifier: Apache-2.0

/// Numbers for the ways that calls take: a chain of operations from the root down to a span.
///
/// ```
/// spans  a ─ b, a ─ b, a ─ c ─ b     paths  0: a   1: a b   2: a c   3: a c b
/// ```
/// A path's number is higher than its parent's.
struct CallPaths {
    private struct Step: Hashable {
        var parent: Int32
        var operation: Int32
    }

    /// By path: the path without its last operation, or -1.
    private(set) var parent: [Int32] = []
    /// By path: its last operation.
    private(set) var operation: [Int32] = []
    private var numbers: [Step: Int32] = [:]
    private let limit: Int

    /// Numbers at most `limit` paths.
    init(limit: Int) { self.limit = limit }

    var count: Int { parent.count }

    /// The number of `parent` (-1 for none) continued by `operation`; `nil` for a new path past the
    /// limit.
    mutating func number(_ parent: Int32, _ operation: Int32) -> Int32? {
        let step = Step(parent: parent, operation: operation)
        if let known = numbers[step] { return known }
        guard count < limit else { return nil }
        let number = Int32(truncatingIfNeeded: count)
        self.parent.append(parent)
        self.operation.append(operation)
        numbers[step] = number
        return number
    }

    /// The paths to tell, ascending, when at most `limit` can be: those with most of `weight`, a path's
    /// own and that of all that continue it, so that no path is told without its parent.
    func heaviest(_ weight: [UInt64], limit: Int) -> [Int] {
        guard count > limit else { return Array(0..<count) }
        var whole = weight
        for path in (0..<count).reversed() where parent[path] >= 0 {
            whole[Int(parent[path])] = saturatingSum(whole[Int(parent[path])], whole[path])
        }
        return (0..<count)
            .sorted { whole[$0] == whole[$1] ? $0 < $1 : whole[$0] > whole[$1] }
            .prefix(max(limit, 0))
            .sorted()
    }
}
