#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the reference load and writes the table in docs/benchmarks.md. Run by `make bench`.

Each round runs, one after the other, the floor (rawsink) and `bin/skein serve` over HTTP and over
gRPC, each fresh and on its own folder; the table has the medians of the rounds. Times wobble on a
shared machine: compare CPU seconds and the ratios of one run.

ROUNDS and SPANS in the environment say how often and how much.
"""

import json
import os
import pathlib
import platform
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "blackbox"))

from skein_server import SkeinServer  # noqa: E402

BUILD = ROOT / "bench" / "build"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SPANS = int(os.environ.get("SPANS", "1000000"))
SEED = 42
CONNECTIONS = 2
# A server is idle when it used less than a tick of CPU in this many seconds.
IDLE_SECONDS = 2
IDLE_SECONDS_MAX = 120
TICKS = os.sysconf("SC_CLK_TCK")


def corpus():
    """The corpus file, made once for a seed and a size."""
    file = BUILD / f"corpus-{SEED}-{SPANS}.otlpb"
    if not file.exists():
        run([BUILD / "otlpgen", "--seed", SEED, "--spans", SPANS, "--out", file])
    return file


def run(command):
    return subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True).stdout


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_megabytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError("VmHWM")


def wait_until_idle(pid):
    """Waits until the work after the last acknowledgement is done."""
    last, since, deadline = cpu_seconds(pid), time.monotonic(), time.monotonic() + IDLE_SECONDS_MAX
    while time.monotonic() < deadline:
        time.sleep(0.2)
        now = cpu_seconds(pid)
        if now - last > 1.5 / TICKS:
            last, since = now, time.monotonic()
        elif time.monotonic() - since >= IDLE_SECONDS:
            return


def bytes_on_disk(folder, names):
    """Bytes that the file system gave to files of a folder whose path passes `names`."""
    return sum(
        file.stat().st_blocks * 512 for file in pathlib.Path(folder).rglob("*")
        if file.is_file() and names(str(file.relative_to(folder))))


def is_log(name):
    return name.startswith("log/")


def load(file, pid, port, protocol):
    answer = json.loads(run([
        BUILD / "otlpload", "--corpus", file, "--port", port, "--proto", protocol, "--conns",
        CONNECTIONS, "--spans", SPANS, "--pid", pid]))
    if answer["bad_batches"] or answer["err"]:
        raise SystemExit(f"a request was not accepted: {answer}")
    return answer


def measure_rawsink(mode, file, folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = subprocess.Popen(
        [str(BUILD / "rawsink"), mode, str(port), str(folder / "sink")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert sink.stderr.readline() == "ready\n"
    answer = load(file, sink.pid, port, "http")
    peak = peak_megabytes(sink.pid)
    sink.send_signal(signal.SIGTERM)
    sink.wait()
    return row(answer, answer["srv_cpu_s_per_Mspan"], peak, None)


def measure_skein(protocol, file, folder):
    server = SkeinServer(folder).start()
    pid = server.process.pid
    before = cpu_seconds(pid)
    port = server.addresses["otlp-grpc" if protocol == "grpc" else "otlp-http"][1]
    answer = load(file, pid, port, protocol)
    wait_until_idle(pid)
    peak = peak_megabytes(pid)
    # The CPU of a child counts among the children's once it was waited for: all of its life, with
    # the part that it writes at the end.
    others = children_cpu_seconds()
    code = server.stop()
    if code != 0:
        raise SystemExit(f"skein serve ended with {code}:\n{server.log_tail()}")
    whole = (children_cpu_seconds() - others - before) / (answer["spans"] / 1e6)
    stored = bytes_on_disk(server.data, lambda name: not is_log(name)) / answer["spans"]
    return row(answer, whole, peak, stored)


def row(answer, whole, peak, stored):
    return {
        "acknowledged": answer["srv_cpu_s_per_Mspan"], "whole": whole, "p99": answer["p99_ms"],
        "rate": answer["spans_per_s"], "peak": peak, "stored": stored,
        "pushed_back": answer["pushed_back"],
    }


SUBJECTS = {
    "rawsink rec, HTTP": lambda file, folder: measure_rawsink("rec", file, folder),
    "rawsink zsync, HTTP": lambda file, folder: measure_rawsink("zsync", file, folder),
    "skein serve, HTTP": lambda file, folder: measure_skein("http", file, folder),
    "skein serve, gRPC": lambda file, folder: measure_skein("grpc", file, folder),
}


def measure():
    """Subject -> its rows, one a round."""
    rows = {name: [] for name in SUBJECTS}
    file = corpus()
    for number in range(ROUNDS):
        for name, subject in SUBJECTS.items():
            folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=BUILD))
            try:
                rows[name].append(subject(file, folder))
            finally:
                shutil.rmtree(folder)
            print(f"round {number + 1}/{ROUNDS}, {name}: {rows[name][-1]}", flush=True)
    return rows


def table(rows):
    floor = statistics.median(each["acknowledged"] for each in rows["rawsink rec, HTTP"])
    lines = [
        "| receiver | CPU s per million spans, until acknowledged | the same, with all work after |"
        " times `rec` | spans a second | p99 of an acknowledgement, ms | peak memory, MB |"
        " bytes a span on disk | pushed back |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, each in rows.items():
        median = {
            key: statistics.median(item[key] for item in each)
            for key in each[0] if each[0][key] is not None}
        stored = f"{median['stored']:.1f}" if "stored" in median else "-"
        lines.append(
            f"| {name} | {median['acknowledged']:.2f} | {median['whole']:.2f} |"
            f" {median['whole'] / floor:.1f} | {median['rate']:,.0f} | {median['p99']:.1f} |"
            f" {median['peak']:.0f} | {stored} | {median['pushed_back']:.0f} |")
    return "\n".join(lines)


def circumstances():
    model = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
         if line.startswith("model name")), platform.processor())
    commit = run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"]).strip()
    return (
        f"`make bench ROUNDS={ROUNDS} SPANS={SPANS}` at {commit}, {time.strftime('%Y-%m-%d')}: "
        f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, load average before the "
        f"run {LOAD_BEFORE:.1f}, the sender on the same cores. Medians of {ROUNDS} rounds, seed "
        f"{SEED}, {CONNECTIONS} connections, batches of 512 spans.")


LOAD_BEFORE = os.getloadavg()[0]


def main():
    text = f"{BEGIN}\n{circumstances()}\n\n{table(measure())}\n{END}"
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(head + text + tail)
    print(text)


if __name__ == "__main__":
    main()
