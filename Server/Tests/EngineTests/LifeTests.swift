// SPDX-License-Identifier: Apache-2.0

import Engine
import Foundation
import Platform
import Simulation
import SkeinModel
import Store
import StoreContract
import Testing

/// What becomes of data: retention, deletion, setting aside.
@Suite struct LifeTests {
    private static let directory = "/store"

    private func open(
        _ disk: SimulatedDisk,
        _ options: EngineOptions = .small,
        _ clock: any Clock = SimulatedClock()
    ) throws -> EmbeddedStore {
        try EmbeddedStore.open(
            directory: Self.directory,
            options: options,
            disk: disk,
            clock: clock,
            decoder: SpanGenerator.Decoder()
        )
    }

    // MARK: Retention

    @Test func `the oldest parts go when there are too many bytes, the newest stays`() async throws
    {
        let disk = SimulatedDisk()
        var options = EngineOptions.small
        let store = try open(disk, options)
        var ledger = Ledger()
        for seed in UInt64(1)...6 {
            await ledger.append(seed, to: store)
            try await store.flush()
        }
        let before = store.statistics
        #expect(before.parts == 6)
        await store.close()

        options.retentionBytes = before.partBytes / 2
        let smaller = try open(disk, options)
        try await smaller.maintain()
        let after = smaller.statistics
        #expect(after.partBytes <= before.partBytes / 2)
        #expect(after.parts >= 1 && after.parts < 6)
        #expect(after.evictedSpans == before.spans - after.spans)
        #expect(after.expiredBytes == before.partBytes - after.partBytes)
        #expect(after.expiredParts == UInt64(6 - after.parts))
        let files = disk.paths().filter { $0.hasSuffix(".part") }
        #expect(files.count == after.parts, "the files go with the parts")
        #expect(files.contains { $0.hasSuffix("6.part") }, "the newest stays")
        await smaller.close()

        options.retentionBytes = 1
        let smallest = try open(disk, options)
        try await smallest.maintain()
        #expect(smallest.statistics.parts == 1)
        await smallest.close()
    }

    // MARK: Deletion

    @Test func `a deleted trace is gone from every answer and every file`() async throws {
        let disk = SimulatedDisk()
        var options = EngineOptions.small
        options.segmentsAhead = 1
        let store = try open(disk, options)
        let secrets = ["needle-4711", "needle-4712", "needle-4713"]
        for (number, secret) in secrets.enumerated() {
            try await store.append(
                TestBatch(start: 1_000, trace: 9_999, span: UInt64(number + 1), secret: secret)
                    .batch()
            )
            try await store.append(SpanGenerator.batch(seed: UInt64(number)))
            if number < 2 { try await store.flush() }
        }
        let id = TestBatch(start: 0, trace: 9_999).id
        for secret in secrets.prefix(2) {
            let paths = disk.paths(with: secret)
            #expect(paths.contains { $0.hasSuffix(".part") }, "\(secret) is only in \(paths)")
        }
        #expect(disk.paths(with: secrets[2]).contains { $0.hasSuffix(".log") })

        let deleted = try await store.deleteTrace(id, of: .default)
        #expect(deleted == DeletedTrace(traceID: id, spanCount: 3))
        #expect(store.statistics.deletedSpans == 3)
        for secret in secrets { #expect(disk.paths(with: secret) == []) }
        #expect(try await store.traces(TraceRequest(ids: [id])).columns.count == 0)
        try await expect(store, Ledger.spans(Set(0...2)))

        let again = try await store.deleteTrace(id, of: .default)
        #expect(again.spanCount == 0)
        await store.close()
        let reopened = try open(disk)
        try await expect(reopened, Ledger.spans(Set(0...2)))
        await reopened.close()
    }

    @Test func `a trace that comes again after it was deleted is stored again`() async throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        let all = Ledger.spans([1])
        let id = try #require(all.first?.traceID)
        try await store.append(SpanGenerator.batch(seed: 1))
        _ = try await store.deleteTrace(id, of: .default)
        try await store.append(SpanGenerator.batch(seed: 1))
        try await expect(store, all)
        await store.close()
    }

