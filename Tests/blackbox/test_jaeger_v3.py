# SPDX-License-Identifier: Apache-2.0
"""Version 3 of Jaeger's query interface, as Jaeger's page and Grafana ask it."""

import datetime
import struct

import pytest

import otlp


@pytest.fixture(scope="module")
def sent(server):
    """Three traces: a whole one, one whose parent never came, and one of another service."""
    rich, trace_id = otlp.rich_request(seed=77)
    server.post_otlp(rich)
    orphan = otlp.span(
        struct.pack(">QQ", 0x77, 1), struct.pack(">Q", 5), "late", parent=struct.pack(">Q", 6),
        start=otlp.BASE_TIME + 1_000_000_000, duration=7_000_000, values={"http.status_code": 500})
    server.post_otlp(otlp.request([orphan], "v3-stock"))
    plain = otlp.span(
        struct.pack(">QQ", 0x77, 2), struct.pack(">Q", 8), "GET /", kind=1,
        start=otlp.BASE_TIME + 2_000_000_000, duration=2_000_000)
    server.post_otlp(otlp.request([plain], "v3-shop"))
    call = struct.pack(">QQ", 0x77, 3), struct.pack(">Q", 9)
    for service, span_id, parent in (("caller", 9, b""), ("called", 10, call[1])):
        server.post_otlp(otlp.request(
            [otlp.span(call[0], struct.pack(">Q", span_id), parent=parent)], f"v3-{service}"))
    return trace_id


def moment(nanoseconds, offset=0):
    zone = datetime.timezone(datetime.timedelta(hours=offset))
    time = datetime.datetime.fromtimestamp(nanoseconds // 10**9, zone)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09}" + (
        "Z" if offset == 0 else f"{offset:+03}:00")


RANGE = {"query.startTimeMin": moment(otlp.BASE_TIME - 10**9),
         "query.startTimeMax": moment(otlp.BASE_TIME + 10**10)}


def spans(answer):
    assert answer.status == 200, answer.text
    return otlp.flatten(answer.json["result"])


def test_names(server, sent):
    services = server.get("/api/v3/services").json["services"]
    assert {"test", "v3-shop", "v3-stock"} <= set(services) and services == sorted(services)
    assert server.get("/api/v3/operations", service="v3-shop").json == {
        "operations": [{"name": "GET /", "spanKind": "internal"}]}
    assert server.get("/api/v3/operations", service="v3-stock", spanKind="client").json == {
        "operations": []}


def test_a_trace_is_the_otlp_that_was_sent(server, sent):
    answer = server.get(f"/api/v3/traces/{sent}", rawTraces="true", startTime=moment(10**18))
    assert spans(answer) == otlp.flatten(server.get(f"/api/skein/v1/traces/{sent}").json)
    # Not a word of it is lost: kinds are numbers and ids hexadecimal.
    one = answer.json["result"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert isinstance(one["kind"], int) and one["traceId"] == sent


@pytest.mark.parametrize("more, names", [
    ({"query.serviceName": "v3-shop"}, {"GET /"}),
    ({"query.service_name": "v3-stock"}, {"late"}),
    ({"query.operationName": "late"}, {"late"}),
    ({"query.attributes": '{"http.status_code":"500"}'}, {"late"}),
    ({"query.durationMin": "5ms", "query.serviceName": "v3-stock"}, {"late"}),
    ({"query.durationMin": "1ms", "query.durationMax": "3ms", "query.operationName": "GET /"},
     {"GET /"}),
    ({"query.searchDepth": "1"}, {"GET /"}),
    ({"query.startTimeMin": moment(otlp.BASE_TIME + 2_000_000_000), "query.searchDepth": 9},
     {"GET /"}),
    # The end is not inside.
    ({"query.startTimeMin": moment(otlp.BASE_TIME + 1),
      "query.startTimeMax": moment(otlp.BASE_TIME + 2_000_000_000),
      "query.serviceName": "v3-stock"}, {"late"}),
])
def test_searches(server, sent, more, names):
    answer = server.get("/api/v3/traces", **{**RANGE, **more})
    assert {span["name"] for span in spans(answer)} == names


def test_times_of_other_zones_and_a_plus_that_nobody_escaped(server, sent):
    start = moment(otlp.BASE_TIME - 10**9, offset=8)
    assert "+08:00" in start
    path = f"/api/v3/traces?query.startTimeMin={start}" \
        f"&query.startTimeMax={moment(otlp.BASE_TIME + 10**10)}&query.serviceName=v3-shop"
    answer = server.request("http", "GET", path)
    assert [span["name"] for span in spans(answer)] == ["GET /"]


def test_summaries(server, sent):
    answer = server.get("/api/v3/trace-summaries", **RANGE, **{"query.serviceName": "v3-stock"})
    start = otlp.BASE_TIME + 1_000_000_000
    assert answer.json == {"summaries": [{
        "traceId": f"{0x77:016x}{1:016x}", "rootServiceName": "v3-stock",
        "rootOperationName": "late", "minStartTimeUnixNano": str(start),
        "maxEndTimeUnixNano": str(start + 7_000_000), "spanCount": 1, "errorSpanCount": 0,
        "orphanSpanCount": 1,
        "services": [{"name": "v3-stock", "spanCount": 1, "errorSpanCount": 0}]}]}
    nothing = server.get("/api/v3/trace-summaries", **RANGE, **{"query.serviceName": "nobody"})
    assert (nothing.status, nothing.json) == (200, {"summaries": []})


def test_dependencies(server, sent):
    answer = server.get("/api/v3/dependencies", startTime=moment(otlp.BASE_TIME),
                        endTime=moment(otlp.BASE_TIME + 10**10))
    assert {"parent": "v3-caller", "child": "v3-called", "callCount": "1"} in (
        answer.json["dependencies"])
    before = server.get("/api/v3/dependencies", start_time=moment(otlp.BASE_TIME - 10**12),
                        end_time=moment(otlp.BASE_TIME - 10**11))
    assert before.json == {"dependencies": []}


@pytest.mark.parametrize("path, more, status, code, words", [
    ("traces", {}, 400, 3, "startTimeMin and query.startTimeMax are required"),
    ("traces", {**RANGE, "query.startTimeMax": "yesterday"}, 400, 3, "at character 1"),
    ("traces", {**RANGE, "query.startTimeMax": moment(10**18)}, 400, 3, "not before"),
    ("traces", {**RANGE, "query.durationMin": "fast"}, 400, 3, "query.durationMin"),
    ("traces", {**RANGE, "query.attributes": "[]"}, 400, 3, "query.attributes"),
    ("traces", {**RANGE, "query.searchDepth": "many"}, 400, 3, "query.searchDepth"),
    ("traces", {**RANGE, "query.filter": "{}"}, 400, 3, "query.filter"),
    ("traces", {**RANGE, "query.serviceName": "nobody"}, 404, 5, "No traces found"),
    ("traces/zz", {}, 400, 3, "no trace id"),
    ("traces/abcdef", {}, 404, 5, "trace not found"),
    ("traces/abcdef", {"startTime": "2026-13-01T00:00:00Z"}, 400, 3, "startTime"),
    ("traces/abcdef", {"rawTraces": "perhaps"}, 400, 3, "rawTraces"),
    ("dependencies", {}, 400, 3, "startTime and endTime are required"),
])
def test_what_is_asked_wrongly_is_said(server, sent, path, more, status, code, words):
    answer = server.get(f"/api/v3/{path}", **more)
    error = answer.json["error"]
    assert (answer.status, error["httpCode"], error["grpcCode"]) == (status, status, code)
    assert words in error["message"] and error["httpStatus"]
