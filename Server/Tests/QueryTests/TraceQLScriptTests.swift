// SPDX-License-Identifier: Apache-2.0

import Foundation
import Query
import QueryLanguage
import SkeinModel
import Store
import Testing

@Suite struct TraceQLScriptTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Scripts")

    static let scripts: [TraceQLScript] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
        return files.filter { $0.hasSuffix(".traceql") }.sorted().compactMap { file in
            do {
                let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
                return try TraceQLScript(name: file, text: text)
            } catch {
                Issue.record("\(file): \(error)")
                return nil
            }
        }
    }()

    @Test func `there are scripts, and each has ten cases or more`() {
        #expect(Self.scripts.count >= 12)
        for script in Self.scripts { #expect(script.cases.count >= 10, "\(script.name)") }
    }

    static let functions = [
        "count", "min", "max", "avg", "sum", "by", "select", "coalesce", "with", "rate",
        "count_over_time", "min_over_time", "max_over_time", "avg_over_time", "sum_over_time",
        "quantile_over_time", "histogram_over_time", "compare", "topk", "bottomk",
    ]

    @Test(arguments: functions)
    func `each function has ten cases or more`(function: String) {
        let cases = Self.scripts.flatMap(\.cases).filter { test in
            let words = test.query.split { !($0.isLetter || $0 == "_" || $0 == "(") }
            return words.contains { $0.hasPrefix(function + "(") }
                || test.query.contains(function + " (")
        }
        #expect(cases.count >= 10, "\(function)")
    }

    @Test(arguments: scripts)
    func `finds what the script says`(script: TraceQLScript) async {
        let store = MemoryStore(script.spans)
        for test in script.cases {
            let found = await answer(to: test, over: store)
            let isExpected =
                test.expected.hasPrefix("error ")
                ? found.hasPrefix("error ") && found.contains(test.expected.dropFirst(6))
                : found == test.expected
            #expect(isExpected, "\(script.name):\(test.line) \(test.query)\n\(found)")
        }
    }

    @Test(arguments: scripts)
    func `what the store is asked for leaves nothing out`(script: TraceQLScript) async {
        let (pruned, whole) = (MemoryStore(script.spans), UnprunedStore(script.spans))
        for test in script.cases {
            let (one, other) = await (
                answer(to: test, over: pruned), answer(to: test, over: whole)
            )
            #expect(one == other, "\(script.name):\(test.line) \(test.query)")
        }
    }

    private func answer(
        to test: TraceQLScript.Case,
        over store: any TraceStore
    ) async -> String {
        let engine = QueryEngine(store: store, now: { 3_600_000_000_000 })
        do {
            let question = try TraceQL.parse(test.query)
            if case .metrics = question.body {
                return TraceQLScript.text(try await test.measured.answer(to: question, engine))
            }
            let search = TraceQL.Search(
                question,
                limit: 100,
                toldSpanLimit: 1000
            )
            return TraceQLScript.text(try await engine.search(search))
        } catch {
            return "error \(error)"
        }
    }
}

/// Proposes every trace, whatever is asked for.
struct UnprunedStore: TraceStore {
    private let store: MemoryStore

    init(_ spans: [TestSpan]) { store = MemoryStore(spans) }

    var capabilities: Capabilities { store.capabilities }
    var statistics: StoreStatistics { store.statistics }

    func append(
        _ batch: SpanBatch,
        done: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) { store.append(batch, done: done) }

    func scan(_ plan: ScanPlan) async throws(StoreError) -> ScanResult {
        var plan = plan
        plan.span = .all
        plan.trace = []
        return try await store.scan(plan)
    }

    func traces(_ request: TraceRequest) async throws(StoreError) -> TraceSpans {
        try await store.traces(request)
    }

    func names(_ request: NamesRequest) async throws(StoreError) -> NamesResult {
        try await store.names(request)
    }

    func totals(_ request: TotalsRequest) async throws(StoreError) -> Totals {
        try await store.totals(request)
    }
}
