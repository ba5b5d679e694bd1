# SPDX-License-Identifier: Apache-2.0
"""The call statistics of a real program that uses the SDK, read by OpenTelemetry's own definitions."""

import collections
import http.server
import subprocess
import threading

from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

CALLS = {2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}


class Sink(http.server.ThreadingHTTPServer):
    """Takes what is posted, by path."""

    def __init__(self):
        self.bodies = collections.defaultdict(list)
        super().__init__(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies[self.path].append(body)
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def run_shop(binary, url, orders=12):
    result = subprocess.run(
        [binary, "demo", "--endpoint", url, "--orders", str(orders), "--rate", "50", "--seed", "7"],
        capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr


def values(attributes):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def durations_of_spans(bodies):
    """By service, operation, kind and status: how long each call took."""
    calls = collections.defaultdict(list)
    for body in bodies:
        for one in trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans:
            service = values(one.resource.attributes)["service.name"]
            for scope in one.scope_spans:
                for span in scope.spans:
                    if span.kind in CALLS:
                        status = "ERROR" if span.status.code == 2 else "UNSET"
                        calls[service, span.name, CALLS[span.kind], status].append(
                            span.end_time_unix_nano - span.start_time_unix_nano)
    return calls


def points(bodies):
    for body in bodies:
        request = metrics_service_pb2.ExportMetricsServiceRequest.FromString(body)
        for one in request.resource_metrics:
            service = values(one.resource.attributes)["service.name"]
            for scope in one.scope_metrics:
                assert scope.scope.name == "skein.calls"
                identity = values(scope.scope.attributes)
                assert len(identity["skein.sender"]) == 32 and identity["skein.window"] >= 1
                [metric] = scope.metrics
                assert (metric.name, metric.unit) == ("traces.span.metrics.duration", "ns")
                assert metric.exponential_histogram.aggregation_temporality == 1
                for point in metric.exponential_histogram.data_points:
                    yield service, point


def test_the_metric_tells_what_the_spans_tell(binary):
    with Sink() as sink:
        run_shop(binary, f"http://127.0.0.1:{sink.server_address[1]}")
        spans = durations_of_spans(sink.bodies["/v1/traces"])
        counted = collections.defaultdict(list)
        for service, point in points(sink.bodies["/v1/metrics"]):
            attributes = values(point.attributes)
            key = (service, attributes["span.name"],
                   attributes["span.kind"].removeprefix("SPAN_KIND_"),
                   attributes["status.code"].removeprefix("STATUS_CODE_"))
            assert point.scale == 6
            assert point.start_time_unix_nano < point.time_unix_nano
            found = [0.0] * point.zero_count
            for place, count in enumerate(point.positive.bucket_counts):
                middle = 2 ** ((point.positive.offset + place + 0.5) / 64)
                found += [middle] * count
            assert point.count == len(found)
            counted[key] += found
    assert spans, "the shop made calls"
    assert {key: len(found) for key, found in counted.items()} == {
        key: len(durations) for key, durations in spans.items()}
    for key, durations in spans.items():
        for wanted, found in zip(sorted(durations), sorted(counted[key])):
            assert abs(found - wanted) <= 0.01 * wanted, key


def test_totals_of_a_server_come_from_statistics(binary, server):
    run_shop(binary, server.url("otlp-http"))
    answer = server.get("/api/skein/v1/totals/operations", by="kind", last="1h").json
    calls = [line for line in answer["operations"] if line["kind"].upper() in CALLS.values()]
    assert calls and all(line["reportedCount"] == line["callCount"] for line in calls)
    others = [line for line in answer["operations"] if line["kind"].upper() not in CALLS.values()]
    assert all(line["reportedCount"] == 0 for line in others)
    assert "skein_store_repeated_call_windows_total 0" in server.get("/metrics").text
