# SPDX-License-Identifier: Apache-2.0
"""Broken, hostile and oversized requests get the right status, leave nothing behind, kill nothing."""

import gzip
import json
import socket
import struct
import zlib

import grpc
import pytest
import zstandard

import golden
import otlp
from replay import send_grpc

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MEBIBYTE = 1 << 20
REQUEST_BYTES_MAX = 64 * MEBIBYTE

TRACE_ID = "5eed" * 8
OTLP_JSON = json.dumps({"resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cut-json"}}]},
    "scopeSpans": [{"scope": {"name": "s"}, "spans": [{
        "traceId": TRACE_ID, "spanId": "00000000000000a1", "name": "GET /订单", "kind": 2,
        "startTimeUnixNano": str(otlp.BASE_TIME), "endTimeUnixNano": otlp.BASE_TIME + 5,
        "attributes": [
            {"key": "n", "value": {"intValue": "-7"}}, {"key": "d", "value": {"doubleValue": 1.5}},
            {"key": "l", "value": {"arrayValue": {"values": [{"boolValue": True}]}}}],
        "events": [{"timeUnixNano": "1", "name": "e"}], "status": {"code": 2, "message": "\\u00e9"},
    }]}]}]}).encode()
ZIPKIN_JSON = json.dumps([{
    "traceId": TRACE_ID, "id": "00000000000000b1", "name": "get", "kind": "CLIENT",
    "timestamp": otlp.BASE_TIME // 1000, "duration": 10, "tags": {"a": "é"}, "debug": True,
    "localEndpoint": {"serviceName": "cut-zipkin", "ipv4": "10.0.0.1", "port": 80},
    "annotations": [{"timestamp": 1, "value": "wr"}]}]).encode()


