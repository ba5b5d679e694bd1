# SPDX-License-Identifier: Apache-2.0
"""Rules about Swift code: banned calls, unsafe code at home, the system behind Platform, sizes."""

import dataclasses
import re

from findings import Finding, line_of
from rules_files import FUNCTION_LINES_MAX, GENERATED
from swift_source import blank, functions

SOURCES = re.compile(r"^(?:Server/)?Sources/")
ANY = re.compile(r"^(?:Server/|Fuzz/)?(?:Sources|Tests)/")
SERVER = re.compile(r"^Server/Sources/")
SDK = re.compile(r"^Sources/")
# Stations that every span passes, or that must stay small for an application that links them.
HOT = re.compile(
    r"^(?:Sources/(?:SkeinModel|SkeinWire|SkeinPropagation|SkeinSampling|Skein)"
    r"|Server/Sources/(?:Platform|Store|Ingest|Engine|QueryLanguage|Query|Analysis))/")


@dataclasses.dataclass(frozen=True)
class Ban:
    """A pattern that must not occur in the files of `scope`, except in those of `exempt`."""

    rule: str
    pattern: str
    instead: str
    scope: re.Pattern = SOURCES
    # Pattern of paths -> the reason why they may.
    exempt: dict = dataclasses.field(default_factory=dict)


BANS = [
    Ban(
        "print", r"(?<![\w.])(?:print|debugPrint|dump)\(",
        "log with swift-log, or return the text to the command that prints it",
        exempt={
            r"^Server/Sources/SkeinCommand/": "a command's answer goes to standard output",
            r"^Server/Sources/(?:Analysis|Store|Wire)Bench/": "measurements go to standard output",
            r"^Server/Sources/SimulateCommand/": "its findings go to standard output",
        },
    ),
    Ban(
        "wall-clock", r"(?<![\w.])Date\(|\bDate\.now\b|\bCFAbsoluteTime",
        "take nanoseconds from the clock of Platform"),
    Ban(
        # A clock of a test declares `func sleep`, which is no call.
        "sleep", r"\bThread\.sleep\b|(?<![\w.])(?<!func )(?:sleep|usleep|nanosleep)\(",
        "wait for the event itself, or for a deadline of the injected clock", scope=ANY,
        exempt={
            r"^Sources/Skein/(?:System|Transport)": "the SDK's one file of system calls",
            r"^Server/Sources/Platform/": "the server's one module of system calls",
        },
    ),
    Ban(
        "force-try", r"\btry!", "throw, or handle the error and say what was wrong and where"),
    Ban(
        "dispatch", r"\bDispatch(?:Queue|Group|Semaphore|WorkItem)\b",
        "use a task, a Mutex, or a thread of Platform"),
    Ban(
        "fatal-error", r"(?<![\w.])(?:fatalError|assertionFailure)\(",
        "precondition with the values in its text for our own bugs, throw for everything else"),
    Ban(
        "foundation-hot", r"^\s*(?:\w+\s+)?import Foundation(?:Essentials|Networking)?\b",
        "a hot or pure station uses the standard library alone", scope=HOT),
    Ban(
        "foundation", r"^\s*(?:\w+\s+)?import Foundation(?:Networking)?\b",
        "FoundationEssentials will do, without 30 MB of ICU in the binary"),
    Ban(
        "system-call",
        r"^\s*(?:\w+\s+)?import (?:Glibc|Musl|Darwin)\b|\b(?:Continuous|Suspending)Clock\b"
        r"|\bFileManager\b|\bFileHandle\b|(?<![\w.])(?:fopen|clock_gettime|gettimeofday)\(",
        "go through Platform, so that a simulated disk and clock can take its place",
        scope=SERVER,
        exempt={
            r"^Server/Sources/Platform/": "the only module with system calls",
            r"^Server/Sources/SkeinCommand/":
                "commands read the user's files and the terminal, no spans pass here",
            r"^Server/Sources/Client/": "a client program reads files and waits like any other",
            r"^Server/Sources/(?:Analysis|Store|Wire)Bench/": "what measures reads the clock of CPU time",
            r"^Server/Sources/Query/TraceQL/FieldValue\+Arithmetic\.swift$":
                "pow, which the standard library lacks",
            r"^Server/Sources/Shop/": "the demo stands for a user's application",
        },
    ),
    Ban(
        "randomness", r"\bSystemRandomNumberGenerator\b|\.random\(in:[^,)]*\)"
        r"|\barc4random|\bgetrandom\(",
        "take bytes from the random source of Platform, so that a run can be repeated",
        scope=SERVER,
        exempt={
            r"^Server/Sources/Platform/": "the only module with system calls",
            r"^Server/Sources/Shop/": "the demo stands for a user's application",
        },
    ),
    Ban(
        "system-call-sdk",
        r"^\s*(?:\w+\s+)?import (?:Glibc|Musl|Darwin)\b|\b(?:Continuous|Suspending)Clock\b"
        r"|(?<![\w.])(?:clock_gettime|gettimeofday|getenv)\(|\bSystemRandomNumberGenerator\b",
        "the SDK keeps its clock, randomness and environment in one file",
        scope=SDK,
        exempt={
            r"^Sources/Skein/(?:\w+/)?(?:Unsafe)?(?:System|Transport)[\w+]*\.swift$":
                "the SDK's one file of system calls",
        },
    ),
    Ban(
        "socket", r"^\s*(?:\w+\s+)?import (?:NIOPosix|AsyncHTTPClient|GRPCNIOTransport\w*)\b",
        "sockets live in Receivers, API, Server, Shop and Client",
        exempt={
            r"^Server/Sources/(?:Receivers|API|Server|Shop|Client|SkeinCommand)/":
                "stations that open sockets",
            r"^Sources/Skein/": "the exporter behind a trait",
        },
    ),
]

