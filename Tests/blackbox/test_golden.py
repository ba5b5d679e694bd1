# SPDX-License-Identifier: Apache-2.0
"""Recorded requests of stock clients come back field by field, through each read API."""

import grpc
import pytest

import golden
import otlp
from replay import Capture

pytestmark = pytest.mark.skipif(
    not golden.WIRE.is_dir(),
    reason="the recorded requests (../shared/data/wire) do not stand beside the repository")


@pytest.fixture(scope="module")
def replayed(server):
    """Replays a folder once and gives its capture."""
    done = {}

    def replay(folder):
        if folder not in done:
            capture = Capture(golden.WIRE / folder)
            compression = grpc.Compression.Gzip if folder.endswith("-gzip") else None
            answers = capture.replay(
                server.address("otlp-http"), server.address("zipkin"),
                server.address("otlp-grpc"), compression)
            assert answers
            wanted = 202 if folder.startswith("zipkin") else 200
            assert {answer.status for answer in answers} == {wanted}, answers
            assert {answer.body for answer in answers} <= {b"", b"{}"}
            done[folder] = capture
        return done[folder]

    return replay


def stored_spans(server, expected):
    """The spans of every trace that the expected ones belong to, from the native API."""
    spans = []
    for trace_id in sorted({item["traceId"] for item in expected}):
        document = server.trace(trace_id)
        assert document, f"trace {trace_id} is not there"
        spans += otlp.flatten(document)
    return spans


@pytest.mark.parametrize("folder", golden.OTLP_FOLDERS)
def test_otlp_comes_back_equal_from_the_native_api(server, replayed, folder):
    expected = replayed(folder).expected
    assert golden.otlp_view(stored_spans(server, expected)) == golden.otlp_view(expected)


@pytest.mark.parametrize("folder", golden.OTLP_FOLDERS)
def test_otlp_comes_back_equal_from_the_jaeger_api(server, replayed, folder):
    expected = replayed(folder).expected
    found = []
    for trace_id in sorted({item["traceId"] for item in expected}):
        answer = server.get(f"/api/traces/{trace_id}", raw="true")
        assert answer.status == 200, answer.text
        assert answer.json["errors"] is None
        [trace] = answer.json["data"]
        assert trace["traceID"] == trace_id
        found += golden.jaeger_actual(trace)
    wanted = [golden.jaeger_expected(item) for item in expected]

    def by_id(item):
        return item["spanID"]

    assert sorted(found, key=by_id) == sorted(wanted, key=by_id)


@pytest.mark.parametrize("folder", golden.OTLP_FOLDERS)
def test_a_replay_of_the_same_request_does_not_double_a_span(server, replayed, folder):
    capture = replayed(folder)
    capture.replay(server.address("otlp-http"), server.address("zipkin"),
                   server.address("otlp-grpc"))
    summaries = {}
    for item in capture.expected:
        summaries.setdefault(item["traceId"], set()).add(item["spanId"])
    for trace_id, span_ids in summaries.items():
        spans = otlp.flatten(server.trace(trace_id))
        assert len(spans) == len(span_ids)


def everything(item):
    """Every attribute of a span, wherever it stands, but those that become fields elsewhere."""
    merged = {**item["resource"], **item["attributes"]}
    return {
        key: value for key, value in merged.items()
        if not key.startswith(("otel.library.", "otel.scope.")) and key not in ZIPKIN_FIELDS
    }


# The exporter's host is not the span's; Zipkin's flag for sampling is not an attribute either.
ZIPKIN_FIELDS = {
    "otel.status_code", "error", "network.local.address", "network.local.port", "zipkin.debug",
    "peer.service", "network.peer.address", "network.peer.port", "server.address.ipv4",
}


