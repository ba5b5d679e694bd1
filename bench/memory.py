#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much memory `skein serve` holds, and writes it in docs/benchmarks.md. Run by `make
bench-memory`.

One server: idle after its start, then receiving RATE spans a second for MINUTES over two
connections, each batch due at its moment whatever the server does, then idle again, then answering
questions over an hour of spans, one after the other, and at last the same while it receives.
Resident memory and the length of the log are read ten times a second; of memory the kernel keeps
the peak of each phase.
"""

import contextlib
import os
import statistics
import threading
import time
import urllib.parse

import machine
import reference

RATE = int(os.environ.get("RATE", "50000"))
MINUTES = float(os.environ.get("MINUTES", "10"))
IDLE_BEFORE_SECONDS = 5
SAMPLE_SECONDS = 0.1
# Of the reception during which questions are asked.
ASKED_SECONDS = 30
FIRST_HOUR = 1_795_132_800
# An answer that takes longer ends the run.
ANSWER_SECONDS_MAX = 300


class Watch:
    """Samples the resident memory of a server, and the length of its log, while a phase lasts."""

    def __init__(self, server):
        self.pid = server.process.pid
        self.log = server.data / "log"
        self.phases = {}

    @contextlib.contextmanager
    def phase(self, name):
        samples, lengths, over = [], [], threading.Event()

        def sample():
            while not over.is_set():
                samples.append(machine.memory_megabytes(self.pid))
                lengths.append(machine.bytes_on_disk(self.log) / (1 << 20))
                over.wait(SAMPLE_SECONDS)

        machine.say(f"phase: {name}")
        machine.forget_peak(self.pid)
        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        self.phases[name] = {
            "median": statistics.median(samples), "last": samples[-1],
            "peak": machine.memory_megabytes(self.pid, "VmHWM"), "log": max(lengths)}
        machine.say(f"{name}: {self.phases[name]}")


def get(server, page, **parameters):
    """A question as the page asks it, however long it takes, and its JSON."""
    path = f"{page}?{urllib.parse.urlencode(parameters)}"
    answer = server.request("http", "GET", path, timeout=ANSWER_SECONDS_MAX)
    if answer.status != 200:
        raise SystemExit(f"{path} was answered with {answer.status}: {answer.text[:500]}")
    return answer.json


def ask(server, hour):
    """Questions over one hour of spans; each has to find something."""
    start = (FIRST_HOUR + hour * 3600) * 1_000_000_000
    span = {"start": start, "end": start + 3600 * 1_000_000_000}
    service = get(server, "/api/skein/v1/services")["services"][0]
    searches = (
        {}, {"order": "slowest"}, {"service": service, "minDuration": "5ms"},
        {"tag": "http.response.status_code=500", "minDuration": "20ms"}, {"limit": 1000})
    for search in searches:
        answer = get(server, "/api/skein/v1/traces", **span, **search)
        if not answer["traces"] or not answer["complete"]:
            raise SystemExit(f"{search} found nothing, or not all: {answer}")
        newest = answer["traces"][0]["traceId"]
    get(server, f"/api/skein/v1/traces/{newest}")
    calls = get(
        server, "/api/dependencies", endTs=span["end"] // 1_000_000, lookback=3_600_000)
    if not calls["data"]:
        raise SystemExit("the service graph of an hour is empty")


class Sender(threading.Thread):
    """Sends at RATE for so many seconds, beside what the main thread does."""

    def __init__(self, server, seconds, first):
        super().__init__()
        self.given = (server.addresses["otlp-http"][1], "http", 2, server.process.pid)
        self.options = {"rate": RATE, "secs": seconds, "first": first}
        self.answer = None

    def run(self):
        self.answer = reference.load(reference.corpus(), *self.given, **self.options)


def receive(server, seconds, first=0):
    sender = Sender(server, seconds, first)
    sender.start()
    return sender


def answer_of(sender):
    sender.join()
    if sender.answer is None:
        raise SystemExit("the sender failed")
    return sender.answer


def measure(folder):
    with reference.server(folder) as server:
        watch = Watch(server)
        with watch.phase("idle after the start"):
            time.sleep(IDLE_BEFORE_SECONDS)
        with watch.phase(f"receiving {RATE:,} spans a second for {MINUTES:g} minutes"):
            steady = answer_of(receive(server, MINUTES * 60))
        with watch.phase("idle afterwards"):
            machine.wait_until_idle(server.process.pid)
        last_hour = int(steady["spans"] // reference.HOUR_SPANS)
        with watch.phase("questions over an hour"):
            for hour in range(min(3, last_hour + 1)):
                ask(server, hour)
        with watch.phase(f"the same while receiving {RATE:,} spans a second"):
            sender = receive(server, ASKED_SECONDS, first=steady["batches"])
            while sender.is_alive():
                ask(server, min(1, last_hour))
            more = answer_of(sender)
        reference.stop(server)
        stored = machine.bytes_on_disk(server.data) / (steady["spans"] + more["spans"])
    return watch.phases, steady, stored


def main():
    reference.corpus()
    with machine.scratch() as folder:
        phases, steady, stored = measure(folder)
    rows = [
        [name, *(f"{phase[key]:.0f}" for key in ("median", "last", "peak", "log"))]
        for name, phase in phases.items()]
    machine.write_section("memory", "\n\n".join([
        machine.circumstances(f"make bench-memory MINUTES={MINUTES:g} RATE={RATE}"),
        machine.table(
            ["resident memory, MB", "median", "at the end", "peak", "log on disk at most, MB"], rows),
        f"Received {steady['spans']:,} spans, {steady['spans_per_s']:,.0f} a second; p50 and p99 of "
        f"the acknowledgement, counted from the moment a batch was due: {steady['p50_ms']:.1f} and "
        f"{steady['p99_ms']:.1f} ms; pushed back: {steady['pushed_back']}; the server's CPU: "
        f"{steady['srv_cpu_s_per_Mspan']:.2f} s per million spans; {stored:.1f} bytes a span on disk "
        "after a clean stop.",
    ]), is_full=MINUTES >= 10)


if __name__ == "__main__":
    main()
