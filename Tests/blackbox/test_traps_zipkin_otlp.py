# SPDX-License-Identifier: Apache-2.0
"""Traps of compatibility with OTLP and Zipkin that other servers fell into, each by its number."""

import json
import struct

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

import otlp

MICROS = otlp.BASE_TIME // 1000


def post_zipkin(server, *spans):
    answer = server.request("zipkin", "POST", "/api/v2/spans", json.dumps(spans).encode(),
                            {"content-type": "application/json"})
    assert answer.status == 202, answer.text


def zipkin_span(trace, number, kind, service, **more):
    return {"traceId": trace, "id": number, "kind": kind, "name": "call", "timestamp": MICROS,
            "duration": 1000, "localEndpoint": {"serviceName": service}, **more}


@pytest.mark.parametrize("number, start, kind, status, upper", [
    (1, str(otlp.BASE_TIME), 2, 2, False),
    (2, otlp.BASE_TIME, "SPAN_KIND_SERVER", "STATUS_CODE_ERROR", True),
    (3, str(otlp.BASE_TIME), "2", "2", True)])
def test_trap_6_numbers_enums_and_ids_of_otlp_json_come_in_any_form(
        server, number, start, kind, status, upper):
    trace_id, span_id = f"{0xABCDEF:016x}{number:016x}", "00000000000000ab"
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [{
        "traceId": trace_id.upper() if upper else trace_id,
        "spanId": span_id.upper() if upper else span_id, "name": "a", "kind": kind,
        "startTimeUnixNano": start, "endTimeUnixNano": start, "status": {"code": status},
        "attributes": [{"key": "n", "value": {"intValue": 5 if upper else "5"}}]}]}]}]}
    answer = server.post_otlp(json.dumps(body).encode(), "application/json")
    assert answer.status == 200 and answer.json == {}, answer.text
    [span] = otlp.flatten(server.trace(trace_id))
    assert (span["kind"], span["status"]["code"]) == ("SERVER", "ERROR")
    assert span["spanId"] == span_id and span["attributes"] == {"n": 5}


def test_trap_7_a_success_leaves_partial_success_unset(server):
    body, _ = otlp.rich_request(seed=7)
    assert server.post_otlp(body).body == b""
    assert server.post_otlp(b'{"resourceSpans":[]}', "application/json").json == {}
    with grpc.insecure_channel(server.address("otlp-grpc")) as channel:
        export = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            response_deserializer=trace_service_pb2.ExportTraceServiceResponse.FromString)
        assert not export(body, timeout=30).HasField("partial_success")


def test_trap_12_two_spans_of_zipkin_may_share_an_id(server):
    trace = f"{0x12:016x}"
    post_zipkin(server, zipkin_span(trace, "00000000000000c1", "CLIENT", "front"))
    post_zipkin(server, zipkin_span(trace, "00000000000000c1", "SERVER", "back", shared=True),
                zipkin_span(trace, "00000000000000c2", "CLIENT", "back",
                            parentId="00000000000000c1"))
    # Zipkin tells them as they came, Jaeger gives the server's half an id of its own.
    found = server.get(f"/api/v2/trace/{trace}", listener="zipkin").json
    assert sorted((item["id"][-2:], item["kind"], item["localEndpoint"]["serviceName"])
                  for item in found) == [
        ("c1", "CLIENT", "front"), ("c1", "SERVER", "back"), ("c2", "CLIENT", "back")]
    [jaeger] = server.get(f"/api/traces/{trace}").json["data"]
    spans = {(jaeger["processes"][item["processID"]]["serviceName"],
              next(tag["value"] for tag in item["tags"] if tag["key"] == "span.kind")): item
             for item in jaeger["spans"]}
    assert len({item["spanID"] for item in jaeger["spans"]}) == 3
    served = spans["back", "server"]
    assert served["references"][0]["spanID"] == spans["front", "client"]["spanID"]
    assert spans["back", "client"]["references"][0]["spanID"] == served["spanID"]
    links = server.get("/api/v2/dependencies", listener="zipkin", endTs=MICROS // 1000 + 1000,
                       lookback=10_000).json
    assert {"parent": "front", "child": "back", "callCount": 1} in links


def test_trap_16_names_of_services_keep_their_case_and_zipkin_ignores_it(server):
    trace_id = struct.pack(">QQ", 0x16, 1)
    server.post_otlp(otlp.request(
        [otlp.span(trace_id, struct.pack(">Q", 1), "GET /Cart")], "CartService"))
    assert "CartService" in server.get("/api/services").json["data"]
    names = server.get("/api/v2/services", listener="zipkin").json
    assert "cartservice" in names and "CartService" not in names

    def zipkin(name):
        return len(server.get("/api/v2/traces", listener="zipkin", serviceName=name,
                              endTs=MICROS // 1000 + 1000, lookback=10_000).json)
    assert zipkin("cartservice") == zipkin("CartService") == 1

    def jaeger(name):
        return len(server.get("/api/traces", service=name, start=MICROS - 1000,
                              end=MICROS + 1000).json["data"])
    assert (jaeger("CartService"), jaeger("cartservice")) == (1, 0)
