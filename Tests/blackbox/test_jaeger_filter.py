# SPDX-License-Identifier: Apache-2.0
"""The structured filter of version 3, over HTTP as JSON and over gRPC as messages."""

import json
import struct

import grpc
import pytest

import otlp
from jaeger_messages import Client, moment
from skein_server import SkeinServer

HOUR = 3_600 * 10**9
RANGE = {"query.startTimeMin": "2026-11-18T11:00:00Z", "query.startTimeMax": "2026-11-18T12:00:00Z"}
assert 1_795_000_000 == otlp.BASE_TIME // 10**9, "the range above is around this time"
QUERY = {"start_time_min": moment(otlp.BASE_TIME - HOUR),
         "start_time_max": moment(otlp.BASE_TIME + HOUR)}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with SkeinServer(folder, listeners=("jaeger-grpc",)) as running:
        yield running
        assert running.is_alive, f"the server died:\n{running.log_tail()}"
    assert running.process.returncode == 0, running.log_tail()


@pytest.fixture(scope="module")
def client(server):
    with grpc.insecure_channel(server.address("jaeger-grpc")) as channel:
        yield Client(channel)


def event(name, after, **values):
    return otlp.message(11, otlp.fixed64(1, otlp.BASE_TIME + after) + otlp.message(2, name)
                        + otlp.attributes(3, values))


@pytest.fixture(scope="module", autouse=True)
def sent(server):
    """Traces of one span each, whose names are what the tests expect."""
    failed = otlp.message(15, otlp.message(2, "no stock") + otlp.integer(3, 2))
    linked = otlp.message(13, otlp.message(1, struct.pack(">QQ", 9, 9))
                          + otlp.message(2, struct.pack(">Q", 0xAB)))
    spans = {
        "one": dict(values={"code": 500, "user": "ann", "fast": True}, duration=5_000_000,
                    status=failed, events=event("cache.miss", 7_000, key="a")),
        "two": dict(values={"code": "500", "user": "bob", "region": "span"}, kind=3,
                    parent=struct.pack(">Q", 77), links=linked),
        "three": dict(values={"code": 404.0, "fast": False}, duration=50_000_000, kind=0),
        "four": dict(values={"size": 9}, events=event("retry", 1) + event("cache.hit", 2)),
    }
    resources = {"two": {"zone": "eu"}, "three": {"region": "eu", "user": "ann"}}
    for number, (name, fields) in enumerate(spans.items(), 1):
        one = otlp.span(struct.pack(">QQ", 0xF1, number), struct.pack(">Q", number), name, **fields)
        server.post_otlp(otlp.request(
            [one], f"service-{name}", resources.get(name), (f"scope-{name}", f"{number}.0")))


def call(op, *args):
    return {"op": op, "args": [{"call": one} if "op" in one else one for one in args]}


def attr(key, level=None):
    return {"attr": {"key": key, **({"level": level} if level else {})}}


def field(name, level="span"):
    return {"field": {"name": name, "level": level}}


def value(text, kind=None):
    return {"scalar": {"value": text, **({"type": kind} if kind else {})}}


def values(*texts, kind=None):
    return {"list": {"values": list(texts), **({"type": kind} if kind else {})}}


def some(level, condition):
    return call("some", {"nested": {"level": level}}, condition)


