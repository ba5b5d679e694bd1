# SPDX-License-Identifier: Apache-2.0
"""Tempo's query interface, asked as Grafana's data source and Traces Drilldown ask it."""

import json

import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1 import trace_pb2

import otlp
import tempo_shop
from tempo_shop import CHECKOUT, TORN, VISIT, RANGE, attributes, found, search, stripped, text_id

PROTOBUF = {"accept": "application/protobuf"}


@pytest.fixture(scope="module", autouse=True)
def sent(server):
    tempo_shop.send(server)


# -- The data source's test


def test_the_data_source_finds_its_server(server):
    echo = server.get("/tempo/api/echo")
    assert (echo.status, echo.text) == (200, "echo")
    assert server.get("/tempo/ready").status == 200
    build = server.get("/tempo/api/status/buildinfo").json
    # Below these, Grafana neither streams nor asks for tags by scope.
    assert tuple(int(part) for part in build["version"].split(".")) >= (2, 7, 0)
    assert {"version", "revision", "branch", "buildDate", "buildUser", "goVersion"} <= build.keys()


def test_the_tenant_header_is_taken(server):
    answer = server.request("http", "GET", f"/tempo/api/v2/traces/{CHECKOUT}",
                            headers={"X-Scope-OrgID": "shop", **PROTOBUF})
    assert answer.status == 200


# -- A trace by its id


