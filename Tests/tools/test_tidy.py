# SPDX-License-Identifier: Apache-2.0
"""Tests of tools/tidy: each rule sees its planted violation and leaves good code alone."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "tidy"))

import rules_docs  # noqa: E402
import rules_files  # noqa: E402
import rules_manifest  # noqa: E402
import rules_swift  # noqa: E402
from swift_source import blank, functions  # noqa: E402

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def rules(findings):
    return [finding.rule for finding in findings]


@pytest.mark.parametrize(
    "path, line, rule",
    [
        ("Sources/Skein/A.swift", "print(1)", "print"),
        ("Server/Sources/Query/A.swift", "let now = Date()", "wall-clock"),
        ("Server/Sources/API/A.swift", "Thread.sleep(forTimeInterval: 1)", "sleep"),
        ("Server/Tests/EngineTests/A.swift", "usleep(10)", "sleep"),
        ("Server/Sources/API/A.swift", "let a = try! b()", "force-try"),
        ("Server/Sources/API/A.swift", "DispatchQueue.global().async {}", "dispatch"),
        ("Sources/SkeinWire/A.swift", 'fatalError("no")', "fatal-error"),
        ("Sources/SkeinWire/A.swift", "import FoundationEssentials", "foundation-hot"),
        ("Server/Sources/Shop/A.swift", "public import Foundation", "foundation"),
        ("Server/Sources/Engine/A.swift", "import Glibc", "system-call"),
        ("Server/Sources/Engine/A.swift", "let t = ContinuousClock.now", "system-call"),
        ("Server/Sources/Engine/A.swift", "let n = Int.random(in: 0..<3)", "randomness"),
        ("Sources/SkeinSampling/A.swift", "var g = SystemRandomNumberGenerator()", "system-call-sdk"),
        ("Server/Sources/Query/A.swift", "import NIOPosix", "socket"),
        ("Sources/SkeinWire/A.swift", "let p: UnsafeRawPointer", "unsafe"),
        ("Server/Sources/API/A.swift", "bytes.withUnsafeBytes { f($0) }", "unsafe"),
        ("Server/Sources/Engine/Limits.swift", "static let a = 1", "limit"),
    ],
)
def test_a_banned_line_is_found_once(path, line, rule):
    findings = rules_swift.check({path: SPDX + line + "\n"})
    assert rules(findings) == [rule]
    assert findings[0].line == 2


@pytest.mark.parametrize(
    "path, line",
    [
        ("Server/Sources/SkeinCommand/A.swift", "print(1)"),
        ("Sources/Skein/A.swift", "fingerprint(1); a.print(2)"),
        ("Sources/Skein/A.swift", "// print(1) and try! and DispatchQueue"),
        ("Sources/Skein/A.swift", 'let s = "print(1) try! Date()"'),
        ("Sources/Skein/A.swift", 'let s = #"a " try! "b"#'),
        ("Server/Sources/Platform/A.swift", "import Glibc"),
        ("Server/Sources/Shop/A.swift", "import FoundationEssentials"),
        ("Sources/SkeinWire/UnsafeReader.swift", "let p: UnsafeRawPointer"),
        ("Sources/SkeinWire/Reader+Unsafe.swift", "let p: UnsafeRawPointer"),
        ("Tests/SkeinWireTests/A.swift", "let p: UnsafeRawPointer"),
        ("Server/Sources/Engine/A.swift", "let n = Int.random(in: 0..<3, using: &source)"),
        ("Server/Sources/Engine/Limits.swift", "/// Bytes: as many as fit.\nstatic let a = 1"),
        ("Server/Tests/WireOracleTests/trace.pb.swift", "usleep(1)"),
    ],
)
def test_good_code_is_left_alone(path, line):
    assert rules(rules_swift.check({path: SPDX + line + "\n"})) == []


def test_code_in_an_interpolation_is_seen():
    code = blank('let s = "a \\(try! f("x")) print(1)"')
    assert "try! f(" in code
    assert "print" not in code


def test_blanking_keeps_lines_and_columns():
    source = 'a /* b /* c\n */ d */ e "f\\"g" h\n"""\n i "j" \n""" k // l\nm'
    code = blank(source)
    assert len(code) == len(source)
    assert code.split() == ["a", "e", '"', '"', "h", '"""', '"""', "k", "m"]


def body(lines):
    return "".join(f"    let a{number} = {number}\n" for number in range(lines))


@pytest.mark.parametrize(
    "head",
    [
        "func f() {",
        "func `rejects a \"quote\" and (more)`(x: [Int] = [], y: () -> Void = {}) async throws {",
        "init?(a: Int) {",
        "subscript(index: Int) -> Int {",
        "var x: Int {",
        "func f<T>(\n    a: T\n) -> [T]\nwhere T: Equatable,\n    T: Sendable\n{",
        "deinit {",
    ],
)
def test_a_function_of_seventy_lines_passes_and_one_more_does_not(head):
    head_lines = head.count("\n") + 1
    for lines, expected in ((70, []), (71, ["function-size"])):
        source = SPDX + head + "\n" + body(lines - head_lines - 1) + "}\n"
        assert rules(rules_swift.check({"Sources/Skein/A.swift": source})) == expected


def test_requirements_and_calls_are_not_functions():
    source = "protocol P {\n  func a(b: Int) -> Int\n  init(c: Int)\n}\nlet d = P.init(c: 1)\n"
    assert functions(blank(source)) == []


def test_a_file_over_eight_hundred_lines_is_found():
    text = SPDX + "let a = 1\n" * 800
    assert rules(rules_files.check({"Sources/Skein/A.swift": text})) == ["file-size"]


def test_a_long_python_function_is_found():
    text = "# SPDX-License-Identifier: Apache-2.0\ndef f():\n" + "    a = 1\n" * 70
    assert rules(rules_files.check({"bench/a.py": text})) == ["function-size"]


@pytest.mark.parametrize(
    "path, text, expected",
    [
        ("a.swift", "import A\n", ["licence"]),
        ("a.sh", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n", []),
        ("Package.swift", "// swift-tools-version: 6.2\n" + SPDX, []),
        ("a.c", SPDX + "// FIXME later\n", ["unfinished"]),
        ("a.md", "TODO: write\n", ["unfinished"]),
        ("a.md", "see /" + "tmp/x and /" + "work/y\n", ["outside-path", "outside-path"]),
        ("a.md", "see ../" + "shared/notes.md\n", ["outside-path"]),
        ("Tests/a.py", SPDX.replace("//", "#") + "D = '../" + "shared/data/wire'\n", []),
        ("a.md", "GET /api/traces and build/tmp/x\n", []),
    ],
)
def test_rules_of_any_file(path, text, expected):
    assert rules(rules_files.check({path: text})) == expected


MANIFEST = {
    "targets": [
        {
            "name": "Analysis", "type": "regular",
            "dependencies": [{"product": ["SkeinModel", "skein", None, None]}],
        },
        {"name": "Store", "type": "regular", "dependencies": [{"byName": ["Engine", None]}]},
        {"name": "Unheard", "type": "regular", "dependencies": []},
    ]
}


def test_imports_and_arrows():
    texts = {
        "Server/Package.swift": "",
        "Server/Sources/Analysis/A.swift": SPDX + "public import SkeinModel\nimport struct Store.A\n",
        "Server/Sources/Store/A.swift": SPDX + "// import Query\nimport Synchronization\n",
    }
    findings = rules_manifest.check_package("Server/", MANIFEST, texts)
    assert [(finding.path, finding.line, finding.rule) for finding in findings] == [
        ("Server/Sources/Analysis/A.swift", 3, "import"),
        ("Server/Package.swift", 1, "arrow"),
        ("Server/Package.swift", 1, "arrow"),
    ]
    assert "Store may not depend on Engine" in findings[1].message
    assert "Unheard is new" in findings[2].message


def test_documentation(tmp_path):
    (tmp_path / "docs").mkdir()
    pages = {
        "README.md": "# A\n[b](docs/b.md#how-it-works) [c](docs/c.md) [d](https://example.org)\n",
        "docs/b.md": "# B\n\n## How it works\n```\n# not a title\n[x](nowhere)\n```\n"
                     "[up](../README.md) [gone](#nothing)\n",
        "docs/d.md": "## No title\n<img src=\"b.md\" alt=\"\"><source srcset=\"dark.png\">\n",
        "docs/e.md": "# One\n# Two\n",
    }
    for path, text in pages.items():
        (tmp_path / path).write_text(text)
    findings = rules_docs.check(tmp_path, pages)
    assert [(finding.path, finding.line, finding.rule) for finding in findings] == [
        ("README.md", 2, "link"),
        ("docs/b.md", 8, "link"),
        ("docs/d.md", 1, "title"),
        ("docs/d.md", 2, "link"),
        ("docs/e.md", 2, "title"),
    ]


def test_a_guide_shows_what_is_compiled(tmp_path):
    compiled = "import Skein\n\nprivate func go() {\n    let trace = CapturedTrace()\n    trace.run {}\n}\n"
    guide = "# A\n```swift\nlet trace = CapturedTrace()\n{}\n```\n"
    same, other = guide.replace("{}", "trace.run {}"), guide.replace("{}", "trace.run()")
    for text, lines in ((same, []), (other, [2])):
        pages = {"Sources/Skein/Skein.docc/A.md": text, rules_docs.LISTINGS: compiled}
        assert [finding.line for finding in rules_docs.check(tmp_path, pages)] == lines


def test_the_program_fails_on_a_planted_violation(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.py").write_text("print('no licence line')\n")
    answer = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "tidy"), "--root", str(tmp_path)],
        capture_output=True, text=True)
    assert answer.returncode == 1
    assert "a.py:1: licence:" in answer.stdout
