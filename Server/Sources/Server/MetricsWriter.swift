// SPDX-License-Identifier: Apache-2.0

/// Writes figures in Prometheus's text format, version 0.0.4:
/// ```
/// # HELP skein_store_parts Live parts.
/// # TYPE skein_store_parts gauge
/// skein_store_parts 3
/// ```
struct MetricsWriter {
    /// Kinds of figures.
    enum Kind: String { case counter, gauge }

    private(set) var text = ""
    private var name = ""

    /// Begins a family; its samples follow.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text +=
            "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Adds a sample to the family begun last.
    mutating func sample(
        _ value: some CustomStringConvertible,
        _ labels: KeyValuePairs<String, String> = [:]
    ) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.key)=\"\(Self.escaped($0.value, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    /// A family of one sample.
    mutating func figure(
        _ name: String,
        _ kind: Kind,
        _ help: String,
        _ value: some CustomStringConvertible
    ) {
        family(name, kind, help)
        sample(value)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
