# SPDX-License-Identifier: Apache-2.0
"""What the server tells of the questions asked of it, and of its settings."""

import json
import struct
import subprocess
import urllib.parse

import grpc
import pytest

import otlp
from skein_server import BINARY
from test_analysis import problems
from test_mcp import Client

TRACE = struct.pack(">QQ", 0x9E5, 7)
QUERY = '{ name = "pay" && duration > 1ms }'


@pytest.fixture
def asked(new_server):
    """A server that was asked by every interface, and what it says of that."""
    server = new_server(listeners=("jaeger-grpc",)).start()
    spans = [otlp.span(TRACE, struct.pack(">Q", number), "pay", start=otlp.BASE_TIME + number,
                       duration=2_000_000) for number in range(1, 9)]
    assert server.post_otlp(otlp.request(spans, service="till")).status == 200
    for _ in range(3):
        assert len(server.search(q=QUERY, last="3650d")["traces"]) == 1
    assert server.get("/api/skein/v1/traces", q="{ oops").status == 400
    assert server.get("/api/skein/v1/traces/" + "5" * 32).status == 404
    assert server.get("/api/services").status == 200
    assert server.get("/api/v2/services", listener="zipkin").status == 200
    assert server.get("/tempo/api/traces/" + TRACE.hex()).status == 200
    with grpc.insecure_channel(server.address("jaeger-grpc")) as channel:
        channel.unary_unary("/jaeger.api_v3.QueryService/GetServices")(b"", timeout=30)
    assert "pay" in Client(server).said("find_traces", query=QUERY, last="3650d")
    return server


def questions(server, **parameters):
    answer = server.get("/api/skein/v1/questions", **parameters)
    assert answer.status == 200, answer.text
    schemas = server.get("/api/skein/v1/openapi.json").json["components"]["schemas"]
    assert problems(answer.json, schemas["Questions"], schemas) == []
    return answer.json


def test_every_interface_counts_what_it_asked_of_the_store(asked):
    routes = {(route["interface"], route["route"]): route for route in questions(asked)["routes"]}
    search = routes["native", "/api/skein/v1/traces"]
    # A query that is not understood asks nothing of the store.
    assert (search["count"], search["failedCount"]) == (3, 0)
    assert search["examinedSpanCount"] == 24
    assert int(search["elapsedNanos"]) >= int(search["cpuNanos"]) > 0
    # That nothing is there is an answer.
    assert routes["native", "/api/skein/v1/traces/{id}"]["failedCount"] == 0
    for place in (("jaeger", "/api/services"), ("jaeger", "jaeger.api_v3.QueryService/GetServices"),
                  ("zipkin", "/api/v2/services"), ("tempo", "/tempo/api/traces/{id}"),
                  ("mcp", "find_traces")):
        assert routes[place]["count"] == 1, place
    assert not any(route.endswith(("/status", "/questions")) for _, route in routes)
    costs = [int(route["cpuNanos"]) for route in questions(asked)["routes"]]
    assert costs == sorted(costs, reverse=True)


def test_the_costliest_questions_are_remembered_as_they_were_asked(asked):
    told = questions(asked, limit=50)
    assert told["rememberedCount"] == len(told["costliest"]) == 9
    texts = [question["text"] for question in told["costliest"]]
    searches = [text for text in texts if text.startswith("/api/skein/v1/traces?")]
    assert len(searches) == 3
    assert urllib.parse.parse_qs(searches[0].split("?")[1])["q"] == [QUERY]
    assert f"last=3650d, query={QUERY}" in texts
    costs = [int(question["cpuNanos"]) for question in told["costliest"]]
    assert costs == sorted(costs, reverse=True)
    assert len(questions(asked, limit=2)["costliest"]) == 2


def test_questions_are_forgotten_and_cut_at_their_bounds(new_server):
    server = new_server().start()
    long = "x" * 5000
    for number in range(1030):
        assert server.get("/api/skein/v1/operations", service=f"{long}-{number}").status == 200
    told = questions(server, limit=2000)
    assert told["rememberedCount"] == len(told["costliest"]) == 1000
    assert {len(question["text"]) for question in told["costliest"]} == {400}
    assert told["routes"][0]["count"] == 1030


def test_metrics_have_the_sums(asked):
    text = asked.get("/metrics").text
    label = '{interface="native",route="/api/skein/v1/traces"}'
    assert f"skein_questions_total{label} 3\n" in text
    assert f"skein_questions_failed_total{label} 0\n" in text
    for name in ("skein_question_seconds_total", "skein_question_cpu_seconds_total"):
        (line,) = [line for line in text.splitlines() if line.startswith(name + label)]
        assert float(line.split()[-1]) > 0


def test_settings_tell_their_values_and_where_they_were_made(new_server, tmp_path):
    file = tmp_path / "skein.json"
    file.write_text(json.dumps({"retention-bytes": "3GB"}))
    server = new_server("--config", str(file))
    server.environment["SKEIN_TOTALS_RETENTION"] = "forever"
    server.start()
    settings = server.get("/api/skein/v1/status").json["settings"]
    told = {setting["name"]: (setting["value"], setting["origin"]) for setting in settings}
    assert told["retention"] == ("36500d", "--retention")
    assert told["totals-retention"] == ("forever", "SKEIN_TOTALS_RETENTION")
    assert told["retention-bytes"] == ("3GB", f'"retention-bytes" in {file}')
    assert told["insecure-open"] == ("false", None)
    assert told["tempo"] == ("off", None)
    assert told["data"] == (str(server.data), "--data")
    words = subprocess.run([BINARY, "serve", "--help"], capture_output=True, text=True, check=True)
    options = {line.split()[0][2:] for line in words.stdout.splitlines()
               if line.startswith("  --")} - {
        "config", "log-level", "ports-file", "version"}
    assert set(told) == options, "all of them"

