// SPDX-License-Identifier: Apache-2.0

/// What the browser is sent of a module: the same lines without comments and indentation, which are for readers
/// of the source. No names change and no line moves, so that an error tells the line of the file in `web/`.
///
/// This is no parser. It holds for `web/` because there every comment begins with `/**`, or with `//` as the first
/// characters of its line, no text contains `/**`, and backquotes come in pairs.
enum Stripping {
    static func stripped(_ source: String) -> String {
        var lines: [Substring] = []
        // Inside a template, spaces at the beginning of a line are part of the text.
        var inTemplate = false
        let bare = withoutBlocks(source)
        for line in bare.split(separator: "\n", omittingEmptySubsequences: false) {
            let trimmed = line.drop { $0 == " " }
            if inTemplate {
                lines.append(line)
            } else if trimmed.hasPrefix("//") {
                lines.append("")
                continue
            } else {
                lines.append(trimmed)
            }
            if line.count(where: { $0 == "`" }) % 2 == 1 { inTemplate.toggle() }
        }
        return lines.joined(separator: "\n")
    }

    /// Without `/** … */`, but with the line ends inside.
    private static func withoutBlocks(_ source: String) -> String {
        var result = ""
        var rest = source[...]
        while let begin = rest.firstRange(of: "/**") {
            result += rest[..<begin.lowerBound]
            let block = rest[begin.upperBound...]
            guard let end = block.firstRange(of: "*/") else {
                return result + rest[begin.lowerBound...]
            }
            result += block[..<end.lowerBound].filter { $0 == "\n" }
            rest = block[end.upperBound...]
            // The space between a type and what it is of.
            if rest.first == " " { rest.removeFirst() }
        }
        return result + rest
    }
}
