# SPDX-License-Identifier: Apache-2.0
"""Numbers over time by Tempo's paths, as Grafana's panels and Traces Drilldown ask for them."""

import pytest

import otlp
import tempo_shop
from skein_server import SkeinServer
from tempo_messages import Client
from tempo_shop import CHECKOUT, stripped

START = tempo_shop.START
RANGE = {"start": START, "end": START + 10, "step": "1s"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with SkeinServer(tmp_path_factory.mktemp("tempo"), listeners=("tempo-grpc",)) as running:
        tempo_shop.send(running)
        yield running
        assert running.is_alive, f"the server died:\n{running.log_tail()}"
    assert running.process.returncode == 0, running.log_tail()


def ask(server, query, path="query_range", **parameters):
    answer = server.get(f"/tempo/api/metrics/{path}", q=query, **{**RANGE, **parameters})
    assert answer.status == 200, answer.text
    assert answer.json["status"] == "COMPLETE", answer.text
    assert isinstance(answer.json["metrics"]["inspectedTraces"], int)
    return answer.json["series"]


def labels(series):
    told = {}
    for pair in series["labels"]:
        [value] = pair["value"].values()
        told[pair["key"]] = value
    return told


def points(series):
    """Numbers that are not 0, by seconds since the start."""
    assert all(isinstance(sample["timestampMs"], str) for sample in series["samples"])
    return {int(sample["timestampMs"]) // 1000 - START: sample["value"]
            for sample in series["samples"] if sample["value"] != 0}


def test_a_rate_has_its_name_for_a_label(server):
    [series] = ask(server, "{ } | rate()")
    assert labels(series) == {"__name__": "rate"}
    assert points(series) == {0: 3, 1: 1, 2: 1}


def test_traces_drilldown_s_rate_by_service(server):
    series = ask(server, "{nestedSetParent<0 && true} | rate() by(resource.service.name)")
    assert {labels(one)["resource.service.name"]: points(one) for one in series} == {
        "web": {0: 1, 1: 1}, "mail": {2: 1}}


def test_traces_drilldown_s_histogram_has_seconds(server):
    series = ask(server, "{kind=server} | histogram_over_time(duration) with(sample=true)")
    buckets = {labels(one)["__bucket"]: points(one) for one in series}
    # 20 ms and 300 ms, each below a power of two of nanoseconds.
    assert buckets == {2**25 / 1e9: {1: 1}, 2**29 / 1e9: {0: 1}}


def test_traces_drilldown_s_quantiles(server):
    series = ask(server, "{kind=client} | quantile_over_time(duration, 0.5, 0.9)")
    assert {labels(one)["p"] for one in series} == {0.5, 0.9}
    for one in series:
        [(second, value)] = points(one).items()
        assert second == 0 and 0.02 <= value <= 0.14


def test_traces_drilldown_s_comparison(server):
    end = (START + 10) * 10**9
    series = ask(server, f"{{}} | compare({{status=error}}, 10, {START * 10**9}, {end})")
    kinds = {labels(one)["__meta_type"].strip('"') for one in series}
    assert {"baseline", "selection", "baseline_total", "selection_total"} <= kinds


def test_exemplars_name_traces(server):
    series = ask(server, "{status=error} | rate()", exemplars=100)
    [exemplar] = [one for each in series for one in each["exemplars"]]
    told = {pair["key"]: pair["value"] for pair in exemplar["labels"]}
    assert told["trace:id"] == {"stringValue": stripped(CHECKOUT)}
    assert exemplar["timestampMs"] == str((otlp.BASE_TIME + 50_000_000) // 10**6)


def test_one_number_for_all_the_time(server):
    series = ask(server, "{} | count_over_time() by(resource.service.name)", "query", step=None)
    assert {labels(one)["resource.service.name"]: one["value"] for one in series} == {
        "web": 2, "cart": 1, "db": 1, "mail": 1}


@pytest.mark.parametrize("parameters", [
    {"start": START, "end": START + 10},
    {"start": START * 10**9, "end": (START + 10) * 10**9},
    {"start": f"{START}.0", "end": f"{START + 9}.999"},
    {"start": "2026-11-18T11:06:40Z", "end": "2026-11-18T12:06:50+01:00"},
    {"start": START, "end": START + 10, "step": "1"},
    {"start": START, "end": START + 10, "step": 1.0},
])
def test_forms_of_times_and_steps(server, parameters):
    assert otlp.BASE_TIME == 1_795_000_000 * 10**9
    [series] = ask(server, "{ } | count_over_time()", **parameters)
    assert points(series) == {0: 3, 1: 1, 2: 1}


def test_the_query_has_two_names(server):
    answer = server.get("/tempo/api/metrics/query_range", query="{ } | rate()", **RANGE)
    assert len(answer.json["series"]) == 1


def test_as_many_series_as_asked_for(server):
    answer = server.get("/tempo/api/metrics/query_range", maxSeries=2,
                        q="{ } | rate() by(resource.service.name)", **RANGE)
    assert len(answer.json["series"]) == 2
    assert answer.json["status"] == "PARTIAL" and "series" in answer.json["message"]


@pytest.mark.parametrize("parameters, words", [
    ({}, ["q is required"]),
    ({"q": "{ } | rate("}, ["character"]),
    ({"q": "{ }"}, ["numbers over time"]),
    ({"q": "{ } | rate()", "start": START + 20}, ["start"]),
    ({"q": "{ } | rate()", "start": "yesterday"}, ["start"]),
    ({"q": "{ } | rate()", "step": "0"}, ["step"]),
    ({"q": "{ } | rate()", "step": "-1"}, ["step"]),
    ({"q": "{ } | rate()", "step": "1e300"}, ["step"]),
    ({"q": "{ } | rate()", "step": "often"}, ["step"]),
    ({"q": "{ } | rate()", "start": 1, "step": "1ms"}, ["step"]),
    ({"q": "{ } | rate()", "exemplars": "some"}, ["exemplars"]),
])
def test_what_is_asked_wrongly(server, parameters, words):
    answer = server.get("/tempo/api/metrics/query_range", **{**RANGE, **parameters})
    assert answer.status == 400, answer.text
    assert all(word in answer.text for word in words), answer.text


def test_the_stream_tells_the_same(server):
    query = "{ } | rate() by(resource.service.name)"
    ns = {"start": START * 10**9, "end": (START + 10) * 10**9}
    with Client(server.address("tempo-grpc")) as client:
        [answer] = client("MetricsQueryRange", "QueryRangeRequest", "QueryRangeResponse",
                          query=query, step=10**9, **ns)
        streamed = {
            series.labels[0].value.string_value: {
                sample.timestamp_ms // 1000 - START: sample.value
                for sample in series.samples if sample.value}
            for series in answer.series}
        told = {labels(one)["resource.service.name"]: points(one) for one in ask(server, query)}
        assert streamed == told and answer.status == 0
        [answer] = client("MetricsQueryInstant", "QueryInstantRequest", "QueryInstantResponse",
                          query="{ } | count_over_time()", **ns)
        assert [series.value for series in answer.series] == [5]
