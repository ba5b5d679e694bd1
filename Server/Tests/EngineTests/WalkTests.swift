// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import SkeinModel
import Store
import StoreContract
import Synchronization
import Testing

/// Walks that do not run their course; what they tell is the contract's matter.
@Suite struct WalkTests {
    private static let start: UInt64 = 1_700_000_000_000_000_000
    private static let everything = WalkPlan(range: 0..<UInt64.max)

    private static func core(
        _ directory: TemporaryDirectory,
        _ disk: HookedDisk = HookedDisk(),
        _ options: EngineOptions = .small
    ) throws -> StoreCore {
        try StoreCore.open(
            directory: directory.path,
            options: options,
            disk: disk,
            decoder: SpanGenerator.Decoder()
        )
    }

    /// A part of traces of four spans each; those of a higher number start later.
    private static func fill(_ store: StoreCore, _ traces: ClosedRange<UInt64>) throws {
        let spans = traces.flatMap { trace in
            (UInt64(1)...4).map { id in
                TestSpan(
                    trace: trace,
                    id: id,
                    parent: id - 1,
                    service: "shop",
                    start: start + trace * 1_000 + id,
                    duration: 10
                )
            }
        }
        try store.append([TestSpan.batch(spans)])
        try store.flush()
    }

    private static func ids(_ walked: WalkedTraces) -> [UInt64] {
        walked.rows.map { walked.spans.columns.traceLow[$0.lowerBound] }
    }

    @Test func `a walk that is told to stop reads no further`() throws {
        let directory = TemporaryDirectory()
        let disk = HookedDisk()
        let store = try Self.core(directory, disk)
        try Self.fill(store, 1...200)
        let reads = Mutex(0)
        disk.set { reads.withLock { $0 += 1 } }
        let calls = Mutex(0)
        _ = try store.walk(Self.everything) { _ in
            calls.withLock { $0 += 1 }
            return .goOn
        }
        let whole = reads.withLock { $0 }
        #expect(calls.withLock { $0 } > 10)
        reads.withLock { $0 = 0 }
        let told = Mutex<[UInt64]>([])
        _ = try store.walk(Self.everything) { walked in
            told.withLock { $0 += Self.ids(walked) }
            return .stop
        }
        #expect(told.withLock { $0.max() } == 200)
        #expect(reads.withLock { $0 } < whole / 4)
        disk.set(nil)
        store.close()
    }

