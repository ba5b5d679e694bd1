#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what a span costs against a table: instructions by callgrind, allocations by a preloaded
counter. Neither depends on what else the machine does.

    sdk_costs.py            compares with sdk-costs.json and fails where something costs more
    sdk_costs.py --write    writes the table
"""

import argparse
import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

import machine

TABLE = machine.ROOT / "bench" / "sdk-costs.json"
PACKAGE = machine.ROOT / "bench" / "sdk-bench"
PROGRAM = PACKAGE / ".build" / "release" / "SDKBench"
COUNTER = machine.BUILD / "allocations.so"
CALLGRIND = ["valgrind", "-q", "--tool=callgrind"]
LOOP = "sdk_bench_loop"
EXPORTED = "recorded and exported, 10 attributes"
EXPORT_SPANS = (5_120, 15_360)
# A case may cost so much more than the table says: other processors have other memcpy.
MARGIN = 0.05
MARGIN_INSTRUCTIONS = 5
# Now and then something behind the scenes grows.
MARGIN_ALLOCATIONS = 0.05
# Exporting runs on several threads, which meet differently each time.
MARGIN_EXPORTED = 0.15


def totals(path):
    return int(re.search(r"^totals: (\d+)", path.read_text(), re.MULTILINE).group(1))


def cases():
    """Name -> instructions and allocations of one turn, in the order of the program."""
    printed = machine.run(["env", f"LD_PRELOAD={COUNTER}", PROGRAM, "counts"])
    rows = [json.loads(line) for line in printed.splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        machine.run([
            *CALLGRIND, f"--toggle-collect={LOOP}", f"--dump-after={LOOP}",
            f"--callgrind-out-file={out}", PROGRAM, "counts"])
        # One dump for each case, in turn.
        return {
            row["case"]: {
                "instructions": round(totals(out.with_name(f"out.{index}")) / row["runs"], 1),
                "allocations": round(row["allocations"], 1)}
            for index, row in enumerate(rows, start=1)}


def export_instructions():
    """Of all threads, for one span: recording, encoding, and what wakes the exporter."""
    counts = []
    for spans in EXPORT_SPANS:
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out"
            machine.run([
                *CALLGRIND, f"--callgrind-out-file={out}", PROGRAM, "export", str(spans)])
            counts.append(totals(out))
    return round((counts[1] - counts[0]) / (EXPORT_SPANS[1] - EXPORT_SPANS[0]), 1)


def measured():
    found = cases()
    found[EXPORTED] = {"instructions": export_instructions()}
    return found


def swift_version():
    return re.search(r"Swift version (\d+\.\d+)", machine.run(["swift", "--version"])).group(1)


def complaints(table, found):
    """What costs more than the table allows, and what no longer fits it."""
    for name in sorted(table.keys() ^ found.keys()):
        yield f"{name}: is only in the {'table' if name in table else 'program'}"
    for name, wanted in table.items():
        if name not in found:
            continue
        margin = MARGIN_EXPORTED if name == EXPORTED else MARGIN
        limit = wanted["instructions"] * (1 + margin) + MARGIN_INSTRUCTIONS
        instructions = found[name]["instructions"]
        if instructions > limit:
            yield (f"{name}: {instructions:g} instructions, at most {limit:.0f} "
                   f"({wanted['instructions']:g} and {margin:.0%})")
        allowed = wanted.get("allocations", 0) + MARGIN_ALLOCATIONS
        if found[name].get("allocations", 0) > allowed:
            yield (f"{name}: {found[name]['allocations']:g} allocations, at most "
                   f"{wanted['allocations']:g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="write the table")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        print(f"skipped: the table is of x86_64, this is {platform.machine()}")
        return
    version, found = swift_version(), measured()
    tables = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    if arguments.write:
        tables[version] = found
        TABLE.write_text(json.dumps(tables, indent=2) + "\n")
    if version not in tables:
        sys.exit(f"{TABLE.name} has no costs of Swift {version}: write them with --write")
    for name, costs in found.items():
        wanted = tables[version].get(name, {})
        print(f"{name:42}{costs['instructions']:>8g} instructions (table {wanted.get('instructions')})"
              f"{costs.get('allocations', 0):>6g} allocations")
    problems = list(complaints(tables[version], found))
    if problems:
        sys.exit("costs more than bench/sdk-costs.json says:\n  " + "\n  ".join(problems))


if __name__ == "__main__":
    main()
