# SPDX-License-Identifier: Apache-2.0
"""Tempo's interface on ports of its own: over HTTP, and streamed over gRPC."""

import grpc
import pytest
from google.protobuf import json_format

import otlp
import tempo_shop
from skein_server import SkeinServer
from tempo_messages import Client
from tempo_shop import RANGE, VISIT


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tempo")
    with SkeinServer(folder, listeners=("tempo", "tempo-grpc")) as running:
        tempo_shop.send(running)
        yield running
        assert running.is_alive, f"the server died:\n{running.log_tail()}"
    assert running.process.returncode == 0, running.log_tail()


@pytest.fixture(scope="module")
def client(server):
    with Client(server.address("tempo-grpc")) as client:
        yield client


def test_the_port_has_what_the_page_s_port_has_below_tempo(server):
    for path in ("/api/echo", "/ready", f"/api/v2/traces/{VISIT}", "/api/v2/search/tags",
                 "/api/v2/search/tag/name/values"):
        own, page = server.get(path, "tempo"), server.get(f"/tempo{path}")
        assert (own.status, own.body) == (page.status, page.body) and own.status == 200
    own = server.get("/api/search", "tempo", q="{ }", **RANGE)
    assert own.json["traces"] == tempo_shop.search(server, "{ }")
    assert server.get("/api/services", "tempo").status == 404
    assert server.get("/health", "tempo").status == 200


def test_both_ports_are_told_of(server):
    ports = server.get("/api/skein/v1/status").json["ports"]
    for name in ("tempo", "tempo-grpc"):
        assert ports[name] == server.addresses[name][1]
        assert server.address(name) in server.log_tail()


def as_over_http(trace):
    """A trace of a message as JSON over HTTP tells it."""
    told = json_format.MessageToDict(trace)
    for counts in told["serviceStats"].values():
        counts.setdefault("errorCount", 0)
    return told


@pytest.mark.parametrize("query", [
    "{ }", "{ status = error }", "{ kind = client } | select(span.http.status_code, span.ratio)",
    "{ } | by(resource.service.name)", "{ } | count() > 1 order by trace:duration"])
def test_a_streamed_search_finds_what_a_search_finds(server, client, query):
    messages = client("Search", "SearchRequest", "SearchResponse", Query=query, **RANGE)
    streamed = [as_over_http(trace) for message in messages for trace in message.traces]
    assert streamed == tempo_shop.search(server, query)
    last = messages[-1].metrics
    assert last.completedJobs == last.totalJobs > 0 and last.inspectedTraces > 0


def test_the_first_traces_come_before_the_others(server, client):
    for number in range(60):
        trace = (0xFEED << 64 | number + 1).to_bytes(16, "big")
        start = otlp.BASE_TIME + 10**12 + number * 10**9
        server.post_otlp(otlp.request(
            [otlp.span(trace, tempo_shop.span_id(number + 1), "many", start=start)], "many"))
    far = {"start": tempo_shop.START + 900, "end": tempo_shop.START + 2000}
    messages = client("Search", "SearchRequest", "SearchResponse",
                      Query='{ name = "many" }', Limit=50, **far)
    counts = [len(message.traces) for message in messages]
    assert counts[0] < 50 and sum(counts) == 50 and len(counts) > 1
    ids = [trace.traceID for message in messages for trace in message.traces]
    assert ids == [f"feed{number:016x}" for number in range(60, 10, -1)]
    progress = [message.metrics.completedJobs for message in messages]
    assert progress == sorted(progress) and progress[-1] == messages[-1].metrics.totalJobs


def test_a_streamed_search_by_tags_and_durations(client):
    [message] = client("Search", "SearchRequest", "SearchResponse", Tags={"order.id": "o-17"},
                       MinDurationMs=250, **RANGE)
    assert [span.name for span in message.traces[0].spanSet.spans] == ["add item"]
    [message] = client("Search", "SearchRequest", "SearchResponse", Tags={"order.id": "o-17"},
                       MaxDurationMs=250, **RANGE)
    assert len(message.traces) == 0


