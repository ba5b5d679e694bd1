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
/// Index (numbers are varints):
///
/// | field | meaning |
/// |---|---|
/// | version | 1 |
/// | names | count, then each a run of bytes; ascending |
/// | groups | count, then each: service, operation (names; the count of names: "other operations"), kind × 4 + status, calling service + 1 or 0; ascending by these |
/// | edges | count, then each: calling service, called service |
/// | pages | count, then each as below; ascending |
///
/// | field of a page | meaning |
/// |---|---|
/// | first window | less the first of the page before |
/// | more windows | last window less first |
/// | rows, request rows | counts |
/// | spans | durations counted |
/// | chunks | one for each `TotalsChunk`: a chunk reference, or 0 for none |
///
/// Everything is ordered by names and times, so the same spans give the same bytes, whatever parts
/// they came from.
enum TotalsFormat {
    static let version: UInt64 = 1
    /// Nanoseconds.
    static let minute: UInt64 = 60_000_000_000
    static let windowMinutes: UInt64 = 10
    /// Buckets of one cell.
    static let fineSteps = 16
    /// Cells: one for zero, then a sixteenth of the buckets.
    static let cellCount = 1 + LatencyBucket.count / fineSteps
}

/// The chunks of a page. The raw values are places in the index: they never change.
///
/// "Packed" is `PackedIntegers`. A *request row* is an edge in a window; its cells are the distinct
/// numbers of calls a request made. Cells of rows come first, then those of request rows.
enum TotalsChunk: Int, CaseIterable {
    /// Packed, a value a row: window less first window; group; lowest cell; number of cells (those
    /// between that are empty included). Then, a value a request row: window less first window; edge;
    /// number of cells.
    case rows
    /// Packed, a value a cell: spans (requests) in it.
    case cells
    /// Packed, a value a row: nanoseconds of all spans; then the longest.
    case sums
    /// Packed, a value a row: the minutes with spans, as bits. Then, a value each of those minutes:
    /// nanoseconds as a `TotalsSum`.
    case minuteSums
    /// How the spans of a cell are spread over the ten minutes, in a chunk by how many they are.
    /// One, two, three: a byte a cell, the place of the ascending list of minutes among all such
    /// lists (`TotalsMinutes`).
    case one, two, three
    /// 4...8, 9...20, 21...64, 65...255: ten bytes a cell, the spans of each minute.
    case few, some, many, most
    /// Above: packed, ten values a cell.
    case rest
    /// Four bits a span, low half of a byte first: its fine step. By row, cell, minute, step.
    case fine
    /// Packed, a value a cell of a request row: calls of one request, ascending in a row.
    case calls

    /// Where the minutes of a cell of `count` spans stand.
    static func minutes(of count: UInt64) -> TotalsChunk {
        switch count {
        case 1: .one
        case 2: .two
        case 3: .three
        case 4...8: .few
        case 9...20: .some
        case 21...64: .many
        case 65...255: .most
        default: .rest
        }
    }
}

/// Nanoseconds with twelve significant bits, as a small number that keeps their order: a sum of one
/// minute is within 0.013 %.
enum TotalsSum {
    /// Sums below 4,096 are themselves; then each doubling of the sum takes 2,048 numbers.
    static func encode(_ nanoseconds: UInt64) -> UInt64 {
        let drop = max(52 - nanoseconds.leadingZeroBitCount, 0)
        let kept = nanoseconds >> UInt64(drop)
        guard drop > 0 else { return kept }
        // Rounded; 4,096 reads as the first number of the next doubling.
        let rounded = kept + (nanoseconds >> UInt64(drop - 1) & 1)
        return UInt64(drop) << 11 + rounded
    }

    /// - Returns: `nil` for what `encode` never gives.
    static func decode(_ code: UInt64) -> UInt64? {
        guard code >= 4_096 else { return code }
        let drop = code >> 11 - 1
        let kept = code - drop << 11
        guard drop <= 53 else { return nil }
        // Only the largest sums of all can round up beyond 64 bits.
        return (kept << drop) >> drop == kept ? kept << drop : .max
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
