// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the command knows of the terminal it runs in.
enum Terminal {
    enum Stream: Int32 { case output = 1, error = 2 }

    /// Whether `stream` goes to a person's terminal.
    static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }

    /// Whether colours are wanted: on a terminal, unless `NO_COLOR` says no.
    static var hasColours: Bool {
        isTerminal(.output) && getenv("NO_COLOR") == nil
    }

    /// Columns of the terminal; 100 where there is none.
    static func width(_ stream: Stream) -> Int {
        var size = winsize()
        guard ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return 100
        }
        return max(Int(size.ws_col), 40)
    }
}

/// Bars of block characters, eight steps to a column.
enum Bar {
    private static let eighths = Array(" ▏▎▍▌▋▊▉")

    /// A bar of `part` (0 ... 1) of `width` columns, padded to the width.
    static func text(_ part: Double, width: Int) -> String {
        let steps = Int((min(max(part, 0), 1) * Double(width * 8)).rounded())
        let full = String(repeating: "█", count: steps / 8)
        let rest = steps % 8 == 0 ? "" : String(eighths[steps % 8])
        let used = steps / 8 + (rest.isEmpty ? 0 : 1)
        return full + rest + String(repeating: " ", count: max(width - used, 0))
    }

    /// A bar from `start` to `end` (0 ... 1) of `width` columns; at least one column is filled.
    static func span(from start: Double, to end: Double, width: Int) -> String {
        let first = min(Int(max(start, 0) * Double(width)), width - 1)
        let last = min(max(Int((min(end, 1) * Double(width)).rounded(.up)), first + 1), width)
        return String(repeating: " ", count: first)
            + String(repeating: "█", count: last - first)
            + String(repeating: " ", count: width - last)
    }
}

/// Numbers for people.
enum Measure {
    /// Nanoseconds as `17 µs`, `3.42 ms`, `1.20 s`, `2 m 5 s`.
    static func duration(nanoseconds: UInt64) -> String {
        duration(Double(nanoseconds) / 1e9)
    }

    /// Seconds, in the same way.
    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<1e-6: "\(Int((seconds * 1e9).rounded())) ns"
        case ..<1e-3: "\(fixed(seconds * 1e6, 0)) µs"
        case ..<1: "\(fixed(seconds * 1e3, seconds < 0.1 ? 2 : 0)) ms"
        case ..<60: "\(fixed(seconds, 2)) s"
        default: "\(Int(seconds) / 60) m \(Int(seconds) % 60) s"
        }
    }

    /// `1 span`, `2 spans`.
    static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)" + (count == 1 ? "" : "s")
    }

    /// A count as `950`, `12.3 k`, `1.2 M`.
    static func count(_ value: Double) -> String {
        switch value {
        case ..<1_000: "\(Int(value.rounded()))"
        case ..<1_000_000: "\(fixed(value / 1e3, 1)) k"
        default: "\(fixed(value / 1e6, 1)) M"
        }
    }

    /// Bytes as `512 B`, `3.4 KiB`, `1.2 GiB`.
    static func bytes(_ count: Int) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1_024 { return "\(fixed(value, unit == "B" ? 0 : 1)) \(unit)" }
            value /= 1_024
        }
        return "\(fixed(value, 1)) TiB"
    }

    /// Nanoseconds since 1970 as `2026-11-21 05:02:27.114` UTC.
    static func time(nanoseconds: UInt64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        }
        let date = [padded(parts.tm_year + 1_900, 4), padded(parts.tm_mon + 1, 2)]
        let clock = [padded(parts.tm_hour, 2), padded(parts.tm_min, 2), padded(parts.tm_sec, 2)]
        return date.joined(separator: "-") + "-" + padded(parts.tm_mday, 2) + " "
            + clock.joined(separator: ":") + "." + padded(nanoseconds / 1_000_000 % 1_000, 3)
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = [1.0, 10, 100][digits]
        let scaled = Int((value * scale).rounded())
        guard digits > 0 else { return String(scaled) }
        let rest = String(scaled % Int(scale))
        return "\(scaled / Int(scale))." + String(repeating: "0", count: digits - rest.count) + rest
    }
}
