// SPDX-License-Identifier: Apache-2.0

import Platform
import Simulation

/// `skein-simulate`: crashes the real engine over a simulated disk until told to stop.
@main
struct SimulateCommand {
    private static let usage = """
        usage: skein-simulate [--seed N] [--crashes N] [--runs N] [--trouble crashes|errors|media]
                              [--bug NAME] [--announce] [--trace]
               skein-simulate golden DIR
               skein-simulate answers DIR

          --seed N      the first seed; the following runs use N+1, N+2 ... (default: a fresh one)
          --crashes N   stop after so many crashes (default 10000)
          --runs N      stop after so many runs; 1 replays one seed
          --trouble T   what happens besides crashes (default: the seed decides)
          --bug NAME    plant a bug, which should then be found
          --announce    print each seed before it runs, to find one that ends the process
          --trace       print every call on the disk

          golden DIR    write the golden directory of this version, and what it answers
          answers DIR   print what a copy of a golden directory answers; opening changes the copy
        """

    private struct Wanted {
        var seed = SystemRandomness().next() >> 16
        var crashes = 10_000
        var runs = Int.max
        var options = SimulationOptions()
        var announces = false
    }

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.count == 2, ["golden", "answers"].contains(arguments[0]) {
            return golden(arguments[0], arguments[1])
        }
        guard let wanted = parse(arguments) else {
            print(usage)
            exit(withStatus: 2)
        }
        print("simulating from seed \(wanted.seed)")
        var total = Total()
        var seed = wanted.seed
        while total.runs < wanted.runs, total.crashes < wanted.crashes {
            if wanted.announces { print("seed \(seed)") }
            let outcome = Scenario.run(seed: seed, options: wanted.options)
            total.add(outcome)
            for line in outcome.lines { print(line) }
            if let violation = outcome.violation {
                print("seed \(seed): \(violation)")
                print(total.text)
                exit(withStatus: 1)
            }
            seed += 1
        }
        print(total.text)
    }

    private static func golden(_ command: String, _ directory: String) {
        do {
            if command == "golden" {
                try GoldenStore.write(to: directory, PosixDisk())
                print("wrote \(directory)")
            } else {
                let store = try GoldenStore.open(directory, PosixDisk())
                print(try GoldenAnswers(of: store).text, terminator: "")
            }
        } catch {
            print("\(error)")
            exit(withStatus: 1)
        }
    }

    private static func exit(withStatus status: Int32) -> Never { Process.exit(status) }

    private static func parse(_ arguments: [String]) -> Wanted? {
        var wanted = Wanted()
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            switch flag {
            case "--announce": wanted.announces = true
            case "--trace": wanted.options.isRecording = true
            default:
                guard let value = rest.popFirst(), take(flag, value, &wanted) else { return nil }
            }
        }
        return wanted
    }

    private static func take(_ flag: String, _ value: String, _ wanted: inout Wanted) -> Bool {
        switch flag {
        case "--seed": UInt64(value).map { wanted.seed = $0 } != nil
        case "--crashes": Int(value).map { wanted.crashes = $0 } != nil
        case "--runs": Int(value).map { wanted.runs = $0 } != nil
        case "--trouble":
            SimulationOptions.Trouble(rawValue: value).map { wanted.options.trouble = $0 } != nil
        case "--bug": PlantedBug(rawValue: value).map { wanted.options.bug = $0 } != nil
        default: false
        }
    }

    private struct Total {
        var runs = 0
        var crashes = 0
        var recoveryCrashes = 0
        var checks = 0
        var spans = 0
        var failures = 0
        var damages = 0
        var refusals = 0
        var digest: UInt64 = 0

        mutating func add(_ outcome: SimulationOutcome) {
            runs += 1
            crashes += outcome.crashes
            recoveryCrashes += outcome.recoveryCrashes
            checks += outcome.checks
            spans += outcome.acknowledgedSpans
            failures += outcome.failures
            damages += outcome.damages
            refusals += outcome.refusals
            digest = digest &* 31 &+ outcome.digest
        }

        var text: String {
            let seconds = Process.processorSeconds()
            let rate = seconds > 0 ? Int(Double(crashes) / seconds) : 0
            return """
                \(runs) runs, \(crashes) crashes (\(recoveryCrashes) inside recovery), \
                \(spans) spans acknowledged, \(checks) answers compared, \(failures) calls failed, \
                \(damages) places spoilt, \(refusals) starts refused with a reason; \
                \(rate) crashes a second of processor time; digest \(String(digest, radix: 16))
                """
        }
    }
}
