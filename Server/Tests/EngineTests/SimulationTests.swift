// SPDX-License-Identifier: Apache-2.0

import Foundation
import Simulation
import StoreContract
import Testing

/// The engine under seeded crashes, failing calls and spoilt media; see docs/simulation.md.
///
/// `SKEIN_SIMULATED_CRASHES` sets how many crashes the random run makes, `SKEIN_SIMULATION_SEED`
/// where it begins.
@Suite struct SimulationTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test func `thousands of crashes lose nothing, double nothing and bring nothing back`() {
        let first = Self.number("SKEIN_SIMULATION_SEED") ?? UInt64.random(in: 0..<1 << 40)
        let wanted = Self.number("SKEIN_SIMULATED_CRASHES") ?? 3_000
        print("simulating from seed \(first)")
        var crashes: UInt64 = 0
        var seed = first
        while crashes < wanted {
            let outcome = Scenario.run(seed: seed)
            crashes += UInt64(outcome.crashes)
            #expect(outcome.violation == nil, "replay: skein-simulate --seed \(seed) --runs 1")
            if outcome.violation != nil { break }
            seed += 1
        }
    }

    /// Every call of a workload in order, and for each every call of the recovery after it.
    @Test func `a crash in every call, and in every call of the recovery after it`() {
        let seed = UInt64.random(in: 0..<1 << 40)
        print("going through the calls of seed \(seed)")
        var options = SimulationOptions()
        options.trouble = .crashes
        for call in 1... {
            options.onlyCrashAt = call
            var hasCrashed = false
            for again in 0... {
                options.recoveryCrashAt = again == 0 ? nil : again
                let outcome = Scenario.run(seed: seed, options: options)
                hasCrashed = hasCrashed || outcome.crashes > 0
                #expect(
                    outcome.violation == nil,
                    "seed \(seed), crashes in call \(call) and in call \(again) of the recovery"
                )
                if outcome.crashes < (again == 0 ? 1 : 2) || outcome.violation != nil { break }
            }
            if !hasCrashed {
                #expect(call > 20)
                break
            }
        }
    }

    /// The same on every machine, so that a change that breaks the engine fails everywhere.
    @Test(arguments: SimulationOptions.Trouble.allCases)
    func `fixed seeds find nothing`(trouble: SimulationOptions.Trouble) {
        var options = SimulationOptions()
        options.trouble = trouble
        for seed in Array(1...40) + Self.seedsThatFound {
            let outcome = Scenario.run(seed: seed, options: options)
            #expect(outcome.violation == nil, "seed \(seed)")
        }
    }

    /// Seeds that found a bug once, with what they did then; add to them.
    private static let seedsThatFound: [UInt64] = [
        72, 114, 142, 601, 831, 1_365, 2_168, 5_267, 929_754_593_618,
    ]

    @Test func `two runs of one seed make the same calls with the same bytes`() {
        var options = SimulationOptions()
        options.isRecording = true
        for seed in UInt64(1)...12 {
            let first = Scenario.run(seed: seed, options: options)
            let second = Scenario.run(seed: seed, options: options)
            #expect(first.lines.count > 100)
            let difference = zip(first.lines, second.lines).first { $0 != $1 }
            #expect(difference == nil, "seed \(seed)")
            #expect(first.digest == second.digest)
        }
    }

    @Test func `another process makes the same calls too`() async throws {
        let result = try #require(
            await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
                print("digests \(SimulationTests.digests())")
            }
        )
        let text = String(decoding: result.standardOutputContent, as: UTF8.self)
        #expect(text.contains("digests \(Self.digests())"))
    }

    private static func digests() -> [UInt64] { (1...12).map { Scenario.run(seed: $0).digest } }

    @Test(arguments: PlantedBug.allCases)
    func `a planted bug is found`(bug: PlantedBug) {
        var options = SimulationOptions()
        options.bug = bug
        options.trouble = bug.trouble
        let seed = (UInt64(1)...bug.seedLimit).first {
            Scenario.run(seed: $0, options: options).violation != nil
        }
        #expect(seed != nil, "\(bug) went unnoticed for \(bug.seedLimit) seeds")
    }
}
