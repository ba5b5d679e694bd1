# SPDX-License-Identifier: Apache-2.0
"""The demo's traces are the same through every interface that the server speaks."""

import base64
import json
import time

import grpc
import pytest

import otlp
import tempo_messages
from jaeger_messages import Client as JaegerClient
from jaeger_messages import moment
from test_jaeger_v3 import moment as text_of

SECOND = 10**9
LIMIT = 1000
SERVICE = "gateway"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    from skein_server import SkeinServer
    with SkeinServer(
            tmp_path_factory.mktemp("demo"), "--rate", "20", command="demo",
            listeners=("jaeger-grpc", "tempo-grpc")) as running:
        yield running


@pytest.fixture(scope="module")
def window(demo):
    """Whole seconds, long enough ago that nothing more of their traces comes, and their traces' ids."""
    deadline = time.monotonic() + 90
    while True:
        end = int(time.time()) - 6
        start = end - 5
        found = demo.search(
            service=SERVICE, start=start * SECOND, end=end * SECOND, limit=LIMIT)["traces"]
        if len(found) >= 20:
            return start, end, sorted(trace["traceId"] for trace in found)
        assert time.monotonic() < deadline, "the demo sends no traces"
        time.sleep(0.5)  # Between two looks; the loop ends by the deadline.


def test_traceql(demo, window):
    start, end, ids = window
    found = demo.search(
        q=f'{{ resource.service.name = "{SERVICE}" }}', start=start * SECOND, end=end * SECOND,
        limit=LIMIT)
    assert sorted(trace["traceId"] for trace in found["traces"]) == ids


def test_jaeger(demo, window):
    start, end, ids = window
    answer = demo.get(
        "/api/traces", service=SERVICE, start=start * 10**6, end=end * 10**6 - 1, limit=LIMIT)
    assert sorted(trace["traceID"] for trace in answer.json["data"]) == ids


def test_jaeger_version_3(demo, window):
    start, end, ids = window
    parameters = {
        "query.serviceName": SERVICE, "query.startTimeMin": text_of(start * SECOND),
        "query.startTimeMax": text_of(end * SECOND), "query.searchDepth": LIMIT}
    spans = otlp.flatten(demo.get("/api/v3/traces", **parameters).json["result"])
    assert sorted({span["traceId"] for span in spans}) == ids
    summaries = demo.get("/api/v3/trace-summaries", **parameters).json["summaries"]
    assert sorted(trace["traceId"] for trace in summaries) == ids


def test_jaeger_over_grpc(demo, window):
    start, end, ids = window
    query = {
        "service_name": SERVICE, "start_time_min": moment(start * SECOND),
        "start_time_max": moment(end * SECOND), "search_depth": LIMIT}
    options = [("grpc.max_receive_message_length", 1 << 30)]
    with grpc.insecure_channel(demo.address("jaeger-grpc"), options) as channel:
        chunks = JaegerClient(channel).v3(
            "FindTraces", "FindTracesRequest", "TracesData", query=query)
    found = {
        span.trace_id.hex() for chunk in chunks for resource in chunk.resource_spans
        for scope in resource.scope_spans for span in scope.spans}
    assert sorted(found) == ids


def test_zipkin(demo, window):
    start, end, ids = window
    answer = demo.get(
        "/zipkin/api/v2/traces", serviceName=SERVICE, endTs=end * 1000 - 1,
        lookback=(end - start) * 1000 - 1, limit=LIMIT)
    assert sorted({trace[0]["traceId"].zfill(32) for trace in answer.json}) == ids


def test_tempo(demo, window):
    start, end, ids = window
    parameters = {
        "q": f'{{ resource.service.name = "{SERVICE}" }}', "start": start, "end": end,
        "limit": LIMIT}
    found = demo.get("/tempo/api/search", **parameters).json["traces"]
    assert sorted(trace["traceID"].zfill(32) for trace in found) == ids


def test_tempo_over_grpc(demo, window):
    start, end, ids = window
    with tempo_messages.Client(demo.address("tempo-grpc")) as client:
        messages = client(
            "Search", "SearchRequest", "SearchResponse",
            Query=f'{{ resource.service.name = "{SERVICE}" }}', start=start, end=end, Limit=LIMIT)
    found = {trace.traceID.zfill(32) for message in messages for trace in message.traces}
    assert sorted(found) == ids


def test_one_trace_has_the_same_spans_everywhere(demo, window):
    _, _, ids = window
    for one in ids[:5]:
        spans = {span["spanId"] for span in otlp.flatten(demo.trace(one))}
        [jaeger] = demo.get(f"/api/traces/{one}").json["data"]
        assert {span["spanID"] for span in jaeger["spans"]} == spans
        third = otlp.flatten(demo.get(f"/api/v3/traces/{one}").json["result"])
        assert {span["spanId"] for span in third} == spans
        assert {span["id"] for span in demo.get(f"/zipkin/api/v2/trace/{one}").json} == spans
        tempo = demo.get(f"/tempo/api/v2/traces/{one}").json["trace"]["resourceSpans"]
        assert {
            base64.b64decode(span["spanId"]).hex() for resource in tempo
            for scope in resource["scopeSpans"] for span in scope["spans"]} == spans


def test_the_assistants_interface_finds_them(demo, window):
    start, end, ids = window
    answer = demo.request(
        "http", "POST", "/api/skein/v1/mcp", json.dumps({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
                "name": "find_traces", "arguments": {
                    "query": f'{{ resource.service.name = "{SERVICE}" }}', "limit": 50,
                    "start": text_of(start * SECOND), "end": text_of(end * SECOND)}}}),
        {"content-type": "application/json", "accept": "application/json, text/event-stream"})
    text = answer.json["result"]["content"][0]["text"]
    assert sum(one in text for one in ids) == min(len(ids), 50), text[:500]
