# SPDX-License-Identifier: Apache-2.0
"""Numbers over time that TraceQL asks for: compared with a count span by span."""

import random
import struct

import pytest

import otlp

MINUTE = 60_000_000_000
# A full hour, so that steps of any usual length begin here.
FIRST = otlp.BASE_TIME // (60 * MINUTE) * 60 * MINUTE
MINUTES = 12
END = FIRST + MINUTES * MINUTE


@pytest.fixture(scope="module")
def spans(server):
    """What is known of each span that was sent."""
    rng = random.Random(11)
    sent = []
    for service in ("shop", "stock"):
        encoded = []
        for _ in range(500):
            span = {
                "service": service, "name": rng.choice(["GET /", "POST /order"]),
                "kind": rng.choice([2, 3]), "failed": rng.random() < 0.2,
                "start": FIRST + rng.randrange(MINUTES * MINUTE),
                "duration": round(1e6 * 10 ** rng.uniform(0, 3)), "size": rng.randrange(100)}
            sent.append(span)
            encoded.append(otlp.span(
                struct.pack(">QQ", 1, len(sent)), struct.pack(">Q", len(sent)), span["name"],
                kind=span["kind"], start=span["start"], duration=span["duration"],
                values={"size": span["size"]},
                status=otlp.message(15, otlp.integer(3, 2)) if span["failed"] else b""))
        server.post_otlp(otlp.request(encoded, service))
    return sent


def ask(server, query, status=200, **parameters):
    answer = server.get(
        "/api/skein/v1/metrics", q=query, **{"start": FIRST, "end": END, **parameters})
    assert answer.status == status, answer.text
    return answer.json


def series(answer):
    assert answer["complete"], answer["incompleteReasons"]
    return {
        tuple(label["value"] for label in one["labels"]): one["values"]
        for one in answer["series"]}


def steps(spans, width, value=lambda inside: len(inside)):
    """What `value` makes of the spans of each step; None where it makes nothing."""
    return [
        value([s for s in spans if start <= s["start"] < start + width])
        for start in range(FIRST, END, width)]


@pytest.mark.parametrize("step, width, source", [
    ("1m", MINUTE, "totals"), ("4m", 4 * MINUTE, "totals"), ("all", MINUTES * MINUTE, "totals"),
    ("30s", MINUTE // 2, "spans"), ("15s", MINUTE // 4, "spans")])
def test_rates_are_those_of_the_spans_whoever_counted_them(server, spans, step, width, source):
    answer = ask(server, "{ } | rate() by (resource.service.name)", step=step)
    assert answer["source"] == source
    assert answer["startTimeUnixNano"] == str(FIRST) and answer["endTimeUnixNano"] == str(END)
    for (service,), values in series(answer).items():
        own = [s for s in spans if s["service"] == service]
        assert values == pytest.approx(
            steps(own, width, lambda inside: len(inside) / (width / 1e9)))


def test_counts_by_what_totals_do_not_know(server, spans):
    found = series(ask(server, "{ .size > 50 } | count_over_time() by (name, status)", step="2m"))
    for (name, status), values in found.items():
        own = [
            s for s in spans
            if s["name"] == name and s["size"] > 50 and s["failed"] == (status == "error")]
        assert values == steps(own, 2 * MINUTE)
    assert len(found) == 4


@pytest.mark.parametrize("condition, source", [("", "totals"), ("duration > 0s", "spans")])
def test_quantiles_are_close_to_those_of_the_spans(server, spans, condition, source):
    answer = ask(
        server, f"{{ {condition} }} | quantile_over_time(duration, .5, .99) "
        "by (resource.service.name)", step="3m")
    assert answer["source"] == source
    found = series(answer)
    assert len(found) == 4
    for (service, part), values in found.items():
        own = [s for s in spans if s["service"] == service]

        def quantile(inside):
            ordered = sorted(s["duration"] for s in inside)
            return ordered[max(-(-len(ordered) * round(part * 100) // 100) - 1, 0)] / 1e9

        assert values == pytest.approx(steps(own, 3 * MINUTE, quantile), rel=0.0055)


def test_sums_and_histograms(server, spans):
    found = series(ask(server, "{ } | sum_over_time(.size)", step="4m"))
    assert list(found.values()) == [
        steps(spans, 4 * MINUTE, lambda inside: sum(s["size"] for s in inside))]
    bars = series(ask(server, "{ } | histogram_over_time(duration)", step="all"))
    for (bound,), [count] in bars.items():
        assert count == sum(bound / 2 < s["duration"] / 1e9 <= bound for s in spans)


def test_the_part_that_failed(server, spans):
    query = "({ status = error } | rate()) / ({ } | rate())"
    [values] = series(ask(server, query, step="4m")).values()
    assert values == pytest.approx(steps(
        spans, 4 * MINUTE, lambda inside: sum(s["failed"] for s in inside) / len(inside)))


def test_compare_tells_the_sides_apart(server, spans):
    answer = ask(server, "{ } | compare({ status = error })", step="all")
    found = {}
    for one in answer["series"]:
        side, value = one["labels"]
        found[side["value"], value["name"], value["value"]] = one["values"]
    failed = [s for s in spans if s["failed"]]
    others = [s for s in spans if not s["failed"]]
    assert found["selection", "status", "error"] == [len(failed)]
    assert found["baseline", "status", "unset"] == [len(others)]
    assert found["baseline_total", "span.size", None] == [len(others)]
    for side, own in ("selection", failed), ("baseline", others):
        for service in "shop", "stock":
            count = sum(s["service"] == service for s in own)
            assert found[side, "resource.service.name", service] == [count]
    # Ten sizes of a hundred are told of each side.
    assert sum(name == "span.size" and value is not None for _, name, value in found) == 20


@pytest.mark.parametrize("by, source", [("name", "totals"), (".size", "spans")])
def test_exemplars_are_spans_that_count(server, spans, by, source):
    answer = ask(
        server, f"{{ }} | count_over_time() by ({by}) | topk(3)", step="1m", exemplars=10)
    assert answer["source"] == source
    told = [exemplar for one in answer["series"] for exemplar in one["exemplars"]]
    assert 0 < len(told) <= 10
    starts = {str(s["start"]) for s in spans}
    for exemplar in told:
        assert exemplar["timeUnixNano"] in starts
        trace = server.get(f"/api/skein/v1/traces/{exemplar['traceId']}")
        assert trace.status == 200


def test_series_beyond_the_limit_are_told_of(server, spans):
    answer = ask(server, "{ } | rate() by (.size)", step="all", series=5)
    assert len(answer["series"]) == 5
    assert not answer["complete"]
    assert "the first 5 are told" in answer["incompleteReasons"][0]


@pytest.mark.parametrize("query, reason", [
    ("{ }", "/api/skein/v1/traces"), ("{ } | rate(", "character 12"),
    ("{ } | topk(3)", "topk is for series"), ("", "parameter q is required")])
def test_what_asks_for_no_numbers_is_refused(server, query, reason):
    assert reason in str(ask(server, query, status=400))
