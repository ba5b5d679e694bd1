# SPDX-License-Identifier: Apache-2.0
"""Jaeger's monitor page asks for rates, errors and latencies: compared with a count span by span."""

import datetime
import random
import struct

import pytest

import otlp

MINUTE = 60_000_000_000
# A full minute, as windows are counted.
FIRST = otlp.BASE_TIME // MINUTE * MINUTE
MINUTES = 40
END = FIRST + MINUTES * MINUTE


@pytest.fixture(scope="module")
def spans(server):
    """(service, operation, kind, error, start, duration) of each span that was sent."""
    rng = random.Random(7)
    sent = []
    for service in ("shop", "stock"):
        encoded = []
        for _ in range(600):
            kind = rng.choice([2, 2, 2, 3])
            start = FIRST + rng.randrange(MINUTES * MINUTE)
            duration = round(1e6 * 10 ** rng.uniform(0, 3))
            name, failed = rng.choice(["GET /", "POST /order"]), rng.random() < 0.2
            sent.append((service, name, kind, failed, start, duration))
            encoded.append(otlp.span(
                struct.pack(">QQ", 1, len(sent)), struct.pack(">Q", len(sent)), name, kind=kind,
                start=start, duration=duration,
                status=otlp.message(15, otlp.integer(3, 2)) if failed else b""))
        server.post_otlp(otlp.request(encoded, service))
    return sent


def ask(server, metric, **parameters):
    asked = {
        "service": "shop", "endTs": END // 1_000_000, "lookback": 20 * 60_000, "step": 60_000,
        "ratePer": 600_000, **parameters}
    answer = server.get(f"/api/metrics/{metric}", **asked)
    assert answer.status == 200, answer.text
    return answer.json


def labels(metric):
    return {label["name"]: label["value"] for label in metric["labels"]}


def points(metric):
    return {point["timestamp"]: point["gaugeValue"]["doubleValue"]
            for point in metric["metricPoints"]}


def moment(nanoseconds):
    time = datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def expected(spans, metric, service, step, width, operation=None, kinds=(2,), lookback=20):
    found = {}
    for back in range(0, lookback + 1, step):
        end = END - (lookback // step * step - back) * MINUTE
        inside = [
            (failed, duration) for a_service, name, kind, failed, start, duration in spans
            if a_service == service and operation in (None, name) and kind in kinds
            and end - width * MINUTE <= start < end]
        if metric == "calls":
            found[moment(end)] = len(inside) / (width * 60)
        elif inside and metric == "errors":
            found[moment(end)] = sum(failed for failed, _ in inside) / len(inside)
        elif inside:
            ordered = sorted(duration for _, duration in inside)
            found[moment(end)] = ordered[-(-len(ordered) * 95 // 100) - 1] / 1e6
    return found


@pytest.mark.parametrize("metric", ["calls", "errors", "latencies"])
@pytest.mark.parametrize("step, rate", [(1, 10), (5, 10), (3, 10), (20, 10), (1, 1)])
def test_numbers_are_those_of_the_spans(server, spans, metric, step, rate):
    more = {"quantile": 0.95} if metric == "latencies" else {}
    family = ask(server, metric, step=step * 60_000, ratePer=rate * 60_000, **more)
    assert family["type"] == "GAUGE"
    [found] = family["metrics"]
    assert labels(found) == {"service_name": "shop"}
    # A window is whole steps.
    width = -(-rate // step) * step
    wanted = expected(spans, metric, "shop", step, width)
    assert points(found) == pytest.approx(wanted, rel=0.01)


def test_operations_kinds_and_services_are_told_apart(server, spans):
    family = ask(server, "calls", service=["shop", "stock"], groupByOperation="true",
                 spanKind=["client", "server"])
    assert family["name"] == "service_operation_call_rate"
    found = {(labels(one)["service_name"], labels(one)["operation"]): points(one)
             for one in family["metrics"]}
    assert set(found) == {(service, operation) for service in ("shop", "stock")
                          for operation in ("GET /", "POST /order")}
    for (service, operation), values in found.items():
        wanted = expected(spans, "calls", service, 1, 10, operation, kinds=(2, 3))
        assert values == pytest.approx(wanted)
    [clients] = ask(server, "calls", spanKind="client")["metrics"]
    assert points(clients) == pytest.approx(expected(spans, "calls", "shop", 1, 10, kinds=(3,)))
    assert ask(server, "calls", service="nobody")["metrics"] == []


def test_the_page_of_jaeger_reaches_it_under_its_prefix(server, spans):
    path = "/api/metrics/calls"
    asked = {"service": "shop", "endTs": END // 1_000_000}
    assert server.get("/jaeger" + path, **asked).json == server.get(path, **asked).json
    assert server.get("/api/metrics/minstep").json["data"] == 60_000


def test_an_answer_of_too_many_points_is_refused_before_it_is_made(server):
    names = [f"job {number}" for number in range(150)]
    server.post_otlp(otlp.request(
        [otlp.span(struct.pack(">QQ", 2, n + 1), struct.pack(">Q", n + 1), name, kind=2, start=FIRST)
         for n, name in enumerate(names)], "many"))
    week = {"service": "many", "groupByOperation": "true", "endTs": END // 1_000_000,
            "lookback": 10_000 * 60_000, "step": 60_000, "ratePer": 600_000}
    answer = server.get("/api/metrics/calls", **week)
    assert answer.status == 400 and "lines of 10001 points" in answer.text, answer.text[:300]
    day = {**week, "lookback": 1_440 * 60_000}
    assert len(ask(server, "calls", **day)["metrics"]) == 150


@pytest.mark.parametrize("path, words", [
    ("calls", "service is required"),
    ("latencies?service=a", "quantile is required"),
    ("latencies?service=a&quantile=2", "no number from 0 to 1"),
    ("calls?service=a&step=0", "step must be above 0"),
    ("calls?service=a&step=x", "milliseconds"),
    ("calls?service=a&spanKind=boss", "give unspecified, internal, server"),
    ("calls?service=a&lookback=99999999999", "larger step"),
    ("calls?service=a&step=60000&ratePer=36000000", "larger step"),
    ("calls?service=a&endTs=5", "after 1970"),
    ("calls?service=a&step=18446744073709551615&lookback=18446744073709551615", "after 1970"),
])
def test_what_is_asked_wrongly_is_said(server, path, words):
    answer = server.get(f"/api/metrics/{path}")
    assert answer.status == 400 and words in answer.text
