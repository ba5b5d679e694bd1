# SPDX-License-Identifier: Apache-2.0
"""What Jaeger's page posts: a file of OTLP to be shown, and a trace to be archived."""

import json
import socket

import pytest

import otlp


def post(server, path, body=b"", **headers):
    return server.request("http", "POST", path, body, headers)


@pytest.mark.parametrize("prefix", ["", "/jaeger"])
def test_a_file_becomes_what_a_stored_trace_is(new_server, prefix):
    rich, trace_id = otlp.rich_request(seed=5)
    with new_server() as keeping, new_server(folder="other") as server:
        keeping.post_otlp(rich)
        file = keeping.get(f"/api/skein/v1/traces/{trace_id}").body
        stored = keeping.get(f"/api/traces/{trace_id}", raw="true").json
        answer = post(server, f"{prefix}/api/transform", file)
        assert answer.status == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.json == stored
        # It was shown and not kept.
        assert server.get("/api/services").json["data"] == []


def test_traces_of_a_file_come_apart_by_their_ids(server):
    def span(trace, number, start):
        return {"traceId": f"{trace:032x}", "spanId": f"{number:016x}", "name": f"{number}",
                "startTimeUnixNano": str(start), "endTimeUnixNano": start + 5000}
    file = {"resourceSpans": [
        {"resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": service}}]},
         "scopeSpans": [{"spans": [span(2, number, 10**18 - number), span(1, number + 10, 10**18)]}]}
        for number, service in enumerate(["a", "b", "c"], 1)]}
    answer = post(server, "/api/transform", json.dumps(file).encode())
    assert answer.json["errors"] is None
    assert [(trace["traceID"][-1], [item["operationName"] for item in trace["spans"]])
            for trace in answer.json["data"]] == [("1", ["11", "12", "13"]), ("2", ["3", "2", "1"])]
    [first, second] = answer.json["data"]
    for trace in (first, second):
        services = {item["operationName"][-1]: trace["processes"][item["processID"]]["serviceName"]
                    for item in trace["spans"]}
        assert services == {"1": "a", "2": "b", "3": "c"}


def test_spans_of_a_file_that_are_none_are_told(server):
    file = {"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": "00", "spanId": "1", "name": "bad"},
        {"traceId": "1" * 32, "spanId": "2" * 16, "name": "good"}]}]}]}
    answer = post(server, "/api/transform", json.dumps(file).encode())
    assert [item["operationName"] for trace in answer.json["data"] for item in trace["spans"]] == [
        "good"]
    [error] = answer.json["errors"]
    assert error["code"] == 400 and "1" in error["msg"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"resourceSpans": 5}', b"\x1f\x8b\x08"])
def test_what_is_no_file_of_spans_is_refused(server, body):
    answer = post(server, "/api/transform", body)
    assert answer.status == 400
    document = answer.json
    assert document["data"] is None
    assert document["errors"][0]["code"] == 400 and document["errors"][0]["msg"]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(server):
    with socket.create_connection(server.addresses["http"]) as connection:
        connection.sendall(b"POST /api/transform HTTP/1.1\r\nhost: a\r\ncontent-length: "
                           b"67108865\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", ["/api/transform", "/api/archive/1", "/jaeger/api/archive/1"])
def test_other_methods_are_refused(server, path):
    answer = server.get(path)
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("name", ["start", "end"])
def test_hints_of_time_are_numbers(server, name):
    answer = server.get("/api/traces/abc", **{name: "yesterday"})
    assert answer.status == 400
    assert name in answer.json["errors"][0]["msg"]


@pytest.mark.parametrize("path, status, says", [
    ("abc", 500, "archive span storage was not configured"),
    ("abc?start=1&end=2", 500, "archive span storage was not configured"),
    ("nothex", 400, "trace id"), ("abc?start=a", 400, "start"), ("abc?end=b", 400, "end")])
def test_there_is_no_archive_as_in_a_jaeger_without_one(server, path, status, says):
    for prefix in ("", "/jaeger"):
        answer = post(server, f"{prefix}/api/archive/{path}", b"[]")
        assert answer.status == status
        assert answer.json["data"] is None
        assert says in answer.json["errors"][0]["msg"]