CODE = attr("code")
ALL = {"one", "two", "three", "four"}
FOUND = [
    # A constant without a type equals values of any; with one, of that alone.
    (call("eq", CODE, value("500")), {"one", "two"}),
    (call("eq", CODE, value("500", "int")), {"one"}),
    (call("eq", CODE, value("500", "string")), {"two"}),
    (call("eq", CODE, value("404", "double")), {"three"}),
    (call("eq", attr("fast"), value("true")), {"one"}),
    (call("eq", attr("fast"), value("false", "bool")), {"three"}),
    (call("eq", value("500", "int"), CODE), {"one"}),
    # Missing values are neither equal nor unequal.
    (call("ne", attr("user"), value("ann")), {"two"}),
    (call("not", call("eq", attr("user"), value("ann"))), {"two", "four"}),
    (call("in", attr("user"), values("ann", "carl")), {"one", "three"}),
    (call("not_in", attr("user"), values("ann", "carl")), {"two"}),
    (call("in", CODE, values("404", "500")), {"one", "two", "three"}),
    (call("in", CODE, values("404", "500", kind="int")), {"one", "three"}),
    # Order, from both sides.
    (call("gt", CODE, value("404")), {"one"}),
    (call("gte", CODE, value("404")), {"one", "three"}),
    (call("lt", value("404"), CODE), {"one"}),
    (call("lte", attr("size"), value("10")), {"four"}),
    (call("lt", attr("size"), value("10", "string")), set()),
    (call("gt", field("name"), value("p")), {"two", "three"}),
    # Levels: none is the span's or its resource's.
    (call("eq", attr("region"), value("eu")), {"three"}),
    (call("exists", attr("region")), {"two", "three"}),
    (call("exists", attr("region", "span")), {"two"}),
    (call("exists", attr("region", "resource")), {"three"}),
    (call("exists", attr("key", "event")), {"one"}),
    (call("exists", attr("key")), set()),
    # Fields.
    (call("eq", field("status"), value("error")), {"one"}),
    (call("ne", field("status"), value("error")), {"two", "three", "four"}),
    (call("eq", field("statusMessage"), value("no stock")), {"one"}),
    (call("in", field("kind"), values("client", "unspecified")), {"two", "three"}),
    (call("gt", field("duration"), value("2ms")), {"one", "three"}),
    (call("and", call("gte", field("duration"), value("5ms")),
          call("lt", field("duration"), value("50ms"))), {"one"}),
    (call("eq", field("name"), value("four")), {"four"}),
    (call("eq", field("service", "resource"), value("service-two")), {"two"}),
    (call("eq", field("traceID"), value("F1" + f"{3:016x}")), {"three"}),
    (call("eq", field("spanID"), value(f"{4:016X}")), {"four"}),
    (call("exists", field("parentSpanID")), {"two"}),
    (call("eq", field("name", "scope"), value("scope-one")), {"one"}),
    (call("eq", field("version", "scope"), value("2.0")), {"two"}),
    (call("eq", field("spanID", "link"), value(f"{0xAB:016x}")), {"two"}),
    # One event that is so.
    (call("eq", field("name", "event"), value("cache.hit")), {"four"}),
    (some("event", call("gt", field("timeSinceStart", "event"), value("5us"))), {"one"}),
    (some("event", call("or", call("eq", field("name", "event"), value("retry")),
                        call("eq", attr("key", "event"), value("a")))), {"one", "four"}),
    (call("not", some("event", call("exists", field("name", "event")))), {"two", "three"}),
    # Patterns match anywhere, within the case that is written.
    (call("regex", field("name"), value("o")), {"one", "two", "four"}),
    (call("regex", field("name"), value("^t|r$")), {"two", "three", "four"}),
    (call("regex", field("name"), value("O")), set()),
    (call("regex", attr("user"), value("a.n")), {"one", "three"}),
    (call("regex", field("kind"), value("client|serv")), {"one", "two", "four"}),
    (call("regex", field("status"), value("nothing")), set()),
    (call("regex", field("name", "event"), value(r"^cache\.")), {"one", "four"}),
    # Trees, and references beside one another.
    (call("or", call("and", call("exists", attr("fast")), call("eq", attr("user"), value("ann"))),
          call("eq", attr("size"), value("9"))), {"one", "three", "four"}),
    (call("and", *(call("exists", CODE) for _ in range(20))), {"one", "two", "three"}),
    (call("eq", attr("user"), attr("user", "span")), {"one", "two"}),
    (call("ne", attr("code", "span"), attr("user", "span")), {"one", "two"}),
    (call("exists", field("name")), ALL),
]


def names(server, text):
    answer = server.get("/api/v3/traces", **RANGE, **{"query.filter": text})
    if answer.status == 404:
        return set()
    assert answer.status == 200, answer.text
    return {span["name"] for span in otlp.flatten(answer.json["result"])}


