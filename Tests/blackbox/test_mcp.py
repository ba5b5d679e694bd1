# SPDX-License-Identifier: Apache-2.0
"""The Model Context Protocol: `POST /api/skein/v1/mcp`, asked as an assistant's client does."""

import json
import struct
import time

import pytest

import otlp

PATH = "/api/skein/v1/mcp"
LATEST = "2025-06-18"
MILLISECOND = 1_000_000
FAST, SLOW = struct.pack(">QQ", 0xAC, 1), struct.pack(">QQ", 0xAC, 2)


class Client:
    """JSON-RPC over plain HTTP."""

    def __init__(self, server):
        self.server = server
        self.number = 0

    def post(self, body, **headers):
        given = {"content-type": "application/json",
                 "accept": "application/json, text/event-stream",
                 **{name.replace("_", "-"): value for name, value in headers.items()}}
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.server.request("http", "POST", PATH, body, given)

    def ask(self, method, **parameters):
        self.number += 1
        answer = self.post({"jsonrpc": "2.0", "id": self.number, "method": method,
                            "params": parameters}, mcp_protocol_version=LATEST)
        assert answer.status == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        message = answer.json
        assert message["jsonrpc"] == "2.0" and message["id"] == self.number
        return message

    def call(self, tool, **arguments):
        """What the tool says, and whether it is a mistake."""
        result = self.ask("tools/call", name=tool, arguments=arguments)["result"]
        (content,) = result["content"]
        assert content["type"] == "text"
        return content["text"], result["isError"]

    def said(self, tool, **arguments):
        text, is_error = self.call(tool, **arguments)
        assert not is_error, text
        return text

    def mistake(self, tool, **arguments):
        text, is_error = self.call(tool, **arguments)
        assert is_error, text
        return text


def trace_spans(trace, queries, charge):
    def item(number, name, parent=0, start=0, milliseconds=1, **more):
        return otlp.span(
            trace, struct.pack(">Q", number), name,
            parent=struct.pack(">Q", parent) if parent else b"",
            start=otlp.BASE_TIME + start * MILLISECOND, duration=milliseconds * MILLISECOND, **more)

    failed = otlp.message(15, otlp.message(2, "no\nmoney") + otlp.integer(3, 2))
    shop = [item(1, "POST /orders", milliseconds=500, values={
        "http.route": "/orders", "customer.id": "C-7"})]
    stock = [item(10 + number, "SELECT stock", 1, start=number, kind=3,
                  values={"db.system": "postgresql"}) for number in range(queries)]
    bank = [item(90, "charge", 1, start=100, milliseconds=charge, status=failed)]
    return [("shop", shop), ("stock", stock), ("bank", bank)]


@pytest.fixture(scope="module")
def client(server):
    for trace, queries, charge in ((FAST, 2, 40), (SLOW, 30, 300)):
        for service, spans in trace_spans(trace, queries, charge):
            assert server.post_otlp(otlp.request(spans, service=service)).status == 200
    return Client(server)


ALL = {"last": "3650d"}


@pytest.mark.parametrize("asked, spoken", [
    (LATEST, LATEST), ("2025-03-26", "2025-03-26"), ("2024-11-05", "2024-11-05"),
    ("1999-01-01", LATEST), (None, LATEST)])
def test_a_version_both_speak_is_agreed_on(client, asked, spoken):
    given = {} if asked is None else {"protocolVersion": asked}
    result = client.ask("initialize", capabilities={}, clientInfo={"name": "test"}, **given)[
        "result"]
    assert result["protocolVersion"] == spoken
    assert result["capabilities"] == {"tools": {"listChanged": False}}
    assert result["serverInfo"]["name"] == "skein"
    assert "find_traces" in result["instructions"]


def test_notifications_and_answers_want_no_answer(client):
    for message in ({"jsonrpc": "2.0", "method": "notifications/initialized"},
                    {"jsonrpc": "2.0", "id": 5, "result": {}}):
        answer = client.post(message)
        assert (answer.status, answer.body) == (202, b"")
    assert client.ask("ping")["result"] == {}


