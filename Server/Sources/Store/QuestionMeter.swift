// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What answering one question costs, added up by all who work for it, on whatever thread.
public final class QuestionMeter: Sendable {
    /// The meter of the question that the current task answers; `nil` where nobody counts.
    @TaskLocal public static var current: QuestionMeter?

    private let reads = Atomic<Int>(0)
    private let cpu = Atomic<UInt64>(0)
    private let spans = Atomic<Int>(0)

    /// A meter at zero.
    public init() {}

    /// How often the store was asked.
    public var readCount: Int { reads.load(ordering: .relaxed) }

    /// Processor time of the store's threads, nanoseconds. What was read on them is looked at there as
    /// well, so that only the writing of the answer is missing.
    public var cpuNanoseconds: UInt64 { cpu.load(ordering: .relaxed) }

    /// Spans that a question in TraceQL looked at.
    public var examinedSpanCount: Int { spans.load(ordering: .relaxed) }

    /// The store was asked once, and its thread was busy for so long.
    public func addRead(cpuNanoseconds: UInt64) {
        reads.wrappingAdd(1, ordering: .relaxed)
        cpu.wrappingAdd(cpuNanoseconds, ordering: .relaxed)
    }

    /// So many spans were looked at.
    public func add(examinedSpanCount: Int) {
        spans.wrappingAdd(examinedSpanCount, ordering: .relaxed)
    }
}
