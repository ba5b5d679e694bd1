# SPDX-License-Identifier: Apache-2.0
"""Rules about any text file: licence line, size, unfinished work, paths outside the repository."""

import ast
import re

from findings import Finding, line_of

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70

SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_SUFFIXES = (".swift", ".c", ".h", ".cpp", ".py", ".sh", ".js", ".css", ".proto")
SPDX_NAMES = ("Makefile", ".ci/run")

SOURCE_SUFFIXES = SPDX_SUFFIXES + (".html",)

# Files that are not written by hand, or whose first line has to be something else.
SPDX_EXEMPT = {
    # SwiftPM wants `swift-tools-version` there; the licence line follows.
    "Package.swift": 2,
    "Server/Package.swift": 2,
    "Fuzz/Package.swift": 2,
    "bench/sdk-bench/Package.swift": 2,
    "Examples/Database/Package.swift": 2,
    "Examples/Exporters/Package.swift": 2,
    "Examples/Macro/Package.swift": 2,
    "Examples/Messaging/Package.swift": 2,
    "Examples/Web/Package.swift": 2,
}
GENERATED = re.compile(r"\.pb\.swift$")

# Tidy and its tests have to spell what they forbid.
SPELLS_RULES = re.compile(r"^(?:tools/tidy/|Tests/tools/)")

UNFINISHED = re.compile(r"\b(?:FIXME|TODO|XXX)\b")
OUTSIDE = re.compile(r"(?<![\w.$}/~-])(?:/(?:work|tmp|root|home)/|\.\./shared\b)[\w./-]*")
# Third-party data may stand beside a clone: tests read it from there and say when it is absent.
SHARED_DATA = re.compile(r"^\.\./shared/data\b")


def check(texts):
    findings = []
    for path, text in texts.items():
        if GENERATED.search(path):
            continue
        findings += _licence(path, text)
        findings += _size(path, text)
        if path.endswith(".py"):
            findings += _python_functions(path, text)
        if not SPELLS_RULES.match(path):
            findings += _unfinished(path, text)
            findings += _outside(path, text)
    return findings


def _licence(path, text):
    if not path.endswith(SPDX_SUFFIXES) and path not in SPDX_NAMES:
        return
    lines = text.split("\n")
    number = SPDX_EXEMPT.get(path, 1)
    if lines[0].startswith("#!"):
        number += 1
    if len(lines) < number or SPDX not in lines[number - 1]:
        yield Finding(path, number, "licence", f"this line must say {SPDX}")


def _size(path, text):
    count = text.count("\n")
    if path.endswith(SOURCE_SUFFIXES) and count > FILE_LINES_MAX:
        yield Finding(path, count, "file-size", f"{count} lines, {FILE_LINES_MAX} allowed: split it")


def _python_functions(path, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            count = node.end_lineno - node.lineno + 1
            if count > FUNCTION_LINES_MAX:
                yield Finding(
                    path, node.lineno, "function-size",
                    f"{node.name} has {count} lines, {FUNCTION_LINES_MAX} allowed: split it")


def _unfinished(path, text):
    for match in UNFINISHED.finditer(text):
        yield Finding(
            path, line_of(text, match.start()), "unfinished",
            f"{match[0]}: finish it, or open an issue and describe the limit in docs/limits.md")


def _outside(path, text):
    for match in OUTSIDE.finditer(text):
        if SHARED_DATA.match(match[0]) and (
                path.startswith(("Tests/", "Server/Tests/")) or path.endswith(".md")):
            continue
        yield Finding(
            path, line_of(text, match.start()), "outside-path",
            f"{match[0]} is outside the repository: take it as an argument or from a temporary folder")