def zipkin_text(value):
    """An attribute as the stock Zipkin exporter writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        items = ",".join('"%s"' % zipkin_text(item) for item in value)
        return f"[{items}]"
    return str(value)


@pytest.mark.parametrize("folder", golden.ZIPKIN_OTEL_FOLDERS)
def test_zipkin_from_an_opentelemetry_sdk_comes_back_from_the_native_api(
        server, replayed, folder):
    expected = {item["spanId"]: item for item in replayed(folder).expected}
    stored = {item["spanId"]: item for item in stored_spans(server, list(expected.values()))}
    assert stored.keys() == expected.keys()
    for span_id, wanted in expected.items():
        found = stored[span_id]
        for name in ("traceId", "parentSpanId", "name", "service"):
            assert found[name] == wanted[name], name
        assert found["kind"].replace("UNSPECIFIED", "INTERNAL") == wanted["kind"]
        # Zipkin counts microseconds: the client rounded both times.
        assert abs(found["startUnixNano"] - wanted["startUnixNano"]) <= 1000
        duration = wanted["endUnixNano"] - wanted["startUnixNano"]
        assert abs(found["endUnixNano"] - found["startUnixNano"] - duration) <= 1000
        texts = {key: zipkin_text(value) for key, value in everything(wanted).items()}
        received = {
            key: value.replace(", ", ",") if value.startswith("[") else value
            for key, value in everything(found).items()}
        assert received == texts
        assert found["scope"]["name"] == wanted["scope"]["name"]
        assert found["status"]["code"] == wanted["status"]["code"]
        assert found["status"]["message"] == wanted["status"]["message"]
        assert len(found["events"]) == len(wanted["events"])
        for got, sent in zip(found["events"], wanted["events"]):
            assert sent["name"] in got["name"]
            assert abs(got["timeUnixNano"] - sent["timeUnixNano"]) <= 1000


@pytest.mark.parametrize("folder", golden.ZIPKIN_NATIVE_FOLDERS)
def test_zipkin_from_a_zipkin_client_comes_back_from_the_native_api(server, replayed, folder):
    expected = replayed(folder).expected
    stored = stored_spans(server, [
        {"traceId": item["traceId"].rjust(32, "0")} for item in expected])
    assert len(stored) == len(expected)
    for wanted in expected:
        [found] = [
            item for item in stored
            if item["name"] == wanted["name"] and item["service"] == wanted["service"]]
        assert found["traceId"] == wanted["traceId"].rjust(32, "0")
        if not wanted["shared"]:
            assert found["spanId"] == wanted["spanId"]
            assert found["parentSpanId"] == wanted["parentSpanId"]
        assert found["kind"] == (wanted["kind"] or found["kind"])
        assert abs(found["startUnixNano"] / 1e9 - wanted["about_start_s"]) < 0.05
        tags = {key: value for key, value in wanted["tags"].items() if key != "error"}
        received = everything(found)
        assert {key: received.get(key) for key in tags} == tags
        assert found["status"]["code"] == ("ERROR" if "error" in wanted["tags"] else "UNSET")
        assert [event["name"] for event in found["events"]] == wanted["annotations"]
        if wanted["remoteEndpoint"]:
            remote = wanted["remoteEndpoint"]["serviceName"]
            assert found["attributes"]["peer.service"] == remote


@pytest.mark.parametrize("listener", ["zipkin", "http"])
@pytest.mark.parametrize("folder", golden.ZIPKIN_OTEL_FOLDERS + golden.ZIPKIN_NATIVE_FOLDERS)
def test_zipkin_comes_back_from_the_zipkin_api(server, replayed, folder, listener):
    expected = replayed(folder).expected
    for trace_id in sorted({item["traceId"] for item in expected}):
        answer = server.get(f"/api/v2/trace/{trace_id}", listener=listener)
        assert answer.status == 200, answer.text
        wanted = [item for item in expected if item["traceId"] == trace_id]
        found = answer.json
        assert len(found) == len(wanted)
        assert {item["traceId"].rjust(32, "0") for item in found} == {trace_id.rjust(32, "0")}
        # Zipkin's own span names and services are lower case.
        assert sorted((item["name"], item["localEndpoint"]["serviceName"]) for item in found) \
            == sorted((item["name"].lower(), item["service"].lower()) for item in wanted)


def test_a_short_trace_id_finds_its_long_form(server, replayed):
    trace_id = replayed("otlp-http-json").expected[0]["traceId"]
    document = server.trace(trace_id[16:])
    assert {item["traceId"] for item in otlp.flatten(document)} == {trace_id}
