// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Where applications counted their calls themselves: spans stored of the same calls, which may be a
/// few of many, must not count there too.
///
/// ```
/// minute            12:00      12:01      12:02
/// statistics shop      -       1,024      2,048
/// spans shop           7           1          2
/// answer               7       1,024      2,048
/// ```
/// For services and operations a service and minute is covered as a whole, for edges each called
/// service apart. Spans that are no calls are no part of statistics: operations of such spans keep
/// their counts.
///
/// Statistics count a call in the minute in which it ended, a span stands in the one in which it
/// began. So what was counted in a minute covers as many minutes before it as its longest call needs:
/// ```
/// minute            12:00      12:01      12:02
/// statistics shop      -          -       1, of 91 s
/// covered            yes        yes        yes
/// ```
struct TotalsCoverage {
    /// Names are numbers of the answer.
    struct Scope: Hashable {
        var service: Int
        /// Of edges; -1 for all else.
        var caller: Int
    }

    private struct Key: Hashable {
        var scope: Scope
        var window: UInt64
    }

    /// Whether spans that are no calls are told apart from those that are.
    private let tellsCalls: Bool
    /// Covered minutes of a window, as bits.
    private var masks: [Key: UInt16] = [:]
    private var windows: Set<UInt64> = []
    private var toldByteCount = 0

    init(_ request: TotalsRequest) {
        switch request.lines {
        case .services: tellsCalls = request.kinds != nil
        case .edges: tellsCalls = false
        case .operations, .operationsByKind: tellsCalls = true
        }
    }

    var isEmpty: Bool { masks.isEmpty }

    /// Whether anything of a window is covered.
    func touches(_ window: UInt64) -> Bool { windows.contains(window) }

    /// Covers minutes.
    mutating func insert(_ minutes: Range<UInt64>, _ scope: Scope) {
        guard let last = minutes.last else { return }
        let length = TotalsFormat.windowMinutes
        for window in minutes.lowerBound / length...last / length {
            let own = minutes.clamped(to: window * length..<(window + 1) * length)
            let bits = UInt16(1) << UInt16(own.count) - 1
            windows.insert(window)
            masks[Key(scope: scope, window: window), default: 0] |=
                bits << UInt16(own.lowerBound % length)
        }
    }

    /// Bytes of memory that came since the last call.
    mutating func takeGrowth() -> Int {
        let byteCount = 64 * masks.count + 16 * windows.count
        defer { toldByteCount = byteCount }
        return byteCount - toldByteCount
    }

    /// Whole minutes before its own in which calls may have begun that ended in a minute.
    ///
    /// - Parameter longest: nanoseconds of the longest of them.
    static func reach(_ longest: UInt64) -> UInt64 {
        let longest = min(longest, Totals.longestCall)
        return (longest + TotalsFormat.minute - 1) / TotalsFormat.minute
    }

    /// Minutes behind a range whose statistics may cover some of it.
    static let longestReach = reach(.max)

    /// The minutes of a window in which spans of this scope and kind do not count.
    func mask(_ scope: Scope, kind: UInt8, _ window: UInt64) -> UInt16 {
        guard replaces(kind) else { return 0 }
        return masks[Key(scope: scope, window: window)] ?? 0
    }

    func contains(_ minute: UInt64, _ scope: Scope, kind: UInt8) -> Bool {
        let bits = mask(scope, kind: kind, minute / TotalsFormat.windowMinutes)
        return bits >> UInt16(minute % TotalsFormat.windowMinutes) & 1 == 1
    }

    /// Whether spans of a kind are counted by statistics, or by nothing that the answer tells apart.
    private func replaces(_ kind: UInt8) -> Bool {
        !tellsCalls || SpanKind(rawValue: kind)?.isCall ?? false
    }
}
