// SPDX-License-Identifier: Apache-2.0

import Engine
import SkeinModel
import Store
import StoreContract
import Synchronization
import Testing

@Suite struct QueryExecutionTests {
    private static func core(
        _ directory: TemporaryDirectory,
        _ disk: HookedDisk,
        _ options: EngineOptions = .small
    ) throws -> StoreCore {
        try StoreCore.open(
            directory: directory.path,
            options: options,
            disk: disk,
            decoder: SpanGenerator.Decoder()
        )
    }

    private static let everything = ScanPlan(range: 0..<UInt64.max, limit: 1_000)

    /// Spans per trace, as many times as they are told.
    private static func counts(_ store: StoreCore, _ ids: [TraceID]) throws -> [TraceID: Int] {
        let spans = try store.traces(TraceRequest(ids: ids))
        var counts: [TraceID: Int] = [:]
        for row in 0..<spans.columns.count {
            counts[spans.columns[row].traceID, default: 0] += 1
        }
        return counts
    }

    @Test func `each span is found once at every moment of a flush and of a merge`() throws {
        let directory = TemporaryDirectory()
        let disk = HookedDisk()
        var options = EngineOptions.small
        options.merging = true
        let store = try Self.core(directory, disk, options)
        // With the flush to come there are as many parts as are joined together.
        for seed in UInt64(1)...8 {
            try store.append([SpanGenerator.batch(seed: seed)])
            if seed < 8 { try store.flush() }
        }
        let ids = try store.scan(Self.everything).traces.map(\.traceID)
        let wanted = try Self.counts(store, ids)
        // A flush makes few calls, a merge so many that some of them will do.
        let moments = Mutex((seen: 0, wrong: 0, step: 1))
        disk.set {
            let isAsked = moments.withLock {
                $0.seen += 1
                return $0.seen % $0.step == 0
            }
            guard isAsked else { return }
            let counts = try? Self.counts(store, ids)
            let scanned = try? store.scan(Self.everything).traces
            let isRight =
                counts == wanted && scanned?.map(\.traceID) == ids
                && scanned?.allSatisfy { $0.spanCount == wanted[$0.traceID] } == true
            if !isRight { moments.withLock { $0.wrong += 1 } }
        }
        try store.flush()
        let flushing = moments.withLock {
            $0.step = 20
            return $0.seen
        }
        store.maintain()
        disk.set(nil)
        #expect(flushing > 4 && store.statistics.parts == 1)
        #expect(moments.withLock { $0.wrong } == 0)
        store.close()
    }