UNSAFE_HOME = re.compile(r"/(?:Unsafe[^/]*|[^/]*\+Unsafe)\.swift$")
UNSAFE = re.compile(
    r"\bUnsafe(?:Mutable)?(?:Raw)?(?:Buffer)?Pointer\b|\bwithUnsafe\w+|\bunsafeBitCast\b"
    r"|\bUnmanaged\b|\bunsafeDowncast\b|\bunsafeUninitializedCapacity\b|\bwithContiguousStorage\w*")
# A read-only window on bytes may be handed on by these; making memory, writing through a pointer and
# loading from one stay in the homes. Pattern of paths -> the reason why they may.
WINDOW = re.compile(r"^(?:UnsafeRawBufferPointer|withUnsafeBytes)$")
WINDOW_EXEMPT = {
    r"^Sources/SkeinWire/":
        "decoders take the payload in place and hand windows of it to the cursors that read them",
    r"^Server/Sources/API/AnswerJSON\.swift$": "lends a whole array to the JSON writer of SkeinWire",
}
# Pattern of paths -> the reason why they may.
UNSAFE_EXEMPT = {
    r"^Sources/Skein/(?:System|Transport)\w*\.swift$":
        "the SDK's one file of system calls hands whole arrays to write(2)",
}

LIMIT = re.compile(r"^[ \t]*(?:@\w+[ \t]+)*(?:public |internal |package )?static (?:let|var) (\w+)", re.M)


def check(texts):
    findings = []
    for path, text in texts.items():
        if not path.endswith(".swift") or GENERATED.search(path) or not ANY.match(path):
            continue
        code = blank(text)
        findings += _bans(path, code)
        findings += _unsafe(path, code)
        findings += _function_sizes(path, code)
        if path.endswith("/Limits.swift"):
            findings += _limits(path, text)
    return findings


def _bans(path, code):
    for ban in BANS:
        if not ban.scope.match(path) or any(re.match(pattern, path) for pattern in ban.exempt):
            continue
        for match in re.finditer(ban.pattern, code, re.M):
            yield Finding(
                path, line_of(code, match.start() + len(match[0]) - len(match[0].lstrip())),
                ban.rule, f"'{match[0].strip()}' is banned here: {ban.instead}")


def _unsafe(path, code):
    if not SOURCES.match(path) or UNSAFE_HOME.search(path):
        return
    if any(re.match(pattern, path) for pattern in UNSAFE_EXEMPT):
        return
    windows = any(re.match(pattern, path) for pattern in WINDOW_EXEMPT)
    for match in UNSAFE.finditer(code):
        if windows and WINDOW.match(match[0]):
            continue
        yield Finding(
            path, line_of(code, match.start()), "unsafe",
            f"{match[0]} belongs in a file named Unsafe….swift or …+Unsafe.swift")


def _function_sizes(path, code):
    for function in functions(code):
        if function.line_count > FUNCTION_LINES_MAX:
            yield Finding(
                path, function.first_line, "function-size",
                f"{function.name} has {function.line_count} lines, {FUNCTION_LINES_MAX} allowed: "
                "split it")


def _limits(path, text):
    lines = text.split("\n")
    for match in LIMIT.finditer(text):
        number = line_of(text, match.start(1))
        if not lines[number - 2].lstrip().startswith("///"):
            yield Finding(
                path, number, "limit", f"{match[1]} needs a comment with its unit and its reason")
