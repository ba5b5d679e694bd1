// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import SkeinModel
import Store
import StoreContract
import Synchronization
import Testing

/// What walks read and hold.
@Suite struct WalkCostTests {
    private static let start: UInt64 = 1_700_000_000_000_000_000

    private static func core(
        _ directory: TemporaryDirectory,
        _ disk: HookedDisk = HookedDisk(),
        memory: Int? = nil
    ) throws -> StoreCore {
        var options = EngineOptions.small
        if let memory { options.queryMemoryBytes = memory }
        return try StoreCore.open(
            directory: directory.path,
            options: options,
            disk: disk,
            decoder: SpanGenerator.Decoder()
        )
    }

    /// Appends a part.
    private static func add(_ spans: [TestSpan], to store: StoreCore) throws {
        try store.append([TestSpan.batch(spans)])
        try store.flush()
    }

    private static func span(
        _ trace: UInt64,
        _ id: UInt64,
        service: String = "shop",
        traceState: String = ""
    ) -> TestSpan {
        TestSpan(
            trace: trace,
            id: id,
            service: service,
            start: start + trace * 1_000 + id,
            duration: 10,
            traceState: traceState
        )
    }

    /// Calls of the disk while `body` runs.
    private static func calls(of disk: HookedDisk, _ body: () throws -> Void) throws -> Int {
        let calls = Counter()
        disk.set { _ = calls.next() }
        try body()
        disk.set(nil)
        return calls.next() - 1
    }

    /// The traces that a walk tells.
    private static func told(_ plan: WalkPlan, _ store: StoreCore) throws -> [UInt64] {
        let told = Mutex<[UInt64]>([])
        _ = try store.walk(plan) { walked in
            let ids = walked.rows.map { walked.spans.columns.traceLow[$0.lowerBound] }
            told.withLock { $0 += ids }
            return .goOn
        }
        return told.withLock { $0 }
    }

    /// A megabyte of texts in one trace, for a question that may hold a hundredth of it.
    @Test func `a long trace is read no further than there is memory for it`() throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        let long = (UInt64(1)...1_000).map { id in
            Self.span(1, id, traceState: String(repeating: "\(id) ", count: 250))
        }
        try Self.add(long, to: store)
        store.close()
        func reads(memory: Int?) throws -> Int {
            let disk = HookedDisk()
            let store = try Self.core(directory, disk, memory: memory)
            defer { store.close() }
            return try Self.calls(of: disk) {
                let isWhole = (try? Self.told(WalkPlan(range: 0..<UInt64.max), store)) != nil
                #expect(isWhole == (memory == nil))
            }
        }
        let whole = try reads(memory: nil)
        #expect(try reads(memory: 128 << 10) < whole / 2)
    }

    /// Of each part and block it is held which rows match, only as long as the part is gone through.
    @Test func `a walk through many parts holds no more than one through few`() throws {
        let directory = TemporaryDirectory()
        var store = try Self.core(directory)
        for part in UInt64(0)..<32 {
            let spans = (UInt64(1)...160).map { trace in
                Self.span(
                    part * 1_000 + trace,
                    1,
                    service: trace.isMultiple(of: 16) ? "rare" : "shop"
                )
            }
            try Self.add(spans, to: store)
        }
        store.close()
        /// Bytes that a walk through the first parts needs.
        func need(parts: UInt64) throws -> Int {
            var memory = 1_000
            while true {
                store = try Self.core(directory, memory: memory)
                defer { store.close() }
                let plan = WalkPlan(
                    range: 0..<Self.start + parts * 1_000_000,
                    span: .service(.exactly("rare")),
                    fields: SpanFields()
                )
                do {
                    _ = try Self.told(plan, store)
                    return memory
                } catch StoreError.refused {
                    memory += 100
                }
            }
        }
        let few = try need(parts: 4)
        #expect(try need(parts: 32) < few + few / 4)
    }

    /// As pages of an export do: each begins where the last one ended.
    @Test func `a walk that begins at an old trace does not read the newer ones`() throws {
        let directory = TemporaryDirectory()
        var store = try Self.core(directory)
        try Self.add((UInt64(1)...800).map { Self.span($0, 1) }, to: store)
        store.close()
        let disk = HookedDisk()
        store = try Self.core(directory, disk)
        var plan = WalkPlan(range: 0..<UInt64.max, fields: SpanFields())
        let whole = try Self.calls(of: disk) {
            let told = try Self.told(plan, store)
            #expect(told.count == 800)
        }
        plan.latestStart = Self.start + 40_500
        let last = try Self.calls(of: disk) {
            let told = try Self.told(plan, store)
            #expect(told.sorted() == Array(1...40))
        }
        #expect(last < whole / 4)
        store.close()
    }

    /// Traces 1 to 3 begin before the cursor; the second goes on through blocks behind it, and only its
    /// last span matches.
    @Test func `a trace that goes on behind the cursor is told for what it has there`() throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        var spans = [Self.span(1, 1), Self.span(2, 1), Self.span(3, 1), Self.span(500, 1)]
        for id in UInt64(2)...100 {
            spans.append(Self.span(2, id * 10_000, service: id == 100 ? "rare" : "shop"))
        }
        for trace in UInt64(600)...700 { spans.append(Self.span(trace, 1)) }
        try Self.add(spans, to: store)
        var plan = WalkPlan(range: 0..<UInt64.max, span: .service(.exactly("rare")))
        plan.latestStart = Self.start + 100_000
        #expect(try Self.told(plan, store).contains(2))
        store.close()
    }
}
