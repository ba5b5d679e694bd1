# SPDX-License-Identifier: Apache-2.0
"""Figures of the traced calls for scrapers: `/metrics/traces`."""

import re
import struct
import time

import pytest

import otlp

PATH = "/metrics/traces"
OPEN = "application/openmetrics-text; version=1.0.0"
MILLISECOND = 1_000_000
FAILED = otlp.message(15, otlp.integer(3, 2))
SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*?)\})? (\S+?)(?: # \{(.*?)\} (\S+) (\S+))?$')


def scrape(server, accept=None, **parameters):
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    answer = server.request("http", "GET", PATH + (f"?{query}" if query else ""), None,
                            {"accept": accept} if accept else {})
    assert answer.status == 200, answer.text
    return answer


def samples(text):
    """Values by name and labels; each line must be one of the format's."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.match(r"# (HELP|TYPE) \S+ .+$|# EOF$", line), line
            continue
        match = SAMPLE.match(line)
        assert match, line
        labels = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
        assert (match[1], labels) not in found, line
        found[match[1], labels] = float(match[3])
    return found


def value(found, name, **labels):
    return found.get((name, frozenset(labels.items())), 0)


def send(server, first, count, failed=0, service="shop", kind=2, milliseconds=5, name="buy"):
    now = time.time_ns()
    spans = [otlp.span(struct.pack(">QQ", 0xAE7, first + number), struct.pack(">Q", first + number),
                       name, start=now, kind=kind, duration=int(milliseconds * MILLISECOND),
                       status=FAILED if number < failed else b"") for number in range(count)]
    assert server.post_otlp(otlp.request(spans, service=service)).status == 200


BUY = {"service": "shop", "span_name": "buy", "span_kind": "SPAN_KIND_SERVER"}


def calls(found, status, **labels):
    return value(found, "traces_spanmetrics_calls_total", status_code="STATUS_CODE_" + status,
                 **(labels or BUY))


def test_calls_errors_and_durations_are_counted_and_only_grow(new_server):
    with new_server() as server:
        # Before the process began: not counted.
        old = otlp.span(b"\x09" * 16, b"\x09" * 8, "buy", start=otlp.BASE_TIME - 10**15)
        assert server.post_otlp(otlp.request([old], service="shop")).status == 200
        send(server, 1, 10, failed=3)
        send(server, 100, 4, milliseconds=1_500)
        send(server, 200, 1, milliseconds=60_000)
        first = samples(scrape(server).text)
        assert (calls(first, "UNSET"), calls(first, "ERROR")) == (12, 3)
        latency = "traces_spanmetrics_latency"
        below = [value(first, latency + "_bucket", le=le, **BUY)
                 for le in ("0.002", "0.004", "0.008", "1.024", "2.048", "16.384", "+Inf")]
        assert below == [0, 0, 10, 10, 14, 14, 15]
        assert value(first, latency + "_count", **BUY) == 15
        assert abs(value(first, latency + "_sum", **BUY) - 66.05) < 0.1
        send(server, 300, 5, kind=3)
        again = samples(scrape(server).text)
        assert calls(again, "UNSET", **{**BUY, "span_kind": "SPAN_KIND_CLIENT"}) == 5
        # What is deleted stays counted.
        trace = struct.pack(">QQ", 0xAE7, 1).hex()
        assert server.request("http", "DELETE", f"/api/skein/v1/traces/{trace}").status == 200
        last = samples(scrape(server).text)
        assert all(last[key] >= number for key, number in again.items())
        assert all(again[key] >= number for key, number in first.items())


def test_calls_between_services_make_a_graph(server):
    trace, now = b"\x31" * 16, time.time_ns()
    caller = otlp.span(trace, struct.pack(">Q", 1), "page", start=now, kind=3)
    called = [otlp.span(trace, struct.pack(">Q", 2 + number), "serve", parent=struct.pack(">Q", 1),
                        start=now, duration=3 * MILLISECOND, status=FAILED if number else b"")
              for number in range(2)]
    assert server.post_otlp(otlp.request([caller], service="web")).status == 200
    assert server.post_otlp(otlp.request(called, service="api")).status == 200
    found = samples(scrape(server).text)
    edge = {"client": "web", "server": "api", "connection_type": ""}
    name = "traces_service_graph_request"
    assert value(found, name + "_total", **edge) == 2
    assert value(found, name + "_failed_total", **edge) == 1
    assert value(found, name + "_server_seconds_bucket", le="0.002", **edge) == 0
    assert value(found, name + "_server_seconds_bucket", le="0.004", **edge) == 2
    assert value(found, name + "_server_seconds_count", **edge) == 2


def test_openmetrics_has_exemplars_and_an_end(server):
    send(server, 900, 3, name='odd "name"\\', milliseconds=7)
    answer = scrape(server, OPEN)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    assert "# TYPE traces_spanmetrics_calls counter" in answer.text
    samples(answer.text)
    line = next(line for line in answer.text.splitlines()
                if r'odd \"name\"\\' in line and 'le="0.008"' in line)
    labels, seconds, moment = SAMPLE.match(line).groups()[3:]
    trace = re.search(r'trace_id="([0-9a-f]{32})"', labels)[1]
    assert seconds == "0.007"
    assert abs(float(moment) - time.time()) < 3_600
    assert server.trace(trace) is not None
    plain = scrape(server)
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "trace_id" not in plain.text and "# EOF" not in plain.text
    assert "# TYPE traces_spanmetrics_calls_total counter" in plain.text


def test_names_of_jaeger_are_told_when_asked_for(server):
    send(server, 1_500, 2, service="spm", milliseconds=3)
    found = samples(scrape(server, names="jaeger").text)
    labels = {"service_name": "spm", "span_name": "buy", "span_kind": "SPAN_KIND_SERVER"}
    assert value(found, "traces_span_metrics_calls_total", status_code="STATUS_CODE_UNSET",
                 **labels) == 2
    assert value(found, "traces_span_metrics_duration_milliseconds_bucket", le="4.0",
                 **labels) == 2
    assert value(found, "traces_span_metrics_duration_milliseconds_bucket", le="2.0",
                 **labels) == 0
    assert server.get(PATH, names="mine").status == 400


def test_operations_beyond_the_bound_share_one_counter(new_server):
    with new_server() as server:
        now = time.time_ns()
        for first in range(0, 2_400, 400):
            spans = [otlp.span(struct.pack(">QQ", 0xCA, number + 1), b"\x01" * 8, f"op {number}",
                               start=now) for number in range(first, first + 400)]
            assert server.post_otlp(otlp.request(spans, service="wide")).status == 200
        found = samples(scrape(server).text)
        kept = [key for key in found if key[0] == "traces_spanmetrics_latency_count"]
        assert len(kept) == 2_001
        assert value(found, "traces_spanmetrics_latency_count", service="(other)",
                     span_name="(other)", span_kind="") == 400
        assert value(found, "traces_metrics_overflowed", of="operations") == 400
        assert sum(found[key] for key in kept) == 2_400


@pytest.mark.parametrize("path", ["/metrics"])
def test_figures_of_the_server_are_apart(server, path):
    assert "traces_spanmetrics" not in server.get(path).text
