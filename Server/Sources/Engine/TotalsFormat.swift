// SPDX-License-Identifier: Apache-2.0

import SkeinModel

/// The totals section of a part, and of a totals file: calls, durations and requests by the minute.
///
/// A *group* is a distinct (service, operation, kind, status, calling service); a *window* ten
/// minutes, aligned; a *row* one group in one window. Durations are counted in `LatencyBucket`s, cut
/// in two: sixteen buckets are one *cell* (a quarter of an octave), and the place in the cell is one
/// of sixteen *fine* steps. So a quantile reads all cells but only the fine steps of the one cell in
/// which it lies, and minutes are split out only in windows that the asked range cuts. (All buckets
/// of each minute would take the same room; reading 1,000,000 of them takes several milliseconds.)
///
/// The section is one index chunk and, for each page of whole windows, the chunks of `TotalsChunk`.
///
/// Index (a frame of varints):
///
/// | field | meaning |
/// |---|---|
/// | version | 1; 2 where sums of minutes are nanoseconds |
/// | names | count, then each a run of bytes; ascending |
/// | groups | count, then each: service, operation (names; the count of names: "other operations"), kind × 4 + status, calling service + 1 or 0; ascending by these |
/// | edges | count, then each: calling service, called service; ascending |
/// | pages | count, then each as below; ascending |
///
/// | field of a page | meaning |
/// |---|---|
/// | first window | less the last window of the page before |
/// | more windows | last window less first |
/// | rows, request rows | counts |
/// | spans | durations counted |
/// | chunks | one reference for each `TotalsChunk`, each after the one before |
///
/// Everything is ordered by names and times, so the same spans give the same bytes, whatever parts
/// they came from.
enum TotalsFormat {
    static let version: UInt64 = 1
    /// Of sections whose sums of minutes are exact: those that were joined from others. Rounding
    /// again what was rounded before would let the error grow.
    static let exactVersion: UInt64 = 2
    /// Nanoseconds.
    static let minute: UInt64 = 60_000_000_000
    static let windowMinutes: UInt64 = 10
    /// Buckets of one cell.
    static let fineSteps = 16
    /// Cells: one for zero, then a sixteenth of the buckets.
    static let cellCount = 1 + LatencyBucket.count / fineSteps

    /// The cell of a `LatencyBucket`.
    @inline(__always)
    static func cell(_ bucket: Int) -> Int { 1 + bucket / fineSteps }
}

/// The chunks of a page. The raw values are places in the index: they never change.
///
/// A *request row* is an edge in a window; its cells are the distinct numbers of calls that one
/// request made. The cells of rows come first, then those of request rows. "Packed" is
/// `PackedIntegers`.
enum TotalsChunk: Int, CaseIterable {
    /// | packed, a value for each | |
    /// |---|---|
    /// | row | window less first window |
    /// | row | group |
    /// | row | lowest cell |
    /// | row | number of cells, those between that are empty included |
    /// | request row | window less first window |
    /// | request row | edge |
    /// | request row | number of cells |
    /// | cell of a request row | calls of one request, ascending in a row |
    /// | cell | spans (requests) in it |
    /// | row | nanoseconds of all spans |
    /// | row | nanoseconds of the longest |
    case counts
    /// How the spans of a cell are spread over the ten minutes.
    ///
    /// | coding | |
    /// |---|---|
    /// | packed, a value a row | the minutes with spans, as bits |
    /// | packed, a value each of those minutes | nanoseconds as a `TotalsSum`, in version 2 as they are |
    /// | frame, a byte a cell | cells of one span: its minute |
    /// | the same twice | cells of two and of three: place of the ascending list of minutes among all such lists (`TotalsMinutes`) |
    /// | frames, ten bytes a cell | cells of 4...8, 9...20, 21...64, 65...255: the spans of each minute |
    /// | packed, ten values a cell | cells of more |
    case minutes
    /// Four bits a span, low half of a byte first, as they are: its fine step. By row, cell, minute,
    /// step.
    case fine
}

/// Cells by how many spans they have: each kind has its own coding of minutes.
enum TotalsCellKind: Int, CaseIterable {
    case one, two, three, few, some, many, most, rest

    init(_ count: UInt64) {
        switch count {
        case 1: self = .one
        case 2: self = .two
        case 3: self = .three
        case 4...8: self = .few
        case 9...20: self = .some
        case 21...64: self = .many
        case 65...255: self = .most
        default: self = .rest
        }
    }

    /// Those whose minutes are frames of bytes.
    static let framed = allCases.dropLast()

    /// Bytes a cell in a frame.
    var byteCount: Int {
        switch self {
        case .one, .two, .three: 1
        default: 10
        }
    }
}

/// Nanoseconds with fourteen significant bits, as a small number that keeps their order: a sum of one
/// minute is within 0.0062 %.
enum TotalsSum {
    /// Sums below 16,384 are themselves; then each doubling of the sum takes 8,192 numbers.
    static func encode(_ nanoseconds: UInt64) -> UInt64 {
        let drop = max(50 - nanoseconds.leadingZeroBitCount, 0)
        let kept = nanoseconds >> UInt64(drop)
        guard drop > 0 else { return kept }
        // Rounded; 16,384 reads as the first number of the next doubling.
        let rounded = kept + (nanoseconds >> UInt64(drop - 1) & 1)
        return UInt64(drop) << 13 + rounded
    }

    /// What `encode` never gives reads as the largest number.
    static func decode(_ code: UInt64) -> UInt64 {
        guard code >= 16_384 else { return code }
        let drop = code >> 13 - 1
        let kept = code - drop << 13
        // The largest sums of all can round up beyond 64 bits.
        return drop <= 51 && (kept << drop) >> drop == kept ? kept << drop : .max
    }
}

/// Ascending lists of one to three minutes, numbered.
enum TotalsMinutes {
    /// `lists[n - 1][place]`: how often each of the ten minutes stands in the list.
    static let lists: [[[UInt8]]] = (1...3).map { length in
        all(length, from: 0).map { list in
            var counts = [UInt8](repeating: 0, count: 10)
            for minute in list { counts[minute] += 1 }
            return counts
        }
    }

    /// By the minutes as decimal digits, highest first: the place.
    static let places: [[UInt8]] = (1...3).map { length in
        var places = [UInt8](repeating: 0, count: length == 1 ? 10 : length == 2 ? 100 : 1_000)
        for (place, list) in all(length, from: 0).enumerated() {
            places[list.reduce(0) { $0 * 10 + $1 }] = UInt8(place)
        }
        return places
    }

    private static func all(_ length: Int, from first: Int) -> [[Int]] {
        if length == 0 { return [[]] }
        return (first..<10).flatMap { minute in
            all(length - 1, from: minute).map { [minute] + $0 }
        }
    }
}
