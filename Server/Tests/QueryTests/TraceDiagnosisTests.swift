// SPDX-License-Identifier: Apache-2.0

import Analysis
import SkeinModel
import Testing

@Suite struct TraceDiagnosisTests {
    private func diagnosis(
        _ calls: [Call],
        isSkewCorrected: Bool = false
    ) -> [TraceDiagnosis.Finding] {
        findings(PlacedTrace(calls, isSkewCorrected: isSkewCorrected))
    }

    private func findings(_ trace: PlacedTrace) -> [TraceDiagnosis.Finding] {
        let path = CriticalPath(trace)
        return TraceDiagnosis(trace, path, TraceStatistics(trace, path)).findings
    }

    @Test func `most of the time in one operation is waiting where clients tell it`() throws {
        let found = diagnosis([
            Call(1, 0, 100, "GET /", in: "web", kind: .server),
            Call(2, of: 1, 20, 90, "SELECT", in: "web", kind: .client),
        ])
        let slow = try #require(found.first)
        #expect(found.count == 1)
        #expect(slow.kind == .slowOperation && slow.place == 1 && slow.count == 1)
        #expect(slow.time == 70 && slow.isWaiting)
    }

    @Test func `most of the time in a service of many operations is told by the service`() throws {
        let calls =
            [Call(1, 0, 1000, "GET /", in: "web")]
            + (0..<4).map {
                Call(2 + $0, of: 1, $0 * 200 + 100, $0 * 200 + 300, "op\($0)", in: "stock")
            }
        let slow = try #require(diagnosis(calls).first)
        #expect(slow.kind == .slowService && slow.count == 4 && slow.time == 800)
        #expect(!slow.isWaiting)
    }

    @Test func `time spread evenly still has a largest part`() {
        let calls =
            [Call(1, 0, 1000, "GET /", in: "web")]
            + (0..<10).map {
                Call(2 + $0, of: 1, $0 * 100, $0 * 100 + 100, "op\($0)", in: "s\($0)")
            }
        #expect(diagnosis(calls).map(\.kind) == [.slowOperation])
    }

    @Test func `calls one after another tell what one call for all would save`() throws {
        let calls =
            [Call(1, 0, 1000, "GET /")]
            + (0..<10).map { Call(2 + $0, of: 1, $0 * 90, $0 * 90 + 80 + $0 % 2, "SELECT") }
        let found = try #require(diagnosis(calls).first { $0.kind == .sequentialCalls })
        #expect(found.place == 1 && found.related == 0 && found.count == 10)
        #expect(found.time == 805 - 81)
        let parallel =
            [Call(1, 0, 1000, "GET /")]
            + (0..<10).map { Call(2 + $0, of: 1, $0, 900 + $0, "SELECT") }
        #expect(!diagnosis(parallel).contains { $0.kind == .sequentialCalls })
    }

    @Test func `what a call calls is saved with it`() throws {
        var calls = [Call(1, 0, 1000, "GET /", in: "web")]
        for number in UInt64(0)..<10 {
            let start = number * 100
            calls.append(Call(10 + number, of: 1, start, start + 90, "q", kind: .client))
            calls.append(
                Call(30 + number, of: 10 + number, start + 5, start + 85, "Q", kind: .server)
            )
        }
        let found = try #require(diagnosis(calls).first { $0.kind == .sequentialCalls })
        #expect(found.time == 810)
    }

    @Test func `a failure is told where it began and by what it cost`() throws {
        let found = diagnosis([
            Call(1, 0, 100, "GET /", isError: true),
            Call(2, of: 1, 10, 60, "pay", isError: true),
            Call(3, of: 2, 20, 30, "card", isError: true),
            Call(4, of: 1, 70, 80, "log", isError: true),
            Call(5, of: 4, 71, 72, "fine"),
            Call(6, of: 5, 71, 72, "deep", isError: true),
        ])
        let error = try #require(found.first)
        #expect(error.kind == .errors && error.place == 2 && error.related == 0)
        #expect(error.count == 5 && error.time == 100)
    }