def zipkin_proto(service="cut-zipkin"):
    endpoint = otlp.message(1, service) + otlp.integer(4, 80)
    tag = otlp.message(11, otlp.message(1, "a") + otlp.message(2, "b"))
    annotation = otlp.message(10, otlp.fixed64(1, 1) + otlp.message(2, "wr"))
    return otlp.message(1, b"".join([
        otlp.message(1, bytes.fromhex(TRACE_ID)), otlp.message(3, struct.pack(">Q", 0xC1)),
        otlp.integer(4, 2), otlp.message(5, "get"), otlp.fixed64(6, otlp.BASE_TIME // 1000),
        otlp.integer(7, 10), otlp.message(8, endpoint), annotation, tag]))


class Poster:
    """POSTs bodies over one connection, which it opens again when the server closed it."""

    def __init__(self, server, listener, path, headers):
        self.server, self.listener, self.path, self.headers = server, listener, path, headers
        self.connection = server.connect(listener)

    def post(self, body):
        for _ in range(2):
            try:
                self.connection.request("POST", self.path, body, self.headers)
                response = self.connection.getresponse()
                text = response.read()
                if response.will_close:
                    self.connection.close()
                return response.status, text
            except (ConnectionError, BrokenPipeError):
                self.connection.close()
        raise AssertionError(f"no answer: {self.server.log_tail()}")


def assert_nothing_stored(server, trace_id, service):
    assert server.trace(trace_id) is None
    found = server.search(service=service, start=0, end=2**63 - 1)
    assert found["traces"] == []


GOLDEN_BODIES = [
    ("otlp-protobuf", "otlp-http", "/v1/traces", {"content-type": "application/x-protobuf"},
     lambda: otlp.rich_request(900)[0], otlp.rich_request(900)[1], "test"),
    ("otlp-json", "otlp-http", "/v1/traces", {"content-type": "application/json"},
     lambda: OTLP_JSON, TRACE_ID, "cut-json"),
    ("otlp-gzip", "otlp-http", "/v1/traces",
     {"content-type": "application/x-protobuf", "content-encoding": "gzip"},
     lambda: gzip.compress(otlp.rich_request(901)[0]), otlp.rich_request(901)[1], "test"),
    ("otlp-deflate", "otlp-http", "/v1/traces",
     {"content-type": "application/x-protobuf", "content-encoding": "deflate"},
     lambda: zlib.compress(otlp.rich_request(902)[0]), otlp.rich_request(902)[1], "test"),
    ("otlp-zstd", "otlp-http", "/v1/traces",
     {"content-type": "application/x-protobuf", "content-encoding": "zstd"},
     lambda: zstandard.compress(otlp.rich_request(903)[0]), otlp.rich_request(903)[1], "test"),
    ("zipkin-json", "zipkin", "/api/v2/spans", {"content-type": "application/json"},
     lambda: ZIPKIN_JSON, TRACE_ID, "cut-zipkin"),
    ("zipkin-protobuf", "zipkin", "/api/v2/spans", {"content-type": "application/x-protobuf"},
     zipkin_proto, TRACE_ID, "cut-zipkin"),
]


@pytest.fixture(scope="module")
def cutting_server(tmp_path_factory):
    """A server into which no whole golden request is ever sent."""
    from skein_server import SkeinServer
    with SkeinServer(tmp_path_factory.mktemp("cut"), durability="os") as running:
        yield running
        assert running.is_alive, running.log_tail()


@pytest.mark.parametrize(
    "listener, path, headers, body, trace_id, service", [row[1:] for row in GOLDEN_BODIES],
    ids=[row[0] for row in GOLDEN_BODIES])
def test_a_request_cut_at_any_byte_is_refused_and_not_stored(
        cutting_server, listener, path, headers, body, trace_id, service):
    whole = body()
    poster = Poster(cutting_server, listener, path, headers)
    for length in range(1, len(whole)):
        status, text = poster.post(whole[:length])
        assert status == 400, f"cut at {length} of {len(whole)}: {status} {text!r}"
        assert text, "the answer says what is wrong"
    assert_nothing_stored(cutting_server, trace_id, service)


def test_a_grpc_message_cut_at_any_byte_is_refused_and_not_stored(cutting_server):
    whole, trace_id = otlp.rich_request(904)
    with grpc.insecure_channel(cutting_server.address("otlp-grpc")) as channel:
        call = channel.unary_unary(EXPORT, lambda data: data, lambda data: data)
        for length in range(1, len(whole)):
            with pytest.raises(grpc.RpcError) as refused:
                call(whole[:length], timeout=30)
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT, length
            assert refused.value.details()
    assert_nothing_stored(cutting_server, trace_id, "test")


@pytest.mark.skipif(not golden.WIRE.is_dir(), reason="../shared/data/wire is not there")
@pytest.mark.parametrize("folder", ["otlp-http-protobuf", "otlp-http-json", "zipkin-v2-json-otel",
                                    "zipkin-v2-proto-otel", "zipkin-v2-json-py_zipkin"])
def test_a_recorded_request_cut_at_any_byte_is_refused(cutting_server, folder):
    from replay import Capture
    capture = Capture(golden.WIRE / folder)
    for entry in capture.entries:
        data = (capture.folder / entry["file"]).read_bytes()
        body = data[entry["body_offset"]:]
        headers = {
            name: value for name, value in entry["headers"] if name.lower() == "content-type"}
        listener = "zipkin" if "/api/v2" in entry["path"] else "otlp-http"
        poster = Poster(cutting_server, listener, entry["path"], headers)
        body = body.rstrip()
        accepted = [
            length for length in range(1, len(body)) if poster.post(body[:length])[0] != 400]
        # Two repeated top-level messages: between them a cut leaves a whole shorter request.
        assert accepted == [end for end in message_ends(body) if end < len(body)], folder


def message_ends(body):
    """Where the top-level messages of a protobuf request end; nowhere inside for JSON."""
    ends, index = [], 0
    while index < len(body) and body[:1] == b"\n":
        index, shift, length = index + 1, 0, 0
        while True:
            byte = body[index]
            length |= (byte & 127) << shift
            index, shift = index + 1, shift + 7
            if byte < 128:
                break
        index += length
        ends.append(index)
    return ends


COMPRESSORS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize("encoding", COMPRESSORS)
def test_a_compressed_request_is_understood(server, encoding):
    body, trace_id = otlp.rich_request(list(COMPRESSORS).index(encoding))
    answer = server.post_otlp(COMPRESSORS[encoding](body), content_encoding=encoding)
    assert answer.status == 200, answer.text
    assert len(otlp.flatten(server.trace(trace_id))) == 2


@pytest.mark.parametrize("encoding", COMPRESSORS)
@pytest.mark.parametrize("listener, path", [("otlp-http", "/v1/traces"), ("zipkin", "/api/v2/spans")])
def test_a_bomb_is_refused_after_the_limit(server, listener, path, encoding):
    bomb = COMPRESSORS[encoding](bytes(REQUEST_BYTES_MAX + MEBIBYTE))
    assert len(bomb) < MEBIBYTE
    answer = server.request(
        listener, "POST", path, bomb,
        {"content-type": "application/x-protobuf", "content-encoding": encoding})
    assert answer.status == 413, answer.text


def test_a_grpc_bomb_is_refused(server):
    with pytest.raises(grpc.RpcError) as refused:
        send_grpc(server.address("otlp-grpc"), EXPORT, bytes(REQUEST_BYTES_MAX + MEBIBYTE),
                  compression=grpc.Compression.Gzip)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    # Without RetryInfo in its details a client gives up, as it should: it will not fit later.
    names = [name for name, _ in refused.value.trailing_metadata() or ()]
    assert "grpc-status-details-bin" not in names


@pytest.mark.parametrize(
    "body, headers, status",
    [
        (b"x", {"content-type": "text/plain"}, 415),
        (b"x", {}, 415),
        (b"x", {"content-type": "application/x-protobuf", "content-encoding": "br"}, 415),
        (b"\x1f\x8bnot gzip", {"content-type": "application/x-protobuf",
                               "content-encoding": "gzip"}, 400),
        (b"not protobuf", {"content-type": "application/x-protobuf"}, 400),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
         {"content-type": "application/x-protobuf"}, 400),
        (b"\x0a" + b"\x80" * 20, {"content-type": "application/x-protobuf"}, 400),
        (b"", {"content-type": "application/json"}, 400),
        (b"null", {"content-type": "application/json"}, 400),
        (b"[]", {"content-type": "application/json"}, 400),
        (b'{"resourceSpans":5}', {"content-type": "application/json"}, 400),
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"99999999999999999999"'
         b'}]}]}]}', {"content-type": "application/json"}, 400),
        (b'{"a":' * 100_000, {"content-type": "application/json"}, 400),
        (b'{"resourceSpans":' + b"[" * 100_000, {"content-type": "application/json"}, 400),
    ],
)
def test_a_bad_otlp_request_gets_its_status(server, body, headers, status):
    answer = server.request("otlp-http", "POST", "/v1/traces", body, headers)
    assert answer.status == status, answer.text
    assert answer.body