    /// ```
    /// test                     query thread
    /// walk ------------------> tells the first traces: the body
    ///                          cancels the task that asked
    /// <----------------------- tells nothing more
    /// ```
    @Test func `a cancelled walk tells nothing more`() async throws {
        let directory = TemporaryDirectory()
        let store = try EmbeddedStore.open(
            directory: directory.path,
            options: .small,
            decoder: SpanGenerator.Decoder()
        )
        for seed in UInt64(1)...12 { try await store.append(SpanGenerator.batch(seed: seed)) }
        try await store.flush()
        let asker = Mutex<Task<Void, any Error>?>(nil)
        let calls = Mutex(0)
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in gate { break }
            _ = try await store.walk(Self.everything) { _ in
                calls.withLock { $0 += 1 }
                asker.withLock { $0?.cancel() }
                return .goOn
            }
        }
        asker.withLock { $0 = task }
        opener.yield()
        await #expect(throws: StoreError.cancelled) { try await task.value }
        #expect(calls.withLock { $0 } == 1)
        await store.close()
    }

    @Test(arguments: [true, false])
    func `a walk that needs too much memory is refused`(isFlushed: Bool) throws {
        let directory = TemporaryDirectory()
        var options = EngineOptions.small
        options.queryMemoryBytes = 500
        let store = try Self.core(directory, HookedDisk(), options)
        for seed in UInt64(1)...40 { try store.append([SpanGenerator.batch(seed: seed)]) }
        if isFlushed { try store.flush() }
        #expect {
            _ = try store.walk(Self.everything) { _ in .goOn }
        } throws: { error in
            guard case StoreError.refused(let reason) = error else { return false }
            return reason.contains("narrow")
        }
        store.close()
    }

    /// Spans of one form, whose values lie one behind the other: those of every other trace are skipped.
    @Test func `a trace between others that lie in several places keeps its own values`() throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        try store.append([Self.numbered(1...50, id: 1)])
        try store.flush()
        try store.append([Self.numbered(stride(from: 2, through: 50, by: 2), id: 2)])
        try store.flush()
        var plan = Self.everything
        plan.fields = SpanFields(attributeKeys: ["number"])
        let told = Mutex<[UInt64: [AttributeValue]]>([:])
        _ = try store.walk(plan) { walked in
            for row in walked.rows.joined() {
                let columns = walked.spans
                let values = columns.columns.keyValues(columns.columns.spanAttributes[row])
                told.withLock {
                    $0[columns.columns.traceLow[row], default: []] += values.map(\.value)
                }
            }
            return .goOn
        }
        for trace in UInt64(1)...50 {
            let count = trace % 2 == 0 ? 2 : 1
            let wanted = Array(repeating: AttributeValue.int(Int64(trace)), count: count)
            #expect(told.withLock { $0[trace] } == wanted)
        }
        store.close()
    }

    /// A span of each trace, with the trace's number.
    private static func numbered(_ traces: some Sequence<UInt64>, id: UInt64) -> SpanBatch {
        var columns = SpanColumns()
        let service = columns.strings.intern("shop")
        let resource = columns.resources.append(service: service, attributes: .empty)
        let scope = columns.scopes.append(name: 0, version: 0, attributes: .empty)
        for trace in traces {
            let run = columns.appendAttributes([
                .init(key: "other", value: .int(-1)),
                .init(key: "number", value: .int(Int64(trace))),
            ])
            columns.append(
                SpanRow(
                    traceID: TraceID(high: 1, low: trace),
                    spanID: SpanID(id),
                    start: start + trace * 1_000 + id,
                    end: start + trace * 1_000 + id,
                    resource: resource,
                    scope: scope,
                    attributes: run
                )
            )
        }
        return SpanBatch(
            columns: columns,
            payload: Payload(format: .otlpProtobuf, bytes: [0], receivedAt: start)
        )
    }

    @Test func `what a body throws ends the walk`() throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        try Self.fill(store, 1...200)
        let calls = Mutex(0)
        #expect(throws: StoreError.overloaded(retryAfterSeconds: 7)) {
            _ = try store.walk(Self.everything) { (_) throws(StoreError) in
                calls.withLock { $0 += 1 }
                throw StoreError.overloaded(retryAfterSeconds: 7)
            }
        }
        #expect(calls.withLock { $0 } == 1)
        store.close()
    }

    @Test func `a part that breaks during a walk is left out of the rest aloud`() throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        try Self.fill(store, 101...200)
        try Self.fill(store, 1...100)
        let older = try #require(
            try FileManager.default.contentsOfDirectory(atPath: directory.path + "/parts").max()
        )
        let told = Mutex<[UInt64]>([])
        let result = try store.walk(Self.everything) { walked in
            let isFirst = told.withLock(\.isEmpty)
            told.withLock { $0 += Self.ids(walked) }
            if isFirst { Self.overwrite(directory.path + "/parts/" + older) }
            return .goOn
        }
        #expect(told.withLock { $0.sorted() } == Array(101...200))
        #expect(result.incomplete.count == 1)
        #expect(result.incomplete.first?.hasPrefix("part ") == true)
        #expect(store.statistics.quarantinedParts == 1)
        let again = try store.walk(Self.everything) { _ in .goOn }
        #expect(!again.incomplete.isEmpty)
        store.close()
    }

    @Test(arguments: [true, false])
    func `no trace is told twice because a part breaks`(isRestInHead: Bool) throws {
        let directory = TemporaryDirectory()
        let store = try Self.core(directory)
        try Self.fill(store, 101...200)
        let newer = try #require(
            try FileManager.default.contentsOfDirectory(atPath: directory.path + "/parts").max()
        )
        // Each of them has one more span, which began long before.
        let rest = (UInt64(101)...200).map { trace in
            TestSpan(
                trace: trace,
                id: 9,
                service: "shop",
                start: Self.start + trace,
                duration: 10
            )
        }
        try store.append([TestSpan.batch(rest)])
        if !isRestInHead { try store.flush() }
        let told = Mutex<[UInt64]>([])
        let result = try store.walk(Self.everything) { walked in
            let isFirst = told.withLock(\.isEmpty)
            told.withLock { $0 += Self.ids(walked) }
            if isFirst { Self.overwrite(directory.path + "/parts/" + newer) }
            return .goOn
        }
        #expect(told.withLock { $0.sorted() } == Array(101...200))
        #expect(result.incomplete.first?.hasPrefix("part ") == true)
        store.close()
    }

    /// Overwrites all but the head of a part, whose directory is in memory.
    private static func overwrite(_ path: String) {
        guard let file = FileHandle(forUpdatingAtPath: path),
            let length = try? file.seekToEnd()
        else { return }
        try? file.seek(toOffset: 32)
        try? file.write(contentsOf: Data(repeating: 0xA5, count: Int(length) - 32))
        try? file.close()
    }
}
