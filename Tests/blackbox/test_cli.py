# SPDX-License-Identifier: Apache-2.0
"""The command line: help, wrong options, addresses, environment, exit codes."""

import json
import os
import struct
import subprocess

import pytest

import otlp
from skein_server import BINARY

COMMANDS = [
    "serve", "demo", "load", "query", "trace", "analyze", "service", "map", "totals", "export", "delete",
    "backup", "restore", "verify", "inspect"]
USAGE_ERROR = 64


def skein(*arguments, timeout=60, **environment):
    return subprocess.run(
        [str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
        stdin=subprocess.DEVNULL, env={**os.environ, **environment})


def said(result):
    return result.stdout + result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command):
    result = skein(command, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith("OVERVIEW:")
    assert "USAGE: skein " + command in result.stdout
    assert command in skein("--help").stdout


@pytest.mark.parametrize(
    "command", ["analyze", "delete", "export", "map", "query", "service", "totals", "trace"])
def test_each_command_that_asks_a_server_names_it_alike(command):
    assert "--server, --address <url>" in skein(command, "--help").stdout
    asked = {"delete": ["ab" * 16], "trace": ["ab" * 16], "analyze": ["ab" * 16],
             "service": ["shop"]}.get(command, [])
    for option in ("--server", "--address"):
        result = skein(command, *asked, option, "http://127.0.0.1:1")
        assert result.returncode not in (0, USAGE_ERROR)
        assert "127.0.0.1:1" in said(result)


def test_serve_help_names_every_option_with_its_default():
    text = skein("serve", "--help").stdout
    for option, default in {
        "--data": "", "--http": "127.0.0.1:16686", "--otlp-http": "127.0.0.1:4318",
        "--otlp-grpc": "127.0.0.1:4317", "--zipkin": "127.0.0.1:9411",
        "--jaeger-grpc": "16685", "--retention": "7d",
        "--retention-bytes": "unlimited", "--totals-retention": "90d",
        "--durability": "fsync", "--insecure-open": "", "--embed-in": "none", "--config": "", "--ports-file": "",
    }.items():
        assert option in text
        assert default in text


@pytest.mark.parametrize(
    "wrong, meant",
    [(["serve", "--durabilty", "os"], "--durability"), (["serve", "--retentoin", "1d"], "--retention"),
     (["serv"], "skein --help"), (["query", "--servce", "a"], "--service")],
)
def test_a_wrong_word_says_what_was_meant(wrong, meant):
    result = skein(*wrong)
    assert result.returncode == USAGE_ERROR
    assert meant in said(result)


@pytest.mark.parametrize(
    "arguments, hint",
    [
        (["--durability", "maybe"], "fsync"),
        (["--retention", "soon"], "7d"),
        (["--totals-retention", "1h"], "shorter than --retention 7d"),
        (["--http", "nowhere"], "HOST:PORT"),
        (["--http", "127.0.0.1:99999"], "99999"),
        (["--otlp-http", "0.0.0.0:0"], "--insecure-open"),
        (["--otlp-grpc", "[::]:0"], "--insecure-open"),
        (["--jaeger-grpc", "0.0.0.0:0"], "--insecure-open"),
    ],
)
def test_a_wrong_value_is_refused_with_a_hint(tmp_path, arguments, hint):
    result = skein("serve", "--data", tmp_path / "data", *arguments)
    assert result.returncode != 0
    assert hint in said(result)


def test_an_open_address_is_allowed_when_asked_for(new_server):
    server = new_server("--insecure-open", "--otlp-http", "0.0.0.0:0")
    # The last of two equal options counts; the helper gave the loopback first.
    with server:
        assert server.request("otlp-http", "POST", "/v1/traces", b"", {
            "content-type": "application/x-protobuf"}).status == 200


def test_the_environment_says_the_same_and_the_command_line_wins(new_server, monkeypatch):
    monkeypatch.setenv("SKEIN_DURABILITY", "maybe")
    with new_server():
        pass
    result = skein("serve", SKEIN_DURABILITY="maybe")
    assert result.returncode != 0
    assert "fsync" in said(result)


def test_a_second_server_on_the_same_folder_is_refused(new_server):
    with new_server() as server:
        result = skein("serve", "--data", server.data, "--http", "127.0.0.1:0", "--otlp-http",
                       "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--zipkin", "127.0.0.1:0")
        assert result.returncode != 0
        assert str(server.data) in said(result)


def test_an_address_in_use_is_named(new_server, tmp_path):
    with new_server() as server:
        result = skein("serve", "--data", tmp_path / "other", "--http", server.address("http"))
        assert result.returncode != 0
        assert server.address("http") in said(result)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = skein("serve", "--data", tmp_path / "file" / "data")
    assert result.returncode != 0
    assert str(tmp_path / "file") in said(result)


def test_health_metrics_and_status(server):
    assert server.get("/health").status == 200
    metrics = server.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "# TYPE skein_" in metrics.text
    status = server.get("/api/skein/v1/status")
    assert status.status == 200
    json.loads(status.body)


def test_query_load_and_inspect_work_together(new_server, tmp_path):
    body, trace_id = otlp.rich_request(5)
    file = tmp_path / "request.otlp"
    file.write_bytes(body)
    with new_server() as server:
        loaded = skein("load", file, "--endpoint", server.url("otlp-http"))
        assert loaded.returncode == 0, said(loaded)
        found = skein("query", "--address", server.url("http"), "--tag", "order.id=o-5",
                      "--last", "3650d")
        assert found.returncode == 0, said(found)
        assert trace_id in found.stdout
        asked = skein("query", "--address", server.url("http"), "--last", "3650d",
                      '{ .order.id = "o-5" } | select(.order.id, duration)')
        assert asked.returncode == 0, said(asked)
        assert trace_id in asked.stdout
        assert ".order.id = o-5" in asked.stdout
        none = skein("query", "--address", server.url("http"), "--last", "3650d",
                     '{ .order.id = "o-5" } without { }')
        assert none.returncode == 0, said(none)
        assert "No traces found." in none.stdout
        wrong = skein("query", "--address", server.url("http"), "{ .order.id == 5 }")
        assert wrong.returncode != 0, said(wrong)
        assert "  { .order.id == 5 }\n               ^\n" in said(wrong)
        assert "write one = to compare" in said(wrong)
        data = server.data
    inspected = skein("inspect", data)
    assert inspected.returncode == 0, said(inspected)
    assert inspected.stdout.strip()


@pytest.mark.parametrize("wrong, hint", [
    (["query", "xyz"], "is not a trace id"),
    (["query", "--service", "a", "{ }"], "say it in the query"),
    (["totals", "lines"], "operations"),
    (["totals", "edges", "--operation", "a"], "by services only"),
    (["totals", "--last", "1h", "--start", "2026-01-01T00:00:00Z"], "one of them"),
    (["totals", "--start", "yesterday"], "2026-09-01T08:00:00Z"),
    (["totals", "--step", "1m"], "--json"),
])
def test_wrong_questions_are_refused_with_a_hint(wrong, hint):
    result = skein(*wrong)
    assert result.returncode == 64
    assert hint in said(result)


def test_totals_are_printed_as_tables_and_as_json(new_server):
    with new_server() as server:
        trace_id = bytes.fromhex("70" * 16)
        caller = otlp.span(trace_id, struct.pack(">Q", 1), "buy", start=otlp.BASE_TIME,
                           duration=5_000_000)
        called = [otlp.span(trace_id, struct.pack(">Q", number), "charge", parent=struct.pack(">Q", 1),
                            start=otlp.BASE_TIME + number, duration=2_000_000)
                  for number in (2, 3)]
        assert server.post_otlp(otlp.request([caller], service="shop")).status == 200
        assert server.post_otlp(otlp.request(called, service="bank")).status == 200
        address = ["--address", server.url("http"), "--last", "3650d"]
        operations = skein("totals", *address)
        assert operations.returncode == 0, said(operations)
        rows = [line.split() for line in operations.stdout.splitlines()]
        assert ["bank", "charge", "2"] in [row[:3] for row in rows], operations.stdout
        assert "P99" in rows[1] and "LONGEST" in rows[1]
        edges = skein("totals", "edges", "--quantiles", "0.5", *address)
        assert [row[:3] + row[-1:] for row in map(str.split, edges.stdout.splitlines())][-1] == [
            "shop", "bank", "2", "2.0"], edges.stdout
        raw = json.loads(skein("totals", "--by", "service", "--json", "--step", "4000d",
                               *address).stdout)
        assert [line["service"] for line in raw["operations"]] == ["bank", "shop"]
        assert raw["complete"] is True
        nothing = skein("totals", "--service", "nobody", *address)
        assert "Nothing was counted." in nothing.stdout
        refused = skein("totals", "--by", "colour", *address)
        assert refused.returncode != 0 and "service, operation, kind" in said(refused)


def test_inspect_of_nothing_says_so(tmp_path):
    result = skein("inspect", tmp_path / "nothing")
    assert result.returncode != 0
    assert "nothing" in said(result)
