// SPDX-License-Identifier: Apache-2.0

/// What a user asked wrongly: where, what was wrong, and what to write instead.
public struct QueryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The parameter whose text is wrong, once it is known.
    public var parameter: String?
    /// The text as it was given.
    public var text: String
    /// Characters of `text` before the fault, or `nil` where the whole is meant.
    public var position: Int?
    /// What is wrong.
    public var problem: String
    /// What would be right.
    public var hint: String

    /// Describes a fault.
    public init(
        parameter: String? = nil,
        text: String,
        position: Int? = nil,
        problem: String,
        hint: String
    ) {
        self.parameter = parameter
        self.text = text
        self.position = position
        self.problem = problem
        self.hint = hint
    }

    /// The same fault, said of `parameter`.
    public func of(_ parameter: String) -> QueryError {
        var error = self
        error.parameter = parameter
        return error
    }

    /// One sentence: `tag "a b": at character 2: a key ends at a space; write …`.
    public var description: String {
        var result = parameter.map { $0 + " " } ?? ""
        // Long input is not echoed whole; the position still tells the place.
        let shown = text.count > 80 ? text.prefix(79) + "…" : text[...]
        result += "\"\(shown)\": "
        if let position { result += "at character \(position + 1): " }
        return result + problem + "; " + hint
    }
}
