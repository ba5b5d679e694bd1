# SPDX-License-Identifier: Apache-2.0
"""What the SDK exports, decoded by OpenTelemetry's protobuf for Python and by our server."""

import collections
import contextlib
import gzip
import http.server
import json
import subprocess
import threading

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import otlp
from peer_program import program

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STATE = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"
BASE = 1_795_000_000_000_000_000
HAS_REMOTE, IS_REMOTE = 0x100, 0x200
REQUESTS = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps each request and answers what the real server behind it answers."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append((self.path, dict(self.headers.items()), body))
        answer = self.server.behind.request(
            "otlp-http", "POST", self.path, body,
            {name: self.headers[name] for name in ("content-type", "content-encoding")
             if name in self.headers})
        self.send_response(answer.status)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def collector(server):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as listening:
        listening.behind, listening.requests = server, []
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield listening
        finally:
            listening.shutdown()
            thread.join()


class Export:
    """One run of the program: its requests, the ids it says, spans by name, counted calls."""

    def __init__(self, server, compression="none"):
        with collector(server) as listening:
            done = subprocess.run(
                [program("WirePeer"), "export",
                 f"http://127.0.0.1:{listening.server_port}", compression],
                capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
            self.ids = json.loads(done.stdout)
            self.requests = listening.requests
        self.spans, self.resources, self.scopes = {}, [], []
        self.calls = []
        for path, headers, body in self.requests:
            assert headers["content-type"] == "application/x-protobuf"
            packing = headers.get("content-encoding", "none")
            assert packing == compression
            if packing == "gzip":
                body = gzip.decompress(body)
            decoded = REQUESTS[path]()
            decoded.ParseFromString(body)
            size = decoded.ByteSize()
            decoded.DiscardUnknownFields()
            assert decoded.ByteSize() == size, "fields that the schema does not know"
            if path == "/v1/metrics":
                self.calls += decoded.resource_metrics
                continue
            for resource_spans in decoded.resource_spans:
                self.resources.append(resource_spans.resource)
                for scope_spans in resource_spans.scope_spans:
                    self.scopes.append(scope_spans.scope)
                    for span in scope_spans.spans:
                        assert span.name not in self.spans
                        self.spans[span.name] = span


@pytest.fixture(scope="module")
def export(server):
    return Export(server)


def plain(value):
    """An AnyValue as a Python value whose type tells the OTLP type."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)


def attributes(pairs):
    result = {}
    for pair in pairs:
        assert pair.key not in result, f"{pair.key} stands twice"
        result[pair.key] = plain(pair.value)
    return result


def typed(value):
    """1, 1.0 and True differ."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return (type(value).__name__, value)


def test_every_span_arrives_once(export):
    assert set(export.spans) == set(export.ids)
    for name, ids in export.ids.items():
        assert export.spans[name].trace_id.hex() == ids["trace"]
        assert export.spans[name].span_id.hex() == ids["span"]


def test_the_resource_says_who(export):
    for resource in export.resources:
        found = attributes(resource.attributes)
        assert found["service.name"] == "wire-peer"
        assert typed(found["host.cpu.count"]) == ("int", 2)
        assert found["deployment.environment"] == "test"
        assert found["telemetry.sdk.language"] == "swift"
        assert resource.dropped_attributes_count == 0
    assert all(scope.name for scope in export.scopes)


def test_every_call_is_counted_once(export):
    counted = collections.Counter()
    for resource_metrics in export.calls:
        assert attributes(resource_metrics.resource.attributes)["service.name"] == "wire-peer"
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                for point in metric.exponential_histogram.data_points:
                    counted[attributes(point.attributes)["span.name"]] += point.count
    assert counted == {name: 1 for name, span in export.spans.items() if span.kind > 1}


def test_places_in_the_trace(export):
    names = ["served", "called", "produced", "consumed", "worked"]
    kinds = [2, 3, 4, 5, 1]
    for index, (name, kind) in enumerate(zip(names, kinds)):
        span = export.spans[name]
        assert span.trace_id.hex() == TRACE
        assert span.kind == kind
        assert span.trace_state == STATE
        assert span.start_time_unix_nano == BASE + index * 1_000
        assert span.end_time_unix_nano == BASE + index * 1_000 + 500
        parent = CALLER if index == 0 else export.ids[names[index - 1]]["span"]
        assert span.parent_span_id.hex() == parent
        assert span.flags == 0x03 | HAS_REMOTE | (IS_REMOTE if index == 0 else 0)


def test_attributes_of_every_type(export):
    span = export.spans["served"]
    assert typed(attributes(span.attributes)) == typed({
        "text": "收货地址 🛒 \"\\\n", "empty": "", "yes": True, "no": False,
        "least": -2**63, "most": 2**63 - 1, "small": -7, "ratio": 0.1, "huge": 1e300,
        "texts": ["a", "", "ü"], "numbers": [1, -1, 0], "ratios": [0.5, -2.0],
        "flags": [True, False], "shown": "42",
    })
    assert span.dropped_attributes_count == 1
    assert (span.dropped_events_count, span.dropped_links_count) == (0, 0)
    assert attributes(export.spans["consumed"].attributes) == {"long": "é" * 40}


def test_events_and_what_was_dropped(export):
    span = export.spans["called"]
    assert [(event.name, event.time_unix_nano, typed(attributes(event.attributes)))
            for event in span.events] == [
        (f"event {number}", BASE + 1_100 + number, {"number": ("int", number)})
        for number in range(2)]
    assert span.dropped_events_count == 2
    assert (span.status.code, span.status.message) == (2, "no kites left")

    [event] = export.spans["consumed"].events
    found = attributes(event.attributes)
    assert event.name == "exception" and event.time_unix_nano == BASE + 3_100
    assert len(found) == 3 and event.dropped_attributes_count == 1
    assert found.get("exception.message", "no kites left") == "no kites left"


def test_links_and_what_was_dropped(export):
    span = export.spans["produced"]
    assert len(span.links) == 2 and span.dropped_links_count == 1
    for link in span.links:
        assert link.trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert link.span_id.hex() == "00f067aa0ba902b7"
        assert link.trace_state == "vendor=1"
        assert link.flags == HAS_REMOTE | IS_REMOTE
        assert len(link.attributes) == 1 and link.dropped_attributes_count == 1
    assert (span.status.code, span.status.message) == (1, "")


def test_spans_of_our_own(export):
    root, child = export.spans["own root"], export.spans["own child"]
    assert typed(attributes(root.attributes)) == typed({
        "text": "收货地址 🛒", "fixed": "GET", "count": 43, "ratio": 0.5, "yes": True,
        "raw": b"\x00\xff", "list": ["a", 1, False], "map": {"inner": [1.5]},
    })
    assert (root.kind, child.kind) == (2, 3)
    assert root.parent_span_id == b"" and child.parent_span_id == root.span_id
    assert child.trace_id == root.trace_id
    assert root.flags & 1 and not root.flags & IS_REMOTE
    assert child.flags & (HAS_REMOTE | IS_REMOTE) == HAS_REMOTE
    assert root.start_time_unix_nano <= child.start_time_unix_nano
    assert child.end_time_unix_nano <= root.end_time_unix_nano

    assert [event.name for event in child.events] == ["event 0", "event 1"]
    assert child.dropped_events_count == 1
    [link] = child.links
    assert (link.trace_id.hex(), link.span_id.hex(), link.trace_state) == (TRACE, CALLER, STATE)
    assert attributes(link.attributes) == {"why": "batch"} and link.dropped_attributes_count == 1
    assert (child.status.code, child.status.message) == (2, "no kites left")
    assert typed(attributes(child.attributes)) == typed(
        {f"key {number}": number for number in range(14)})
    assert child.dropped_attributes_count == 2


def from_protobuf(span):
    """A decoded span in the shape of `otlp.flatten`, without resource and scope."""
    return {
        "traceId": span.trace_id.hex(), "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(), "name": span.name,
        "kind": otlp.KINDS[span.kind], "startUnixNano": span.start_time_unix_nano,
        "endUnixNano": span.end_time_unix_nano, "attributes": attributes(span.attributes),
        "events": [
            {"name": event.name, "timeUnixNano": event.time_unix_nano,
             "attributes": attributes(event.attributes)} for event in span.events],
        "links": [
            {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex(),
             "traceState": link.trace_state, "attributes": attributes(link.attributes)}
            for link in span.links],
        "status": {"code": otlp.STATUSES[span.status.code], "message": span.status.message or None},
        "traceState": span.trace_state, "flags": span.flags,
        "droppedAttributes": span.dropped_attributes_count,
        "droppedEvents": span.dropped_events_count, "droppedLinks": span.dropped_links_count,
    }


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_server_gives_the_same_spans_back(server, compression):
    export = Export(server, compression)
    asked = {}
    for trace_id in {ids["trace"] for ids in export.ids.values()}:
        for span in otlp.flatten(server.trace(trace_id)):
            assert span.pop("service") == "wire-peer" and span.pop("scope")["name"]
            assert span.pop("resource")["deployment.environment"] == "test"
            asked[span["spanId"]] = span
    for span in export.spans.values():
        wanted = from_protobuf(span)
        assert typed(asked[wanted["spanId"]]) == typed(wanted)
