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

    mutating func insert(_ minute: UInt64, _ scope: Scope) {
        let window = minute / TotalsFormat.windowMinutes
        windows.insert(window)
        let bit: UInt16 = 1 << UInt16(minute % TotalsFormat.windowMinutes)
        masks[Key(scope: scope, window: window), default: 0] |= bit
    }

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
