#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks `skein serve` with SPANS spans questions in TraceQL over HTTP, and ClickHouse's engine (chDB)
the same where SQL can say them, and writes the table in docs/benchmarks.md. Run by
`make bench-traceql`.

The store is filled over HTTP, an hour of time per million spans, left to merge, stopped and started
anew. Each question is asked of other hours in turn, COUNT times after one to warm up. CPU is that of
all threads of the process that answers; rows are the spans whose columns were read for it.

SPANS and PEERS (chdb or empty) in the environment choose.
"""

import contextlib
import dataclasses
import json
import os
import urllib.parse

import machine
import reference
import store

SPANS = int(os.environ.get("SPANS", "10000000"))
PEERS = os.environ.get("PEERS", "chdb").split()
COUNT = 5
HOUR = 3_600_000_000_000
MINUTE = HOUR // 60
# What a question may cost, CPU milliseconds, where a target was set.
STRUCTURAL_MAX, TOTALS_MAX, SPANS_MAX = 150, 20, 100

# Of the column names of the OpenTelemetry exporter's table.
ROUTE = "SpanAttributes['http.route']"
STATUS_CODE = "SpanAttributes['http.response.status_code']"
SELF_JOIN = (
    "SELECT DISTINCT b.TraceId FROM otel_traces AS b JOIN otel_traces AS a "
    "ON b.TraceId = a.TraceId AND b.ParentSpanId = a.SpanId "
    "WHERE {b.hour} AND {a.early} AND a.SpanKind = 'Server' AND b.StatusCode = 'Error' LIMIT 20")


@dataclasses.dataclass
class Question:
    """What is asked in TraceQL, and in SQL: `{hour}` stands for the hour's condition; a condition
    alone is completed to "the newest 20 traces with such a span"."""

    query: str
    sql: str = None
    hours: int = 1
    target: float = None

    @property
    def is_metrics(self):
        return "_over_time(" in self.query or "rate()" in self.query or "compare(" in self.query

    def of_trace(self, trace):
        """The question about a trace that is stored."""
        sql = self.sql and self.sql.replace("{trace}", trace)
        return dataclasses.replace(self, query=self.query.replace("{trace}", trace), sql=sql)

    def statement(self, hour):
        if self.sql is None:
            return None
        text = self.sql
        if not text.startswith(("SELECT", "WITH")):
            text = (
                "SELECT TraceId, max(Timestamp) AS newest FROM otel_traces WHERE {hour} "
                f"AND ({text}) GROUP BY TraceId ORDER BY newest DESC, TraceId LIMIT 20")

        def within(table, early=0):
            start, end = ((each - early) // 1_000_000_000 for each in hour)
            return (
                f"{table}Timestamp >= toDateTime64({start}, 9) "
                f"AND {table}Timestamp < toDateTime64({end}, 9)")
        for table in ("", "a.", "b."):
            text = text.replace(f"{{{table}hour}}", within(table))
            text = text.replace(f"{{{table}early}}", within(table, early=MINUTE))
        return text


QUESTIONS = [
    # A trace of the hour, for its id.
    Question('{ trace:id = "{trace}" }', "TraceId = '{trace}'"),
    Question('{ .http.route =~ "/api/.*/order.*" }', f"match({ROUTE}, '^/api/.*/order.*$')"),
    Question('{ .http.response.status_code = 404 }', f"{STATUS_CODE} = '404'"),
    Question(
        '{ .http.response.status_code = 404 && .http.request.method = "GET" }',
        f"{STATUS_CODE} = '404' AND SpanAttributes['http.request.method'] = 'GET'"),
    Question(
        '{ .http.response.status_code = 404 || .error.type = "500" }',
        f"{STATUS_CODE} = '404' OR SpanAttributes['error.type'] = '500'"),
    Question("{ duration > 100ms }", "Duration > 100000000"),
    Question("{ status = error }", "StatusCode = 'Error'"),
    Question(
        "{ trace:duration > 200ms }",
        "SELECT TraceId, min(Timestamp) AS first FROM otel_traces WHERE {hour} GROUP BY TraceId "
        "HAVING max(toUnixTimestamp64Nano(Timestamp) + Duration) "
        "- min(toUnixTimestamp64Nano(Timestamp)) > 200000000 ORDER BY first DESC LIMIT 20"),
    Question("{ } order by trace:duration", target=STRUCTURAL_MAX),
    # Orders other than newest look at the whole hour: what a million spans cost.
    Question(
        "{ kind = server } > { status = error } order by span:count", SELF_JOIN,
        target=STRUCTURAL_MAX),
    Question(
        "{ kind = server } >> { status = error } order by span:count", target=STRUCTURAL_MAX),
    Question(
        "{ kind = server } !>> { status = error } order by span:count", target=STRUCTURAL_MAX),
    Question("{ status = error } ~ { status = error } order by span:count", target=STRUCTURAL_MAX),
    Question(
        "{ status = error } << { kind = server } order by span:count", target=STRUCTURAL_MAX),
    Question(
        "{ status = error } without { kind = consumer } order by span:count",
        "SELECT TraceId FROM otel_traces WHERE {hour} GROUP BY TraceId "
        "HAVING countIf(StatusCode = 'Error') > 0 AND countIf(SpanKind = 'Consumer') = 0 "
        "ORDER BY count() DESC, TraceId LIMIT 20", target=STRUCTURAL_MAX),
    Question(
        "{ kind = producer } without { kind = consumer } within 50ms order by span:count",
        target=STRUCTURAL_MAX),
    Question(
        "{ } | count() > 50",
        "SELECT TraceId, min(Timestamp) AS first FROM otel_traces WHERE {hour} GROUP BY TraceId "
        "HAVING count() > 50 ORDER BY first DESC LIMIT 20"),
    Question(
        "{ } | by(resource.service.name) | avg(duration) > 50ms",
        "SELECT TraceId, max(first) AS newest FROM (SELECT TraceId, ServiceName, "
        "min(Timestamp) AS first FROM otel_traces WHERE {hour} GROUP BY TraceId, ServiceName "
        "HAVING avg(Duration) > 50000000) GROUP BY TraceId ORDER BY newest DESC LIMIT 20"),
    Question(
        "{ } | rate() by (resource.service.name)",
        "SELECT ServiceName, toStartOfMinute(Timestamp), count() / 60 FROM otel_traces "
        "WHERE {hour} GROUP BY 1, 2", hours=10, target=TOTALS_MAX),
    Question(
        "{ } | quantile_over_time(duration, .5, .99) by (name)",
        "SELECT SpanName, toStartOfMinute(Timestamp), quantiles(0.5, 0.99)(Duration) "
        "FROM otel_traces WHERE {hour} GROUP BY 1, 2", target=SPANS_MAX),
    Question(
        '{ span:statusMessage != "x" } | quantile_over_time(duration, .5, .99) by (name)',
        "SELECT SpanName, toStartOfMinute(Timestamp), quantiles(0.5, 0.99)(Duration) "
        "FROM otel_traces WHERE {hour} AND StatusMessage != 'x' GROUP BY 1, 2"),
    Question(
        "{ kind = server } | histogram_over_time(duration)",
        "SELECT toStartOfMinute(Timestamp), floor(log2(Duration)), count() FROM otel_traces "
        "WHERE {hour} AND SpanKind = 'Server' GROUP BY 1, 2"),
    Question("{ kind = server } | compare({ status = error }, 10)"),
    Question(
        "{ } | rate() by (name) | topk(10)",
        "SELECT SpanName, toStartOfMinute(Timestamp) AS minute, count() / 60 AS rate "
        "FROM otel_traces WHERE {hour} GROUP BY 1, 2 ORDER BY minute, rate DESC LIMIT 10 BY minute"),
]


class Skein:
    name = "skein"

    def __init__(self, server):
        self.server, self.pid = server, server.process.pid

    def some_trace(self, hour):
        return self.server.search(limit=1, start=hour[0], end=hour[1])["traces"][0]["traceId"]

    def ask(self, question, hour):
        path = "/api/skein/v1/metrics" if question.is_metrics else "/api/skein/v1/traces"
        parameters = {"q": question.query, "start": hour[0], "end": hour[1]}
        if question.is_metrics:
            parameters["step"] = "1m"
        path += "?" + urllib.parse.urlencode(parameters)
        before = machine.cpu_nanoseconds(self.pid)
        answer = self.server.request("http", "GET", path, timeout=120)
        spent = machine.cpu_nanoseconds(self.pid) - before
        if answer.status != 200 or not answer.json["complete"]:
            raise SystemExit(f"{question.query}: {answer.text[:500]}")
        said = answer.json
        return {
            "cpu": spent / 1e6, "rows": said["examinedSpans"],
            "found": len(said["series" if question.is_metrics else "traces"])}


class Peer(store.Engine):
    def ask_sql(self, statement):
        answer = self.ask([json.dumps({"kind": "sql", "sql": statement})])[0]
        if "failure" in answer:
            raise SystemExit(f"{self.name}: {answer['failure']}\n{statement}")
        return {"cpu": answer["cpu_ms"], "found": answer["answer"]}


def hours(last, passes, length):
    """So many stretches of hours as are asked about, each `length` hours long."""
    starts = [last - HOUR * (passes - 1 - first) for first in range(passes - length + 1)]
    chosen = [starts[number % len(starts)] for number in range(COUNT + 1)]
    return [(start, start + HOUR * length) for start in chosen]


def ask_all(ours, peers, last, passes):
    results = []
    for question in QUESTIONS:
        length = min(question.hours, passes)
        row = {"query": question.query, "hours": length, "target": question.target}
        each_hour = [
            (question.of_trace(ours.some_trace(hour)), hour)
            for hour in hours(last, passes, length)]
        asked = [ours.ask(question, hour) for question, hour in each_hour]
        found = [each["found"] for each in asked]
        row |= {
            "cpu": machine.median(asked[1:], "cpu"), "rows": machine.median(asked[1:], "rows"),
            "found": machine.median(asked[1:], "found")}
        for peer in peers:
            if question.sql is None:
                row[peer.name] = None
                continue
            asked = [peer.ask_sql(question.statement(hour)) for question, hour in each_hour]
            theirs = [each["found"] for each in asked]
            # Series and rows by the minute are not counted alike.
            if not question.is_metrics and theirs != found:
                raise SystemExit(
                    f"{question.query}: {found} traces found, and {theirs} by {peer.name}")
            row[peer.name] = machine.median(asked[1:], "cpu")
        machine.say(", ".join(f"{name} {value}" for name, value in row.items()))
        results.append(row)
    return results


def table(results, peers):
    rows = []
    for row in results:
        length = f", {row['hours']} hours" if row["hours"] > 1 else ""
        target = "" if row["target"] is None else f" (≤ {row['target']})"
        cells = [
            f"`{row['query'].replace('|', chr(92) + '|')}`{length}",
            machine.number(row["cpu"], 1) + target, f"{row['rows']:,.0f}", f"{row['found']:.0f}"]
        for name in peers:
            theirs = row[name]
            cells.append(
                "no SQL for it" if theirs is None
                else f"{machine.number(theirs, 1)} ({theirs / row['cpu']:,.1f} ×)")
        rows.append(cells)
    return machine.table(
        ["question, an hour of a million spans", "CPU ms", "spans read", "found",
         *(f"{name}: CPU ms" for name in peers)], rows)


def measure(folder, passes, file):
    with reference.server(folder / "skein") as server:
        pid = server.process.pid
        reference.load(file, server.addresses["otlp-http"][1], pid=pid, passes=passes)
        machine.wait_until_idle(pid, seconds_max=3600)
        reference.stop(server)
    with contextlib.ExitStack() as stack:
        peers = []
        for name in PEERS:
            machine.say(f"filling {name}")
            peers.append(Peer(
                name, store.PEERS_PYTHON, machine.ROOT / "bench" / "peers.py", name,
                folder / name, file, passes))
            stack.callback(peers[-1].process.kill)
        server = stack.enter_context(reference.server(folder / "skein"))
        ours = Skein(server)
        newest = server.search(limit=1, start=0, end=2**63)["traces"][0]
        last = int(newest["startTimeUnixNano"]) // HOUR * HOUR
        results = ask_all(ours, peers, last, passes)
        reference.stop(server)
        for peer in peers:
            peer.close()
    return results


def main():
    passes = max(1, SPANS // reference.HOUR_SPANS)
    file = reference.corpus(min(SPANS, reference.HOUR_SPANS))
    with machine.scratch() as folder:
        results = measure(folder, passes, file)
    command = f'make bench-traceql SPANS={SPANS} PEERS="{" ".join(PEERS)}"'
    machine.write_section(
        "traceql", machine.circumstances(command) + "\n\n" + table(results, PEERS),
        is_full=SPANS == 10_000_000 and PEERS != [])


if __name__ == "__main__":
    main()