    @Test func `attempts that failed until the last are retries`() throws {
        let attempts = [
            Call(2, of: 1, 0, 10, "call", isError: true),
            Call(3, of: 1, 30, 40, "call", isError: true),
            Call(4, of: 1, 70, 80, "call"),
        ]
        let found = diagnosis([Call(1, 0, 100, "GET /")] + attempts)
        let retries = try #require(found.first { $0.kind == .retries })
        #expect(retries.place == 1 && retries.related == 0)
        #expect(retries.count == 3 && retries.time == 70)
        let loop = attempts + [Call(5, of: 1, 82, 84, "call")]
        #expect(!diagnosis([Call(1, 0, 100)] + loop).contains { $0.kind == .retries })
    }

    @Test func `a stretch in which a span says nothing is a gap`() throws {
        let found = diagnosis([
            Call(1, 0, 1000, "GET /"), Call(2, of: 1, 0, 400), Call(3, of: 1, 800, 1000),
        ])
        let gap = try #require(found.first { $0.kind == .gap })
        #expect(gap.place == 0 && gap.stretch == 400..<800 && gap.time == 400)
        #expect(!diagnosis([Call(1, 0, 1000, "GET /")]).contains { $0.kind == .gap })
    }

    @Test func `a stretch without any span is a gap of nobody`() throws {
        let found = diagnosis([Call(1, 0, 100), Call(2, of: 1, 600, 900)])
        let gap = try #require(found.first { $0.kind == .gap })
        #expect(gap.place == nil && gap.stretch == 100..<600)
    }

    @Test func `short stretches without any span are one gap that leads to the longest`() throws {
        let visits = (1...9).map { number in
            let start = UInt64(number * 100 + (number > 5 ? 50 : 0))
            return Call(UInt64(number), start, start + 10)
        }
        let gap = try #require(diagnosis(visits).first)
        #expect(gap.kind == .gap && gap.place == nil && gap.count == 8)
        #expect(gap.stretch == 510..<650 && gap.time == 8 * 90 + 50)
    }

    @Test func `the path of a root that is a small part of its trace is not told`() {
        let found = diagnosis([Call(1, 0, 10, "GET /"), Call(2, 1_000, 1_010, "GET /more")])
        #expect(found.map(\.kind) == [.gap])
    }

    @Test func `corrected clocks and orphans come last, whatever they say`() {
        let found = diagnosis(
            [
                Call(1, 1_000, 1_100, kind: .client, host: 1),
                Call(2, of: 1, 99_000, 99_050, kind: .server, host: 2),
                Call(3, of: 77, 1_000, 1_010),
            ],
            isSkewCorrected: true
        )
        #expect(found.map(\.kind).suffix(2) == [.clockSkew, .orphans])
        #expect(found.last?.place == 2 && found.last?.count == 1)
    }

    @Test func `any trace: at most three findings, of places that there are`() {
        for seed in UInt64(0)..<400 {
            var generator = SeededGenerator(seed: seed)
            let trace = PlacedTrace.any(&generator, spans: 1...60)
            let found = findings(trace)
            let isTold = trace.roots.contains { trace.duration(Int($0)) > 0 }
            #expect((isTold ? 1...3 : 0...3).contains(found.count), "SEED=\(seed)")
            for finding in found {
                #expect(finding.place.map { (0..<trace.count).contains($0) } ?? true)
                #expect(finding.related.map { (0..<trace.count).contains($0) } ?? true)
                #expect(finding.count > 0, "SEED=\(seed) \(finding)")
            }
        }
    }

    @Test func `a million spans are explained, and nothing is not`() {
        #expect(findings(.longSequence).first?.kind == .sequentialCalls)
        #expect(findings(.longChain).count == 1)
        #expect(findings(PlacedTrace([])).isEmpty)
    }
}
