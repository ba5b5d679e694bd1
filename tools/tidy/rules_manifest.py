# SPDX-License-Identifier: Apache-2.0
"""Rules about modules: a target imports what it declares, and arrows go one way."""

import json
import os
import re
import subprocess

from findings import Finding, line_of
from swift_source import blank

# What comes with the toolchain. Which of these a module may use is a matter of rules_swift.py.
TOOLCHAIN = {
    "Swift", "Synchronization", "Foundation", "FoundationEssentials", "FoundationNetworking",
    "Glibc", "Musl", "Darwin", "Dispatch", "Testing", "Observation", "PackageDescription",
}

# Station -> stations and vocabularies of ours that it may name. Arrows follow the way of a span.
ARROWS = {
    "SkeinModel": set(),
    "SkeinWire": {"SkeinModel"},
    "SkeinPropagation": {"SkeinModel"},
    "SkeinSampling": {"SkeinModel"},
    "CGzip": set(),
    "CHiredis": set(),
    "SkeinMacros": set(),
    "Skein": {
        "CGzip", "CHiredis", "SkeinMacros", "SkeinModel", "SkeinWire", "SkeinPropagation",
        "SkeinSampling",
    },
    "SkeinTesting": {"Skein", "SkeinModel", "SkeinPropagation"},
    "CChecksum": set(),
    "CPlatform": set(),
    "CPatterns": set(),
    "CZlib": set(),
    "CZstd": set(),
    "CWebAssets": set(),
    "Platform": {"CChecksum", "CPlatform"},
    "Store": {"SkeinModel"},
    "QueryLanguage": {"CPatterns", "SkeinModel"},
    "Analysis": {"SkeinModel"},
    "Ingest": {"Store", "CZlib", "CZstd", "SkeinModel", "SkeinWire"},
    "Engine": {"Store", "Platform", "CZstd", "SkeinModel", "SkeinWire"},
    "Query": {"QueryLanguage", "Store", "Analysis", "SkeinModel", "SkeinPropagation"},
    "ShortLinks": {"Platform"},
    "StoreContract": {"Store", "SkeinModel"},
    # What measures a store is to a store as `Server` is: it puts the engine and a decoder together.
    "StoreBench": {"Engine", "Ingest", "Platform", "Store", "SkeinModel", "SkeinWire"},
    "WireBench": {"SkeinModel", "SkeinWire"},
    "AnalysisBench": {"Analysis", "SkeinModel"},
    "Simulation": {
        "Engine", "Platform", "Store", "StoreContract", "CZstd", "SkeinModel", "SkeinWire",
    },
    "SimulateCommand": {"Simulation", "Platform"},
    "Receivers": {"Ingest", "Store", "Platform", "SkeinModel", "SkeinWire"},
    "API": {
        "Query", "QueryLanguage", "Analysis", "ShortLinks", "Store", "SkeinModel", "SkeinWire",
    },
    "WebUI": {"CWebAssets", "CZlib"},
    "Server": {
        "API", "Engine", "Ingest", "Platform", "Query", "QueryLanguage", "Receivers",
        "ShortLinks", "Store", "WebUI", "SkeinModel", "SkeinWire",
    },
    "Shop": {"Skein"},
    "Client": {"CZlib", "CZstd", "SkeinModel", "SkeinWire"},
    # `skein inspect` reads a data folder without a server, so the command names the engine too.
    "SkeinCommand": {
        "Server", "Shop", "Client", "Analysis", "Engine", "Platform", "QueryLanguage", "Store",
        "Skein", "SkeinModel", "SkeinWire",
    },
}

IMPORT = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)",
    re.M,
)


def check(root, texts):
    findings = []
    for folder in ("", "Server/", "Fuzz/"):
        if f"{folder}Package.swift" in texts:
            try:
                findings += check_package(folder, _manifest(root / folder), texts)
            except subprocess.CalledProcessError as error:
                message = error.stderr.strip().split("\n")[-1]
                findings.append(Finding(f"{folder}Package.swift", 1, "manifest", message))
    return findings


def _manifest(folder):
    """The manifest as SwiftPM evaluates it."""
    environment = {name: value for name, value in os.environ.items() if name != "SKEIN_PURE"}
    answer = subprocess.run(
        ["swift", "package", "dump-package"], cwd=folder, env=environment, check=True,
        capture_output=True, text=True)
    return json.loads(answer.stdout)


def check_package(folder, manifest, texts):
    """Findings about one package, whose folder ends in a slash or is empty."""
    findings = []
    for target in manifest["targets"]:
        name, is_test = target["name"], target["type"] == "test"
        declared = {next(iter(entry.values()))[0] for entry in target["dependencies"]}
        path = f"{folder}Package.swift"
        if not is_test and folder != "Fuzz/":
            findings += _arrows(path, name, declared)
        sources = target.get("path") or f"{'Tests' if is_test else 'Sources'}/{name}"
        for file, text in texts.items():
            if file.startswith(f"{folder}{sources}/") and file.endswith(".swift"):
                findings += _imports(file, text, name, declared)
    return findings


def _arrows(path, name, declared):
    if name not in ARROWS:
        yield Finding(path, 1, "arrow", f"{name} is new: say in ARROWS which stations it may name")
        return
    for other in sorted(declared & ARROWS.keys() - ARROWS[name]):
        yield Finding(
            path, 1, "arrow", f"{name} may not depend on {other}; see the module map in ARCHITECTURE.md")


def _imports(file, text, name, declared):
    code = blank(text)
    for match in IMPORT.finditer(code):
        if match[1] not in declared | TOOLCHAIN | {name}:
            yield Finding(
                file, line_of(code, match.start(1)), "import",
                f"{name} imports {match[1]} but its manifest does not declare it")
