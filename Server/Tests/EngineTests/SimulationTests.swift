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

    /// Each of these seeds found a bug once.
    @Test(arguments: Regression.all)
    func `a seed that found a bug finds none`(regression: Regression) {
        var options = SimulationOptions()
        options.trouble = regression.trouble
        let outcome = Scenario.run(seed: regression.seed, options: options)
        #expect(outcome.violation == nil, "\(regression.bug)")
    }

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

/// A seed that broke the engine, and what was wrong.
struct Regression: Sendable, CustomTestStringConvertible {
    let seed: UInt64
    let trouble: SimulationOptions.Trouble?
    let bug: String

    var testDescription: String { "seed \(seed): \(bug)" }

    static let all: [Regression] = []
}
