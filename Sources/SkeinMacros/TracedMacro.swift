// SPDX-License-Identifier: Apache-2.0

#if Macros
internal import SwiftDiagnostics
internal import SwiftSyntax
internal import SwiftSyntaxBuilder
internal import SwiftSyntaxMacros

/// Puts the body of a function into a span. `@Traced(recording: "id")` on
///
///     func checkout(id: Int) async throws -> Receipt { BODY }
///
/// in the type `Cart` makes of its body:
///
///     return try await Skein.TracedCall.run("Cart.checkout", .internal, nil, {
///         [("id", .recording(`id`))]
///     }) { () async throws -> Receipt in BODY }
struct TracedMacro: BodyMacro {
    static func expansion(
        of node: AttributeSyntax,
        providingBodyFor declaration: some DeclSyntaxProtocol & WithOptionalCodeBlockSyntax,
        in context: some MacroExpansionContext
    ) throws -> [CodeBlockItemSyntax] {
        let body = declaration.body.map { Array($0.statements) } ?? []
        do throws(Misuse) {
            let function = try Self.function(declaration, node)
            let arguments = try Arguments(of: node, function)
            return [call(arguments, function, body, in: context)]
        } catch {
            context.diagnose(Diagnostic(node: error.node, message: error))
            // The body as it is: one message is enough.
            return body
        }
    }

    static func expansion(
        of node: AttributeSyntax,
        providingBodyFor closure: ClosureExprSyntax,
        in context: some MacroExpansionContext
    ) throws -> [CodeBlockItemSyntax] {
        let misuse = Misuse(node, "closure", "@Traced goes on a function, and this is a closure")
        context.diagnose(Diagnostic(node: misuse.node, message: misuse))
        return Array(closure.statements)
    }

    private static func function(
        _ declaration: some DeclSyntaxProtocol,
        _ node: AttributeSyntax
    ) throws(Misuse) -> FunctionDeclSyntax {
        guard let function = declaration.as(FunctionDeclSyntax.self) else {
            let what =
                switch declaration.kind {
                case .initializerDecl: "an initializer"
                case .deinitializerDecl: "a deinitializer"
                default: "none"
                }
            throw Misuse(
                node,
                "function",
                "@Traced goes on a function, and this is \(what): trace a function that it calls"
            )
        }
        guard function.body != nil else {
            throw Misuse(node, "body", "@Traced needs a function's body: put it where that is")
        }
        if let result = function.signature.returnClause?.type, result.is(SomeOrAnyTypeSyntax.self),
            result.trimmedDescription.hasPrefix("some")
        {
            throw Misuse(
                result,
                "opaque",
                "@Traced cannot return '\(result.trimmedDescription)': name the type it returns"
            )
        }
        if let clause = function.signature.effectSpecifiers?.throwsClause {
            if clause.throwsSpecifier.tokenKind == .keyword(.rethrows) {
                throw Misuse(clause, "rethrows", "@Traced cannot rethrow: write 'throws'")
            }
            if clause.type != nil {
                throw Misuse(
                    clause,
                    "typed throws",
                    "@Traced cannot throw one type alone: write 'throws'"
                )
            }
        }
        return function
    }

    private static func call(
        _ arguments: Arguments,
        _ function: FunctionDeclSyntax,
        _ body: [CodeBlockItemSyntax],
        in context: some MacroExpansionContext
    ) -> CodeBlockItemSyntax {
        let effects = function.signature.effectSpecifiers
        let throwing = effects?.throwsClause == nil ? "" : "throws "
        let waiting = effects?.asyncSpecifier == nil ? "" : "async "
        let marks = (throwing.isEmpty ? "" : "try ") + (waiting.isEmpty ? "" : "await ")
        let result = function.signature.returnClause?.type.trimmedDescription ?? "Void"
        let name = arguments.name ?? literal(scope(of: context) + bare(function.name.text))
        let recorded = arguments.recorded.map { "(\(literal($0)), .recording(\(escaped($0))))" }
        return """
            return \(raw: marks)Skein.TracedCall.run(\(raw: name), \(raw: arguments.kind), \
            \(raw: arguments.tracer), { [\(raw: recorded.joined(separator: ", "))] }) { \
            () \(raw: waiting)\(raw: throwing)-> \(raw: result) in
            \(CodeBlockItemListSyntax(body))
            }
            """
    }