def test_every_tool_tells_its_arguments_and_refuses_others(client):
    tools = client.ask("tools/list")["result"]["tools"]
    assert [tool["name"] for tool in tools] == [
        "find_traces", "get_trace", "compare_traces", "metrics", "services", "operations",
        "attributes"]
    for tool in tools:
        schema = tool["inputSchema"]
        assert schema["type"] == "object" and schema["additionalProperties"] is False
        assert all("description" in argument for argument in schema["properties"].values())
        assert tool["annotations"]["readOnlyHint"] is True
        told = client.mistake(tool["name"], colour="red")
        listed = told.partition("there are ")[2]
        assert listed == (", ".join(schema["properties"]) or "none")


def test_traces_are_found_read_and_compared(client):
    found = client.said("find_traces", query='{ name = "charge" && status = error }', **ALL)
    assert FAST.hex() in found and SLOW.hex() in found
    assert "shop: POST /orders  (bank 1, shop 1, stock 30)" in found
    assert "found bank: charge  300ms" in found
    one = client.said("find_traces", limit=1, order="slowest", **ALL)
    cursor = one.rpartition("cursor ")[2]
    rest = client.said("find_traces", limit=1, order="slowest", cursor=cursor, **ALL)
    assert {SLOW.hex() in one, SLOW.hex() in rest} == {True, False}

    read = client.said("get_trace", trace_id=SLOW.hex())
    lines = read.split("\n")
    assert lines[0].startswith(f"trace {SLOW.hex()}  shop: POST /orders  500ms, 32 spans, 1 errors")
    assert lines[1].startswith("shop: POST /orders [server] 500ms own 170ms span 0000000000000001")
    assert lines[1].endswith("http.route=/orders customer.id=C-7")
    assert lines[5] == "  (27 more like it, 1ms to 1ms)"
    assert lines[6].startswith('  bank: charge [server] 300ms own 300ms ERROR "no money" span ')
    cut = client.said("get_trace", trace_id=SLOW.hex()[16:], max_lines=2)
    assert "30 spans below are left out; max_lines 6 tells all" in cut
    span = json.loads(client.said("get_trace", trace_id=SLOW.hex(), span_id=f"{90:016x}"))
    assert span["status"] == {"code": "error", "message": "no\nmoney"}

    compared = client.said("compare_traces", trace_id_a=FAST.hex(), trace_id_b=SLOW.hex())
    paths = [line for line in compared.split("\n") if line.startswith("- ")]
    assert paths[0] == ("- shop: POST /orders: 1 spans, 500ms, own 458ms | "
                        "1 spans, 500ms, own 170ms")
    assert paths[1] == ("- shop: POST /orders > bank: charge: 1 spans, 40ms, own 40ms, 1 errors | "
                        "1 spans, 300ms, own 300ms, 1 errors")
    assert paths[-1] == ("- shop: POST /orders > stock: SELECT stock: 2 spans, 2ms, own 2ms | "
                         "30 spans, 30ms, own 30ms")


def test_names_and_numbers_are_told(client):
    assert client.said("services").split("\n") == ["bank", "shop", "stock"]
    assert client.said("operations", service="stock") == "SELECT stock [client]"
    assert "span.customer.id" in client.said("attributes").split("\n")
    assert client.said("attributes", key="customer.id", prefix="C") == "C-7"
    numbers = client.said("metrics", by="service", **ALL).split("\n")
    assert [line.split("  ")[0] for line in numbers[1:]] == ["- shop", "- bank", "- stock"]
    assert "2 calls, " in numbers[2] and "2 errors (100.0 %)" in numbers[2]
    edges = client.said("metrics", by="edge", service="bank", **ALL)
    assert "- shop -> bank  2 calls" in edges


def test_time_without_an_end_ends_now(client):
    told = client.said("metrics", by="service", start="2026-11-18T11:00:00Z")
    begin, end = told.split("\n")[0].split(" to ")
    # Not at the last moment there is, in the year 2554, which would make every rate nothing.
    assert begin == "2026-11-18T11:00:00Z" and end < "2100"
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    told = client.said("metrics", query="{ } | count_over_time()", start=start)
    assert told.split("\n")[0].split(" to ")[1] < "2100"


