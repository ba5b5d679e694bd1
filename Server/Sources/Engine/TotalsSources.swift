// SPDX-License-Identifier: Apache-2.0

import Store

/// What a question for totals reads: sections, changes and call statistics, piece by piece and as often
/// as its rounds need them.
///
/// Pieces stay in hand as long as they fit into a half of the question's memory; what is beyond is
/// read again for each round, through the cache that all questions share. So an hour is read once, and
/// a month does not fill the memory.
final class TotalsSources {
    /// A page of a section, as far as a round needs it.
    struct Page {
        let counts: TotalsPage
        var minutes: TotalsMinuteCounts?
        var steps: TotalsSteps?

        var byteCount: Int {
            counts.byteCount + (minutes?.byteCount ?? 0) + (steps?.byteCount ?? 0)
        }
    }

    private let context: QueryContext
    private let decompressor = Decompressor()
    private var sections: [Int: TotalsSection] = [:]
    private var pages: [Int: Page] = [:]
    private var facts: [Int: TotalsFacts] = [:]
    private var calls: [Int: TotalsCallsChunk] = [:]

    init(_ context: QueryContext) { self.context = context }

    /// - Throws: `StoreError.cancelled`, or `.refused` where the question needs more memory than it
    ///   may have.
    func check() throws(StoreError) {
        try context.flag.check()
        guard context.budget.used <= context.budget.limit else { throw tooMuch }
    }

    /// Counts in what the question itself holds, before it is made.
    func charge(_ byteCount: Int) throws(StoreError) {
        guard context.budget.hasRoom(for: byteCount) else { throw tooMuch }
        context.budget.charge(byteCount)
    }

    private var tooMuch: StoreError {
        .refused(
            "the answer needs more than \(context.budget.limit >> 20) MiB of memory: ask for one "
                + "service, a shorter range, a larger step or fewer quantiles"
        )
    }

    private func hasRoom(for byteCount: Int) -> Bool {
        context.budget.used + byteCount <= context.budget.limit / 2
    }

    /// Calls `body` with a piece: one in hand, or one that is read now, which stays in hand where it
    /// fits.
    private func use<Piece>(
        _ piece: Piece,
        _ byteCount: Int,
        isHeld: Bool,
        hold: (Piece) -> Void,
        _ body: (Piece) throws -> Void
    ) throws {
        if isHeld { return try body(piece) }
        let isKept = hasRoom(for: byteCount)
        context.budget.charge(byteCount)
        defer { if !isKept { context.budget.release(byteCount) } }
        try check()
        if isKept { hold(piece) }
        try body(piece)
    }

    /// Calls `body` with a section, if there is one.
    ///
    /// - Parameter key: of the section in this question.
    func withSection(
        _ key: Int,
        _ open: () throws(PartDamage) -> TotalsSection?,
        _ body: (TotalsSection) throws -> Void
    ) throws {
        try check()
        let held = sections[key]
        guard let section = try held ?? open() else { return }
        try use(
            section,
            section.index.byteCount,
            isHeld: held != nil,
            hold: { sections[key] = $0 },
            body
        )
    }

    /// Calls `body` with a page.
    ///
    /// - Parameters:
    ///   - key: of this page in this question.
    ///   - isCut: whether minutes of it are told apart.
    func withPage(
        _ key: Int,
        _ number: Int,
        of section: TotalsSection,
        isCut: (TotalsPage) -> Bool,
        wantsSteps: Bool,
        _ body: (Page) throws -> Void
    ) throws {
        try check()
        if var held = pages[key] {
            if wantsSteps, held.steps == nil {
                let steps = try section.steps(number, held.counts)
                held.steps = steps
                return try use(
                    held,
                    steps.byteCount,
                    isHeld: false,
                    hold: { pages[key] = $0 },
                    body
                )
            }
            return try body(held)
        }
        var page = Page(counts: try section.page(number, decompressor))
        if isCut(page.counts) {
            page.minutes = try section.minutes(number, page.counts, decompressor)
        }
        if wantsSteps { page.steps = try section.steps(number, page.counts) }
        try use(page, page.byteCount, isHeld: false, hold: { pages[key] = $0 }, body)
    }

    /// Calls `body` with a chunk of changes.
    func withFacts(
        _ key: Int,
        _ number: Int,
        of file: TotalsFile,
        _ body: (TotalsFacts) throws -> Void
    ) throws {
        try check()
        let held = facts[key]
        let piece = try held ?? file.changes(number)
        try use(
            piece,
            piece.byteCount,
            isHeld: held != nil,
            hold: { facts[key] = $0 },
            body
        )
    }

    /// Calls `body` with a chunk of call statistics.
    func withCalls(
        _ key: Int,
        _ number: Int,
        of file: TotalsFile,
        _ body: (TotalsCallsChunk) throws -> Void
    ) throws {
        try check()
        let held = calls[key]
        let piece = try held ?? file.calls(number)
        try use(
            piece,
            piece.byteCount,
            isHeld: held != nil,
            hold: { calls[key] = $0 },
            body
        )
    }
}
