# SPDX-License-Identifier: Apache-2.0
"""The same question twice, whole and page by page, gives the same traces in the same order while spans
arrive, are written to parts, and are asked for again after a restart."""

import struct
import threading

import pytest

import otlp

TRACES = 300
PAGE = 37
# Fewer than fit into one answer, with those that were there before.
ARRIVING_MAX = 600
MINUTE = 60 * 10**9
ORDERS = [
    "", "order by trace:start asc", "order by trace:duration", "order by trace:duration asc",
    "order by span:count", "order by span:count asc",
]


def trace(number, base, late=False, place=None):
    """A trace of one to four spans, so many milliseconds after the base as its number or place says;
    durations and sizes repeat, so that ties are met."""
    trace_id = struct.pack(">QQ", 0xA11, number)
    start = base + (number if place is None else place) * 10**6
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
    """Sends traces all over the time that is asked about, until it is stopped or has sent so many
    that one answer would not hold them."""

    def __init__(self, server):
        self.server, self.ended, self.some = server, threading.Event(), threading.Event()
        self.ids = []
        self.thread = threading.Thread(target=self.send)

    def send(self):
        while not self.ended.is_set() and len(self.ids) < ARRIVING_MAX:
            number = TRACES + len(self.ids)
            place = number * 7919 % (MINUTE // 10**6)
            assert self.server.post_otlp(trace(number, otlp.BASE_TIME, place=place)).status == 200
            self.ids.append(struct.pack(">QQ", 0xA11, number).hex())
            self.some.set()

    def __enter__(self):
        self.thread.start()
        assert self.some.wait(30)
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def ask(server, query, **more):
    return server.search(
        q=query, start=otlp.BASE_TIME, end=otlp.BASE_TIME + MINUTE, **more)


def whole(server, query):
    answer = ask(server, query, limit=1000)
    assert answer["complete"] and answer["cursor"] is None
    return answer["traces"]


def ids_of(traces):
    return [each["traceId"] for each in traces]


def pages(server, query):
    ids, cursor = [], None
    while True:
        page = ask(server, query, limit=PAGE, cursor=cursor)
        assert page["complete"], page["incompleteReasons"]
        ids += ids_of(page["traces"])
        cursor = page["cursor"]
        if cursor is None:
            return ids


@pytest.mark.parametrize("order", ORDERS)
def test_pages_and_the_whole_list_agree_while_spans_arrive(filled, order):
    query = f'{{ .part != 2 }} {order}'
    before = ids_of(whole(filled, query))
    assert len(before) == sum(number % 3 != 2 for number in range(TRACES))
    there = set(before)
    with Arriving(filled) as arriving:
        for _ in range(3):
            for found in (pages(filled, query), ids_of(whole(filled, query))):
                assert len(set(found)) == len(found)
                assert [each for each in found if each in there] == before
    after = ids_of(whole(filled, query))
    wanted = [each for each in arriving.ids if int(each, 16) % 2**64 % 3 != 2]
    assert set(after) == there | set(wanted) and set(wanted)
    assert pages(filled, query) == after
    filled.kill()
    filled.start()
    assert pages(filled, query) == after


def test_a_structural_answer_is_the_same_twice(filled):
    query = '{ name = "root" } > { name = "step" } | select(.part)'
    first = whole(filled, query)
    assert len(first) == sum(number % 4 > 0 for number in range(TRACES))
    there = set(ids_of(first))
    with Arriving(filled):
        for _ in range(5):
            found = whole(filled, query)
            assert [each for each in found if each["traceId"] in there] == first
    assert len(whole(filled, query)) > len(first)


def test_a_late_span_is_found_with_its_trace(filled):
    query = "{ } | count() > 4 order by span:count"
    assert ask(filled, query)["traces"] == []
    number = 7  # It has four spans.
    assert filled.post_otlp(trace(number, otlp.BASE_TIME, late=True)).status == 200
    found = ask(filled, query)["traces"]
    assert [(each["traceId"], each["spanCount"]) for each in found] == [
        (struct.pack(">QQ", 0xA11, number).hex(), 5)]