def test_an_attribute_nested_without_end_is_refused_or_cut(server):
    value = otlp.any_value("end")
    for _ in range(20_000):
        value = otlp.message(5, otlp.message(1, value))
    attribute = otlp.message(9, otlp.message(1, "deep") + otlp.message(2, value))
    body = otlp.request([otlp.span(b"\x07" * 16, b"\x07" * 8) + attribute])
    answer = server.post_otlp(body)
    assert answer.status in (200, 400)
    assert server.is_alive


def test_a_failure_is_a_status_message_in_the_encoding_of_the_request(server):
    as_json = server.post_otlp(b'{"resourceSpans":[{', "application/json")
    assert as_json.status == 400
    assert as_json.headers["content-type"].startswith("application/json")
    assert as_json.json["message"]
    as_protobuf = server.post_otlp(b"\x0a\x05ab")
    assert as_protobuf.headers["content-type"] == "application/x-protobuf"
    fields = dict(top_level_fields(as_protobuf.body))
    assert fields[1] == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert len(fields[2]) > 10


def top_level_fields(data):
    index = 0

    def number():
        nonlocal index
        value = shift = 0
        while True:
            byte = data[index]
            value |= (byte & 127) << shift
            index, shift = index + 1, shift + 7
            if byte < 128:
                return value

    while index < len(data):
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
        else:
            length = number()
            yield tag >> 3, data[index:index + length]
            index += length


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_refused(server, method):
    assert server.request("otlp-http", method, "/v1/traces").status == 405


def test_an_unknown_path_is_not_found(server):
    assert server.request("otlp-http", "POST", "/v1/nothing", b"").status == 404
    assert server.get("/api/skein/v1/nothing").status == 404


def test_an_empty_request_is_a_success(server):
    assert server.post_otlp(b"").body == b""
    assert server.post_otlp(b"").status == 200
    answer = server.post_otlp(b"{}", "application/json")
    assert (answer.status, answer.json) == (200, {})
    for body in (b"", b"[]"):
        assert server.request(
            "zipkin", "POST", "/api/v2/spans", body,
            {"content-type": "application/json"}).status == 202


