# SPDX-License-Identifier: Apache-2.0
"""What runs a service, what fails in it and which ways its calls go: by OTLP and Zipkin, whole."""

import json

import otlp
import pytest

from test_analysis import API, MS, get
from test_cli import skein

ALWAYS = {"last": "3650d"}


def event(type_, message, stack=None):
    attributes = {"exception.type": type_, "exception.message": message, "exception.stacktrace": stack}
    return {
        "timeUnixNano": str(otlp.BASE_TIME), "name": "exception",
        "attributes": [{"key": key, "value": {"stringValue": value}}
                       for key, value in attributes.items() if value is not None]}


def span(trace, number, parent, name, start, end, *, kind=2, error=False, message="", events=()):
    """Times in milliseconds after the base time, and a second for each trace."""
    base = otlp.BASE_TIME + trace * 1000 * MS
    out = {
        "traceId": f"{trace:032x}", "spanId": f"{trace * 100 + number:016x}", "name": name, "kind": kind,
        "startTimeUnixNano": str(base + start * MS), "endTimeUnixNano": str(base + end * MS),
        "events": list(events)}
    if parent:
        out["parentSpanId"] = f"{trace * 100 + parent:016x}"
    if error:
        out["status"] = {"code": 2, "message": message}
    return out


def resource(spans, service, **attributes):
    pairs = {"service.name": service, **{key.replace("_", "."): v for key, v in attributes.items()}}
    return {
        "resource": {"attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]},
        "scopeSpans": [{"spans": spans}]}


def requests():
    """Twenty payments on two instances. Every fifth is declined, every tenth is tried again."""
    for trace in range(1, 21):
        instance = 1 + trace % 2
        declined = trace % 5 == 0
        took = 100 * instance
        spans = [
            span(trace, 2, 1, "pay", 1, 1 + took),
            span(trace, 3, 2, "assess", 2, 3, kind=1),
            span(trace, 4, 2, "ask bank", 3, took, kind=3, error=declined, events=[event(
                "bank.Declined", f"card {4000 + trace} of 'c-{trace}' declined", f"at bank:{trace}")]
                if declined else [])]
        if trace % 10 == 0:
            spans.append(span(trace, 5, 2, "ask bank", 50, took, kind=3))
            spans.append(span(trace, 6, 5, "log in", 51, 60, error=True, message=f"session {trace} gone"))
        yield resource([span(trace, 1, 0, "POST /buy", 0, took + 5)], "shop", host_name="web")
        yield resource(spans, "pay", service_instance_id=f"pay-{instance}",
                       service_version=f"1.{instance}", host_name="same")


@pytest.fixture(name="paid", scope="module")
def fixture_paid(server):
    answer = server.post_otlp(
        json.dumps({"resourceSpans": list(requests())}).encode(), "application/json")
    assert answer.status == 200, answer.text
    zipkin = [{
        "traceId": f"{0xf00 + number:016x}", "id": f"{0xf00 + number:016x}", "name": "get",
        "timestamp": otlp.BASE_TIME // 1000 + number, "duration": 1000 * number, "kind": "SERVER",
        "localEndpoint": {"serviceName": "old", "ipv4": "10.0.0.7", "port": 8080 + number % 2}}
        for number in range(1, 6)]
    taken = server.request("zipkin", "POST", "/api/v2/spans", json.dumps(zipkin),
                           {"content-type": "application/json"})
    assert taken.status == 202, taken.text
    return server


def found(server, query):
    """The spans that the query of an answer finds."""
    answer = server.get(API + "/traces", q=query, limit="100", spans="100", **ALWAYS)
    assert answer.status == 200, answer.text
    return [one["spanId"] for trace in answer.json["traces"]
            for spanset in trace["spansets"] for one in spanset["spans"]]


def test_instances_are_counted_and_their_queries_find_them(paid):
    told = get(paid, "/instances", "/instances", service="pay", **ALWAYS)
    assert told["complete"] and told["instanceCount"] == 2 and told["uncountedSpanCount"] == 0
    first, second = told["instances"]
    assert (first["name"], first["version"], first["key"]) == ("pay-1", "1.1", "service.instance.id")
    # Ten traces each of three spans, and two tries of two spans.
    assert (first["spanCount"], second["spanCount"]) == (34, 30)
    assert (first["errorCount"], second["errorCount"]) == (4, 2)
    assert first["firstTimeUnixNano"] == str(otlp.BASE_TIME + 2 * 1000 * MS + MS)
    assert first["lastTimeUnixNano"] == str(otlp.BASE_TIME + 20 * 1000 * MS + 51 * MS)
    for one in told["instances"]:
        assert len(found(paid, one["query"])) == one["spanCount"]
    served = get(paid, "/instances", "/instances", service="pay", operation="pay", kind="server", **ALWAYS)
    assert [one["spanCount"] for one in served["instances"]] == [10, 10]
    p50 = {one["name"]: int(one["p50Nanos"]) / MS for one in served["instances"]}
    assert p50["pay-1"] == pytest.approx(100, rel=0.01) and p50["pay-2"] == pytest.approx(200, rel=0.01)


def test_a_tracer_without_resources_is_told_by_its_endpoint(paid):
    told = get(paid, "/instances", "/instances", service="old", **ALWAYS)
    assert [(one["key"], one["name"], one["spanCount"]) for one in told["instances"]] == [
        ("network.local.address", "10.0.0.7:8081", 3), ("network.local.address", "10.0.0.7:8080", 2)]
    for one in told["instances"]:
        assert len(found(paid, one["query"])) == one["spanCount"]


def test_exceptions_are_grouped_and_their_queries_find_them(paid):
    told = get(paid, "/exceptions", "/exceptions", service="pay", **ALWAYS)
    assert told["complete"] and told["exceptionCount"] == 6 and told["groupCount"] == 2
    declined, lost = told["groups"]
    assert (declined["type"], declined["message"]) == ("bank.Declined", "card … of '…' declined")
    assert (declined["operation"], declined["count"], declined["traceCount"]) == ("ask bank", 4, 4)
    assert declined["event"] and sum(declined["steps"]) == 4 and len(declined["steps"]) == 30
    example = declined["example"]
    assert example["traceId"] == f"{20:032x}" and example["stackTrace"] == "at bank:20"
    assert example["message"] == "card 4020 of 'c-20' declined"
    assert (lost["type"], lost["message"], lost["event"], lost["count"]) == (
        None, "session … gone", False, 2)
    for one in told["groups"]:
        assert len(found(paid, one["query"])) == one["count"]
    one = get(paid, "/exceptions", "/exceptions", service="pay", operation="log in", **ALWAYS)
    assert [group["count"] for group in one["groups"]] == [2]
    assert get(paid, "/exceptions", "/exceptions", service="shop", **ALWAYS)["groups"] == []


def test_calls_have_two_trees_and_the_rare_one_says_what_is_different(paid):
    told = get(paid, "/call-trees", "/call-trees", service="pay", **ALWAYS)
    assert told["traceCount"] == told["callCount"] == 20 and not told["olderTraces"]
    usual, rare = told["trees"]
    assert (usual["callCount"], usual["share"], usual["errorCount"]) == (18, 0.9, 0)
    assert [(one["parent"], one["operation"]) for one in usual["lines"]] == [
        (None, "pay"), (0, "assess"), (0, "ask bank")]
    assert usual["usual"] is None and usual["missing"] == []
    # Eight took 100 ms, ten 200 ms.
    assert (usual["p50Nanos"], usual["p99Nanos"]) == (str(200 * MS), str(200 * MS))
    assert [line["operation"] for line in rare["lines"] if line["extra"]] == ["log in"]
    assert [(line["fewest"], line["most"]) for line in rare["lines"]] == [(1, 1), (1, 1), (2, 2), (1, 1)]
    assert rare["usual"] == 0 and rare["share"] == 0.1 and rare["typical"]["traceId"] == f"{20:032x}"
    compared = paid.get(API + "/compare", a=usual["typical"]["traceId"], b=rare["typical"]["traceId"])
    assert compared.status == 200
    few = get(paid, "/call-trees", "/call-trees", service="pay", traces="5", limit="1", **ALWAYS)
    assert few["olderTraces"] and few["traceCount"] == 5
    assert few["treeCount"] == 2 and len(few["trees"]) == 1
    below = get(paid, "/call-trees", "/call-trees", service="pay", operation="ask bank", **ALWAYS)
    assert [tree["callCount"] for tree in below["trees"]] == [20, 2]


def test_nobody_has_nothing(paid):
    for route, part in (("instances", "instances"), ("exceptions", "groups"), ("call-trees", "trees")):
        told = get(paid, "/" + route, "/" + route, service="nobody", **ALWAYS)
        assert told[part] == [] and told["complete"]


@pytest.mark.parametrize("parameters, part", [
    ({}, "service is required"), ({"service": "a", "limit": "0"}, "limit is 0"),
    ({"service": "a", "start": "5", "end": "5"}, "empty"), ({"service": "a", "last": "x"}, "last"),
    ({"service": "a", "servce": "b"}, "did you mean service"),
])
@pytest.mark.parametrize("route", ["instances", "exceptions", "call-trees"])
def test_a_wrong_question_is_told(paid, route, parameters, part):
    answer = paid.get(f"{API}/{route}", **parameters)
    assert answer.status == 400 and part in answer.text, answer.text


def test_kinds_and_traces_are_asked_where_they_mean_something(paid):
    assert paid.get(API + "/call-trees", service="a", kind="server").status == 400
    assert "1 to 1000" in paid.get(API + "/call-trees", service="a", traces="1001").text
    assert "none of its values" in paid.get(API + "/instances", service="a", kind="x").text


def test_the_command_line_prints_the_same(paid):
    address = ["--address", paid.url("http"), "--last", "3650d"]
    told = skein("service", "pay", *address)
    assert told.returncode == 0, told.stderr
    assert "pay-1" in told.stdout and "Declined in ask bank" in told.stdout
    assert "  card … of '…' declined" in told.stdout
    assert "CALL TREES of 20 calls in 20 traces" in told.stdout
    assert "+     pay: log in" in told.stdout and "90.0%" in told.stdout
    document = json.loads(skein("service", "pay", "--json", *address).stdout)
    assert document["instances"]["instanceCount"] == 2
    assert document["exceptions"]["groupCount"] == 2 and document["callTrees"]["treeCount"] == 2
    one = skein("service", "pay", "--operation", "ask bank", *address)
    assert "22 calls" in one.stdout
    nobody = skein("service", "nobody", *address).stdout
    assert "No spans of it" in nobody and "No exceptions" in nobody and "No calls" in nobody
    assert "--limit 0" in skein("service", "pay", "--limit", "0").stderr
