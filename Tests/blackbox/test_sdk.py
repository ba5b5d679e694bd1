# SPDX-License-Identifier: Apache-2.0
"""A Swift program sends by each exporter of the SDK that speaks OTLP; its span is found."""

import os
import subprocess
import uuid

import pytest

from peer_program import program

PROTOCOLS = {"grpc": "otlp-grpc", "http/protobuf": "otlp-http"}


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_program_that_ends_has_sent_its_span(server, protocol, compression, tmp_path):
    run = f"run-{uuid.uuid4()}"
    environment = {
        **os.environ,
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.url(PROTOCOLS[protocol]),
        "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        "OTEL_RESOURCE_ATTRIBUTES": f"run={run}",
    }
    result = subprocess.run(
        [program("Lifetimes"), "return", str(tmp_path / "unused")], env=environment,
        capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""

    found = server.search(tag=f"run={run}")
    assert found["complete"] is True
    [summary] = found["traces"]
    assert summary["rootService"] == "lifetimes"
    assert summary["rootOperation"] == "ended"
    assert summary["spanCount"] == 1
