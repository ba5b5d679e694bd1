#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a store of SPANS spans, and other engines with the same spans, the same questions, and writes
the tables in docs/benchmarks.md. Run by `make bench-store`.

The store is filled through `skein serve` over HTTP, an hour of time per million spans, left to merge
and stopped. `StoreBench` then opens it in a process of its own; each peer runs in one too. All are
asked in turn, kind by kind, COUNT times with other arguments each after WARM times to warm up. Every
answer is judged by what `questions` counted, which shares no code with any of them.

SPANS, PEERS (any of chdb, duckdb, sqlite; empty for none) and QUESTION_SEED in the environment choose.
"""

import contextlib
import json
import os
import subprocess
import time

import machine
import reference

SPANS = int(os.environ.get("SPANS", "5000000"))
# Above a million spans SQLite takes long to fill and DuckDB tells nothing new.
PEERS = os.environ.get(
    "PEERS", "chdb duckdb sqlite" if SPANS <= reference.HOUR_SPANS else "chdb").split()
WARM, COUNT = 60, 7
# A walk looks at every span: a few warm up as well.
WALKS_WARM = 3
QUESTION_SEED = int(os.environ.get("QUESTION_SEED", "7"))
STORE_BENCH = machine.ROOT / "Server" / ".build" / "release" / "StoreBench"
PEERS_PYTHON = machine.ROOT / ".venv-peers" / "bin" / "python"
OPENINGS = 3
# Sketches promise 1 %; a percentile of few calls may also fall between two of them.
PERCENTILE_ERROR_MAX = 0.011

# Kind -> what is asked.
KINDS = {
    "trace": "one trace by id",
    "absent": "an id that is absent",
    "operation": "newest 20: service, operation, tag and duration, an hour",
    "rare_tag": "newest 20: a rare tag alone, an hour",
    "unique_value": "newest 20: a unique value alone, an hour",
    "unique_value_all": "newest 20: a unique value alone, all hours",
    "common_tag": "newest 20: a common tag and duration, no service, an hour",
    "slowest": "slowest 20 of an hour",
    "operations": "calls, errors, p50, p95, p99 by operation, an hour",
    "graph": "service graph of an hour",
    "services": "names of services",
}
# Kind -> what of all spans of an hour's traces is read, beside what always is; of no peer.
WALKS = {
    "walk": ([], "whole traces of an hour"),
    "walk_parents": (["parents"], "whole traces of an hour, with parents"),
    "walk_key": (["parents", "key=http.route"], "whole traces of an hour, with parents and a tag"),
}


class Engine:
    """A process that answers questions line by line."""

    def __init__(self, name, *command):
        self.name = name
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.pid = self.process.pid
        try:
            self.opened = self.read()
        except BaseException:
            self.process.kill()  # Nobody else knows of it yet.
            raise

    def read(self):
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            raise SystemExit(f"{self.name} said: {line}{self.process.stdout.read()}")
        return json.loads(line)

    def ask(self, lines):
        """Sends questions, all at once, and returns the answers."""
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()
        return [self.read() for _ in lines]

    def line(self, question):
        """What is asked, without the answer: all lines of a kind have to fit in a pipe."""
        return json.dumps({
            name: value for name, value in question.items() if not isinstance(value, list)})

    def close(self):
        self.process.stdin.close()
        code = self.process.wait()
        if code != 0:
            raise SystemExit(f"{self.name} ended with {code}")


class Skein(Engine):
    def line(self, question):
        kind = question["kind"]
        hour = [str(question[name]) for name in ("from", "to") if name in question]
        if kind in ("trace", "absent"):
            return "\t".join(["trace", question["trace"]])
        if kind == "services":
            return kind
        if kind in ("operations", "graph"):
            return "\t".join([kind, *hour])
        if kind in WALKS:
            return "\t".join(["walk", *hour, *WALKS[kind][0]])
        words = ["scan", "slowest" if kind == "slowest" else "newest", *hour]
        words += [
            f"{name}={question[name]}" for name in ("service", "operation") if name in question]
        if "key" in question:
            words.append(f"tag={question['key']}={question['value']}")
        if question.get("duration"):
            words.append(f"duration={question['duration']}")
        return "\t".join(words)


# MARK: Judging


def judge(engine, question, answer):
    """Ends the run where an answer is wrong; returns the largest error of a percentile."""
    kind, said = question["kind"], answer["answer"]
    is_ours = isinstance(engine, Skein)
    if kind in ("trace", "absent"):
        names = ("spans", "ids_xor", "content_xor") if is_ours else ("spans", "ids_xor")
        right = {name: question[name] for name in names}
    elif kind == "services":
        right = question["names"]
    elif kind == "slowest":
        right = question["slowest" if is_ours else "slowest_in_window"]
    elif kind == "graph":
        right = question["rows"]
    elif kind in WALKS:
        right, said = question["spans"], said["in_range"]
    elif kind == "operations":
        right, said, error = without_percentiles(question["rows"], said)
        if is_ours and error > PERCENTILE_ERROR_MAX:
            raise SystemExit(f"{engine.name}: a percentile is off by {error:.1%}: {question}")
    else:
        right = question["newest" if is_ours else "by_match"]
    if said != right or answer["incomplete"]:
        raise SystemExit(
            f"{engine.name} answered wrongly.\nasked: {engine.line(question)}\nright: {right}\n"
            f"said: {said} {answer['incomplete']}")
    return error if kind == "operations" else None


def without_percentiles(right, said):
    """Both without their percentiles, and how far these are apart at most."""
    error = 0
    if len(right) == len(said):
        for ours, theirs in zip(right, said):
            error = max(
                error, *(abs(a - b) / max(a, 1) for a, b in zip(ours[4:], theirs[4:], strict=True)))
    return [row[:4] for row in right], [row[:4] for row in said], error


# MARK: Running


def fill(folder, passes, file):
    """Sends the passes to a server, waits until it has merged, stops it; returns what it took."""
    with reference.server(folder) as server:
        pid = server.process.pid
        started = time.monotonic()
        answer = reference.load(file, server.addresses["otlp-http"][1], pid=pid, passes=passes)
        machine.say(f"sent {answer['spans']:,} spans in {answer['secs']:.0f} s")
        machine.wait_until_idle(pid, seconds_max=3600)
        spans = answer["spans"]
        result = {
            "spans": spans, "cpu": machine.cpu_seconds(pid) / (spans / 1e6),
            "peak": machine.memory_megabytes(pid, "VmHWM")}
        reference.require_stored(server, spans)
        reference.stop(server)
    machine.say(f"merged and stopped after {time.monotonic() - started:.0f} s")
    result["bytes"] = machine.bytes_on_disk(server.data) / spans
    result["log"] = machine.bytes_on_disk(server.data / "log") / spans
    return result


def start_up_seconds(folder):
    """From the start of `skein serve` until its ports answer."""
    seconds = []
    for _ in range(OPENINGS):
        started = time.monotonic()
        with reference.server(folder) as server:
            seconds.append(time.monotonic() - started)
            reference.stop(server)
    return sorted(seconds)[len(seconds) // 2]


def recovery(folder, file):
    """Kills a server right after a load. How long the next one takes to answer, and how many spans
    it had to take from the log."""
    with reference.server(folder) as server:
        reference.load(file, server.addresses["otlp-http"][1], passes=1)
        server.kill()
    started = time.monotonic()
    with reference.server(folder) as server:
        seconds = time.monotonic() - started
        metrics = server.get("/metrics").text
        reference.stop(server)
    line = next(
        line for line in metrics.splitlines() if line.startswith("skein_store_head_spans "))
    return {"seconds": seconds, "spans": int(float(line.split()[1]))}


def with_walks(questions):
    """Also walks over the hours of questions for operations, which count all spans."""
    hours = [question for question in questions if question["kind"] == "operations"]
    return questions + [
        {"kind": kind, "from": hour["from"], "to": hour["to"],
         "spans": sum(row[2] for row in hour["rows"])}
        for kind in WALKS for hour in hours[:WALKS_WARM + COUNT]]


def ask_all(engines, questions):
    """"engine kind" -> what its answers cost; None where an engine has no answer of that kind."""
    results = {}
    for kind in [*KINDS, *WALKS]:
        asked = [question for question in questions if question["kind"] == kind]
        for engine in engines[:1] if kind in WALKS else engines:
            machine.forget_peak(engine.pid)
            answers = engine.ask([engine.line(question) for question in asked])
            if "failure" in answers[0]:
                machine.say(f"{kind}, {engine.name}: {answers[0]['failure']}")
                results[f"{engine.name} {kind}"] = None
                continue
            errors = [judge(engine, *pair) for pair in zip(asked, answers)]
            warm = WALKS_WARM if kind in WALKS else WARM
            result = {
                "cpu": machine.median(answers[warm:], "cpu_ms"),
                "wall": machine.median(answers[warm:], "wall_ms"),
                "first": answers[0]["cpu_ms"],
                "peak": machine.memory_megabytes(engine.pid, "VmHWM"),
                "error": max(errors) if kind == "operations" else None}
            results[f"{engine.name} {kind}"] = result
            machine.say(f"{kind}, {engine.name}: " + ", ".join(
                f"{name} {value:.3f}" for name, value in result.items() if value is not None))
    return results


def open_store(folder, stack):
    """StoreBench over the store, opened OPENINGS times, and what opening took."""
    openings = []
    for number in range(OPENINGS):
        ours = Skein("skein", STORE_BENCH, folder / "data")
        stack.callback(ours.process.kill)
        openings.append(ours.opened)
        if number + 1 < OPENINGS:
            ours.close()
    return ours, {
        "open_wall": machine.median(openings, "wall_ms"),
        "open_cpu": machine.median(openings, "cpu_ms"), "parts": ours.opened["parts"],
        "resident": machine.memory_megabytes(ours.pid)}


def measure(folder, passes, file):
    truth = json.loads(machine.run([
        machine.BUILD / "questions", file, passes, QUESTION_SEED, WARM + COUNT]))
    machine.say(f"drew and answered {len(truth['questions'])} questions")
    filled = fill(folder / "skein", passes, file)
    filled["start_up"] = start_up_seconds(folder / "skein")
    filled["recovery"] = recovery(folder / "killed", file)
    with contextlib.ExitStack() as stack:
        ours, opening = open_store(folder / "skein", stack)
        filled |= opening
        machine.say(f"opened: {filled}")
        engines = [ours]
        for name in PEERS:
            machine.say(f"filling {name}")
            engines.append(Engine(
                name, PEERS_PYTHON, machine.ROOT / "bench" / "peers.py", name, folder / name, file,
                passes))
            stack.callback(engines[-1].process.kill)
            machine.say(f"filled {name}: {engines[-1].opened}")
        for engine in engines:
            if engine.opened["spans"] != truth["spans"]:
                raise SystemExit(
                    f"{engine.name} has {engine.opened['spans']} spans, not {truth['spans']}")
        results = ask_all(engines, with_walks(truth["questions"]))
        for engine in engines:
            engine.close()
    peers = {engine.name: engine.opened for engine in engines[1:]}
    return {"filled": filled, "peers": peers, "results": results}


# MARK: Telling


def stored_table(measured):
    filled = measured["filled"]
    rows = [[
        "skein", f"{filled['cpu']:.1f} (over HTTP, synced, merged)", f"{filled['bytes']:.1f}",
        f"{filled['peak']:.0f}"]]
    for name, peer in measured["peers"].items():
        millions = peer["spans"] / 1e6
        rows.append([
            peer["version"],
            f"{peer['insert_cpu'] / millions:.1f}"
            + (f" + {peer['merge_cpu'] / millions:.1f} merging" if peer["merge_cpu"] else ""),
            f"{peer['bytes'] / peer['spans']:.1f}", f"{peer['peak']:.0f}"])
    return machine.table(
        ["engine", "CPU s per million spans", "bytes a span on disk", "peak memory, MB"], rows)


def question_table(measured):
    results, peers = measured["results"], list(measured["peers"])
    rows = []
    walks = {kind: words for kind, (_, words) in WALKS.items()}
    for kind, words in (KINDS | walks).items():
        ours = results[f"skein {kind}"]
        if ours is None:
            rows.append([words, "not answered", *[""] * (3 + len(peers))])
            continue
        error = f"; percentiles within {ours['error']:.2%}" if ours["error"] is not None else ""
        row = [
            words + error, machine.number(ours["cpu"], 3), machine.number(ours["wall"], 3),
            machine.number(ours["first"], 1), f"{ours['peak']:.0f}"]
        for name in peers:
            if kind in WALKS:
                row.append("")
                continue
            theirs = results[f"{name} {kind}"]["cpu"]
            row.append(f"{machine.number(theirs)} ({theirs / ours['cpu']:,.1f} ×)")
        rows.append(row)
    return machine.table(
        ["question", "CPU ms", "ms", "first one, CPU ms", "peak memory, MB",
         *(f"{name}: CPU ms" for name in peers)], rows)


def report(measured, passes):
    filled, recovered = measured["filled"], measured["filled"]["recovery"]
    command = f'make bench-store SPANS={SPANS} PEERS="{" ".join(PEERS)}"'
    return "\n\n".join([
        f"### {SPANS:,} spans",
        f"{machine.circumstances(command)} {passes} hours of {filled['spans'] // passes:,} spans, "
        f"seeds {machine.SEED} and {QUESTION_SEED}; peers with two threads.",
        stored_table(measured),
        f"{filled['parts']} parts; {filled['log']:.1f} of the bytes a span are log. `skein serve` "
        f"answers {filled['start_up']:.2f} s after its start; killed right after a load, after "
        f"{recovered['seconds']:.2f} s with {recovered['spans']:,} spans from the log. Opening "
        f"the store alone takes {filled['open_wall']:.0f} ms ({filled['open_cpu']:.0f} CPU ms), after which the process "
        f"holds {filled['resident']:.0f} MB.",
        question_table(measured)])


def results_file(spans):
    return machine.BUILD / f"store-{spans}.json"


def report_growth():
    """How the medians grow from the middle size to the large one, where both were measured."""
    small, large = 5_000_000, 20_000_000
    files = [results_file(spans) for spans in (small, large)]
    if not all(file.exists() for file in files):
        return
    before, after = (json.loads(file.read_text()) for file in files)
    rows = []
    for kind, words in KINDS.items():
        runs = [run["results"][f"skein {kind}"] for run in (before, after)]
        if None not in runs:
            one, other = (run["cpu"] for run in runs)
            rows.append([
                words, machine.number(one, 3), machine.number(other, 3), f"{other / one:.2f}"])
    machine.write_section("growth", "\n\n".join([
        "### From 5 to 20 million spans",
        f"CPU ms of the two runs above, at {before['commit']} and {after['commit']}.",
        machine.table(["question", "5 million", "20 million", "ratio"], rows)]))


def main():
    passes = max(1, SPANS // reference.HOUR_SPANS)
    file = reference.corpus(min(SPANS, reference.HOUR_SPANS))
    with machine.scratch() as folder:
        measured = measure(folder, passes, file)
    measured["commit"] = machine.commit()
    results_file(SPANS).write_text(json.dumps(measured, indent=1))
    machine.write_section(f"store-{SPANS}", report(measured, passes), is_full=PEERS != [])
    report_growth()


if __name__ == "__main__":
    main()
