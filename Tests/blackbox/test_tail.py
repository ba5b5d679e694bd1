# SPDX-License-Identifier: Apache-2.0
"""Traces as they arrive: `GET /api/skein/v1/tail` and `skein query --follow`."""

import json
import os
import signal
import struct
import subprocess
import time
import urllib.parse

import pytest

import otlp
from skein_server import BINARY
from test_cli import said, skein


class Events:
    """The events of one tail, read as they come."""

    def __init__(self, server, query=None, headers=None, **parameters):
        self.connection = server.connect("http", timeout=60)
        given = {**parameters, **({} if query is None else {"q": query})}
        self.connection.request(
            "GET", "/api/skein/v1/tail?" + urllib.parse.urlencode(given), headers=headers or {})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["content-type"] == "text/event-stream"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def next(self):
        """The next event as (name, data, id); None at the end of the stream."""
        name, data, ident = None, None, None
        while line := self.response.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
            elif field == "id":
                ident = value
            elif field == "" and name is not None:
                return name, data, ident
        return None

    def trace(self):
        name, data, _ = self.next()
        assert name == "trace", (name, data)
        return data


def send(server, number, name="work", start=None, service="tailed", **more):
    """One trace of one span; its id tells its number."""
    trace_id = struct.pack(">QQ", 0x7A11, number)
    start = time.time_ns() if start is None else start
    body = otlp.request(
        [otlp.span(trace_id, struct.pack(">Q", more.pop("span", number)), name, start=start,
                   **more)], service=service)
    assert server.post_otlp(body).status == 200
    return trace_id.hex()


def test_a_tail_tells_what_arrives_and_matches_each_once_and_nothing_from_before(server):
    send(server, 1, "charge")
    with Events(server, '{ name = "charge" } | select(.order.id)', settle="0s") as events:
        send(server, 2, "other")
        late = send(server, 3, "charge", start=time.time_ns() - 100_000_000_000,
                    values={"order.id": "17"})
        first = send(server, 4, "charge")
        told = [events.trace()]
        # The same spans again, then one that is new: only this is told.
        send(server, 4, "charge", span=99)
        send(server, 5, "charge")
        told += [events.trace(), events.trace()]
    ids = [trace["traceId"] for trace in told]
    assert sorted(ids) == sorted([late, first, struct.pack(">QQ", 0x7A11, 5).hex()])
    found = next(trace for trace in told if trace["traceId"] == late)
    assert found["rootService"] == "tailed"
    assert found["spansets"][0]["spans"][0]["values"] == [
        {"name": ".order.id", "type": "string", "value": "17"}]


def test_relations_between_spans_are_found_when_the_second_comes(server):
    trace = struct.pack(">QQ", 0x7A11, 50)
    with Events(server, '{ name = "ask" } >> { name = "answer" }', settle="0s") as events:
        send(server, 50, "ask", span=1)
        send(server, 51, "unrelated")
        child = otlp.span(trace, struct.pack(">Q", 2), "answer", parent=struct.pack(">Q", 1),
                          start=time.time_ns())
        assert server.post_otlp(otlp.request([child], service="tailed")).status == 200
        told = events.trace()
    assert told["traceId"] == trace.hex()
    assert told["spanCount"] == 2


def test_more_than_the_rate_is_counted(server):
    with Events(server, '{ resource.service.name = "flood" }', rate=3, settle="0s") as events:
        now = time.time_ns()
        spans = [otlp.span(struct.pack(">QQ", 0xF100D, number), b"\x01" * 8, start=now + number)
                 for number in range(1, 41)]
        assert server.post_otlp(otlp.request(spans, service="flood")).status == 200
        told, left = 0, 0
        while told + left < 40:
            name, data, _ = events.next()
            if name == "trace":
                told += 1
            else:
                assert name == "leftOut"
                assert data["unreadTraceCount"] == 0
                left += data["traceCount"]
    assert (told, left) == (3, 37)


def test_a_reader_that_comes_back_is_told_what_began_since(server):
    with Events(server, '{ name = "again" }', settle="0s") as events:
        send(server, 70, "again")
        _, _, ident = events.next()
    missed = send(server, 71, "again")
    with Events(server, '{ name = "again" }', {"Last-Event-ID": ident}, settle="0s") as events:
        told = {events.trace()["traceId"]}
        if missed not in told:
            told.add(events.trace()["traceId"])
    assert missed in told


@pytest.mark.parametrize("query, hint", [
    ({"q": "{ .a == 1 }"}, "write one = to compare"), ({"q": "{ } | rate()"}, "as they come"),
    ({"q": "{ } order by trace:start"}, "leave order by out"), ({"rate": "0"}, "1 to 500"),
    ({"settle": "5m"}, "at most 1m"), ({"service": "a"}, "not known"),
])
def test_a_wrong_question_is_refused_before_anything_is_streamed(server, query, hint):
    answer = server.get("/api/skein/v1/tail", **query)
    assert answer.status == 400
    assert hint in answer.json["error"]["message"]


def test_the_number_of_tails_is_bounded_and_ended_ones_make_room(new_server):
    with new_server() as server:
        open_tails = [Events(server) for _ in range(16)]
        refused = server.get("/api/skein/v1/tail")
        assert refused.status == 429
        assert refused.headers["retry-after"] == "10"
        for events in open_tails:
            events.connection.close()
        # A tail whose reader is gone notices when it next writes.
        deadline = time.monotonic() + 60
        number = 1_000
        while server.request("http", "HEAD", "/api/skein/v1/tail").status != 200:
            assert time.monotonic() < deadline, "no tail ended"
            number += 1
            send(server, number)
            time.sleep(0.05)  # Between two looks; the loop ends by the deadline.


def test_the_end_of_the_server_is_told(new_server):
    with new_server() as server:
        with Events(server) as events:
            server.process.terminate()
            assert events.next()[:2] == ("end", {"message": "the server stops"})
            assert events.next() is None
        assert server.process.wait(30) == 0


def follow(server, *arguments):
    return subprocess.Popen(
        [str(BINARY), "query", "--follow", "--address", server.url("http"), *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Whoever started these tests in the background has it ignored, and so would the command.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def first_line(process, server, name):
    """Sends traces until one is told: the command takes a while to ask."""
    os.set_blocking(process.stdout.fileno(), False)
    for number in range(2_000):
        send(server, 5_000 + number, name)
        time.sleep(0.05)  # Between two looks; the loop ends when a line is there.
        if line := process.stdout.readline():
            return line
    raise AssertionError("nothing was told")


def test_follow_prints_a_line_a_trace_until_it_is_interrupted(server):
    process = follow(server, '{ name = "followed" }')
    line = first_line(process, server, "followed")
    assert "tailed: followed" in line
    assert "00000000000" in line.rstrip("\n").rsplit(" ", 1)[-1]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) != 0
    process.stdout.close()
    process.stderr.close()


def test_follow_as_json_and_the_end_of_the_server(new_server):
    with new_server() as server:
        process = follow(server, "--json")
        told = json.loads(first_line(process, server, "any"))
        assert told["rootOperation"] == "any"
        server.process.terminate()
        assert process.wait(30) == 1
        assert "The tail ended: the server stops." in process.stderr.read()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize("arguments, hint", [
    (["--service", "a"], "it takes a query alone"), (["abcd"], "it takes a query alone"),
    (["--last", "1h"], "it takes a query alone"),
])
def test_follow_refuses_what_it_cannot_do(arguments, hint):
    result = skein("query", "--follow", *arguments)
    assert result.returncode == 64
    assert hint in said(result)
