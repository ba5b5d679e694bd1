# SPDX-License-Identifier: Apache-2.0
"""Traps of compatibility with Jaeger that other servers fell into, each by its number.

The numbers are those of the project's list; others stand in the tests of Zipkin and OTLP, and of
Tempo.
"""

import datetime
import struct
import time

import pytest

import otlp

MINUTE, HOUR = 60 * 10**9, 3_600 * 10**9


def send(server, *spans, service="test"):
    answer = server.post_otlp(otlp.request(spans, service))
    assert answer.status == 200 and answer.body == b"", answer.text


def span(trace, number, start=otlp.BASE_TIME, **more):
    return otlp.span(struct.pack(">QQ", *trace), struct.pack(">Q", number), start=start, **more)


def moment(nanoseconds, hours=0):
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    when = datetime.datetime.fromtimestamp(nanoseconds // 10**9, zone)
    ending = f"{hours:+03}:00" if hours else "Z"
    return f"{when:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09}{ending}"


def names(answer):
    assert answer.status == 200, answer.text
    return sorted(item["operationName"] for trace in answer.json["data"] for item in trace["spans"])


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"])
def test_trap_9_the_local_zone_touches_no_range(new_server, zone):
    server = new_server()
    server.environment = {"TZ": zone}
    with server:
        now = time.time_ns()
        send(server, span((1, 1), 1, now - 47 * HOUR, name="inside"),
             span((1, 2), 2, now - 49 * HOUR, name="outside"),
             span((1, 3), 3, otlp.BASE_TIME, name="at a time"))
        # The last two days, which no parameter says.
        assert names(server.get("/api/traces", service="test", end=(now + HOUR) // 1000)) == [
            "inside"]
        # The same moments in two zones.
        for hours in (0, 14):
            answer = server.get("/api/v3/traces", **{
                "query.startTimeMin": moment(otlp.BASE_TIME, hours),
                "query.startTimeMax": moment(otlp.BASE_TIME + 1, hours)})
            assert [item["name"] for item in otlp.flatten(answer.json["result"])] == ["at a time"]


def test_trap_11_ids_with_leading_zeros_are_numbers(server):
    send(server, span((0, 0x0ABC), 0x0F, name="of 64 bits"),
         span((0x0DEF, 0x1234), 2, name="of 128 bits"))
    # Written with 16 digits and no fewer, or all 32.
    for asked in ("abc", "ABC", "0abc", "0000000000000abc", "0" * 29 + "abc"):
        [trace] = server.get(f"/api/traces/{asked}").json["data"]
        assert trace["traceID"] == "0000000000000abc"
        assert trace["spans"][0]["spanID"] == "000000000000000f"
    # The low half finds the whole id, and so does the whole id without its zeros.
    whole = "0000000000000def0000000000001234"
    for asked in ("1234", "def0000000000001234", whole):
        [trace] = server.get(f"/api/traces/{asked}").json["data"]
        assert trace["traceID"] == whole
        found = server.get(f"/api/v3/traces/{asked}").json["result"]
        assert [item["traceId"] for item in otlp.flatten(found)] == [whole]


def test_trap_13_lists_are_never_null_and_no_error_is(new_server):
    with new_server() as server:
        for path in ("services", "services/a/operations", "operations?service=a",
                     "traces?service=a", "dependencies?endTs=1000000"):
            document = server.get(f"/api/{path}").json
            assert document["data"] == [] and document["errors"] is None, path
        send(server, span((1, 1), 1, values={"a": 1}))
        [trace] = server.get("/api/traces/1").json["data"]
        assert trace["warnings"] is None
        [item] = trace["spans"]
        assert item["warnings"] is None
        assert item["references"] == [] and item["logs"] == []
        assert trace["processes"][item["processID"]]["tags"] == []
        missing = server.get("/api/traces", traceID="dead").json
        assert missing["data"] == []
        assert [error["code"] for error in missing["errors"]] == [404]


def test_trap_14_the_limit_counts_traces(server):
    for trace in range(5):
        send(server, *(span((14, trace + 1), number + 1, otlp.BASE_TIME + trace * MINUTE)
                       for number in range(4)), service="limited")
    found = server.get("/api/traces", service="limited", limit=2,
                       start=(otlp.BASE_TIME - HOUR) // 1000, end=(otlp.BASE_TIME + HOUR) // 1000)
    assert [len(trace["spans"]) for trace in found.json["data"]] == [4, 4]
    # The newest.
    assert {trace["traceID"][-1] for trace in found.json["data"]} == {"4", "5"}


def test_trap_15_each_interface_has_its_unit(server):
    start = otlp.BASE_TIME + 5 * MINUTE
    send(server, span((15, 1), 1, start + 500, duration=2_000_500, name="call", kind=3),
         service="units")
    send(server, otlp.span(struct.pack(">QQ", 15, 1), struct.pack(">Q", 2), "serve",
                           struct.pack(">Q", 1), start=start + 600, duration=1_000), service="unit")
    # Microseconds.
    def found(**more):
        return names(server.get("/api/traces", service="units", **more))
    micros = start // 1000
    assert found(start=micros, end=micros) == ["call", "serve"]
    assert found(start=micros + 1, end=micros + 10) == []
    assert found(start=micros - 10, end=micros - 1) == []
    assert found(start=micros, end=micros, minDuration="2000us") == ["call", "serve"]
    assert found(start=micros, end=micros, minDuration="2001us") == []
    [trace] = server.get(f"/api/traces/{15:016x}{1:016x}").json["data"]
    call = next(item for item in trace["spans"] if item["operationName"] == "call")
    assert (call["startTime"], call["duration"]) == (micros, 2000)
    # Milliseconds.
    def links(end, lookback):
        answer = server.get("/api/dependencies", endTs=end, lookback=lookback, service="unit")
        return [(link["parent"], link["callCount"]) for link in answer.json["data"]]
    millis = start // 10**6
    assert links(millis + 1, 1) == [("units", 1)]
    assert links(millis, 1000) == [] and links(millis + 1001, 1000) == []
    # Milliseconds of metrics: the minute in which the call was.
    answer = server.get("/api/metrics/calls", service="unit", ratePer=60_000, step=60_000,
                        lookback=60_000, endTs=start // MINUTE * 60_000 + 60_000)
    [metric] = answer.json["metrics"]
    assert [point["gaugeValue"]["doubleValue"] for point in metric["metricPoints"]] == [
        0, pytest.approx(1 / 60)]
    # RFC 3339 with nanoseconds, the end outside.
    def version_3(first, last):
        return server.get("/api/v3/traces", **{
            "query.serviceName": "units", "query.startTimeMin": moment(first),
            "query.startTimeMax": moment(last)}).status
    assert version_3(start + 500, start + 501) == 200
    assert version_3(start + 501, start + 502) == 404
    assert version_3(start + 499, start + 500) == 404


def test_trap_18_a_week_of_calls_is_read_from_totals(new_server):
    """More traces than are ever linked span by span still give every call, and at once."""
    trace_count = 6_000
    with new_server() as server:
        for service, parent, number, kind in (
                ("front", b"", 1, 3), ("back", struct.pack(">Q", 1), 2, 2)):
            for first in range(0, trace_count, 1_000):
                send(server, *(
                    otlp.span(struct.pack(">QQ", 18, trace + 1), struct.pack(">Q", number), "call",
                              parent, kind, start=otlp.BASE_TIME + trace * MINUTE)
                    for trace in range(first, first + 1_000)), service=service)
        week = 7 * 86_400_000
        answer = server.get("/api/dependencies", lookback=week,
                            endTs=otlp.BASE_TIME // 10**6 + week)
        assert answer.json["data"] == [
            {"parent": "front", "child": "back", "callCount": trace_count}]
        assert "skein-incomplete" not in answer.headers