@pytest.mark.parametrize("tree, expected", FOUND, ids=[json.dumps(tree) for tree, _ in FOUND])
def test_a_filter_finds_what_it_says(server, client, tree, expected):
    assert names(server, json.dumps(tree)) == expected
    answer = server.get("/api/v3/trace-summaries", **RANGE, **{"query.filter": json.dumps(tree)})
    assert {item["rootOperationName"] for item in answer.json["summaries"]} == expected
    found = client.v3("FindTraces", "FindTracesRequest", "TracesData",
                      query={**QUERY, "filter": tree})
    assert {span.name for chunk in found for resource in chunk.resource_spans
            for scope in resource.scope_spans for span in scope.spans} == expected


def nested(depth):
    tree = call("exists", CODE)
    for _ in range(depth):
        tree = call("not", tree)
    return tree


F = "query.filter"
BROKEN = [
    ({}, f"{F}.op: "),
    (call("equals", CODE, value("1")), f"{F}.op: \"equals\" is no operator"),
    (call("eq", CODE), f"{F}.args: eq takes 2"),
    (call("and", call("exists", CODE)), f"{F}: and takes two"),
    (call("or", call("exists", CODE), CODE), f"{F}.args[1]: or takes a call"),
    (call("not", CODE), f"{F}.args[0]: not takes a call"),
    (call("exists", value("1")), f"{F}.args[0]: exists takes attr or field"),
    (call("eq", CODE, values("1")), f"{F}.args[1]: eq takes attr or field"),
    (call("in", CODE, value("1")), f"{F}.args[1]: in takes a list"),
    (call("in", CODE, values()), f"{F}.args[1].list.values: the list is empty"),
    (call("eq", attr(""), value("1")), f"{F}.args[0].attr.key: there is no key"),
    (call("eq", attr("a", "trace"), value("1")), f"{F}.args[0].attr.level: give one of"),
    (call("eq", field("name", ""), value("1")), f"{F}.args[0].field.level: give one of"),
    (call("eq", field("nothing"), value("1")), f"{F}.args[0].field.name: \"nothing\" is no field"),
    (call("eq", CODE, value("x", "int")), f"{F}.args[1].scalar: \"x\" is not of the type int"),
    (call("eq", CODE, value("x", "float")), f"{F}.args[1].scalar: type is \"float\""),
    (call("in", CODE, values("1", "x", kind="int")), f"{F}.args[1].list.values[1]: \"x\""),
    (call("eq", field("duration"), value("fast")), f"{F}.args[1].scalar: "),
    (call("eq", field("duration"), value("5", "int")), f"{F}.args[1].scalar: a duration"),
    (call("eq", field("kind"), value("sender")), f"{F}.args[1].scalar: \"sender\" is not a kind"),
    (call("gt", field("status"), value("ok")), f"{F}.args[0]: a status is neither more nor less"),
    (call("gt", CODE, value("true", "bool")), f"{F}.args[1].scalar: true and false"),
    (call("eq", field("duration"), field("name")), f"{F}: a duration never equals text"),
    (call("regex", field("duration"), value("5")), f"{F}.args[0]: a pattern is for text"),
    (call("regex", CODE, value("(")), f"{F}.args[1]: this is no pattern"),
    (call("regex", CODE, value("a)(b")), f"{F}.args[1]: this is no pattern"),
    (call("regex", CODE, value("5", "int")), f"{F}.args[1]: regex takes a scalar of text"),
    (some("span", call("exists", CODE)), f"{F}.args[0].nested.level: give event or link"),
    (call("some", CODE, call("exists", CODE)), f"{F}.args[0]: some takes nested"),
    (nested(40), "nested deeper than 32"),
    (call("and", *(call("regex", CODE, value(str(one))) for one in range(40))), "patterns"),
    (call("in", CODE, values(*map(str, range(400)))), f"{F}: the filter is too large"),
    (call("and", call("exists", CODE), call("not", call("eq", CODE, value("1"), value("2")))),
     f"{F}.args[1].call.args[0].call.args: eq takes 2"),
]
UNSUPPORTED = [
    (call("exists", field("startTime")), f"{F}.args[0].field.name: startTime of span"),
    (some("event", call("and", call("exists", attr("a", "event")),
                        call("exists", attr("b", "event")))), "the same event"),
    (some("link", call("ne", attr("a", "link"), value("1"))), "the same link"),
    (some("event", some("link", call("exists", CODE))), f"{F}.args[1].call: some within some"),
]


