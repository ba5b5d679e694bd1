# SPDX-License-Identifier: Apache-2.0
"""Real programs with stock OpenTelemetry packages send; their traces are found by a tag."""

import os
import pathlib
import subprocess
import sys
import uuid

import pytest

import otlp

APPLICATION = pathlib.Path(__file__).with_name("stock_application.py")
PROTOCOLS = {"grpc": "otlp-grpc", "http/protobuf": "otlp-http", "http/json": "otlp-http"}


def run_application(server, protocol, order, compression):
    environment = {
        **os.environ,
        "OTEL_SERVICE_NAME": "stock-shop",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.url(PROTOCOLS[protocol]),
    }
    if compression:
        environment["OTEL_EXPORTER_OTLP_COMPRESSION"] = compression
    result = subprocess.run(
        [sys.executable, str(APPLICATION), order], env=environment, capture_output=True,
        text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    # The exporters log what they could not send.
    assert "Failed to export" not in result.stderr and "partial" not in result.stderr.lower(), \
        result.stderr


@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_flask_program_is_found_by_its_order(server, protocol, compression):
    order = f"order-{uuid.uuid4()}"
    run_application(server, protocol, order, compression)

    found = server.search(tag=f"order.id={order}")
    assert found["complete"] is True
    [summary] = found["traces"]
    assert summary["rootService"] == "stock-shop"
    assert summary["rootOperation"] == "checkout"
    assert summary["errorCount"] >= 1

    spans = {item["name"]: item for item in otlp.flatten(server.trace(summary["traceId"]))}
    assert len(spans) == summary["spanCount"]
    assert spans["checkout"]["attributes"]["order.id"] == order
    served = spans["GET /stock/<item>"]
    called = next(item for item in spans.values() if item["kind"] == "CLIENT")
    assert served["kind"] == "SERVER"
    assert served["parentSpanId"] == called["spanId"]
    assert called["parentSpanId"] == spans["checkout"]["spanId"]
    assert served["resource"]["deployment.environment"] == "test"
    assert served["status"]["code"] == "ERROR"


def test_other_signals_are_refused_without_making_the_client_retry(server):
    for path in ("/v1/metrics", "/v1/logs"):
        for content_type, body in (("application/json", b"{}"), ("application/x-protobuf", b"")):
            answer = server.post_otlp(body, content_type, path)
            assert answer.status == 200, (path, answer.text)
            assert b"trace" in answer.body.lower(), "it says that only traces are kept"
