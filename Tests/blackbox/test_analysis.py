# SPDX-License-Identifier: Apache-2.0
"""Traces explained and compared, and the map of services: answers held to the description of the API."""

import json

import otlp
import pytest

from test_cli import skein

API = "/api/skein/v1"
MS = 1_000_000
ORDER = "00000000000000000000000000000a01"
OTHER = "00000000000000000000000000000a02"


def span(trace, number, parent, service, name, start, end, kind=2, error=False, **attributes):
    """Times in milliseconds after the base time."""
    out = {
        "traceId": trace, "spanId": f"{number:016x}", "name": name, "kind": kind,
        "startTimeUnixNano": str(otlp.BASE_TIME + start * MS),
        "endTimeUnixNano": str(otlp.BASE_TIME + end * MS),
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    if parent:
        out["parentSpanId"] = f"{parent:016x}"
    if error:
        out["status"] = {"code": 2}
    return service, out


def spans(trace, queries, version):
    """A request to web, which asks stock again and again, and pay once, which calls web back."""
    yield span(trace, 1, 0, "web", "POST /order", 0, 1000, version=version)
    for number in range(queries):
        start = 10 + number * 50
        yield span(trace, 10 + number, 1, "stock", "SELECT", start, start + 40)
    yield span(trace, 3, 1, "pay", "charge", 800, 950, error=True)
    yield span(trace, 4, 3, "web", "confirm", 810, 830)


def send(server, told):
    resources = [
        {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
         "scopeSpans": [{"spans": [one]}]}
        for service, one in told]
    answer = server.post_otlp(
        json.dumps({"resourceSpans": resources}).encode(), "application/json")
    assert answer.status == 200, answer.text


@pytest.fixture(name="explained", scope="module")
def fixture_explained(server):
    send(server, spans(ORDER, 12, "1"))
    send(server, spans(OTHER, 3, "2"))
    return server


def problems(value, schema, schemas, at="answer"):
    """What of `value` is not as `schema` says; the few words of JSON Schema that ours uses."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{at}: {value!r}"]
    words = schema.get("type", [])
    words = [words] if isinstance(words, str) else words
    kinds = {
        "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
        "number": (int, float), "null": type(None)}
    fits = [w for w in words if isinstance(value, kinds[w])
            and (w == "boolean" or not isinstance(value, bool))]
    if words and not fits:
        return [f"{at}: {value!r} is no {words}"]
    if isinstance(value, list):
        return [p for i, one in enumerate(value)
                for p in problems(one, schema.get("items", {}), schemas, f"{at}[{i}]")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    found = [f"{at}: no {name}" for name in schema.get("required", []) if name not in value]
    for name, one in value.items():
        if name in schema["properties"]:
            found += problems(one, schema["properties"][name], schemas, f"{at}.{name}")
        elif schema.get("additionalProperties") is False:
            found.append(f"{at}: {name} is not described")
    return found


def get(server, path, described, **parameters):
    """An answer that is as the API describes itself."""
    answer = server.get(API + path, **parameters)
    assert answer.status == 200, answer.text
    document = server.get(API + "/openapi.json").json
    responses = document["paths"][API + described]["get"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    assert problems(answer.json, schema, document["components"]["schemas"]) == []
    return answer.json


def test_a_trace_is_explained(explained):
    told = get(explained, f"/traces/{ORDER}/analysis", "/traces/{id}/analysis")
    assert [one["kind"] for one in told["findings"]] == ["sequentialCalls", "errors"]
    batch, errors = told["findings"]
    assert (batch["service"], batch["operation"]) == ("stock", "SELECT")
    assert batch["count"] == 12 and batch["row"] == 1 and batch["relatedRow"] == 0
    assert batch["nanos"] == str(11 * 40 * MS) and batch["share"] == 0.44
    assert errors["operation"] == "charge" and errors["row"] == 13
    path = told["criticalPath"]
    assert path["rows"][:3] == [0, 1, 0] and path["starts"][:3] == [0, 10 * MS, 50 * MS]
    assert told["operations"][path["operations"][1]]["operation"] == "SELECT"
    assert path["segmentCount"] == len(path["rows"]) == 2 * 12 + 1 + 4
    assert [one["count"] for one in told["runs"]] == [12]
    assert told["runs"][0]["sequential"] is True
    assert {one["service"]: one["count"] for one in told["services"]} == {
        "web": 2, "stock": 12, "pay": 1}
    assert told["levelCount"] == 3 and told["errorCount"] == 1 and told["orphanCount"] == 0


def test_spans_are_merged_by_call_path(explained):
    told = get(explained, f"/traces/{ORDER}/paths", "/traces/{id}/paths")
    nodes = [(one["parent"], one["operation"], one["count"]) for one in told["nodes"]]
    assert nodes == [
        (None, "POST /order", 1), (0, "SELECT", 12), (0, "charge", 1), (2, "confirm", 1)]


def test_a_span_stands_among_its_like(explained):
    described = "/traces/{id}/spans/{row}/standing"
    told = get(explained, f"/traces/{ORDER}/spans/1/standing", described)
    assert told["operation"] == "SELECT" and told["callCount"] == 15
    assert told["fasterAtLeast"] == 0 and told["durationNanos"] == str(40 * MS)
    by_id = get(explained, f"/traces/{ORDER}/spans/{1:016x}/standing", described)
    assert by_id["row"] == 0 and by_id["callCount"] == 2
    assert explained.get(f"{API}/traces/{ORDER}/spans/99/standing").status == 404


def test_two_traces_are_compared_by_call_path(explained):
    told = get(explained, "/compare", "/compare", a=ORDER, b=OTHER)
    paths = {one["operation"]: one for one in told["paths"]}
    assert paths["SELECT"]["a"]["spanCount"] == 12 and paths["SELECT"]["b"]["spanCount"] == 3
    assert paths["SELECT"]["totalDifferenceNanos"] == -9 * 40 * MS
    assert [one["key"] for one in told["differences"]] == ["version"]
    assert told["differences"][0]["a"] == [{"type": "string", "value": "1", "count": 1}]


def test_two_result_sets_are_compared(explained):
    told = get(
        explained, "/compare", "/compare", qa='{ .version = "1" }', qb='{ .version = "2" }',
        last="3650d")
    assert told["a"] == [ORDER] and told["b"] == [OTHER]


@pytest.mark.parametrize("parameters, status, part", [
    ({"a": ORDER}, 400, "b=TRACE_ID"), ({"a": "x", "b": ORDER}, 400, "trace id"),
    ({"a": ORDER, "b": "1" * 32}, 404, "is not stored"),
    ({"a": ORDER, "qa": "{}", "b": ORDER}, 400, "both given"),
    ({"qa": "{", "b": ORDER}, 400, "qa"),
    ({"qa": "{ .version = 9 }", "b": ORDER}, 404, "finds no trace"),
    ({"qa": "{}", "b": ORDER, "limit": "1001"}, 400, "1 to 1000"),
])
def test_a_wrong_comparison_is_told(explained, parameters, status, part):
    answer = explained.get(API + "/compare", **parameters)
    assert answer.status == status and part in answer.text, answer.text


def test_the_map_has_every_service_and_the_cycle(explained):
    told = get(explained, "/map", "/map", last="3650d")
    names = [one["name"] for one in told["nodes"]]
    assert names == ["pay", "stock", "web"]
    edges = {(names[one["from"]], names[one["to"]]): one["callCount"] for one in told["edges"]}
    assert edges == {("web", "stock"): 15, ("web", "pay"): 2, ("pay", "web"): 2}
    assert [[names[one] for one in cycle["members"]] for cycle in told["cycles"]] == [
        ["pay", "web"]]
    assert told["nodes"][1]["callCount"] == 15 and told["groups"] == []
    near = get(explained, "/map", "/map", last="3650d", focus="stock")
    assert [one["name"] for one in near["nodes"]] == ["stock", "web"]
    rare = get(explained, "/map", "/map", last="3650d", minCalls="3")
    assert [one["name"] for one in rare["nodes"]] == ["stock", "web"]
    assert get(explained, "/map", "/map", focus="nobody")["focusFound"] is False


@pytest.mark.parametrize("parameters, part", [
    ({"hops": "2"}, "focus"), ({"focus": "a", "hops": "21"}, "1 to 20"),
    ({"minCalls": "-1"}, "minCalls"), ({"start": "5", "end": "5"}, "empty"),
])
def test_a_wrong_map_is_told(explained, parameters, part):
    answer = explained.get(API + "/map", **parameters)
    assert answer.status == 400 and part in answer.text, answer.text


def test_the_command_line_explains_and_maps(explained):
    address = ["--address", explained.url("http")]
    told = skein("analyze", ORDER, *address)
    assert told.returncode == 0, told.stderr
    assert "12 calls of stock: SELECT ran one after another" in told.stdout
    assert "1 span failed; it began in pay: charge" in told.stdout
    assert "CRITICAL PATH" in told.stdout and "OPERATION" in told.stdout
    assert json.loads(skein("analyze", ORDER, "--json", *address).stdout)["spanCount"] == 15
    assert "not a trace id" in skein("analyze", "xyz", *address).stderr
    missing = skein("analyze", "1" * 32, *address)
    assert missing.returncode != 0 and "is not stored" in missing.stderr
    mapped = skein("map", "--last", "3650d", *address)
    assert mapped.returncode == 0, mapped.stderr
    assert "cycle: pay → web → pay (2 services, 4 calls among them)" in mapped.stdout
    assert "No service nobody" in skein("map", "--focus", "nobody", *address).stdout
    assert "give --focus" in skein("map", "--hops", "2", *address).stderr
