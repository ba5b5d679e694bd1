#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what the compiler and the formatter do not: `python3 tools/tidy [--only docs]`.

Reads every file that git knows or would add, prints one line per finding as
`path:line: rule: what is wrong, and what to do`, and fails when there is one. Rules and their
exemptions, each with its reason, stand side by side in the rules_*.py files.
"""

import argparse
import pathlib
import subprocess
import sys

import rules_docs
import rules_files
import rules_manifest
import rules_swift


def repository_files(root):
    """The paths, relative to `root`, of tracked files and of new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout
    return sorted(path for path in listed.split("\0") if path and (root / path).is_file())


def check(root, only=None):
    """All findings in the repository at `root`."""
    paths = repository_files(root)
    texts = {}
    for path in paths:
        try:
            texts[path] = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            pass  # A binary file: an image or a golden file. No rule is about those.
    findings = []
    if only in (None, "docs"):
        findings += rules_docs.check(root, texts)
    if only is None:
        findings += rules_files.check(texts)
        findings += rules_swift.check(texts)
        findings += rules_manifest.check(root, texts)
    return sorted(findings, key=lambda finding: (finding.path, finding.line, finding.rule))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["docs"], help="run one family of rules")
    parser.add_argument(
        "--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    arguments = parser.parse_args()
    findings = check(arguments.root, arguments.only)
    for finding in findings:
        print(finding)
    name = arguments.only or "tidy"
    print(f"{name}: {len(findings)} findings" if findings else f"{name}: no finding")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
