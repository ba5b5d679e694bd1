# SPDX-License-Identifier: Apache-2.0
"""Three traces of a small shop, and how clients of Tempo's interface ask for them.

    checkout  web  GET /checkout   300 ms  server
              └ cart  add item     100 ms  client, error, one exception, a link to `visit`
                └ db  SELECT        40 ms  client
    visit     web  GET /            20 ms  server         (its id begins with zeros)
    torn      mail  send             5 ms  producer       (its parent never came)
"""

import struct
import urllib.parse

import otlp

SECOND = 10**9
START = otlp.BASE_TIME // SECOND
MILLISECOND = 10**6

CHECKOUT = f"{0x7E4B0:016x}{0xC0FFEE:016x}"
VISIT = f"{0:016x}{0xABC:016x}"
TORN = f"{0x7E4B0:016x}{0x70:016x}"

RANGE = {"start": START - 60, "end": START + 60}


def identity(text):
    return bytes.fromhex(text)


def span_id(number):
    return struct.pack(">Q", number)


def text_id(number):
    return f"{number:016x}"


def _requests():
    checkout = identity(CHECKOUT)
    root = otlp.span(
        checkout, span_id(0x11), "GET /checkout", duration=300 * MILLISECOND,
        values={"http.status_code": 500, "http.method": "GET", "cart.full": True, "ratio": 0.5})
    exception = otlp.message(11, otlp.fixed64(1, otlp.BASE_TIME + 70 * MILLISECOND)
                             + otlp.message(2, "exception")
                             + otlp.attributes(3, {"exception.message": "sold out"}))
    link = otlp.message(13, otlp.message(1, identity(VISIT)) + otlp.message(2, span_id(0x21))
                        + otlp.attributes(4, {"link.why": "cart"}))
    cart = otlp.span(
        checkout, span_id(0x12), "add item", parent=span_id(0x11), kind=3,
        start=otlp.BASE_TIME + 50 * MILLISECOND, duration=100 * MILLISECOND,
        values={"order.id": "o-17", "http.status_code": 404}, events=exception, links=link,
        status=otlp.message(15, otlp.message(2, "no stock") + otlp.integer(3, 2)))
    db = otlp.span(
        checkout, span_id(0x13), "SELECT", parent=span_id(0x12), kind=3,
        start=otlp.BASE_TIME + 60 * MILLISECOND, duration=40 * MILLISECOND,
        values={"db.system": "postgresql"})
    visit = otlp.span(
        identity(VISIT), span_id(0x21), "GET /", start=otlp.BASE_TIME + SECOND,
        duration=20 * MILLISECOND, values={"http.status_code": 200, "http.method": "GET"})
    torn = otlp.span(
        identity(TORN), span_id(0x31), "send", parent=span_id(0x30), kind=4,
        start=otlp.BASE_TIME + 2 * SECOND, duration=5 * MILLISECOND)
    yield otlp.request([root], "web", {"host.name": "web-1", "slashed/key": "a/b"})
    yield otlp.request([cart], "cart")
    yield otlp.request([db], "db", scope=("pg", "8.1"))
    yield otlp.request([visit], "web", {"host.name": "web-2", "slashed/key": "a/b"})
    yield otlp.request([torn], "mail")


def send(server):
    """Sends the traces."""
    for request in _requests():
        assert server.post_otlp(request).status == 200


def search(server, query, **parameters):
    """The traces of a search, as Grafana's data source sends it."""
    answer = server.get("/tempo/api/search", q=query, **{**RANGE, **parameters})
    assert answer.status == 200, answer.text
    return answer.json["traces"]


def found(traces):
    """The spans found, by trace, each by its name."""
    return {trace["traceID"]: [span["name"] for spanset in trace["spanSets"]
                               for span in spanset["spans"]] for trace in traces}


def stripped(trace_id):
    return trace_id.lstrip("0")


def attributes(item):
    """The attributes of a span or spanset of an answer."""
    pairs = {}
    for pair in item.get("attributes", []):
        [(kind, value)] = pair["value"].items()
        assert pair["key"] not in pairs, pair
        pairs[pair["key"]] = (kind, value)
    return pairs


def tag_path(tag):
    """The path of a tag's values: Grafana encodes the tag twice."""
    twice = urllib.parse.quote(urllib.parse.quote(tag, safe=""), safe="")
    return f"/tempo/api/v2/search/tag/{twice}/values"


def values(server, tag, **parameters):
    """Values of a tag with their types."""
    answer = server.get(tag_path(tag), **parameters)
    assert answer.status == 200, answer.text
    return [(value["type"], value["value"]) for value in answer.json["tagValues"]]
