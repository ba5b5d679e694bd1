# SPDX-License-Identifier: Apache-2.0
"""Rules about documentation: one title a page, links that lead somewhere, guides that compile."""

import posixpath
import re

from findings import Finding

FENCE = re.compile(r"^\s*(```|~~~)")
TITLE = re.compile(r"^# \S")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
# A picture that is another one in the dark stands in HTML.
PICTURE = re.compile(r"\bsrc(?:set)?=\"([^\"]+)\"")
CODE_SPAN = re.compile(r"`[^`]*`")
# Where the listings of guides are compiled.
LISTINGS = "Tests/SkeinTests/DocumentationListings.swift"
EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:")


def check(root, texts):
    pages = {path: text for path, text in texts.items() if path.endswith(".md")}
    findings = []
    for path, text in pages.items():
        findings += _title(path, text)
        findings += _links(root, pages, path, text)
        if ".docc/" in path:
            findings += _listings(texts.get(LISTINGS, ""), path, text)
    return findings


def prose_lines(text):
    """(line number, line) of every line outside fenced code."""
    fence = None
    for number, line in enumerate(text.split("\n"), 1):
        match = FENCE.match(line)
        if match and fence in (None, match[1]):
            fence = None if fence else match[1]
        elif fence is None:
            yield number, line


def _title(path, text):
    titles = [number for number, line in prose_lines(text) if TITLE.match(line)]
    if len(titles) != 1:
        yield Finding(
            path, titles[1] if len(titles) > 1 else 1, "title",
            f"{len(titles)} titles: a page has one line that starts with '# '")


def anchors(text):
    """The fragments that headings of a page answer to, as GitHub makes them."""
    found = set()
    for _, line in prose_lines(text):
        match = HEADING.match(line)
        if match:
            words = re.sub(r"[^\w\- ]", "", match[1].lower())
            found.add(words.replace(" ", "-"))
    return found


def _links(root, pages, path, text):
    for number, line in prose_lines(text):
        line = CODE_SPAN.sub("", line)
        for target in LINK.findall(line) + PICTURE.findall(line):
            if EXTERNAL.match(target):
                continue
            name, _, fragment = target.partition("#")
            linked = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
            linked = path if not name else linked
            if linked.startswith("..") or not (root / linked).exists():
                yield Finding(path, number, "link", f"{target} leads nowhere")
            elif fragment and linked in pages and fragment not in anchors(pages[linked]):
                yield Finding(path, number, "link", f"{linked} has no heading for #{fragment}")


def _plain(lines):
    """Code that compares whatever its indentation, and without what a listing leaves out."""
    stripped = [line.strip().removeprefix("private ") for line in lines]
    return [line for line in stripped if line and not line.startswith("import ")]


def _listings(compiled, path, text):
    compiled = "\n".join([""] + _plain(compiled.split("\n")) + [""])
    for match in re.finditer(r"^```swift\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        listing = "\n".join([""] + _plain(match[1].split("\n")) + [""])
        if listing not in compiled:
            yield Finding(
                path, text.count("\n", 0, match.start()) + 1, "listing",
                f"is not compiled: {LISTINGS} does not hold it")
