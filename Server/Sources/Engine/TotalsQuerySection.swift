// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// A section as one question sees it: what of it belongs where.
struct TotalsQuerySection {
    enum Source {
        case part(Part)
        case file(TotalsFile)
    }

    let source: Source
    /// In the question.
    let key: Int
    /// Those that the range touches, and the first one's place among all of the question.
    var pages: [Int] = []
    var firstKey = 0
    /// By group: its line, -1 for none, -2 for not asked yet.
    var lines: [Int32] = []
    /// By edge.
    var edgeLines: [Int32] = []
    /// By name of the section: its number in the answer, -1 for not asked yet.
    var names: [Int32] = []

    var byteCount: Int {
        (lines.count + edgeLines.count + names.count) * MemoryLayout<Int32>.stride
    }

    func open() throws(PartDamage) -> TotalsSection? {
        switch source {
        case .part(let part): try TotalsSection(part)
        case .file(let file): try file.section()
        }
    }

    /// What statistics would have to cover for spans of a group of edges, or of others, not to
    /// count. Of groups that have a line.
    func scope(
        _ group: TotalsIndex.Group,
        _ asked: TotalsRequest.Lines
    ) -> TotalsCoverage.Scope {
        let caller = asked == .edges ? group.caller.map { Int(names[$0]) } ?? -1 : -1
        return TotalsCoverage.Scope(service: Int(names[group.service]), caller: caller)
    }
}

/// A set of facts as one question sees it: of the head and of changes, or a chunk of a file.
struct TotalsQueryFacts {
    enum Source {
        case held(TotalsFacts)
        case chunk(TotalsFile, Int)
    }

    let source: Source
    /// By group (by edge): its line, or -1.
    var lines: [Int32] = []
    var edgeLines: [Int32] = []
    var scopes: [TotalsCoverage.Scope] = []

    /// - Parameter number: of this set in the question.
    func read(
        _ number: Int,
        _ sources: TotalsSources,
        _ body: (TotalsFacts) throws -> Void
    ) throws {
        switch source {
        case .held(let facts): try body(facts)
        case .chunk(let file, let chunk):
            try sources.withFacts(number, chunk, of: file, body)
        }
    }
}
