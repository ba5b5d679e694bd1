#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs to receive, and writes the table in docs/benchmarks.md. Run by `make bench`.

Each round runs, one after the other, the floor (rawsink) and `bin/skein serve` over HTTP and gRPC,
with few and with many connections, each fresh and on its own folder; the table has the medians of
the rounds. Every one of them, the floor too, gets one pass of the corpus to warm up before the pass
that is measured.

ROUNDS and SPANS in the environment say how often and how much.
"""

import os
import resource
import statistics

import machine
import reference

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SPANS = int(os.environ.get("SPANS", "1000000"))
CONNECTIONS = (2, 64)
# Threads whose work is done after a span can be found: writing parts, joining them, expiring.
BACKGROUND = ("skein-keeper",)


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured_pass(file, port, protocol, connections, pid, settle):
    """The second pass over the corpus, the spans of both, and what the threads used before it."""
    warm = reference.load(file, port, protocol, connections, passes=1)
    settle(pid)
    before = machine.thread_seconds(pid)
    answer = reference.load(
        file, port, protocol, connections, pid, passes=1, first=reference.batch_count(file))
    return answer, warm["spans"] + answer["spans"], before


def measure_rawsink(mode, connections, file, folder):
    with reference.Rawsink(mode, folder) as sink:
        answer, _, _ = measured_pass(
            file, sink.port, "http", connections, sink.pid, lambda pid: None)
        peak = machine.memory_megabytes(sink.pid, "VmHWM")
    used = answer["srv_cpu_s_per_Mspan"]
    return row(answer, received=used, whole=used, peak=peak)


def measure_skein(protocol, connections, file, folder):
    with reference.server(folder) as server:
        pid = server.process.pid
        port = server.addresses["otlp-grpc" if protocol == "grpc" else "otlp-http"][1]
        answer, spans, before = measured_pass(
            file, port, protocol, connections, pid, machine.wait_until_idle)
        machine.wait_until_idle(pid)
        after = machine.thread_seconds(pid)
        peak = machine.memory_megabytes(pid, "VmHWM")
        reference.require_stored(server, spans)
        # The CPU of a child counts among the children's once it was waited for: all of its life,
        # from its start to the part that it writes at the end.
        others = children_cpu_seconds()
        reference.stop(server)
        whole = (children_cpu_seconds() - others) / (spans / 1e6)
        stored, log = (
            machine.bytes_on_disk(path) / spans for path in (server.data, server.data / "log"))
    threads = {
        name: (after.get(name, 0) - before.get(name, 0)) / (answer["spans"] / 1e6)
        for name in before.keys() | after.keys()}
    received = sum(each for name, each in threads.items() if name not in BACKGROUND)
    return row(
        answer, received=received, whole=whole, peak=peak, stored=stored, log=log, threads=threads)


def row(answer, **more):
    return {
        "rate": answer["spans_per_s"], "p50": answer["p50_ms"], "p99": answer["p99_ms"],
        "pushed_back": answer["pushed_back"], **more}


SUBJECTS = {
    "rawsink rec": lambda *given: measure_rawsink("rec", *given),
    "rawsink zsync": lambda *given: measure_rawsink("zsync", *given),
    "skein serve, HTTP": lambda *given: measure_skein("http", *given),
    "skein serve, gRPC": lambda *given: measure_skein("grpc", *given),
}
FLOOR = "rawsink rec"


def measure():
    """(subject, connections) -> its rows, one a round."""
    rows = {(name, count): [] for count in CONNECTIONS for name in SUBJECTS}
    file = reference.corpus(SPANS)
    for number in range(ROUNDS):
        for (name, connections), own in rows.items():
            with machine.scratch() as folder:
                own.append(SUBJECTS[name](connections, file, folder))
            figures = " ".join(
                f"{key}={value:.2f}" for key, value in own[-1].items() if key != "threads")
            machine.say(f"round {number + 1}/{ROUNDS}, {name}, {connections} connections: {figures}")
        for (name, connections), own in rows.items():
            own[-1]["p99_ratio"] = own[-1]["p99"] / rows[FLOOR, connections][-1]["p99"]
            own[-1]["ratio"] = own[-1]["whole"] / rows[FLOOR, connections][-1]["whole"]
    return rows


def costs(rows):
    lines = []
    for (name, connections), own in rows.items():
        values = {key: machine.median(own, key) for key in (
            "received", "whole", "ratio", "rate", "p50", "p99", "p99_ratio", "peak", "stored", "log",
            "pushed_back")}
        lines.append([
            name, connections, machine.number(values["received"]), machine.number(values["whole"]),
            machine.number(values["ratio"], 1), f"{values['rate']:,.0f}",
            machine.number(values["p50"]), machine.number(values["p99"]),
            machine.number(values["p99_ratio"], 1), f"{values['peak']:.0f}",
            machine.number(values["stored"], 1), machine.number(values["log"], 1),
            f"{values['pushed_back']:.0f}"])
    return machine.table([
        "receiver", "connections", "received, durable, searchable: CPU s per million spans",
        "with all work after", "times `rec`", "spans a second", "p50 ms", "p99 ms",
        "p99 times `rec`", "peak memory, MB", "bytes a span on disk", "of them log",
        "pushed back"], lines)


def threads(rows):
    """The same CPU by the name of the thread that used it."""
    own = {key: value for key, value in rows.items() if "threads" in value[0]}
    names = sorted({name for value in own.values() for each in value for name in each["threads"]})
    lines = []
    for (subject, connections), value in own.items():
        used = [statistics.median(each["threads"].get(name, 0) for each in value) for name in names]
        lines.append([f"{subject}, {connections}", *(machine.number(each) for each in used)])
    return machine.table(["CPU s per million spans, by thread", *names], lines)


def main():
    rows = measure()
    command = f"make bench ROUNDS={ROUNDS} SPANS={SPANS}"
    machine.write_section("ingest", "\n\n".join([
        f"{machine.circumstances(command)} The sender runs on the same cores. Medians of {ROUNDS} "
        f"rounds, seed {machine.SEED}, batches of 512 spans, {SPANS:,} spans measured after as many "
        "to warm up, for the floor too.",
        costs(rows), threads(rows)]), is_full=ROUNDS >= 3 and SPANS >= 1_000_000)


if __name__ == "__main__":
    main()
