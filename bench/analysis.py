#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What explaining a trace and laying out a map cost, for docs/benchmarks.md. Run by
`make bench-analysis`; the map is that of a file of calls in Jaeger's form: one that is given, or the
recorded one where that stands beside the repository. A run without a map is only printed."""

import subprocess
import sys

import machine

sys.path.insert(0, str(machine.ROOT / "Tests" / "page"))

import large  # noqa: E402

ANALYSIS_BENCH = machine.ROOT / "Server" / ".build" / "release" / "AnalysisBench"


def main():
    calls = sys.argv[1:] or [large.CALLS] * large.CALLS.is_file()
    printed = subprocess.run(
        [ANALYSIS_BENCH, *calls], check=True, text=True, stdout=subprocess.PIPE).stdout
    rows, columns = {}, []
    for line in printed.splitlines():
        what, cost = line.rsplit(": ", 1)
        name, _, step = what.partition(": ")
        step = step or "layout"
        rows.setdefault(name, {})[step] = cost.removesuffix(" ms")
        if step not in columns:
            columns.append(step)
    machine.write_section("analysis", "\n\n".join([
        machine.circumstances(" ".join(["make bench-analysis", *(
            f"CALLS={given}" for given in sys.argv[1:])]))
        + " CPU time in milliseconds, the best of five passes.",
        machine.table(["of", *columns], [
            [name, *(costs.get(column, "") for column in columns)]
            for name, costs in rows.items()])]), is_full=bool(calls))


if __name__ == "__main__":
    main()