    @Test func `deleting for one tenant leaves the other's trace alone`() async throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        let other = Tenant("other")
        try await store.append(SpanGenerator.batch(seed: 1))
        try await store.append(SpanGenerator.batch(seed: 1, tenant: other))
        let id = try #require(Ledger.spans([1]).first?.traceID)
        let count = UInt64(Ledger.spans([1]).count { $0.traceID == id })
        #expect(try await store.deleteTrace(id, of: .default).spanCount == count)
        #expect(try await store.traces(TraceRequest(tenant: other, ids: [id])).columns.count > 0)
        #expect(try await store.deleteTrace(id, of: Tenant("nobody")).spanCount == 0)
        await store.close()
    }

    @Test func `a deletion that crashes at any call is whole after it is asked for again`()
        async throws
    {
        let all = Ledger.spans(Set(1...4))
        let id = try #require(all.first?.traceID)
        let others = all.filter { $0.traceID != id }
        for call in 1...60 {
            let disk = SimulatedDisk()
            let store = try open(disk)
            for seed in UInt64(1)...4 {
                try await store.append(SpanGenerator.batch(seed: seed))
                if seed == 2 { try await store.flush() }
            }
            disk.crash(atCall: call)
            let deleted = try? await store.deleteTrace(id, of: .default)
            await store.abandon()
            if !disk.isCrashed { #expect(deleted != nil) }
            let found = disk.afterCrash(seed: UInt64(call))
            let reopened = try open(found)
            if deleted == nil {
                let left = try await spans(reopened, [id])
                let whole = all.subtracting(others)
                #expect(left.isEmpty || left == whole, "crash at call \(call): half is left")
                _ = try await reopened.deleteTrace(id, of: .default)
            }
            #expect(try await reopened.deleteTrace(id, of: .default).spanCount == 0)
            try await expect(reopened, others)
            await reopened.close()
        }
    }

    private func spans(_ store: EmbeddedStore, _ ids: Set<TraceID>) async throws -> Set<SpanValue> {
        let answer = try await store.traces(TraceRequest(ids: Array(ids)))
        var found: Set<SpanValue> = []
        for row in 0..<answer.columns.count { found.insert(SpanValue(answer.columns, row)) }
        // A short id finds longer ones; these tests compare exact ones.
        return found.filter { ids.contains($0.traceID) }
    }

    private func expect(_ store: EmbeddedStore, _ wanted: Set<SpanValue>) async throws {
        let ids = Set(Ledger.spans(Set(0...6)).map(\.traceID))
        let found = try await spans(store, ids)
        #expect(found == wanted)
    }

    // MARK: Keys without bound

    @Test func `keys past the bound share columns, are found, and are counted`() async throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        let keys = (0..<1_100).map { "key.\($0)" }
        for (number, key) in keys.enumerated() {
            try await store.append(
                TestBatch(start: 1_000, trace: UInt64(number + 1), key: key).batch()
            )
        }
        try await store.flush()
        let numbers = store.statistics
        #expect(numbers.overflowedKeys == 1_100 - 1_024)
        #expect(numbers.overflowedValues == UInt64(numbers.overflowedKeys))
        for key in [keys[0], keys[1_099]] {
            let plan = ScanPlan(
                range: 0..<UInt64.max,
                span: .attribute(.span, key: key, .text("none"))
            )
            #expect(try await store.scan(plan).traces.count == 1, "\(key)")
        }
        await store.close()
    }

    // MARK: A failing disk

    @Test func `after a failed sync what was acknowledged moves to other files at once`()
        async throws
    {
        let disk = SimulatedDisk()
        let store = try open(disk)
        var ledger = Ledger()
        await ledger.append(1, to: store)
        await ledger.append(2, to: store)
        disk.fail(SimulatedDisk.Fault(call: .sync, number: 1, code: 5))
        #expect(await !ledger.append(3, to: store))
        disk.fail(nil)
        try await store.maintain()
        #expect(store.statistics.headSpans == 0)
        #expect(store.statistics.parts == 1)
        #expect(store.statistics.failure != nil, "writes stay refused")
        await store.abandon()
        // The log's pages may be lost with the failed sync: nothing depends on them.
        let found = disk.afterCrash(seed: 7)
        for path in found.paths() where path.hasSuffix(".log") { try found.remove(path) }
        let reopened = try open(found)
        #expect(try await ledger.violations(in: reopened).isEmpty)
        #expect(await ledger.append(4, to: reopened))
        await reopened.close()
    }

    // MARK: Setting aside

    @Test func `a missing part is said by the answers that would have used it, and by no other`()
        async throws
    {
        let disk = SimulatedDisk()
        let store = try open(disk)
        let early = TestBatch(start: 1_000_000_000_000, trace: 1)
        let late = TestBatch(start: 9_000_000_000_000_000, trace: 2)
        try await store.append(early.batch())
        try await store.flush()
        try await store.append(late.batch())
        try await store.flush()
        await store.close()
        let first = try #require(disk.paths().first { $0.hasSuffix("1.part") })
        try disk.remove(first)

        let reopened = try open(disk)
        #expect(reopened.statistics.quarantinedParts == 1)
        #expect(reopened.statistics.quarantinedSpans == 1)
        let around = try await reopened.scan(ScanPlan(range: 0..<2_000_000_000_000))
        #expect(around.traces.isEmpty && around.incomplete.count == 1)
        #expect(around.incomplete.first?.contains("missing") == true)
        let elsewhere = try await reopened.scan(
            ScanPlan(range: 8_000_000_000_000_000..<UInt64.max)
        )
        #expect(elsewhere.traces.count == 1 && elsewhere.incomplete.isEmpty)
        let nobody = try await reopened.scan(
            ScanPlan(tenant: Tenant("nobody"), range: 0..<UInt64.max)
        )
        #expect(nobody.incomplete.isEmpty)
        // Which traces were in it is not known any more.
        let byID = try await reopened.traces(TraceRequest(ids: [late.id]))
        #expect(byID.columns.count == 1 && byID.incomplete.count == 1)
        await reopened.close()
    }

    @Test func `a damaged part whose ids can be read is said for those ids only`() async throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        let inside = TestBatch(start: 1_000_000_000_000, trace: 1)
        let outside = TestBatch(start: 9_000_000_000_000_000, trace: 2)
        try await store.append(inside.batch())
        try await store.flush()
        try await store.append(outside.batch())
        try await store.flush()
        await store.close()
        let path = try #require(disk.paths().first { $0.hasSuffix("1.part") })
        var bytes = disk.bytes(of: path)
        // The first chunk begins after the head; the directory at the end stays whole.
        for place in 32..<40 { bytes[place] ^= 0xFF }
        let damaged = disk.copy(changing: path, to: bytes)
        let reopened = try open(damaged)
        #expect(try await reopened.traces(TraceRequest(ids: [inside.id])).incomplete.count == 1)
        #expect(try await reopened.traces(TraceRequest(ids: [outside.id])).incomplete.isEmpty)
        #expect(damaged.paths().contains { $0.hasSuffix("quarantine/0000000000000001.part") })
        await reopened.close()
        let again = try open(damaged)
        #expect(again.statistics.quarantinedParts == 1, "it stays set aside after a restart")
        #expect(try await again.traces(TraceRequest(ids: [inside.id])).incomplete.count == 1)
        #expect(try await again.traces(TraceRequest(ids: [outside.id])).incomplete.isEmpty)
        await again.close()
    }
}

