# SPDX-License-Identifier: Apache-2.0
"""The same question twice, whole and page by page, gives the same traces in the same order while spans
arrive, are written to parts, and are asked for again after a restart."""

import struct
import threading

import pytest

import otlp

TRACES = 300
PAGE = 37
MINUTE = 60 * 10**9
ORDERS = [
    "", "order by trace:start asc", "order by trace:duration", "order by trace:duration asc",
    "order by span:count", "order by span:count asc",
]


def trace(number, base, late=False):
    """A trace of one to four spans; durations and sizes repeat, so that ties are met."""
    trace_id = struct.pack(">QQ", 0xA11, number)
    start = base + number * 10**6
    first = 5 if late else 1
    spans = [
        otlp.span(
            trace_id, struct.pack(">Q", first + place), "root" if first + place == 1 else "step",
            parent=b"" if first + place == 1 else struct.pack(">Q", 1),
            start=start + place * 1000, duration=1_000_000 * (1 + number % 7),
            values={"part": number % 3})
        for place in range(1 if late else 1 + number % 4)]
    return otlp.request(spans, f"shop-{number % 2}")


@pytest.fixture
def filled(new_server):
    server = new_server()
    server.start()
    for number in range(TRACES):
        assert server.post_otlp(trace(number, otlp.BASE_TIME)).status == 200
    return server


class Arriving:
    """Sends newer traces, and older ones than any page has, until it is stopped."""

    def __init__(self, server):
        self.server, self.ended, self.count = server, threading.Event(), 0
        self.thread = threading.Thread(target=self.send)

    def send(self):
        while not self.ended.is_set():
            self.count += 1
            for base in (otlp.BASE_TIME + MINUTE, otlp.BASE_TIME - MINUTE):
                answer = self.server.post_otlp(trace(1_000_000 + self.count, base))
                assert answer.status == 200

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        assert self.count > 0


def ask(server, query, **more):
    return server.search(
        q=query, start=otlp.BASE_TIME, end=otlp.BASE_TIME + MINUTE, **more)


def pages(server, query):
    ids, cursor = [], None
    while True:
        page = ask(server, query, limit=PAGE, cursor=cursor)
        assert page["complete"], page["incompleteReasons"]
        ids += [each["traceId"] for each in page["traces"]]
        cursor = page["cursor"]
        if cursor is None:
            return ids


@pytest.mark.parametrize("order", ORDERS)
def test_pages_and_the_whole_list_agree_while_spans_arrive(filled, order):
    query = f'{{ .part != 2 }} {order}'
    before = [each["traceId"] for each in ask(filled, query, limit=1000)["traces"]]
    assert len(before) == sum(number % 3 != 2 for number in range(TRACES))
    with Arriving(filled):
        for _ in range(3):
            assert pages(filled, query) == before
            whole = ask(filled, query, limit=1000)["traces"]
            assert [each["traceId"] for each in whole] == before
    filled.kill()
    filled.start()
    assert pages(filled, query) == before


def test_a_structural_answer_is_the_same_twice(filled):
    query = '{ name = "root" } > { name = "step" } | select(.part)'
    first = ask(filled, query, limit=1000)["traces"]
    assert len(first) == sum(number % 4 > 0 for number in range(TRACES))
    with Arriving(filled):
        for _ in range(5):
            assert ask(filled, query, limit=1000)["traces"] == first


def test_a_late_span_is_found_with_its_trace(filled):
    query = "{ } | count() > 4 order by span:count"
    assert ask(filled, query)["traces"] == []
    number = 7  # It has four spans.
    assert filled.post_otlp(trace(number, otlp.BASE_TIME, late=True)).status == 200
    found = ask(filled, query)["traces"]
    assert [(each["traceId"], each["spanCount"]) for each in found] == [
        (struct.pack(">QQ", 0xA11, number).hex(), 5)]
