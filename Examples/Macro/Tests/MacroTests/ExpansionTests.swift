// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Asks the compiler itself what it makes of an attribute, and what it says of one that is misused.
@Suite(.timeLimit(.minutes(5))) struct ExpansionTests {
    private struct Answer {
        var status: Int32
        /// Everything the compiler printed, blanks and line ends as one blank.
        var text: String
    }

    private func compile(_ code: String) throws -> Answer {
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("skein-macro-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("Code.swift")
        try Data("import Skein\n\(code)\n".utf8).write(to: file)
        let plugin = products.appendingPathComponent("SkeinMacros-tool").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "swiftc", "-typecheck", "-swift-version", "6", "-parse-as-library", file.path,
            "-I", products.appendingPathComponent("Modules").path,
            "-load-plugin-executable", "\(plugin)#SkeinMacros",
            "-Xfrontend", "-dump-macro-expansions",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        return Answer(status: process.terminationStatus, text: words.joined(separator: " "))
    }

    @Test(arguments: [
        (
            "@Traced func f() { g() }; func g() {}",
            """
            return Skein.TracedCall.run("f", .internal, nil, { [] }) { () -> Void in g() }
            """
        ),
        (
            #"@Traced("x", kind: .server, recording: "b") func f(a b: Int) async throws -> Int { b }"#,
            """
            return try await Skein.TracedCall.run("x", .server, nil, { \
            [("b", .recording(`b`))] }) { () async throws -> Int in b }
            """
        ),
        (
            "extension Array { struct S { @Traced(tracer: nil) func f() throws { return } } }",
            """
            return try Skein.TracedCall.run("Array.S.f", .internal, nil, { [] }) { \
            () throws -> Void in return }
            """
        ),
        (
            "enum `class` { @Traced static func `default`() {} }",
            """
            TracedCall.run("class.default", .internal
            """
        ),
        (
            #"struct `a "b"` {}; extension `a "b"` { @Traced func `says "no" twice`() {} }"#,
            ##"""
            TracedCall.run(#"a "b".says "no" twice"#, .internal
            """##
        ),
        (
            #"@Traced(recording: "in", "the \"id\"") func f(in: Int, _ `the "id"`: Int) {}"#,
            ##"""
            { [("in", .recording(`in`)), (#"the "id""#, .recording(`the "id"`))] }
            """##
        ),
    ])
    func `a body is put into a call`(code: String, expansion: String) throws {
        let answer = try compile(code)
        #expect(answer.status == 0, "\(answer.text)")
        #expect(answer.text.contains(expansion), "\(answer.text)")
    }

    @Test(arguments: [
        (
            "struct S { @Traced init() {} }",
            "@Traced goes on a function, and this is an initializer"
        ),
        (
            "class C { @Traced deinit {} }",
            "@Traced goes on a function, and this is a deinitializer"
        ),
        (
            "struct S { var x: Int { @Traced get { 1 } } }",
            // The compiler's own words.
            "declaration is not a type with an optional code block"
        ),
        ("protocol P { @Traced func f() }", "@Traced needs a function's body"),
        (
            "@Traced func f() -> some Equatable { 1 }",
            "@Traced cannot return 'some Equatable': name the type it returns"
        ),
        (
            "@Traced func f(_ g: () throws -> Void) rethrows { try g() }",
            "@Traced cannot rethrow: write 'throws'"
        ),
        (
            "struct E: Error {}; @Traced func f() throws(E) { throw E() }",
            "@Traced cannot throw one type alone: write 'throws'"
        ),
        (#"@Traced("") func f() {}"#, "@Traced wants a name"),
        (
            #"@Traced(recording: "c") func f(a b: Int, _ d: Int, _: Int) {}"#,
            "no parameter is named 'c' here; there is 'b', 'd'"
        ),
        (#"@Traced(recording: "a") func f() {}"#, "no parameter is named 'a' here; there is none"),
        (
            #"let n = "a"; @Traced(recording: n) func f(a: Int) {}"#,
            "@Traced wants the names of parameters as plain text in quotes"
        ),
    ])
    func `misuse is said at its place`(code: String, message: String) throws {
        let answer = try compile(code)
        #expect(answer.status != 0)
        #expect(answer.text.contains("error: \(message)"), "\(answer.text)")
        #expect(answer.text.contains("Code.swift:2:"))
    }
}
