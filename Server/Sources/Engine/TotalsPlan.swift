// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import Store

/// Which minutes a question counts, and in which column of the answer.
struct TotalsPlan {
    /// A run of minutes of one window that belongs to one column.
    struct Segment {
        let column: Int
        /// Of 0..<10.
        let range: Range<Int>
        let isWhole: Bool
        /// The minutes, and those of the window before them.
        let minutes: TotalsMinuteCounts.Wanted
        let before: TotalsMinuteCounts.Wanted

        /// - Parameter minutes: of 0..<10.
        init(_ minutes: Range<UInt64>, column: Int) {
            let minutes = Int(minutes.lowerBound)..<Int(minutes.upperBound)
            self.column = column
            range = minutes
            isWhole = minutes.count == 10
            self.minutes = TotalsMinuteCounts.Wanted(minutes)
            before = TotalsMinuteCounts.Wanted(0..<minutes.lowerBound)
        }
    }

    let request: TotalsRequest
    /// Minutes since 1970.
    let minutes: Range<UInt64>
    /// Minutes of a step; 0 for none.
    let stepMinutes: UInt64
    /// Column 0 is the whole range; then one a step.
    let columnCount: Int

    /// - Throws: `StoreError.refused` where the request cannot be answered.
    init(_ request: TotalsRequest) throws(StoreError) {
        var told = request
        if !request.tellsDurations {
            // Nothing of them is told, and memory is reckoned by how many there are. Of edges the
            // calls of one request have quantiles too.
            if request.lines != .edges { told.quantiles = [] }
            told.bounds = []
        }
        self.request = told
        minutes = request.minutes
        guard request.quantiles.count <= TotalsRequest.quantileLimit else {
            throw .refused("a request may ask for \(TotalsRequest.quantileLimit) quantiles")
        }
        guard request.quantiles.allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
            throw .refused("a quantile must lie between 0 and 1")
        }
        guard request.bounds.count <= TotalsRequest.boundLimit else {
            throw .refused("a request may ask for \(TotalsRequest.boundLimit) bounds")
        }
        guard request.bounds.allSatisfy({ $0 > 0 }) else {
            throw .refused("a bound must lie above zero")
        }
        guard request.lines != .edges || request.operation == nil && request.kinds == nil else {
            throw .refused("edges are told apart by services only, not by operation or kind")
        }
        guard let step = request.step else {
            stepMinutes = 0
            columnCount = 1
            return
        }
        guard step > 0, step.isMultiple(of: TotalsRequest.minute) else {
            throw .refused("a step must be a number of whole minutes")
        }
        stepMinutes = step / TotalsRequest.minute
        let steps = (UInt64(minutes.count) + stepMinutes - 1) / stepMinutes
        guard steps <= UInt64(Limits.totalsSteps) else {
            throw .refused(
                "the range has \(steps) steps; ask for \(Limits.totalsSteps) at most, or for a "
                    + "larger step"
            )
        }
        columnCount = 1 + Int(steps)
    }

    /// The windows that the range touches; `nil` for an empty range.
    var windows: ClosedRange<UInt64>? {
        guard let last = minutes.last else { return nil }
        return minutes.lowerBound / TotalsFormat.windowMinutes...last / TotalsFormat.windowMinutes
    }

    /// The answer's range in nanoseconds.
    var range: Range<UInt64> {
        func nanoseconds(_ minute: UInt64) -> UInt64 {
            let (product, overflow) = minute.multipliedReportingOverflow(by: TotalsRequest.minute)
            return overflow ? .max : product
        }
        return nanoseconds(minutes.lowerBound)..<nanoseconds(minutes.upperBound)
    }

    /// The minutes whose call statistics matter: calls that end behind the range may have begun in it.
    var callMinutes: Range<UInt64> {
        minutes.isEmpty
            ? minutes : minutes.lowerBound..<minutes.upperBound + TotalsCoverage.longestReach
    }

    /// What of a window counts, and where.
    func segments(of window: UInt64) -> [Segment] {
        let first = window * TotalsFormat.windowMinutes
        let own = minutes.clamped(to: first..<first + TotalsFormat.windowMinutes)
        guard !own.isEmpty else { return [] }
        var segments = [Segment(own.lowerBound - first..<own.upperBound - first, column: 0)]
        guard stepMinutes > 0 else { return segments }
        var minute = own.lowerBound
        while minute < own.upperBound {
            let step = (minute - minutes.lowerBound) / stepMinutes
            let end = min(minutes.lowerBound + (step + 1) * stepMinutes, own.upperBound)
            segments.append(Segment(minute - first..<end - first, column: 1 + Int(step)))
            minute = end
        }
        return segments
    }

    /// The same without the minutes whose bits are set in `mask`.
    func segments(of window: UInt64, without mask: UInt16) -> [Segment] {
        segments(of: window).flatMap { segment in
            var left: [Segment] = []
            var first = segment.range.lowerBound
            for minute in segment.range.lowerBound...segment.range.upperBound
            where minute == segment.range.upperBound || mask >> UInt16(minute) & 1 == 1 {
                if first < minute {
                    left.append(Segment(UInt64(first)..<UInt64(minute), column: segment.column))
                }
                first = minute + 1
            }
            return left
        }
    }

    /// The step column of a minute; `nil` where no steps were asked.
    func stepColumn(of minute: UInt64) -> Int? {
        stepMinutes == 0 ? nil : 1 + Int((minute - minutes.lowerBound) / stepMinutes)
    }
}