def fields(payload):
    """The fields of a protobuf message of which every one is a message or a string or a number."""
    found, place = {}, 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = payload[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(payload):
        tag = varint()
        if tag & 7 == 0:
            found[tag >> 3] = varint()
        else:
            assert tag & 7 == 2, tag
            length = varint()
            found[tag >> 3] = payload[place:place + length]
            place += length
    return found


def stored(server, trace_id):
    """The trace as the native interface gives it, in protobuf."""
    answer = server.request("http", "GET", f"/api/skein/v1/traces/{trace_id}?format=protobuf")
    assert answer.status == 200, answer.text
    return trace_pb2.TracesData.FromString(answer.body)


def test_a_trace_in_protobuf_is_the_trace_that_was_sent(server):
    # As the data source asks: the second version first.
    path = f"/tempo/api/v2/traces/{CHECKOUT}?start={RANGE['start']}&end={RANGE['end']}"
    answer = server.request("http", "GET", path, headers=PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/protobuf")
    parts = fields(answer.body)
    assert trace_pb2.TracesData.FromString(parts.pop(1)) == stored(server, CHECKOUT)
    assert parts == {2: b""}
    first = server.request("http", "GET", f"/tempo/api/traces/{CHECKOUT}", headers=PROTOBUF)
    assert first.headers["content-type"] == "application/protobuf"
    assert trace_pb2.TracesData.FromString(first.body) == stored(server, CHECKOUT)


def test_a_trace_in_json_reads_as_protobuf_says(server):
    v1 = server.get(f"/tempo/api/traces/{CHECKOUT}")
    v2 = server.get(f"/tempo/api/v2/traces/{CHECKOUT}")
    assert v1.headers["content-type"] == "application/json"
    assert v1.json.keys() == {"batches"}
    assert v2.json == {"trace": {"resourceSpans": v1.json["batches"]}, "metrics": {}}
    whole = stored(server, CHECKOUT)
    assert json_format.ParseDict(v2.json["trace"], trace_pb2.TracesData()) == whole
    # Not only readable: names for enums, base64 for ids, text for 64 bits.
    spans = [span for part in v1.json["batches"] for scope in part["scopeSpans"]
             for span in scope["spans"]]
    wanted = [span for part in json_format.MessageToDict(whole)["resourceSpans"]
              for scope in part["scopeSpans"] for span in scope["spans"]]
    by_id = {span["spanId"]: span for span in wanted}
    assert {span["spanId"]: span for span in spans} == by_id
    cart = next(span for span in spans if span["name"] == "add item")
    assert (cart["kind"], cart["status"]["code"]) == ("SPAN_KIND_CLIENT", "STATUS_CODE_ERROR")


def test_an_absent_trace_is_not_found(server):
    for version in ("", "v2/"):
        answer = server.get(f"/tempo/api/{version}traces/{0xDEAD:032x}")
        assert answer.status == 404 and "not stored" in answer.text
        assert answer.headers["content-type"].startswith("text/plain")


# -- Searches


def test_a_search_tells_all_that_grafana_shows(server):
    [trace] = search(server, '{resource.service.name="cart" && status=error}', limit=20, spss=3)
    spanset = {
        "spans": [{
            "spanID": text_id(0x12), "name": "add item",
            "startTimeUnixNano": str(otlp.BASE_TIME + 50_000_000), "durationNanos": "100000000",
            "attributes": [
                {"key": "service.name", "value": {"stringValue": "cart"}},
                {"key": "status", "value": {"stringValue": "error"}}]}],
        "matched": 1,
    }
    assert trace == {
        "traceID": stripped(CHECKOUT), "rootServiceName": "web",
        "rootTraceName": "GET /checkout", "startTimeUnixNano": str(otlp.BASE_TIME),
        "durationMs": 300, "spanSet": spanset, "spanSets": [spanset],
        "serviceStats": {
            "cart": {"spanCount": 1, "errorCount": 1}, "db": {"spanCount": 1, "errorCount": 0},
            "web": {"spanCount": 1, "errorCount": 0}},
    }


def test_a_search_tells_what_it_cost(server):
    answer = server.get("/tempo/api/search", q="{ }", **RANGE)
    metrics = answer.json["metrics"]
    assert (metrics["inspectedTraces"], metrics["inspectedSpans"]) == (3, "5")
    assert metrics["completedJobs"] == metrics["totalJobs"] == 1


def test_the_newest_traces_come_first_and_the_limit_counts_them(server):
    everything = [stripped(TORN), stripped(VISIT), stripped(CHECKOUT)]
    assert list(found(search(server, "{ }"))) == everything
    assert list(found(search(server, "{ } with(most_recent=true)", limit=2))) == everything[:2]


def test_what_by_says_is_told_of_the_spanset(server):
    [trace] = search(server, '{ } | by(resource.service.name) | count() > 0',
                     start=tempo_shop.START, end=tempo_shop.START + 1)
    told = {tuple(attributes(spanset).items()): spanset["matched"]
            for spanset in trace["spanSets"]}
    assert told == {
        (("by(resource.service.name)", ("stringValue", name)),): 1
        for name in ("web", "cart", "db")}
    assert trace["spanSet"] == trace["spanSets"][0]


def test_selected_attributes_have_their_types(server):
    [trace] = search(
        server, "{ name = \"GET /checkout\" } | select(span.http.status_code, span.cart.full, "
        "span.ratio, resource.host.name, kind, duration, event.exception.message)")
    [span] = trace["spanSet"]["spans"]
    # Name and duration have fields of their own.
    assert attributes(span) == {
        "http.status_code": ("intValue", "500"), "cart.full": ("boolValue", True),
        "ratio": ("doubleValue", 0.5), "host.name": ("stringValue", "web-1"),
        "kind": ("stringValue", "server")}


def test_traces_drilldown_gets_the_tree_of_a_trace(server):
    [trace] = search(
        server, "({nestedSetParent<0} &>> {kind=client}) || ({nestedSetParent<0}) "
        "| select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, "
        "nestedSetRight)", start=tempo_shop.START, end=tempo_shop.START + 1, spss=20, limit=200)
    tree = {}
    for span in trace["spanSet"]["spans"]:
        told = attributes(span)
        assert {kind for kind, _ in (told[key] for key in told if key.startswith("nested"))} == {
            "intValue"}
        tree[told["service.name"][1]] = tuple(
            int(told[key][1]) for key in ("nestedSetLeft", "nestedSetRight", "nestedSetParent"))
    assert tree == {"web": (1, 6, -1), "cart": (2, 5, 1), "db": (3, 4, 2)}


def test_traces_drilldown_gets_the_exceptions(server):
    [trace] = search(
        server, "{nestedSetParent<0} &>> {status=error && event:name=\"exception\"} "
        "| select(resource.service.name, event.exception.message, event.exception.type) "
        "with(most_recent=true)")
    cart = next(span for span in trace["spanSet"]["spans"] if span["name"] == "add item")
    assert attributes(cart)["exception.message"] == ("stringValue", "sold out")


@pytest.mark.parametrize("query, names", [
    ("{ status = error }", {stripped(CHECKOUT): ["add item"]}),
    ("{ resource.service.name = \"web\" } >> { kind = client }",
     {stripped(CHECKOUT): ["add item", "SELECT"]}),
    ("{ span.http.status_code >= 500 || span.http.status_code = 200 }",
     {stripped(VISIT): ["GET /"], stripped(CHECKOUT): ["GET /checkout"]}),
    ("{ .http.status_code = 404 } | count() = 1", {stripped(CHECKOUT): ["add item"]}),
    ("{ name =~ \"GET.*\" && duration > 100ms }", {stripped(CHECKOUT): ["GET /checkout"]}),
    ("{ link:traceID = \"" + VISIT + "\" }", {stripped(CHECKOUT): ["add item"]}),
    ("{ resource.service.name = \"nobody\" }", {}),
    ("{ span.order.id = `o-17` } with(sample=true)", {stripped(CHECKOUT): ["add item"]}),
])
def test_searches(server, query, names):
    assert found(search(server, query)) == names


@pytest.mark.parametrize("parameters, names", [
    ({"tags": "order.id=o-17"}, ["add item"]),
    ({"tags": 'name="GET /checkout" http.status_code=500'}, ["GET /checkout"]),
    # A value is looked for in any part and case of the attribute.
    ({"tags": "db.system=POSTGRES"}, ["SELECT"]),
    # Each tag may be another span's.
    ({"tags": "order.id=o-17 db.system=postgresql"}, ["add item", "SELECT"]),
    ({"tags": "service.name=cart"}, ["add item"]),
    ({"tags": "error=true"}, ["add item"]),
    ({"tags": "status=error"}, ["add item"]),
    ({"tags": "cart.full=true root.service.name=web"},
     ["GET /checkout", "add item", "SELECT", "GET /"]),
    ({"tags": "order.id=o-17 nothing=such"}, []),
    ({"tags": "order.id=.-17"}, []),
    ({"minDuration": "250ms"}, ["GET /checkout", "add item", "SELECT"]),
    ({"tags": "order.id=o-17", "maxDuration": "150ms"}, []),
    ({"maxDuration": "10ms"}, ["send"]),
])
def test_searches_by_tags(server, parameters, names):
    answer = server.get("/tempo/api/search", **RANGE, **parameters)
    assert answer.status == 200, answer.text
    told = [name for spans in found(answer.json["traces"]).values() for name in spans]
    if "root.service.name" in parameters.get("tags", ""):
        told, names = sorted(set(told)), sorted({"GET /checkout", "add item", "SELECT"})
    assert told == names


# -- Tags


def test_tags_by_scope(server):
    # As Grafana's editor asks when it opens.
    answer = server.get("/tempo/api/v2/search/tags", limit=5000)
    assert answer.status == 200, answer.text
    scopes = {scope["name"]: scope["tags"] for scope in answer.json["scopes"]}
    assert scopes["span"] == [
        "cart.full", "db.system", "http.method", "http.status_code", "order.id", "ratio"]
    assert scopes["resource"] == ["host.name", "service.name", "slashed/key"]
    assert scopes["event"] == ["exception.message"]
    assert scopes["link"] == ["link.why"]
    assert "metrics" in answer.json


def test_tags_of_one_scope_and_of_some_spans(server):
    def tags(**parameters):
        answer = server.get("/tempo/api/v2/search/tags", **parameters)
        assert answer.status == 200, answer.text
        return {scope["name"]: scope["tags"] for scope in answer.json["scopes"]}

    assert tags(scope="link") == {"link": ["link.why"]}
    assert tags(scope="span", limit=2) == {"span": ["cart.full", "db.system"]}
    assert tags(scope="span", q='{resource.service.name="cart"}') == {
        "span": ["http.status_code", "order.id"]}
    assert tags(scope="span", q="{span.db.system != nil}", **RANGE) == {"span": ["db.system"]}
    assert tags(scope="span", q="{span.db.system != nil}", start=1, end=2) == {}
    # One that is still being written narrows nothing.
    assert tags(scope="event", q='{span.x = }') == {"event": ["exception.message"]}


def test_tags_of_the_first_version(server):
    names = server.get("/tempo/api/search/tags").json["tagNames"]
    assert names == sorted(names) and {"order.id", "host.name", "exception.message"} <= set(names)
    assert "duration" not in names
    assert "duration" in server.get("/tempo/api/search/tags", scope="intrinsic").json["tagNames"]


@pytest.mark.parametrize("tag, values", [
    ("resource.service.name", [("string", name) for name in ("cart", "db", "mail", "web")]),
    ("span.http.status_code", [("int", "200"), ("int", "404"), ("int", "500")]),
    (".http.method", [("string", "GET")]),
    ("span.cart.full", [("bool", "true")]),
    ("span.ratio", [("float", "0.5")]),
    ("resource.slashed/key", [("string", "a/b")]),
    ('resource."slashed/key"', [("string", "a/b")]),
    ("event.exception.message", [("string", "sold out")]),
    ("link.link.why", [("string", "cart")]),
    ("instrumentation:name", [("string", "pg"), ("string", "test-scope")]),
    ("statusMessage", [("string", "no stock")]),
    ("name", [("string", name) for name in ("GET /", "GET /checkout", "SELECT", "add item",
                                            "send")]),
    ("rootServiceName", [("string", name) for name in ("cart", "db", "mail", "web")]),
    ("rootName", [("string", name) for name in ("GET /", "GET /checkout", "send")]),
    ("duration", []),
    ("span.nobody.has.it", []),
])
def test_values_of_tags(server, tag, values):
    assert tempo_shop.values(server, tag) == values


@pytest.mark.parametrize("tag, query, values", [
    ("span.http.status_code", '{resource.service.name="cart"}', [("int", "404")]),
    ("span.http.status_code", "{kind=server && duration<100ms}", [("int", "200")]),
    ("name", '{resource.service.name="db"}', [("string", "SELECT")]),
    ("name", "{status=error}", [("string", "add item")]),
    ("resource.service.name", '{name="SELECT"} | rate()', [("string", "db")]),
    ("span.http.status_code", "{kind=server && }",
     [("int", "200"), ("int", "404"), ("int", "500")]),
])
def test_a_query_narrows_the_values_of_a_tag(server, tag, query, values):
    assert tempo_shop.values(server, tag, q=query, limit=5000, **RANGE) == values


def test_the_first_version_of_values_has_no_types(server):
    answer = server.get("/tempo/api/search/tag/http.status_code/values")
    assert answer.json["tagValues"] == ["200", "404", "500"]
    assert server.get("/tempo/api/search/tag/service.name/values", limit=1).json["tagValues"] == [
        "cart"]


# -- What is asked wrongly


@pytest.mark.parametrize("path, parameters, words", [
    ("search", {"q": "{ span.x = }"}, ["character 12", "; "]),
    ("search", {"q": "{ name =~ \"(\" }"}, ["character"]),
    ("search", {"q": "{} | rate()"}, ["over time"]),
    ("search", {"q": "{}", "tags": "a=b"}, ["both"]),
    ("search", {"tags": 'a="b'}, ["tags", "quote", "character 3"]),
    ("search", {"tags": "a=b a=c"}, ["tags", "twice"]),
    ("search", {"tags": " ".join(f"k{number}=v" for number in range(100))}, ["tags", "32"]),
    ("search", {"q": "{}", "limit": 0}, ["limit"]),
    ("search", {"q": "{}", "limit": 10**9}, ["10000"]),
    ("search", {"q": "{}", "limit": "many"}, ["limit", "digits"]),
    ("search", {"q": "{}", "spss": 0}, ["spss"]),
    ("search", {"q": "{}", "spss": 10**9}, ["1000"]),
    ("search", {"q": "{}", "start": 20, "end": 10}, ["start", "end"]),
    ("search", {"q": "{}", "start": 20, "end": 20}, ["start", "end"]),
    ("search", {"q": "{}", "start": "2026-11-21T00:00:00Z"}, ["start", "seconds"]),
    ("search", {"minDuration": "2s", "maxDuration": "1s"}, ["minDuration"]),
    ("search", {"minDuration": "soon"}, ["minDuration", "1.5s"]),
    ("v2/search/tags", {"scope": "galaxy"}, ["scope", "instrumentation"]),
    ("v2/search/tags", {"start": 9, "end": 8}, ["start"]),
    ("traces/xyz", {}, ["hexadecimal"]),
    (f"traces/{CHECKOUT}", {"start": 9, "end": 8}, ["start"]),
    (f"v2/traces/{'0' * 32}", {}, ["hexadecimal"]),
    (f"v2/traces/{'1' * 33}", {}, ["hexadecimal"]),
])
def test_what_is_wrong_is_told_in_plain_text(server, path, parameters, words):
    answer = server.get(f"/tempo/api/{path}", **parameters)
    assert answer.status == 400, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    for word in words:
        assert word in answer.text, answer.text


def test_paths_and_methods_that_are_not_there(server):
    for method, path, status in (
            ("GET", "/tempo/api/nothing", 404), ("GET", "/tempo/nothing/at/all", 404),
            ("PUT", "/tempo/api/nothing", 404), ("GET", "/tempo/api/overrides", 404),
            ("POST", "/tempo/api/search", 405), ("DELETE", f"/tempo/api/traces/{CHECKOUT}", 405)):
        answer = server.request("http", method, path)
        assert answer.status == status, (method, path, answer.text)
        assert answer.headers["content-type"].startswith("text/plain") and answer.text
    head = server.request("http", "HEAD", f"/tempo/api/traces/{CHECKOUT}")
    assert (head.status, head.body) == (200, b"")


def test_the_other_interfaces_stay_where_they_are(server):
    assert "data" in server.get(f"/api/traces/{CHECKOUT}").json
    assert server.get("/api/v2/services").json == ["cart", "db", "mail", "web"]
    assert json.loads(server.get("/api/skein/v1/services").text)["services"]
    assert server.get("/").status == 200


def test_evil_patterns_and_long_queries_end_soon(server):
    evil = "(a*)*" * 60 + "b"
    answer = server.get("/tempo/api/search", q=f'{{ name =~ "{evil}" }}', **RANGE)
    assert answer.status in (200, 400)
    long = server.get("/tempo/api/search", q="{" + " && ".join(["true"] * 1000) + "}")
    assert long.status == 400 and "more than 512" in long.text
    values = tempo_shop.values(server, "name", q=f'{{ name =~ "{evil}" }}', **RANGE)
    assert values == [] or values[0][0] == "string"
