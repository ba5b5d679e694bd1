// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import Tracing

/// Whether anything in this process speaks swift-distributed-tracing with one of our tracers. Until
/// something does, spans of our own need not look for its context.
enum ForeignContexts {
    private static let use = Atomic(false)

    static var areUsed: Bool { use.load(ordering: .relaxed) }

    static func noteUse() {
        // Written once: afterwards the line stays shared between cores.
        if !areUsed { use.store(true, ordering: .relaxed) }
    }

    /// What tells the current context from any other that lives at the same time; 0 where none of
    /// them can matter.
    static var identity: UInt {
        areUsed ? identity(of: InstrumentationContext.current ?? .topLevel) : 0
    }

    /// A context is one reference to its storage, which tells it from all others. Should it ever
    /// become more, all of its bytes count.
    static func identity(of context: InstrumentationContext) -> UInt {
        withUnsafeBytes(of: context) { bytes in
            if bytes.count == MemoryLayout<UInt>.size { return bytes.load(as: UInt.self) | 1 }
            var identity: UInt = 0
            for (index, byte) in bytes.enumerated() {
                identity = (identity << 8 | identity >> 56) ^ UInt(byte) &+ UInt(index >> 3)
            }
            return identity | 1
        }
    }
}