@pytest.mark.parametrize("tree, says", BROKEN)
def test_a_broken_filter_is_refused_with_its_place(server, client, tree, says):
    check(server, client, tree, says, 400, grpc.StatusCode.INVALID_ARGUMENT)


@pytest.mark.parametrize("tree, says", UNSUPPORTED)
def test_what_cannot_be_looked_at_is_refused_and_not_left_out(server, client, tree, says):
    check(server, client, tree, says, 501, grpc.StatusCode.UNIMPLEMENTED)


def check(server, client, tree, says, status, code):
    answer = server.get("/api/v3/traces", **RANGE, **{"query.filter": json.dumps(tree)})
    assert answer.status == status, answer.text
    assert says in answer.json["error"]["message"]
    assert answer.json["error"]["grpcCode"] == code.value[0]
    with pytest.raises(grpc.RpcError) as failure:
        client.v3("FindTraceSummaries", "FindTraceSummariesRequest", "FindTraceSummariesResponse",
                  query={**QUERY, "filter": tree})
    assert failure.value.code() == code
    assert says in failure.value.details()


@pytest.mark.parametrize("text, says", [
    ("{", f"{F}: this is no JSON"),
    ("[]", f"{F}: give an object with op, args"),
    ('{"op":"eq","args":{}}', f"{F}.args: give a list"),
    ('{"op":1}', f"{F}.op: give text"),
    ('{"op":"eq","argument":[]}', f"{F}: \"argument\" is not known"),
    ('{"op":"exists","args":[{}]}', f"{F}.args[0]: give exactly one of"),
    ('{"op":"exists","args":[{"attr":{"key":"a"},"field":{}}]}', "give exactly one of"),
    ('{"op":"exists","args":[{"attribute":{"key":"a"}}]}', "give exactly one of attr, field"),
    ('{"op":"eq","args":[{"attr":{"key":"a"}},{"scalar":{"value":500}}]}',
     f"{F}.args[1].scalar.value: give text"),
    ('{"op":"and","args":' + "[" * 400 + "]" * 400 + "}", f"{F}.args[0]: give an object"),
])
def test_what_is_no_filter_is_refused_with_its_place(server, text, says):
    answer = server.get("/api/v3/traces", **RANGE, **{F: text})
    assert answer.status == 400, answer.text
    assert says in answer.json["error"]["message"]


@pytest.mark.parametrize("name, text, field_name", [
    ("serviceName", "a", "service_name"), ("operationName", "a", "operation_name"),
    ("attributes", '{"a":"b"}', "attributes"), ("durationMin", "1s", "duration_min")])
def test_a_filter_stands_alone(server, client, name, text, field_name):
    tree = call("exists", CODE)
    answer = server.get(
        "/api/v3/traces", **RANGE, **{F: json.dumps(tree), f"query.{name}": text})
    assert answer.status == 400
    assert "in place of" in answer.json["error"]["message"]
    given = {"attributes": {"a": "b"}, "duration_min": {"seconds": 1}}.get(field_name, text)
    with pytest.raises(grpc.RpcError) as failure:
        client.v3("FindTraces", "FindTracesRequest", "TracesData",
                  query={**QUERY, "filter": tree, field_name: given})
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_filter_goes_with_depth_and_time(server):
    tree = json.dumps(call("exists", CODE))
    answer = server.get("/api/v3/trace-summaries", **RANGE, **{F: tree, "query.searchDepth": 2})
    assert len(answer.json["summaries"]) == 2
    answer = server.get("/api/v3/trace-summaries", **{
        "query.startTimeMin": "2025-11-18T11:00:00Z", "query.startTimeMax": "2025-11-18T12:00:00Z",
        F: tree})
    assert answer.json["summaries"] == []