/// The lines of an answer: which spans are counted together.
struct TotalsLines: ~Copyable {
    /// What one line counts; names are numbers of `names`.
    struct Line {
        /// For edges: the called service.
        var service: Int
        /// For edges: the calling service; -1 where operations are not told apart, -2 for those
        /// beyond the bound.
        var other: Int
        var kind: UInt8
    }

    private let asked: TotalsRequest.Lines
    /// What the request names.
    private var wantedService: Int?
    private var wantedOperation: Int?
    private var wantedKinds: Set<UInt8>?
    private(set) var lines: [Line] = []
    private(set) var names: [String] = []
    /// By line: the cells that its durations lie in; `nil` for none yet.
    private(set) var cells: [ClosedRange<Int>?] = []
    /// Memory held, and what of it `takeGrowth` told.
    private var byteCount = 0
    private var toldByteCount = 0
    private var nameNumbers: [String: Int] = [:]
    private var pairs = PackedTable()
    private var keys = PackedTable()

    init(_ request: TotalsRequest) {
        asked = request.lines
        wantedService = request.service.map { name($0) }
        wantedOperation = request.operation.map { name($0) }
        wantedKinds = request.kinds.map { Set($0.map(\.rawValue)) }
    }

    /// The number of a name.
    mutating func name(_ text: String) -> Int {
        if let known = nameNumbers[text] { return known }
        nameNumbers[text] = names.count
        names.append(text)
        byteCount += 64 + text.utf8.count
        return names.count - 1
    }

    /// Notes that `line` will be counted in these cells.
    @inline(__always)
    mutating func widen(_ line: Int, to own: ClosedRange<Int>) {
        guard let known = cells[line] else {
            cells[line] = own
            return
        }
        if known.lowerBound <= own.lowerBound, own.upperBound <= known.upperBound { return }
        cells[line] =
            min(known.lowerBound, own.lowerBound)...max(known.upperBound, own.upperBound)
    }

    /// Bytes of memory that came since the last call.
    mutating func takeGrowth() -> Int {
        defer { toldByteCount = byteCount }
        return byteCount - toldByteCount
    }

    /// The line that spans of a group belong to; -1 for none.
    ///
    /// - Parameter operation: `nil` for those beyond the bound.
    mutating func line(service: Int, operation: Int?, kind: UInt8, caller: Int?) -> Int {
        if let wantedService, wantedService != service, asked != .edges || wantedService != caller {
            return -1
        }
        if let wantedOperation, wantedOperation != operation { return -1 }
        if let wantedKinds, !wantedKinds.contains(kind) { return -1 }
        switch asked {
        case .services: return line(service, -1, 0)
        case .operations: return line(service, operation ?? -2, 0)
        case .operationsByKind: return line(service, operation ?? -2, kind)
        case .edges: return caller.map { line(service, $0, 0) } ?? -1
        }
    }

    /// The line of an edge; -1 for none.
    mutating func edge(caller: Int, service: Int) -> Int {
        guard asked == .edges else { return -1 }
        return line(service: service, operation: nil, kind: 0, caller: caller)
    }

    private mutating func line(_ service: Int, _ other: Int, _ kind: UInt8) -> Int {
        let pair = pairs.insert(
            UInt64(service) << 32 | UInt64(UInt32(truncatingIfNeeded: other))
        ).index
        let (index, isNew) = keys.insert(UInt64(pair) << 8 | UInt64(kind))
        if isNew {
            lines.append(Line(service: service, other: other, kind: kind))
            cells.append(nil)
            byteCount += 128
        }
        return index
    }
}