    /// The types around the function, each with a point after it.
    private static func scope(of context: some MacroExpansionContext) -> String {
        let types = context.lexicalContext.compactMap { syntax in
            syntax.asProtocol((any NamedDeclSyntax).self)?.name.text
                ?? syntax.as(ExtensionDeclSyntax.self)?.extendedType.trimmedDescription
        }
        return types.reversed().map { "\(bare($0))." }.joined()
    }

    /// A literal of a text, which may hold quotes where it is a name.
    private static func literal(_ text: String) -> String {
        StringLiteralExprSyntax(content: text).description
    }

    /// A parameter whose name is a word of the language.
    private static func escaped(_ name: String) -> String {
        name == "self" ? name : "`\(name)`"
    }
}

/// What stands in the attribute's parentheses.
private struct Arguments {
    /// The literal, with its quotes; `nil` stands for the function's own name.
    var name: String?
    var kind = ".internal"
    var tracer = "nil"
    /// Names of parameters.
    var recorded: [String] = []

    init(of node: AttributeSyntax, _ function: FunctionDeclSyntax) throws(Misuse) {
        guard case .argumentList(let list)? = node.arguments else { return }
        let parameters = function.signature.parameterClause.parameters.map {
            bare(($0.secondName ?? $0.firstName).text)
        }
        var records = false
        for argument in list {
            switch argument.label?.text {
            case "kind": kind = argument.expression.trimmedDescription
            case "tracer": tracer = argument.expression.trimmedDescription
            case nil where !records: name = try Self.name(argument.expression)
            case "recording", nil:
                records = true
                recorded.append(try Self.parameter(argument.expression, parameters))
            default: break
            }
        }
    }

    private static func name(_ expression: ExprSyntax) throws(Misuse) -> String? {
        if expression.is(NilLiteralExprSyntax.self) { return nil }
        guard let text = literal(expression) else {
            throw Misuse(expression, "name", "@Traced wants its name as plain text in quotes")
        }
        guard !text.isEmpty else {
            throw Misuse(expression, "name", "@Traced wants a name, or none to take the function's")
        }
        return expression.trimmedDescription
    }

    private static func parameter(
        _ expression: ExprSyntax,
        _ parameters: [String]
    ) throws(Misuse) -> String {
        guard let name = literal(expression) else {
            throw Misuse(
                expression,
                "recording",
                "@Traced wants the names of parameters as plain text in quotes"
            )
        }
        guard name != "_", parameters.contains(name) else {
            let known = parameters.filter { $0 != "_" }.map { "'\($0)'" }.joined(separator: ", ")
            throw Misuse(
                expression,
                "parameter",
                "no parameter is named '\(name)' here; "
                    + (known.isEmpty ? "there is none" : "there is \(known)")
            )
        }
        return name
    }

    /// The text that a literal stands for, whose only escapes are those of quotes; `nil` where values
    /// are put in.
    private static func literal(_ expression: ExprSyntax) -> String? {
        guard let literal = expression.as(StringLiteralExprSyntax.self) else { return nil }
        let texts = literal.segments.compactMap { $0.as(StringSegmentSyntax.self)?.content.text }
        guard texts.count == literal.segments.count else { return nil }
        let text = texts.joined()
        return literal.openingPounds == nil ? text.replacing("\\\"", with: "\"") : text
    }
}

/// A name as it is meant, and not as it is written where it is a word of the language or holds blanks:
/// backticks are never part of one.
private func bare(_ name: String) -> String { name.filter { $0 != "`" } }

/// What is wrong with an attribute, where, and what to do.
private struct Misuse: Error, DiagnosticMessage {
    let node: Syntax
    let message: String
    let diagnosticID: MessageID
    var severity: DiagnosticSeverity { .error }

    init(_ node: some SyntaxProtocol, _ id: String, _ message: String) {
        self.node = Syntax(node)
        self.message = message
        diagnosticID = MessageID(domain: "Skein", id: id)
    }
}
#endif
