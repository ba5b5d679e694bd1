#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What explaining a trace and laying out a map cost, for docs/benchmarks.md. Run by
`make bench-analysis`; the map is that of a file of calls in Jaeger's form, where one is given."""

import subprocess
import sys

import machine

ANALYSIS_BENCH = machine.ROOT / "Server" / ".build" / "release" / "AnalysisBench"


def main():
    printed = subprocess.run(
        [ANALYSIS_BENCH, *sys.argv[1:]], check=True, text=True, stdout=subprocess.PIPE).stdout
    rows, columns = {}, []
    for line in printed.splitlines():
        what, cost = line.rsplit(": ", 1)
        name, _, step = what.partition(": ")
        step = step or "layout"
        rows.setdefault(name, {})[step] = cost.removesuffix(" ms")
        if step not in columns:
            columns.append(step)
    machine.write_section("analysis", "\n\n".join([
        machine.circumstances("make bench-analysis")
        + " CPU time in milliseconds, the best of five passes.",
        machine.table(["of", *columns], [
            [name, *(costs.get(column, "") for column in columns)]
            for name, costs in rows.items()])]))


if __name__ == "__main__":
    main()
