#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans a second and core of each codec, for docs/benchmarks.md. Run by `make bench-codecs`."""

import os
import subprocess

import machine
import reference

WIRE_BENCH = machine.ROOT / "Server" / ".build" / "release" / "WireBench"
# Freed memory is kept, as in a process that has run for a while; without it each payload pays the
# kernel for its pages, a quarter of the time.
KEEP = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}


def main():
    printed = subprocess.run(
        [WIRE_BENCH, reference.corpus()], env=os.environ | KEEP, check=True, text=True,
        stdout=subprocess.PIPE).stdout
    rows = [line.split(": ", 1) for line in printed.splitlines() if ": " in line]
    machine.write_section("codecs", "\n\n".join([
        machine.circumstances("make bench-codecs") + " CPU time, the best of five passes.",
        machine.table(["codec", "on one core"], rows)]))


if __name__ == "__main__":
    main()
