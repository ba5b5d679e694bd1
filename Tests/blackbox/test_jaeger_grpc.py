# SPDX-License-Identifier: Apache-2.0
"""Jaeger's query interface over gRPC answers what it answers over HTTP."""

import grpc
import pytest

import otlp
from jaeger_messages import Client
from skein_server import SkeinServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with SkeinServer(folder, listeners=("jaeger-grpc",)) as running:
        yield running
        assert running.is_alive, f"the server died:\n{running.log_tail()}"
    assert running.process.returncode == 0, running.log_tail()


@pytest.fixture(scope="module")
def client(server):
    with Client(server.address("jaeger-grpc")) as client:
        yield client


@pytest.fixture(scope="module")
def sent(server):
    """The id of a trace."""
    body, trace_id = otlp.rich_request(seed=99)
    assert server.post_otlp(body).status == 200
    return trace_id


def test_services(server, client, sent):
    [answer] = client.v3("GetServices", "GetServicesRequest", "GetServicesResponse")
    assert list(answer.services) == server.get("/api/v3/services").json["services"]
    assert "test" in answer.services


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