def test_a_span_without_ids_is_rejected_alone(server):
    good = otlp.span(b"\x09" * 16, b"\x09" * 8)
    bad = otlp.span(bytes(16), b"\x08" * 8)
    answer = server.post_otlp(otlp.request([good, bad]))
    assert answer.status == 200
    partial = dict(top_level_fields(dict(top_level_fields(answer.body))[1]))
    assert partial[1] == 1
    assert partial[2]
    assert len(otlp.flatten(server.trace("09" * 16))) == 1


def test_a_span_whose_id_is_not_hexadecimal_is_rejected_alone(server):
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}'
    answer = server.post_otlp(body, "application/json")
    assert answer.status == 200
    assert answer.json["partialSuccess"]["rejectedSpans"] == "1"
    assert "trace_id" in answer.json["partialSuccess"]["errorMessage"]


def answer_before_body(server, head, limit_bytes):
    """Sends a head, then zeros until an answer begins or `limit_bytes` are out."""
    with socket.create_connection(server.addresses["otlp-http"], 30) as connection:
        connection.sendall(head)
        connection.settimeout(0.2)
        sent, chunk = 0, b"10000\r\n" + bytes(0x10000) + b"\r\n"
        answer = b""
        while sent < limit_bytes and not answer:
            try:
                connection.sendall(chunk)
                sent += 0x10000
                connection.setblocking(False)
                answer = connection.recv(4096)
            except (BlockingIOError, TimeoutError):
                pass
            except (ConnectionError, BrokenPipeError):
                break
            connection.settimeout(30)
        if not answer:
            answer = connection.recv(4096)
        return int(answer.split()[1]), sent


def test_a_declared_length_over_the_limit_is_refused_at_once(server):
    head = (b"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n"
            b"content-length: %d\r\n\r\n" % (REQUEST_BYTES_MAX + 1))
    with socket.create_connection(server.addresses["otlp-http"], 30) as connection:
        connection.sendall(head)
        assert connection.recv(4096).split()[1] == b"413"


def test_a_chunked_body_over_the_limit_is_refused_on_the_way(server):
    head = (b"POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n"
            b"transfer-encoding: chunked\r\n\r\n")
    status, sent = answer_before_body(server, head, 4 * REQUEST_BYTES_MAX)
    assert status == 413
    assert sent < 2 * REQUEST_BYTES_MAX


@pytest.mark.parametrize(
    "body, headers",
    [
        (b"not json", {"content-type": "application/json"}),
        (b'[{"traceId":"1"}]', {"content-type": "application/json"}),
        (b'[{"traceId":"zz","id":"1","name":"a"}]', {"content-type": "application/json"}),
        (b'[{"traceId":"1","id":"2","binaryAnnotations":[]}]',
         {"content-type": "application/json"}),
        (b'[{"traceId":"1","id":"2","tags":{"a":null}}]', {"content-type": "application/json"}),
        (b"\x0a\x04junk", {"content-type": "application/x-protobuf"}),
    ],
)
def test_a_bad_zipkin_request_gets_400_and_plain_text(server, body, headers):
    answer = server.request("zipkin", "POST", "/api/v2/spans", body, headers)
    assert answer.status == 400, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.strip()


@pytest.mark.parametrize(
    "parameters",
    [
        {"minDuration": "fast"}, {"limit": "-1"}, {"limit": "many"}, {"status": "sad"},
        {"kind": "CLIENTELE"}, {"start": "yesterday"}, {"order": "sideways"}, {"cursor": "%00"},
        {"tag": "=x"}, {"last": "1 fortnight"}, {"start": "10", "end": "5"},
    ],
    ids=str,
)
def test_a_bad_search_says_which_parameter(server, parameters):
    answer = server.get("/api/skein/v1/traces", **parameters)
    assert answer.status == 400, answer.text
    assert any(name in answer.text for name in parameters)


def test_a_bad_trace_id_is_refused_and_an_absent_one_not_found(server):
    assert server.get("/api/skein/v1/traces/xyz").status == 400
    absent = "ab5e" * 8
    assert server.get(f"/api/skein/v1/traces/{absent}").status == 404
    assert server.get(f"/api/traces/{absent}").status == 404
    assert server.get(f"/api/v2/trace/{absent}", listener="zipkin").status == 404


def test_it_still_takes_a_good_request(server):
    body, trace_id = otlp.rich_request(77)
    assert server.post_otlp(body).status == 200
    assert len(otlp.flatten(server.trace(trace_id))) == 2
