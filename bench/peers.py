#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other engines with the same spans and the same questions, each in a process of its own.

    peers.py chdb|duckdb|sqlite FOLDER CORPUS PASSES

Fills the engine from CORPUS (its passes made by `rowbinary`), prints one line of JSON about that,
then reads questions from standard input, one JSON object a line as `questions` writes them, and
prints an answer for each:

    {"cpu_ms": 1.5, "wall_ms": 1.2, "answer": ...}

CPU is that of all threads of the process. It runs in the environment of tools/requirements-peers.txt.
"""

import json
import os
import pathlib
import resource
import sqlite3
import subprocess
import sys
import time

import machine

THREADS = 2
LIST = 20
# Spans that travel between two engines at a time, to bound the memory of this process.
COPY_ROWS = 20_000
# Spans of a request: what is inserted, and is durable, at once.
BATCH_ROWS = 512
# A parent starts at most so long before its child, nanoseconds: a join need not look at all hours.
PARENT_EARLIER_MAX = 60_000_000_000


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def tell(**line):
    print(json.dumps(line), flush=True)


class Stopwatch:
    """Adds up what the blocks under it took."""

    def __init__(self):
        self.cpu = self.wall = 0

    def __enter__(self):
        self.started = (cpu_seconds(), time.perf_counter())

    def __exit__(self, *_):
        self.cpu += cpu_seconds() - self.started[0]
        self.wall += time.perf_counter() - self.started[1]


class ClickHouse:
    """chDB: ClickHouse's engine in this process, with the table of the OpenTelemetry exporter."""

    def __init__(self, folder):
        from chdb import session
        self.folder = folder / "chdb"
        self.session = session.Session(str(self.folder))
        self.version = f"chDB {self.rows('SELECT version()')[0][0]}"
        self.session.query("CREATE DATABASE IF NOT EXISTS spans")
        self.session.query("USE spans")

    def rows(self, sql):
        answer = self.session.query(sql, "JSONCompactEachRow")
        text = answer.bytes().decode() if answer is not None else ""
        return [json.loads(line) for line in text.splitlines()]

    def fill(self, corpus, passes):
        sql = (pathlib.Path(__file__).parent / "otel_traces.sql").read_text()
        for statement in sql.split(";\n"):
            if "CREATE" in statement:
                self.session.query(statement)
        insert, merge = Stopwatch(), Stopwatch()
        file = self.folder.parent / "pass.rowbinary"
        for number in range(passes):
            subprocess.run(
                [machine.BUILD / "rowbinary", corpus, str(number), file], check=True)
            with insert:
                self.session.query(
                    f"INSERT INTO otel_traces FROM INFILE '{file}' SETTINGS "
                    f"input_format_parallel_parsing=0, max_threads={THREADS}, "
                    "max_insert_threads=1 FORMAT RowBinary")
            file.unlink()
            print(f"chDB: pass {number + 1} of {passes}", file=sys.stderr, flush=True)
        with merge:
            self.session.query("OPTIMIZE TABLE otel_traces FINAL")
            self.session.query("OPTIMIZE TABLE otel_traces_trace_id_ts FINAL")
        spans = self.rows("SELECT count() FROM otel_traces")[0][0]
        stored = self.rows(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'spans'")
        return {
            "spans": int(spans), "insert_cpu": insert.cpu, "merge_cpu": merge.cpu,
            "bytes": int(stored[0][0])}

    def ask(self, question):
        sql = getattr(self, question["kind"])(question)
        return self.rows(f"{sql} SETTINGS max_threads={THREADS}")

    @staticmethod
    def sql(question):
        return question["sql"]

    @staticmethod
    def hour(question, table=""):
        start, end = (
            f"toDateTime64({question[name] // 1_000_000_000}, 9)" for name in ("from", "to"))
        return f"{table}Timestamp >= {start} AND {table}Timestamp < {end}"

    def trace(self, question):
        return (
            f"WITH '{question['trace']}' AS id, "
            "(SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = id) AS first, "
            "(SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = id) AS last "
            "SELECT * FROM otel_traces WHERE TraceId = id AND Timestamp >= first "
            "AND Timestamp <= last ORDER BY Timestamp")

    absent = trace

    def search(self, question):
        conditions = [self.hour(question)]
        if "service" in question:
            conditions += [
                f"ServiceName = '{question['service']}'", f"SpanName = '{question['operation']}'"]
        conditions.append(f"SpanAttributes['{question['key']}'] = '{question['value']}'")
        if question["duration"]:
            conditions.append(f"Duration >= {question['duration']}")
        return (
            f"SELECT TraceId, max(Timestamp) AS newest FROM otel_traces "
            f"WHERE {' AND '.join(conditions)} GROUP BY TraceId "
            f"ORDER BY newest DESC, TraceId LIMIT {LIST}")

    operation = rare_tag = unique_value = unique_value_all = common_tag = search

    def slowest(self, question):
        return (
            "SELECT TraceId, max(toUnixTimestamp64Nano(Timestamp) + Duration) "
            "- min(toUnixTimestamp64Nano(Timestamp)) AS duration FROM otel_traces "
            f"WHERE {self.hour(question)} GROUP BY TraceId ORDER BY duration DESC, TraceId "
            f"LIMIT {LIST}")

    def operations(self, question):
        return (
            "SELECT ServiceName, SpanName, count(), countIf(StatusCode = 'Error'), "
            "quantiles(0.5, 0.95, 0.99)(Duration) FROM otel_traces "
            f"WHERE {self.hour(question)} GROUP BY 1, 2 ORDER BY 1, 2")

    def graph(self, question):
        early = dict(question, **{"from": question["from"] - PARENT_EARLIER_MAX})
        return (
            "SELECT p.ServiceName, c.ServiceName, count(), countIf(c.StatusCode = 'Error') "
            "FROM otel_traces AS c JOIN otel_traces AS p "
            "ON c.TraceId = p.TraceId AND c.ParentSpanId = p.SpanId "
            f"WHERE {self.hour(question, 'c.')} AND {self.hour(early, 'p.')} "
            "AND c.ServiceName != p.ServiceName GROUP BY 1, 2 ORDER BY 1, 2")

    def services(self, question):
        return (
            f"SELECT DISTINCT ServiceName FROM otel_traces WHERE {self.hour(question)} ORDER BY 1")


PARQUET_COLUMNS = """Timestamp Int64, TraceId String, SpanId String, ParentSpanId String,
TraceState String, SpanName String, SpanKind String, ServiceName String,
ResourceAttributes Map(String, String), ScopeName String, ScopeVersion String,
SpanAttributes Map(String, String), Duration UInt64, StatusCode String, StatusMessage String,
`Events.Timestamp` Array(Int64), `Events.Name` Array(String),
`Events.Attributes` Array(Map(String, String)), `Links.TraceId` Array(String),
`Links.SpanId` Array(String), `Links.TraceState` Array(String),
`Links.Attributes` Array(Map(String, String))"""


def make_parquet(folder, corpus, number):
    """A pass as Parquet, which DuckDB reads; made by chDB in a process of its own."""
    rows, parquet = folder / "pass.rowbinary", folder / "pass.parquet"
    subprocess.run([machine.BUILD / "rowbinary", corpus, str(number), rows], check=True)
    script = (
        "import sys, chdb; chdb.query(f\"SELECT * FROM file('{sys.argv[1]}', 'RowBinary', "
        "'{sys.argv[3]}') INTO OUTFILE '{sys.argv[2]}' TRUNCATE FORMAT Parquet\")")
    subprocess.run(
        [sys.executable, "-c", script, rows, parquet, PARQUET_COLUMNS.replace("\n", " ")],
        check=True)
    rows.unlink()
    return parquet


class DuckDB:
    """DuckDB with the same columns, in order of time: its zone maps are all the index it has."""

    def __init__(self, folder):
        import duckdb
        self.folder = folder
        self.file = folder / "spans.duckdb"
        self.database = duckdb.connect(str(self.file), config={"threads": THREADS})
        self.version = f"DuckDB {duckdb.__version__}"

    def fill(self, corpus, passes):
        insert = Stopwatch()
        for number in range(passes):
            parquet = make_parquet(self.folder, corpus, number)
            source = f"SELECT * FROM '{parquet}' ORDER BY Timestamp"
            with insert:
                self.database.execute(
                    f"CREATE TABLE spans AS {source}" if number == 0
                    else f"INSERT INTO spans {source}")
            parquet.unlink()
            print(f"DuckDB: pass {number + 1} of {passes}", file=sys.stderr, flush=True)
        with insert:
            self.database.execute("CHECKPOINT")
        spans = self.database.execute("SELECT count(*) FROM spans").fetchone()[0]
        return {
            "spans": spans, "insert_cpu": insert.cpu, "merge_cpu": 0,
            "bytes": self.file.stat().st_blocks * 512}

    def ask(self, question):
        sql, *arguments = getattr(self, question["kind"])(question)
        return self.database.execute(sql, arguments).fetchall()

    def trace(self, question):
        return "SELECT * FROM spans WHERE TraceId = ? ORDER BY Timestamp", question["trace"]

    absent = trace

    def search(self, question):
        conditions = ["Timestamp >= ?", "Timestamp < ?"]
        arguments = [question["from"], question["to"]]
        if "service" in question:
            conditions += ["ServiceName = ?", "SpanName = ?"]
            arguments += [question["service"], question["operation"]]
        conditions.append(f"SpanAttributes['{question['key']}'] = ?")
        arguments.append(question["value"])
        if question["duration"]:
            conditions.append("Duration >= ?")
            arguments.append(question["duration"])
        return (
            f"SELECT TraceId, max(Timestamp) AS newest FROM spans WHERE {' AND '.join(conditions)} "
            f"GROUP BY TraceId ORDER BY newest DESC, TraceId LIMIT {LIST}", *arguments)

    operation = rare_tag = unique_value = unique_value_all = common_tag = search

    def slowest(self, question):
        return (
            "SELECT TraceId, max(Timestamp + Duration::BIGINT) - min(Timestamp) AS duration "
            "FROM spans WHERE Timestamp >= ? AND Timestamp < ? GROUP BY TraceId "
            f"ORDER BY duration DESC, TraceId LIMIT {LIST}", question["from"], question["to"])

    def operations(self, question):
        return (
            "SELECT ServiceName, SpanName, count(*), count(*) FILTER (StatusCode = 'Error'), "
            "approx_quantile(Duration, [0.5, 0.95, 0.99]) FROM spans "
            "WHERE Timestamp >= ? AND Timestamp < ? GROUP BY 1, 2 ORDER BY 1, 2",
            question["from"], question["to"])

    def graph(self, question):
        return (
            "SELECT p.ServiceName, c.ServiceName, count(*), "
            "count(*) FILTER (c.StatusCode = 'Error') FROM spans c JOIN spans p "
            "ON c.TraceId = p.TraceId AND c.ParentSpanId = p.SpanId "
            "WHERE c.Timestamp >= ? AND c.Timestamp < ? AND p.Timestamp >= ? AND p.Timestamp < ? "
            "AND c.ServiceName != p.ServiceName GROUP BY 1, 2 ORDER BY 1, 2",
            question["from"], question["to"], question["from"] - PARENT_EARLIER_MAX,
            question["to"])

    def services(self, question):
        return (
            "SELECT DISTINCT ServiceName FROM spans WHERE Timestamp >= ? AND Timestamp < ? "
            "ORDER BY 1", question["from"], question["to"])


class SQLite:
    """SQLite with a row a span and a row a tag, as one would lay it out: every tag can be searched
    for, a request is a transaction, and each is durable before the next."""

    SCHEMA = """
        PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        PRAGMA cache_size = -262144; PRAGMA mmap_size = 17179869184;
        CREATE TABLE resources (id INTEGER PRIMARY KEY, attributes TEXT UNIQUE);
        CREATE TABLE spans (
            id INTEGER PRIMARY KEY, trace BLOB, span BLOB, parent BLOB, service TEXT, operation TEXT,
            kind TEXT, start INTEGER, duration INTEGER, status TEXT, resource INTEGER, scope TEXT,
            attributes TEXT, events TEXT, links TEXT);
        CREATE INDEX spans_trace ON spans (trace, span);
        CREATE INDEX spans_operation ON spans (service, operation, start);
        CREATE INDEX spans_start ON spans (start, trace, duration);
        CREATE TABLE tags (
            key TEXT, value TEXT, start INTEGER, span INTEGER,
            PRIMARY KEY (key, value, start, span)) WITHOUT ROWID;
    """
    # Longer values can be read but not searched for.
    TAG_CHARACTERS_MAX = 256

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "spans.sqlite"
        self.database = sqlite3.connect(self.file, isolation_level=None)
        self.database.executescript(self.SCHEMA)
        self.version = f"SQLite {sqlite3.sqlite_version}"
        self.resources = {}
        self.spans = 0

    def fill(self, corpus, passes):
        import duckdb
        insert = Stopwatch()
        for number in range(passes):
            parquet = make_parquet(self.folder, corpus, number)
            reader = duckdb.connect(config={"threads": 1})
            reader.execute(f"SELECT * FROM '{parquet}'")
            while rows := reader.fetchmany(COPY_ROWS):
                self.insert(rows, insert)
            reader.close()
            parquet.unlink()
            print(f"SQLite: pass {number + 1} of {passes}", file=sys.stderr, flush=True)
        with insert:
            self.database.execute("ANALYZE")
            self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {
            "spans": self.spans, "insert_cpu": insert.cpu, "merge_cpu": 0,
            "bytes": machine.bytes_on_disk(self.folder)}

    def insert(self, rows, stopwatch):
        """Only what SQLite and its driver do is timed; the rows are made before."""
        requests = []
        for first in range(0, len(rows), BATCH_ROWS):
            spans, tags, resources = [], [], []
            for row in rows[first:first + BATCH_ROWS]:
                self.spans += 1
                spans.append(self.span(row, resources))
                tags += [
                    (key, value, row[0], self.spans) for key, value in row[11].items()
                    if len(value) <= self.TAG_CHARACTERS_MAX]
            requests.append((resources, spans, tags))
        with stopwatch:
            for resources, spans, tags in requests:
                self.database.execute("BEGIN")
                self.database.executemany("INSERT INTO resources VALUES (?, ?)", resources)
                self.database.executemany(
                    f"INSERT INTO spans VALUES ({', '.join('?' * 15)})", spans)
                self.database.executemany("INSERT INTO tags VALUES (?, ?, ?, ?)", tags)
                self.database.execute("COMMIT")

    def span(self, row, new_resources):
        resource = json.dumps(row[8])
        if resource not in self.resources:
            self.resources[resource] = len(self.resources) + 1
            new_resources.append((self.resources[resource], resource))
        return (
            self.spans, *(bytes.fromhex(each) for each in row[1:4]), row[7], row[5], row[6], row[0],
            row[12], row[13], self.resources[resource], row[9], json.dumps(row[11]),
            json.dumps(row[15:18]) if row[15] else None, json.dumps(row[18:]) if row[18] else None)

    def ask(self, question):
        sql, *arguments = getattr(self, question["kind"])(question)
        return self.database.execute(sql, arguments).fetchall()

    def trace(self, question):
        return (
            "SELECT * FROM spans JOIN resources ON resources.id = resource WHERE trace = ? "
            "ORDER BY start", bytes.fromhex(question["trace"]))

    absent = trace

    def operation(self, question):
        return (
            "SELECT hex(trace), max(start) AS newest FROM spans WHERE service = ? AND operation = ? "
            "AND start >= ? AND start < ? AND duration >= ? AND EXISTS (SELECT 1 FROM tags "
            "WHERE key = ? AND value = ? AND tags.start = spans.start AND tags.span = spans.id) "
            f"GROUP BY trace ORDER BY newest DESC, trace LIMIT {LIST}", question["service"],
            question["operation"], question["from"], question["to"], question["duration"],
            question["key"], question["value"])

    def tagged(self, question):
        return (
            "SELECT hex(trace), max(spans.start) AS newest FROM tags CROSS JOIN spans "
            "ON spans.id = tags.span WHERE key = ? AND value = ? AND tags.start >= ? "
            "AND tags.start < ? AND duration >= ? GROUP BY trace ORDER BY newest DESC, trace "
            f"LIMIT {LIST}", question["key"], question["value"], question["from"], question["to"],
            question["duration"])

    rare_tag = unique_value = unique_value_all = common_tag = tagged

    def slowest(self, question):
        return (
            "SELECT hex(trace), max(start + duration) - min(start) AS whole FROM spans "
            "WHERE start >= ? AND start < ? GROUP BY trace ORDER BY whole DESC, trace "
            f"LIMIT {LIST}", question["from"], question["to"])

    def operations(self, question):
        return (
            "SELECT service, operation, count(*), sum(status = 'Error'), "
            "max(duration) FILTER (WHERE place <= (n * 50 + 99) / 100), "
            "max(duration) FILTER (WHERE place <= (n * 95 + 99) / 100), "
            "max(duration) FILTER (WHERE place <= (n * 99 + 99) / 100) FROM ("
            "SELECT service, operation, status, duration, count(*) OVER whole AS n, "
            "row_number() OVER (PARTITION BY service, operation ORDER BY duration) AS place "
            "FROM spans WHERE start >= ? AND start < ? "
            "WINDOW whole AS (PARTITION BY service, operation)) GROUP BY 1, 2 ORDER BY 1, 2",
            question["from"], question["to"])

    def graph(self, question):
        return (
            "SELECT p.service, c.service, count(*), sum(c.status = 'Error') FROM spans c "
            "CROSS JOIN spans p ON p.trace = c.trace AND p.span = c.parent "
            "WHERE c.start >= ? AND c.start < ? AND p.service != c.service "
            "GROUP BY 1, 2 ORDER BY 1, 2", question["from"], question["to"])

    def services(self, question):
        return (
            "SELECT DISTINCT service FROM spans WHERE start >= ? AND start < ? ORDER BY 1",
            question["from"], question["to"])


ENGINES = {"chdb": ClickHouse, "duckdb": DuckDB, "sqlite": SQLite}
LISTS = {
    "operation", "rare_tag", "unique_value", "unique_value_all", "common_tag", "slowest",
    "services"}


def answer(kind, rows):
    """Rows in the form in which all engines are compared; of SQL that was given, how many."""
    if kind == "sql":
        return len(rows)
    if kind in ("trace", "absent"):
        ids = 0
        for row in rows:
            ids ^= int(row[2].hex() if isinstance(row[2], bytes) else row[2], 16)
        return {"spans": len(rows), "ids_xor": f"{ids:016x}"}
    if kind in LISTS:
        return [row[0] if kind == "services" else row[0].lower() for row in rows]
    flat = [
        [part for each in row for part in (each if isinstance(each, (list, tuple)) else [each])]
        for row in rows]
    return [row[:2] + [float(each) for each in row[2:]] for row in flat]


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ENGINES:
        raise SystemExit("usage: peers.py chdb|duckdb|sqlite FOLDER CORPUS PASSES")
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir()
    engine = ENGINES[sys.argv[1]](folder)
    filled = engine.fill(sys.argv[3], int(sys.argv[4]))
    tell(version=engine.version, peak=machine.memory_megabytes("self", "VmHWM"), **filled)
    for line in sys.stdin:
        question = json.loads(line)
        stopwatch = Stopwatch()
        with stopwatch:
            rows = engine.ask(question)
        tell(
            cpu_ms=stopwatch.cpu * 1000, wall_ms=stopwatch.wall * 1000, incomplete=[],
            answer=answer(question["kind"], rows))
    # chDB's library does not always let the interpreter end.
    os._exit(0)


if __name__ == "__main__":
    main()
