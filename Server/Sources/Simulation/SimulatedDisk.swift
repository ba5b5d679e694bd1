// SPDX-License-Identifier: Apache-2.0

public import Platform

import StoreContract
import Synchronization

/// A disk in memory that forgets what was not synced, fails where it is told to, spoils what it is
/// told to, and crashes at any call.
///
/// The same calls in the same order with the same seed have the same outcome.
public final class SimulatedDisk: Disk {
    /// Kinds of calls.
    public enum Call: String, Sendable, CaseIterable {
        case create, write, sync, rename, remove, preallocate, syncDirectory, link
        case open, read, size, list, createDirectory, lock, freeSpace

        /// Whether it changes what is on the disk: a crash can come there.
        var isChange: Bool {
            switch self {
            case .create, .write, .sync, .rename, .remove, .preallocate, .syncDirectory, .link: true
            default: false
            }
        }
    }

    /// A call that fails.
    public struct Fault: Sendable {
        /// Which kind of call fails; any change where `nil`.
        public var call: Call?
        /// Which of them, counted from 1 since the fault was set.
        public var number: Int
        /// `errno` of the failure.
        public var code: Int32
        /// All calls of the kind after it fail too.
        public var isSticky: Bool

        /// Describes a failure.
        public init(call: Call?, number: Int, code: Int32, isSticky: Bool = false) {
            self.call = call
            self.number = number
            self.code = code
            self.isSticky = isSticky
        }
    }

    /// How a run of the engine ends without its doing.
    public enum Crash: String, Sendable, CaseIterable {
        /// The process ends: what it wrote is in the cache and may be lost later.
        case kill
        /// The machine ends: of what was not synced, anything may be lost.
        case powerCut
    }

    /// `errno` of every call from the crash on.
    public static let crashCode: Int32 = 5

    struct State {
        var image = DiskImage()
        var random: SeededGenerator
        var locked: Set<String> = []
        var fault: Fault?
        var faultHits = 0
        var counts: [Call: Int] = [:]
        /// Changes since the last `crash(atCall:)` or `fail`.
        var changes = 0
        var crashAt: Int?
        var isCrashed = false
        /// Handles of an earlier life of the machine are dead.
        var life = 0
        var freeBytes = Int.max
        /// What a write past the cache begins at a multiple of; 1 where the cache cannot be passed.
        var blockByteCount = 512
        var badSync: MediaFault?
        var damage: [MediaDamage] = []
        var trace: CallTrace
        /// Writes to be told to whoever asks which call put bytes where.
        var written: [(file: Int, range: Range<Int>)] = []
    }

    let state: Mutex<State>
    let gate = Monitor(SyncGate())

    /// An empty disk.
    ///
    /// - Parameters:
    ///   - seed: decides what a crash leaves.
    ///   - isRecording: keeps a line for every call.
    public init(seed: UInt64 = 0, isRecording: Bool = false) {
        state = Mutex(
            State(
                random: SeededGenerator(seed: seed),
                trace: CallTrace(isRecording: isRecording)
            )
        )
    }

    private init(image: DiskImage, seed: UInt64) {
        state = Mutex(
            State(
                image: image,
                random: SeededGenerator(seed: seed),
                trace: CallTrace(isRecording: false)
            )
        )
    }

    // MARK: Told by tests

    /// Makes a call fail; `nil` ends all failures. Counting begins anew.
    public func fail(_ fault: Fault?) {
        state.withLock {
            $0.fault = fault
            $0.faultHits = 0
            $0.counts = [:]
        }
    }

    /// Makes the change of this number, counted from 1 from now on, the last one and leaves it half
    /// done; `nil` for no crash.
    public func crash(atCall number: Int?) {
        state.withLock {
            $0.crashAt = number
            $0.changes = 0
        }
    }

    /// Whether the crash came.
    public var isCrashed: Bool { state.withLock { $0.isCrashed } }

    /// Whether the failure that was set came.
    public var hasFailed: Bool { state.withLock { $0.faultHits > 0 } }

    /// Changes since the last `crash(atCall:)`.
    public var callCount: Int { state.withLock { $0.changes } }

    /// Room for new bytes; preallocation and growth beyond it fail with ENOSPC.
    public func setFreeBytes(_ count: Int) { state.withLock { $0.freeBytes = count } }

    /// Whether files let writes go past the cache, in blocks of a sector.
    func setBypass(isPossible: Bool) {
        state.withLock { $0.blockByteCount = isPossible ? DiskImage.sectorByteCount : 1 }
    }

    /// Starts the machine, or the process, again after `crash`. Nothing fails any more.
    public func restart(after crash: Crash) {
        state.withLock { state in
            if crash == .powerCut {
                let fate: DiskImage.Fate =
                    switch state.random.number(below: 8) {
                    case 0: .everything
                    case 1, 2: .nothing
                    case 3, 4: .some(percent: 10)
                    case 5, 6: .some(percent: 50)
                    default: .some(percent: 90)
                    }
                state.image.losePower(fate, using: &state.random)
            }
            state.locked = []
            state.fault = nil
            state.crashAt = nil
            state.isCrashed = false
            state.badSync = nil
            state.freeBytes = .max
            state.life += 1
            state.trace.note("restart", crash.rawValue, 0, 0, 0)
        }
    }