def test_numbers_over_time_are_told_by_query(client):
    told = client.said(
        "metrics", query='{ name = "SELECT stock" } | count_over_time() by(resource.service.name)',
        start="2026-11-18T11:06:00Z", end="2026-11-18T11:08:00Z", step="1m").split("\n")
    assert told == [
        "2026-11-18T11:06:00Z to 2026-11-18T11:08:00Z, a number each 1m0s",
        "- {resource.service.name = stock} 32.0 0.0"]
    assert "numbers over time" in client.mistake("metrics", query="{ }")
    assert "say it in the query" in client.mistake("metrics", query="{ } | rate()", by="edge")
    assert "belongs to query" in client.mistake("metrics", step="1m")
    assert "can be told" in client.mistake("metrics", query="{ } | rate()", step="1s")


@pytest.mark.parametrize("tool, arguments, hint", [
    ("find_traces", {"query": "{ .order.id == 5 }"}, "  { .order.id == 5 }\n               ^"),
    ("find_traces", {"query": "{ } | rate()"}, "leave the function of metrics out"),
    ("find_traces", {"last": "soon"}, "write a number and a unit"),
    ("find_traces", {"start": "yesterday"}, "RFC 3339"),
    ("find_traces", {"last": "1h", "end": "2026-01-01T00:00:00Z"}, "give one of them"),
    ("find_traces", {"limit": 1000}, "from 1 to 50"),
    ("find_traces", {"order": "best"}, "newest, slowest"),
    ("find_traces", {"query": 5}, "query must be a text"),
    ("get_trace", {}, "trace_id is missing"),
    ("get_trace", {"trace_id": "dead" * 8}, "is not stored"),
    ("get_trace", {"trace_id": "xyz"}, "hexadecimal"),
    ("get_trace", {"trace_id": SLOW.hex(), "span_id": "7"}, "no span of the id"),
    ("compare_traces", {"trace_id_a": SLOW.hex()}, "trace_id_b is missing"),
    ("metrics", {"by": "colour"}, "service, operation, edge"),
    ("metrics", {"operation": "a"}, "by = operation"),
    ("attributes", {"prefix": "a"}, "belongs to key"),
])
def test_a_mistake_is_an_answer_that_says_what_to_do(client, tool, arguments, hint):
    assert hint in client.mistake(tool, **arguments)


@pytest.mark.parametrize("message, code", [
    ({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}, -32601),
    ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "rm"}}, -32602),
    ({"jsonrpc": "2.0", "id": 1, "method": "tools/call"}, -32602),
    ({"id": 1, "method": "ping"}, -32600), ({"jsonrpc": "2.0", "id": {}, "method": "ping"}, -32600),
    (5, -32600),
])
def test_a_wrong_message_is_an_error_of_json_rpc(client, message, code):
    assert client.post(message).json["error"]["code"] == code


def test_what_is_no_json_or_too_long_or_of_another_version_is_refused(client):
    broken = client.post(b"{")
    assert (broken.status, broken.json["error"]["code"]) == (400, -32700)
    deep = client.post(b"[" * 200_000)
    assert (deep.status, deep.json["error"]["code"]) == (400, -32700)
    assert client.post(b" " * 300_000).status == 413
    assert client.post({"jsonrpc": "2.0", "id": 1, "method": "ping"},
                       mcp_protocol_version="1999-01-01").status == 400


def test_a_list_of_messages_is_answered_with_a_list(client):
    messages = [{"jsonrpc": "2.0", "id": "a", "method": "ping"},
                {"jsonrpc": "2.0", "method": "notifications/initialized"},
                {"jsonrpc": "2.0", "id": "b", "method": "ping"}]
    assert [answer["id"] for answer in client.post(messages).json] == ["a", "b"]
    assert client.post(messages[1:2]).status == 202
    assert client.post([messages[0]] * 21).status == 400
    assert client.post([]).status == 400


def test_there_are_no_streams_and_no_pages_of_others(client):
    for method in ("GET", "DELETE", "PUT"):
        answer = client.server.request("http", method, PATH)
        assert answer.status == 405
        assert answer.headers["allow"] == "POST"
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert client.post(ping, origin="http://evil.example").status == 403
    assert client.post(ping, sec_fetch_site="cross-site").status == 403
    own = client.server.url("http")
    assert client.post(ping, origin=own, sec_fetch_site="same-origin").status == 200