/// A batch of one span.
struct TestBatch {
    var start: UInt64
    var trace: UInt64
    var span: UInt64 = 1
    /// Stands in an attribute and in the payload.
    var secret = "none"
    var key = "secret"

    var id: TraceID { TraceID(high: 0, low: trace &* 0x9E37_79B9_7F4A_7C15) }

    func batch(receivedAt: UInt64 = 1_790_000_000_000_000_000) -> SpanBatch {
        var columns = SpanColumns()
        let resource = columns.resources.append(
            service: columns.strings.intern("test"),
            attributes: .empty,
            dropped: 0,
            schemaURL: 0
        )
        let scope = columns.scopes.append(
            name: 0,
            version: 0,
            attributes: .empty,
            dropped: 0,
            schemaURL: 0
        )
        let attributes = columns.appendAttributes([
            AttributeValue.KeyValue(key: key, value: .string(secret))
        ])
        columns.append(
            SpanRow(
                traceID: id,
                spanID: SpanID(span),
                start: start,
                end: start + 1_000,
                name: columns.strings.intern("operation"),
                resource: resource,
                scope: scope,
                attributes: attributes
            )
        )
        return SpanBatch(
            columns: columns,
            payload: Payload(
                format: .otlpProtobuf,
                bytes: Array(secret.utf8),
                receivedAt: receivedAt
            )
        )
    }
}

extension SimulatedDisk {
    /// Files that have a text in them as it is.
    func paths(with text: String) -> [String] {
        let wanted = Array(text.utf8)
        return paths().filter { path in
            let bytes = bytes(of: path)
            guard bytes.count >= wanted.count else { return false }
            return (0...bytes.count - wanted.count).contains {
                bytes[$0] == wanted[0] && bytes[$0..<$0 + wanted.count].elementsEqual(wanted)
            }
        }
    }
}