    /// Spoils synced bytes of a file.
    public func spoil(_ fault: MediaFault, _ path: String) -> MediaDamage? {
        state.withLock { state in
            let damage = state.image.spoil(fault, path, using: &state.random)
            if let damage {
                state.trace.note(
                    fault.rawValue,
                    path,
                    damage.range.lowerBound,
                    damage.range.count,
                    0
                )
            }
            return damage
        }
    }

    /// Spoils a write at the next sync; what was spoilt is told by `takeDamage`.
    public func spoilNextSync(_ fault: MediaFault) { state.withLock { $0.badSync = fault } }

    /// What was spoilt at syncs since this was asked last.
    public func takeDamage() -> [MediaDamage] {
        state.withLock { state in
            defer { state.damage = [] }
            return state.damage
        }
    }

    /// Where bytes were written since this was asked last.
    func takeWritten() -> [(file: Int, range: Range<Int>)] {
        state.withLock { state in
            defer { state.written = [] }
            return state.written
        }
    }

    /// Notes in the trace what the workload does.
    func note(step: String, _ number: Int = 0) {
        state.withLock { $0.trace.note("--", step, number, 0, 0) }
    }

    /// All files, sorted.
    public func paths() -> [String] { state.withLock { $0.image.names.keys.sorted() } }

    /// What a program reads in a file.
    public func bytes(of path: String) -> [UInt8] {
        state.withLock { state in
            state.image.names[path].map { state.image.files[$0].cache } ?? []
        }
    }

    /// Puts bytes into a file that is there, synced.
    func restore(_ path: String, _ bytes: [UInt8]) {
        state.withLock { state in
            guard let number = state.image.names[path] else { return }
            state.image.files[number].cache = bytes
            state.image.sync(number)
        }
    }

    /// One number that two runs share only if they made the same calls with the same bytes.
    public var digest: UInt64 { state.withLock { $0.trace.digest } }

    /// A line for every call, where it was asked for.
    public var lines: [String] { state.withLock { $0.trace.lines } }

    /// Another disk with the same files, everything on it synced.
    public func copy(changing path: String? = nil, to changed: [UInt8] = []) -> SimulatedDisk {
        var image = state.withLock { $0.image }
        for name in image.names.keys.sorted() {
            image.syncDirectory(DiskImage.parent(of: name))
        }
        for number in image.files.indices { image.sync(number) }
        if let path, let number = image.names[path] {
            image.files[number].cache = changed
            image.sync(number)
        }
        return SimulatedDisk(image: image, seed: 0)
    }

    /// What the machine would find after losing power now.
    public func afterCrash(seed: UInt64) -> SimulatedDisk {
        let disk = SimulatedDisk(image: state.withLock { $0.image }, seed: seed)
        disk.restart(after: .powerCut)
        return disk
    }
}

/// The calls of a run, as a number and, where asked for, as lines.
struct CallTrace {
    private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    private(set) var lines: [String] = []
    private let isRecording: Bool

    init(isRecording: Bool) { self.isRecording = isRecording }

    mutating func note(_ call: String, _ path: String, _ a: Int, _ b: Int, _ code: Int32) {
        for byte in call.utf8 { mix(UInt64(byte)) }
        for byte in path.utf8 { mix(UInt64(byte)) }
        mix(UInt64(bitPattern: Int64(a)))
        mix(UInt64(bitPattern: Int64(b)))
        mix(UInt64(UInt32(bitPattern: code)))
        guard isRecording else { return }
        let outcome = code == 0 ? "" : " fails with \(code)"
        lines.append("\(lines.count + 1) \(call) \(path) \(a) \(b)\(outcome)")
    }

    private mutating func mix(_ value: UInt64) {
        digest = (digest ^ value) &* 0x0000_0100_0000_01B3
        digest ^= digest >> 29
    }
}

/// Lets a test hold every sync until it has looked.
struct SyncGate {
    var isClosed = false
    var isReached = false
}

extension SimulatedDisk {
    /// Makes every sync wait until `releaseSyncs`. For engines with threads.
    public func holdSyncs() { gate.update { $0.isClosed = true } }

    /// Lets the syncs go on.
    public func releaseSyncs() { gate.update { $0.isClosed = false } }

    /// Returns once a sync waits.
    public func heldSync() async {
        await withCheckedContinuation { continuation in
            DedicatedThread.start(named: "held-sync") { [gate] in
                gate.wait { $0.isReached ? () : nil }
                continuation.resume()
            }
        }
    }

    func passGate() {
        gate.update { if $0.isClosed { $0.isReached = true } }
        gate.wait { $0.isClosed ? nil : () }
    }
}