def test_streamed_tags_and_values(server, client):
    [names] = client("SearchTags", "SearchTagsRequest", "SearchTagsResponse")
    assert list(names.tagNames) == server.get("/tempo/api/search/tags").json["tagNames"]
    [scopes] = client("SearchTagsV2", "SearchTagsRequest", "SearchTagsV2Response",
                      scope="link", query="{ status = error }")
    assert [(scope.name, list(scope.tags)) for scope in scopes.scopes] == [("link", ["link.why"])]
    [values] = client("SearchTagValues", "SearchTagValuesRequest", "SearchTagValuesResponse",
                      tagName="span.http.status_code", query='{resource.service.name="web"}')
    assert list(values.tagValues) == ["200", "500"]
    [values] = client("SearchTagValuesV2", "SearchTagValuesRequest", "SearchTagValuesV2Response",
                      tagName="status")
    assert {(value.type, value.value) for value in values.tagValues} == {
        ("keyword", word) for word in ("ok", "error", "unset")}
    assert values.metrics.completedJobs == values.metrics.totalJobs == 1


def test_large_answers_come_in_messages_that_clients_take(server, client):
    start = tempo_shop.START + 5_000
    for number in range(60):
        trace = (0xB16 << 64 | number + 1).to_bytes(16, "big")
        begin = (start + number) * 10**9
        server.post_otlp(otlp.request(
            [otlp.span(trace, tempo_shop.span_id(number + 1), "large", start=begin,
                       values={"blob": "x" * 60_000})], "large"))
    far = {"start": start - 100, "end": start + 1_000}
    messages = client("Search", "SearchRequest", "SearchResponse", Limit=60,
                      Query='{ name = "large" } | select(span.blob)', **far)
    assert sum(len(message.traces) for message in messages) == 60
    assert max(message.ByteSize() for message in messages) <= (1 << 20) + 300_000
    last = messages[-1].metrics
    assert last.completedJobs == last.totalJobs > 0


def test_numbers_that_no_client_would_take_are_refused(server, client):
    trace = (0xCAFE << 64 | 1).to_bytes(16, "big")
    server.post_otlp(otlp.request(
        [otlp.span(trace, tempo_shop.span_id(number + 1), "counted", values={"n": number},
                   start=otlp.BASE_TIME + 8_000 * 10**9)
         for number in range(300)], "counted"))
    asked = {"query": '{ name = "counted" } | rate() by (span.n)',
             "start": (tempo_shop.START + 7_000) * 10**9,
             "end": (tempo_shop.START + 12_000) * 10**9}
    with pytest.raises(grpc.RpcError) as failure:
        client("MetricsQueryRange", "QueryRangeRequest", "QueryRangeResponse",
               step=10**9, **asked)
    assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "4194304 fit" in failure.value.details()
    [message] = client("MetricsQueryRange", "QueryRangeRequest", "QueryRangeResponse",
                       step=10**12, **asked)
    assert len(message.series) == 300


@pytest.mark.parametrize("method, request_name, answer, fields, words", [
    ("Search", "SearchRequest", "SearchResponse", {"Query": "{ span.x = }"}, "character 12"),
    ("Search", "SearchRequest", "SearchResponse", {"Query": "{}", "start": 9, "end": 8}, "start"),
    ("Search", "SearchRequest", "SearchResponse", {"Query": "{}", "Limit": 10**9}, "10000"),
    ("Search", "SearchRequest", "SearchResponse", {"Query": "{}", "Tags": {"a": "b"}}, "both"),
    ("SearchTagsV2", "SearchTagsRequest", "SearchTagsV2Response", {"scope": "x"}, "scope"),
    ("SearchTagValuesV2", "SearchTagValuesRequest", "SearchTagValuesV2Response", {}, "tag"),
])
def test_what_is_wrong_is_told_with_its_place(client, method, request_name, answer, fields, words):
    with pytest.raises(grpc.RpcError) as failure:
        client(method, request_name, answer, **fields)
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert words in failure.value.details()


def test_the_preface_of_http_2_on_an_http_port_is_no_error(server):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    before = server.log.read_text()
    for listener in ("http", "tempo"):
        connection = server.connect(listener)
        connection.connect()
        connection.sock.sendall(preface)
        # It is answered or closed, and nobody is told of it.
        connection.sock.settimeout(30)
        while connection.sock.recv(4096):
            pass
        connection.close()
    assert server.get("/api/echo", "tempo").status == 200
    assert server.log.read_text() == before
