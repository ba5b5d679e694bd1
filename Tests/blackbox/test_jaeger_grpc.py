# SPDX-License-Identifier: Apache-2.0
"""Jaeger's query interface over gRPC answers what it answers over HTTP."""

import base64
import datetime
import json
import struct
import time

import grpc
import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

import golden
import otlp
from jaeger_messages import Client, moment
from replay import Capture
from skein_server import SkeinServer


def text_of(nanoseconds, places=9):
    """A moment in RFC 3339."""
    time = datetime.datetime.fromtimestamp(nanoseconds // 10**9, datetime.timezone.utc)
    fraction = f".{nanoseconds % 10**9:09}" if places else ""
    return f"{time:%Y-%m-%dT%H:%M:%S}{fraction}Z"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with SkeinServer(folder, listeners=("jaeger-grpc",)) as running:
        yield running
        assert running.is_alive, f"the server died:\n{running.log_tail()}"
    assert running.process.returncode == 0, running.log_tail()


@pytest.fixture(scope="module")
def client(server):
    options = [("grpc.max_receive_message_length", 1 << 30)]
    with grpc.insecure_channel(server.address("jaeger-grpc"), options) as channel:
        yield Client(channel)


HOUR = 3_600 * 10**9
QUERY = {"start_time_min": moment(otlp.BASE_TIME - HOUR),
         "start_time_max": moment(otlp.BASE_TIME + HOUR)}
RANGE = {"query.startTimeMin": text_of(otlp.BASE_TIME - HOUR),
         "query.startTimeMax": text_of(otlp.BASE_TIME + HOUR)}


@pytest.fixture(scope="module")
def sent(server):
    """The ids of four traces: one with every field, a call between services, a short id, an orphan."""
    rich, trace_id = otlp.rich_request(seed=99)
    assert server.post_otlp(rich).status == 200
    call = struct.pack(">QQ", 7, 7)
    for service, number, parent, kind in (
            ("caller", 1, b"", 3), ("called", 2, struct.pack(">Q", 1), 2)):
        span = otlp.span(call, struct.pack(">Q", number), f"of {service}", parent, kind)
        assert server.post_otlp(otlp.request([span], service)).status == 200
    short = struct.pack(">QQ", 0, 0xABC)
    alone = otlp.span(short, struct.pack(">Q", 3), "alone", kind=0, duration=5 * 10**9,
                      values={"big": 2**60})
    orphan = otlp.span(struct.pack(">QQ", 8, 8), struct.pack(">Q", 4), "orphan",
                       parent=struct.pack(">Q", 44))
    assert server.post_otlp(otlp.request([alone, orphan], "alone")).status == 200
    return [trace_id, call.hex(), short.hex(), struct.pack(">QQ", 8, 8).hex()]


def stored_spans(*documents):
    """Every span of TracesData with its resource and scope, in a fixed order."""
    return sorted(
        (resource.resource.SerializeToString(), resource.schema_url,
         scope.scope.SerializeToString(), scope.schema_url, span.SerializeToString())
        for document in documents for resource in document.resource_spans
        for scope in resource.scope_spans for span in scope.spans)


def native(server, trace_id):
    answer = server.get(f"/api/skein/v1/traces/{trace_id}", format="protobuf")
    assert answer.status == 200, answer.text
    return trace_pb2.TracesData.FromString(answer.body)


def test_services(server, client, sent):
    expected = server.get("/api/v3/services").json["services"]
    assert {"test", "caller", "called", "alone"} <= set(expected)
    for call in (client.v2, client.v3):
        [answer] = call("GetServices", "GetServicesRequest", "GetServicesResponse")
        assert list(answer.services) == expected


@pytest.mark.parametrize("service, kind", [("caller", None), ("caller", "server"), ("alone", None),
                                           ("alone", "internal"), (None, None), ("nobody", None)])
def test_operations(server, client, sent, service, kind):
    asked = {"service": service or "", "span_kind": kind or ""}
    [answer] = client.v3("GetOperations", "GetOperationsRequest", "GetOperationsResponse", **asked)
    found = [{"name": item.name, "spanKind": item.span_kind} for item in answer.operations]
    parameters = {"service": service, "spanKind": kind}
    assert found == server.get("/api/v3/operations", **parameters).json["operations"]
    if service is None:
        return
    [answer] = client.v2("GetOperations", "GetOperationsRequest", "GetOperationsResponse", **asked)
    found = [{"name": item.name, "spanKind": item.span_kind} for item in answer.operations]
    assert found == server.get("/api/operations", **parameters).json["data"]
    assert list(answer.operationNames) == sorted({item["name"] for item in found})


def test_a_trace_of_version_3_is_the_otlp_that_was_sent(server, client, sent):
    for trace_id in sent:
        chunks = client.v3("GetTrace", "GetTraceRequest", "TracesData", trace_id=trace_id)
        assert stored_spans(*chunks) == stored_spans(native(server, trace_id))


def test_a_trace_is_found_by_its_short_id(client, sent):
    [chunk] = client.v3("GetTrace", "GetTraceRequest", "TracesData", trace_id="abc")
    assert chunk.resource_spans[0].scope_spans[0].spans[0].name == "alone"
    for trace_id in (struct.pack(">Q", 0xABC), struct.pack(">QQ", 0, 0xABC)):
        [chunk] = client.v2("GetTrace", "GetTraceRequest", "SpansResponseChunk", trace_id=trace_id)
        assert [span.operation_name for span in chunk.spans] == ["alone"]


SEARCHES = [
    ({"service_name": "caller"}, {"query.serviceName": "caller"}),
    ({"operation_name": "alone"}, {"query.operationName": "alone"}),
    ({"attributes": {"text": "收货地址 🛒", "yes": "true"}},
     {"query.attributes": '{"text":"收货地址 🛒","yes":"true"}'}),
    ({"duration_min": {"seconds": 1}}, {"query.durationMin": "1s"}),
    ({"duration_min": {"nanos": 999_999}, "duration_max": {"seconds": 1}},
     {"query.durationMin": "999999ns", "query.durationMax": "1s"}),
    ({"duration_min": {"seconds": 100}}, {"query.durationMin": "100s"}),
    ({"search_depth": 2}, {"query.searchDepth": "2"}),
    ({"start_time_min": moment(otlp.BASE_TIME + 1)},
     {"query.startTimeMin": text_of(otlp.BASE_TIME + 1)}),
    ({"start_time_max": moment(otlp.BASE_TIME + 1)},
     {"query.startTimeMax": text_of(otlp.BASE_TIME + 1)}),
    ({}, {}),
]


@pytest.mark.parametrize("fields, parameters", SEARCHES)
def test_a_search_of_version_3_finds_what_it_finds_over_http(
        server, client, sent, fields, parameters):
    query = {**QUERY, **fields}
    chunks = client.v3("FindTraces", "FindTracesRequest", "TracesData", query=query)
    http = server.get("/api/v3/traces", **{**RANGE, **parameters})
    if http.status == 404:
        assert chunks == []
        return
    ids = {span["traceId"] for span in otlp.flatten(http.json["result"])}
    assert stored_spans(*chunks) == stored_spans(*(native(server, one) for one in ids))

    answers = client.v3(
        "FindTraceSummaries", "FindTraceSummariesRequest", "FindTraceSummariesResponse",
        query=query)
    found = [summary(item) for answer in answers for item in answer.summaries]
    assert found == server.get(
        "/api/v3/trace-summaries", **{**RANGE, **parameters}).json["summaries"]
    assert {item["traceId"] for item in found} == ids


def summary(item):
    return {
        "traceId": item.trace_id, "rootServiceName": item.root_service_name,
        "rootOperationName": item.root_operation_name,
        "minStartTimeUnixNano": str(item.min_start_time_unix_nano),
        "maxEndTimeUnixNano": str(item.max_end_time_unix_nano), "spanCount": item.span_count,
        "errorSpanCount": item.error_span_count, "orphanSpanCount": item.orphan_span_count,
        "services": [{"name": one.name, "spanCount": one.span_count,
                      "errorSpanCount": one.error_span_count} for one in item.services],
    }


@pytest.mark.parametrize("raw", [True, False])
def test_a_trace_of_version_2_is_what_http_gives(server, client, sent, raw):
    for trace_id in sent:
        chunks = client.v2("GetTrace", "GetTraceRequest", "SpansResponseChunk",
                           trace_id=bytes.fromhex(trace_id), raw_traces=raw)
        [trace] = server.get(f"/api/traces/{trace_id}", raw=str(raw).lower()).json["data"]
        assert [jaeger_json(span) for chunk in chunks for span in chunk.spans] \
            == [with_process(span, trace["processes"]) for span in trace["spans"]]


@pytest.mark.skipif(not golden.WIRE.is_dir(), reason="the recorded requests are not there")
@pytest.mark.parametrize(
    "folder", ["otlp-http-protobuf", "otlp-http-json", "zipkin-v2-json-py_zipkin"])
def test_recorded_traces_are_what_http_gives(server, client, folder):
    capture = Capture(golden.WIRE / folder)
    capture.replay(server.address("otlp-http"), server.address("zipkin"),
                   server.address("otlp-grpc"), None)
    for trace_id in sorted({item["traceId"] for item in capture.expected}):
        chunks = client.v3("GetTrace", "GetTraceRequest", "TracesData", trace_id=trace_id)
        assert stored_spans(*chunks) == stored_spans(native(server, trace_id))
        chunks = client.v2("GetTrace", "GetTraceRequest", "SpansResponseChunk",
                           trace_id=bytes.fromhex(trace_id.zfill(32)))
        traces = server.get(f"/api/traces/{trace_id}").json["data"]
        assert [jaeger_json(span) for chunk in chunks for span in chunk.spans] == [
            with_process(span, trace["processes"]) for trace in traces for span in trace["spans"]]


def test_the_demo_takes_the_listener(new_server):
    demo = new_server("--rate", "50", command="demo", listeners=("jaeger-grpc",))
    with demo, grpc.insecure_channel(demo.address("jaeger-grpc")) as channel:
        client = Client(channel)
        deadline = time.monotonic() + 60
        services = []
        while "gateway" not in services:
            assert time.monotonic() < deadline, services
            [answer] = client.v3("GetServices", "GetServicesRequest", "GetServicesResponse")
            services = list(answer.services)


def test_a_search_of_version_2_finds_what_http_finds(server, client, sent):
    for tags in ({}, {"order.id": "o-99"}, {"error": "true"}, {"text": "nothing"}):
        chunks = client.v2("FindTraces", "FindTracesRequest", "SpansResponseChunk",
                           query={"service_name": "test", "tags": tags, **QUERY})
        found = server.get(
            "/api/traces", service="test", tags=json.dumps(tags),
            start=(otlp.BASE_TIME - HOUR) // 1000, end=(otlp.BASE_TIME + HOUR) // 1000)
        assert [jaeger_json(span) for chunk in chunks for span in chunk.spans] == [
            with_process(span, trace["processes"])
            for trace in found.json["data"] for span in trace["spans"]]


def jaeger_json(span):
    """A span of version 2 as the JSON of the same version has it, with its process inside."""
    def hexadecimal(data):
        text = data.hex()
        return text[16:] if text.startswith("0" * 16) and len(text) == 32 else text

    def tag(item):
        kind = ("string", "bool", "int64", "float64", "binary")[item.v_type]
        value = {"string": item.v_str, "bool": item.v_bool, "int64": item.v_int64,
                 "float64": item.v_float64,
                 "binary": base64.b64encode(item.v_binary).decode()}[kind]
        if kind == "int64" and abs(value) >= 2**53:
            value = str(value)
        return {"key": item.key, "type": kind, "value": value}

    def microseconds(item):
        return (item.seconds * 10**9 + item.nanos) // 1000

    return {
        "traceID": hexadecimal(span.trace_id), "spanID": span.span_id.hex(),
        "operationName": span.operation_name,
        "references": [
            {"refType": ("CHILD_OF", "FOLLOWS_FROM")[item.ref_type],
             "traceID": hexadecimal(item.trace_id), "spanID": item.span_id.hex()}
            for item in span.references],
        "startTime": microseconds(span.start_time), "duration": microseconds(span.duration),
        "tags": [tag(item) for item in span.tags],
        "logs": [{"timestamp": microseconds(item.timestamp),
                  "fields": [tag(field) for field in item.fields]} for item in span.logs],
        "process": {"serviceName": span.process.service_name,
                    "tags": [tag(item) for item in span.process.tags]},
        "warnings": list(span.warnings) or None,
    }


def with_process(span, processes):
    return {**{name: value for name, value in span.items() if name != "processID"},
            "process": processes[span["processID"]]}


def test_a_large_trace_comes_in_messages_that_clients_take(server, sent):
    trace_id = struct.pack(">QQ", 0xB16, 1)
    for part in range(8):
        spans = [
            otlp.span(trace_id, struct.pack(">Q", part * 1000 + number + 1), f"span {number}",
                      values={"payload": "x" * (60_000 if number == 0 else 3_000)})
            for number in range(300)]
        assert server.post_otlp(otlp.request(spans, "large")).status == 200
    # With the limit of 4 MiB that stock clients have.
    with grpc.insecure_channel(server.address("jaeger-grpc")) as channel:
        client = Client(channel)
        third = client.v3("GetTrace", "GetTraceRequest", "TracesData", trace_id=trace_id.hex())
        second = client.v2("GetTrace", "GetTraceRequest", "SpansResponseChunk", trace_id=trace_id)
    assert stored_spans(*third) == stored_spans(native(server, trace_id.hex()))
    assert sum(len(chunk.spans) for chunk in second) == 2400
    for chunk in third + second:
        assert len(chunk.SerializeToString()) <= 1 << 20
    assert len(third) > 5


def test_calls_between_services(server, client, sent):
    asked = {"start_time": QUERY["start_time_min"], "end_time": QUERY["start_time_max"]}
    expected = server.get(
        "/api/v3/dependencies", startTime=RANGE["query.startTimeMin"],
        endTime=RANGE["query.startTimeMax"]).json["dependencies"]
    for call, answer in ((client.v2, "GetDependenciesResponse"),
                         (client.v3, "DependenciesResponse")):
        [found] = call("GetDependencies", "GetDependenciesRequest", answer, **asked)
        assert [{"parent": link.parent, "child": link.child, "callCount": str(link.call_count)}
                for link in found.dependencies] == expected
    assert {"parent": "caller", "child": "called", "callCount": "1"} in expected


@pytest.mark.parametrize("method, metric, more", [
    ("GetCallRates", "calls", {}), ("GetErrorRates", "errors", {}),
    ("GetLatencies", "latencies", {"quantile": 0.5})])
@pytest.mark.parametrize("grouped", [False, True])
def test_metrics(server, client, sent, method, metric, more, grouped):
    end = (otlp.BASE_TIME // 60_000_000_000 + 5) * 60_000_000_000
    family = client.metrics(method, **more, baseRequest={
        "service_names": ["called", "alone"], "groupByOperation": grouped, "end_time": moment(end),
        "lookback": {"seconds": 1200}, "step": {"seconds": 60}, "ratePer": {"seconds": 300},
        "spanKinds": [0, 2]}).metrics
    expected = server.get(
        f"/api/metrics/{metric}", **more, service=["called", "alone"],
        groupByOperation=str(grouped).lower(), endTs=end // 10**6, lookback=1_200_000, step=60_000,
        ratePer=300_000, spanKind=["unspecified", "server"]).json
    assert {
        "name": family.name, "type": {1: "GAUGE"}[family.type], "help": family.help,
        "metrics": [{
            "labels": [{"name": item.name, "value": item.value} for item in line.labels],
            "metricPoints": [
                {"gaugeValue": {"doubleValue": point.gauge_value.double_value},
                 "timestamp": text_of(point.timestamp.seconds * 10**9, places=0)}
                for point in line.metric_points],
        } for line in family.metrics],
    } == expected
    assert len(family.metrics) == (3 if grouped else 2)


def test_the_least_step_of_metrics_is_a_minute(client):
    answer = client.metrics("GetMinStepDuration", "GetMinStepDurationResponse")
    assert answer.minStep.seconds == 60


INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("version, method, request_name, answer, fields, code, says", [
    ("v3", "GetTrace", "GetTraceRequest", "TracesData", {"trace_id": "dead"}, NOT_FOUND,
     "trace not found"),
    ("v3", "GetTrace", "GetTraceRequest", "TracesData", {"trace_id": "x"}, INVALID, "trace id"),
    ("v3", "GetTrace", "GetTraceRequest", "TracesData", {}, INVALID, "trace id"),
    ("v3", "FindTraces", "FindTracesRequest", "TracesData", {}, INVALID, "query is missing"),
    ("v3", "FindTraces", "FindTracesRequest", "TracesData", {"query": {"service_name": "a"}},
     INVALID, "required"),
    ("v3", "FindTraces", "FindTracesRequest", "TracesData",
     {"query": {**QUERY, "duration_min": {"seconds": -1}}}, INVALID, "duration_min"),
    ("v3", "FindTraces", "FindTracesRequest", "TracesData",
     {"query": {**QUERY, "duration_min": {"seconds": 2}, "duration_max": {"seconds": 1}}},
     INVALID, "below"),
    ("v3", "FindTraces", "FindTracesRequest", "TracesData",
     {"query": {**QUERY, "start_time_min": {"nanos": 10**9}}}, INVALID, "start_time_min"),
    ("v3", "FindTraces", "FindTracesRequest", "TracesData",
     {"query": {**QUERY, "search_depth": -1}}, INVALID, "search_depth"),
    ("v3", "FindTraces", "FindTracesRequest", "TracesData",
     {"query": {**QUERY, "search_depth": 10**6}}, INVALID, "10000"),
    ("v3", "GetDependencies", "GetDependenciesRequest", "DependenciesResponse", {}, INVALID,
     "start_time"),
    ("v2", "GetTrace", "GetTraceRequest", "SpansResponseChunk", {"trace_id": b"\1" * 16},
     NOT_FOUND, "trace not found"),
    ("v2", "GetTrace", "GetTraceRequest", "SpansResponseChunk", {"trace_id": b"\1"}, INVALID,
     "1 bytes"),
    ("v2", "GetTrace", "GetTraceRequest", "SpansResponseChunk", {"trace_id": b"\0" * 16}, INVALID,
     "zero"),
    ("v2", "FindTraces", "FindTracesRequest", "SpansResponseChunk", {}, INVALID, "query"),
    ("v2", "ArchiveTrace", "ArchiveTraceRequest", "ArchiveTraceResponse", {"trace_id": b"\1" * 16},
     grpc.StatusCode.INTERNAL, "archive span storage was not configured"),
    ("v2", "ArchiveTrace", "ArchiveTraceRequest", "ArchiveTraceResponse", {}, INVALID, "trace_id"),
    ("v2", "GetDependencies", "GetDependenciesRequest", "GetDependenciesResponse", {}, INVALID,
     "start_time"),
])
def test_what_is_asked_wrongly_says_so(
        client, sent, version, method, request_name, answer, fields, code, says):
    with pytest.raises(grpc.RpcError) as failure:
        getattr(client, version)(method, request_name, answer, **fields)
    assert failure.value.code() == code
    assert says in failure.value.details()


@pytest.mark.parametrize("base, quantile, says", [
    ({}, 0.5, "service"), ({"service_names": ["a"]}, 2, "0 to 1"),
    ({"service_names": ["a"], "spanKinds": [9]}, 0.5, "spanKinds"),
    ({"service_names": ["a"], "lookback": {"seconds": 10**9}}, 0.5, "points"),
])
def test_a_metric_that_is_asked_wrongly_says_so(client, base, quantile, says):
    with pytest.raises(grpc.RpcError) as failure:
        client.metrics("GetLatencies", baseRequest=base, quantile=quantile)
    assert failure.value.code() == INVALID
    assert says in failure.value.details()


def test_a_method_that_is_not_offered_says_so(client):
    with pytest.raises(grpc.RpcError) as failure:
        client.channel.unary_unary("/jaeger.api_v3.QueryService/GetNothing")(b"", timeout=30)
    assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_listener_that_was_asked_for_is_told_of(server):
    ports = server.get("/api/skein/v1/status").json["ports"]
    assert ports["jaeger-grpc"] == server.addresses["jaeger-grpc"][1]
    assert server.address("jaeger-grpc") in server.log_tail()


def test_a_listener_that_was_not_asked_for_is_not_there(new_server):
    with new_server() as server:
        assert "jaeger-grpc" not in server.get("/api/skein/v1/status").json["ports"]


def test_a_question_that_is_too_large_is_refused_with_its_size(client):
    with pytest.raises(grpc.RpcError) as failure:
        client.v3("GetOperations", "GetOperationsRequest", "GetOperationsResponse",
                  service="s" * (300 << 10))
    assert failure.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "limit" in failure.value.details()


def test_what_is_no_message_is_refused_with_its_place(client, server):
    call = client.channel.unary_unary("/jaeger.api_v3.QueryService/GetServices")
    with pytest.raises(grpc.RpcError) as failure:
        call(b"\x0a\x7f", timeout=30)
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "byte" in failure.value.details()
