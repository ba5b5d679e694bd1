// SPDX-License-Identifier: Apache-2.0

// SkeinMacros is for the compiler: it writes what `@Traced` stands for. It never runs in an application.

#if Macros
internal import SwiftCompilerPlugin
internal import SwiftSyntaxMacros

/// What the compiler asks.
@main
struct SkeinMacrosPlugin: CompilerPlugin {
    let providingMacros: [any Macro.Type] = [TracedMacro.self]
}
#else
/// Without the trait there is no macro, but the target is built nonetheless.
@main
enum NoMacros {
    static func main() {}
}
#endif