    @Test func `a span is found once its append has returned`() throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory, HookedDisk())
        var reference: Set<SpanValue> = []
        for seed in UInt64(1)...6 {
            let batch = SpanGenerator.batch(seed: seed)
            try store.append([batch])
            for row in 0..<batch.count { reference.insert(SpanValue(batch.columns, row)) }
            let ids = Set(reference.map(\.traceID))
            let spans = try store.traces(TraceRequest(ids: Array(ids)))
            let found = Set((0..<spans.columns.count).map { SpanValue(spans.columns, $0) })
            #expect(found == reference)
        }
        store.close()
    }

    @Test func `a message that every span of a part has is found, and no other`() throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory, HookedDisk())
        try store.append([
            TestSpan.batch(
                (1...40).map { number in
                    TestSpan(
                        trace: number,
                        id: 1,
                        service: "shop",
                        start: 1_700_000_000_000_000_000 + number,
                        duration: 10,
                        statusMessage: "declined"
                    )
                }
            )
        ])
        try store.flush()
        for (message, count) in [("declined", 40), ("", 0), ("decline", 0)] {
            var plan = Self.everything
            plan.span = .statusMessage(.exactly(message))
            #expect(try store.scan(plan).traces.count == count, "\(message)")
        }
        store.close()
    }

    @Test func `a query holds nothing once it is answered`() throws {
        let directory = TemporaryDirectory()
        let disk = HookedDisk()
        var options = EngineOptions.small
        options.merging = true
        let store = try Self.core(directory, disk, options)
        // As many parts as are joined together.
        for seed in UInt64(1)...8 {
            try store.append([SpanGenerator.batch(seed: seed)])
            try store.flush()
        }
        let before = disk.openFileCount
        for order in TraceOrder.allCases {
            var plan = Self.everything
            plan.order = order
            plan.span = .not(.kind(.server))
            let ids = try store.scan(plan).traces.map(\.traceID)
            _ = try store.traces(TraceRequest(ids: ids))
        }
        _ = try store.names(NamesRequest(scope: .services))
        store.maintain()
        // The joined parts are gone, and so would be their files, but for a query that holds them.
        #expect(store.statistics.parts == 1)
        #expect(disk.openFileCount == before - 7)
        store.close()
    }

    /// ```
    /// test                     query thread
    /// scan ------------------> reads a chunk: the hook
    ///                          cancels the task that asked
    /// <----------------------- the next block is not read
    /// ```
    @Test func `a cancelled query ends at the next block`() async throws {
        let directory = TemporaryDirectory()
        let disk = HookedDisk()
        let store = try EmbeddedStore.open(
            directory: directory.path,
            options: .small,
            disk: disk,
            decoder: SpanGenerator.Decoder()
        )
        for seed in UInt64(1)...12 { try await store.append(SpanGenerator.batch(seed: seed)) }
        try await store.flush()
        // Looks at every block: its texts are in no index.
        var plan = Self.everything
        plan.span = .not(.statusMessage(.exactly("broke: 1")))
        plan.order = .slowest
        let reads = Mutex(0)
        disk.set { reads.withLock { $0 += 1 } }
        _ = try await store.scan(plan)
        let whole = reads.withLock { $0 }

        let asker = Mutex<Task<Void, any Error>?>(nil)
        reads.withLock { $0 = 0 }
        disk.set {
            reads.withLock { $0 += 1 }
            asker.withLock { $0?.cancel() }
        }
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let wanted = plan
        let task = Task {
            for await _ in gate { break }
            _ = try await store.scan(wanted)
        }
        asker.withLock { $0 = task }
        opener.yield()
        await #expect(throws: StoreError.cancelled) { try await task.value }
        #expect(whole > 50, "the query reads \(whole) times")
        #expect(reads.withLock { $0 } < whole / 4)
        disk.set(nil)
        await store.close()
    }

    @Test(arguments: [TraceOrder.newest, .slowest], [true, false])
    func `a query that needs too much memory is refused`(
        order: TraceOrder,
        isFlushed: Bool
    ) throws {
        let directory = TemporaryDirectory()
        var options = EngineOptions.small
        options.queryMemoryBytes = 500
        let store = try Self.core(directory, HookedDisk(), options)
        // Traces in two places cannot be forgotten and found again.
        for seed in UInt64(1)...40 {
            try store.append([SpanGenerator.batch(seed: seed)])
            if isFlushed, seed % 20 == 0 { try store.flush() }
        }
        var plan = Self.everything
        plan.order = order
        #expect {
            _ = try store.scan(plan)
        } throws: { error in
            guard case StoreError.refused(let reason) = error else { return false }
            return reason.contains("narrow")
        }
        store.close()
    }

    @Test func `a trace that is larger than a query may hold is refused`() throws {
        let directory = TemporaryDirectory()
        var options = EngineOptions.small
        options.queryMemoryBytes = 10_000
        let store = try Self.core(directory, HookedDisk(), options)
        let batch = SpanGenerator.batch(seed: 1)
        try store.append([batch])
        let ids = Set((0..<batch.count).map { batch.columns[$0].traceID })
        #expect {
            _ = try store.traces(TraceRequest(ids: Array(ids)))
        } throws: { error in
            if case StoreError.refused = error { true } else { false }
        }
        store.close()
    }

    @Test func `a trace that is asked for alone may take more memory than another query`() throws {
        let directory = TemporaryDirectory()
        var options = EngineOptions.small
        options.queryMemoryBytes = 100
        let batch = SpanGenerator.batch(seed: 1)
        let id = batch.columns[0].traceID
        do {
            let store = try Self.core(directory, HookedDisk(), options)
            try store.append([batch])
            #expect(try store.traces(TraceRequest(ids: [id])).columns.count > 0)
            store.close()
        }
        options.traceMemoryBytes = 100
        let store = try Self.core(directory, HookedDisk(), options)
        #expect {
            _ = try store.traces(TraceRequest(ids: [id]))
        } throws: { error in
            guard case StoreError.refused(let reason) = error else { return false }
            return reason.contains("search for some of its spans")
        }
        store.close()
    }
}
