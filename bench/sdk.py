#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a span costs an application, beside doing nothing and beside C, for docs/benchmarks.md. Run by
`make bench-sdk`."""

import json
import os
import statistics

import machine
import sdk_costs

ROUNDS = int(os.environ.get("ROUNDS", "3"))
FULL_ROUNDS = 3
EXPORTED_SPANS = 1_000_000
HANDLER_ROUNDS = 60
FLOOR = machine.BUILD / "sdkfloor"
# What is put beside what.
BESIDE = {
    "own unsampled root": "floor unsampled root",
    "own unsampled child": "floor unsampled child",
    "own sampled child": "floor sampled child",
    "own sampled child, 10 attributes": "floor sampled child, 10 attributes",
    "tracing unsampled root": "NoOpTracer",
    "tracing unsampled child": "NoOpTracer",
    "tracing sampled child": "NoOpTracer",
    "tracing sampled child, 3 attributes": "NoOpTracer",
}


def rows(*command):
    return [json.loads(line) for line in machine.run(command).splitlines()]


def times():
    """Case -> nanoseconds, medians of interleaved rounds."""
    found = {}
    for number in range(1, ROUNDS + 1):
        machine.say(f"round {number} of {ROUNDS}")
        for row in rows(FLOOR) + rows(sdk_costs.PROGRAM, "times"):
            if "case" in row:
                found.setdefault(row["case"], []).append(row["ns"])
            elif row["dropped"]:
                raise SystemExit(f"{row['dropped']} spans were dropped: the times mean nothing")
    return {name: statistics.median(values) for name, values in found.items()}


def exports():
    """Nanoseconds for one span on the caller's threads and behind them."""
    found = [rows(sdk_costs.PROGRAM, "export", EXPORTED_SPANS)[0] for _ in range(ROUNDS)]
    if any(row["dropped"] for row in found):
        raise SystemExit("spans were dropped: the cost of their export means nothing")
    return machine.median(found, "export_ns")


def handlers():
    """Kind of spans -> percent that four of them add to a handler of a millisecond: the median of
    rounds, and the middle half of them."""
    by_round = {}
    for row in rows(sdk_costs.PROGRAM, "handler", HANDLER_ROUNDS):
        by_round.setdefault(row["round"], {})[row["spans"]] = row["ms"]
    found = {}
    for kind in ("own", "tracing"):
        percent = [(row[kind] / row["none"] - 1) * 100 for row in by_round.values()]
        low, middle, high = statistics.quantiles(percent, n=4)
        found[kind] = (middle, low, high)
    return found


def main():
    found, costs = times(), sdk_costs.measured()
    shown = []
    for name, nanoseconds in found.items():
        cost = costs.get(name, {})
        beside = BESIDE.get(name)
        ratio = f"{nanoseconds / found[beside]:.1f} × {beside}" if beside else ""
        shown.append([
            name, machine.number(nanoseconds, 1), machine.number(cost.get("instructions"), 0),
            machine.number(cost.get("allocations"), 0), ratio])
    added = handlers()
    summary = "\n".join([
        f"- Behind the application: {machine.number(exports() / 1_000)} CPU seconds for a million spans "
        "with ten attributes, encoded as OTLP and handed to an exporter that drops them.",
        *(f"- Four spans ({kind}) with three attributes each add {middle:.2f} % of CPU to a handler of "
          f"a millisecond, export included (half of {HANDLER_ROUNDS} rounds: {low:.2f} to {high:.2f} %)."
          for kind, (middle, low, high) in added.items()),
    ])
    machine.write_section("sdk", "\n\n".join([
        machine.circumstances("make bench-sdk") + f" CPU time of the thread, medians of {ROUNDS} "
        "rounds of the best of seven; instructions and allocations are the same each time.",
        machine.table(["case", "ns", "instructions", "allocations", "beside"], shown),
        summary]), is_full=ROUNDS >= FULL_ROUNDS)


if __name__ == "__main__":
    main()
