# SPDX-License-Identifier: Apache-2.0
"""Traces of a hundred thousand and of a million spans, and a map of 1,238 services. What is gated are
ratios, counts and behaviour; `make bench-page` records milliseconds."""

import statistics

import large
import pytest
from skein_server import SkeinServer
from test_page import until, until_address

SMALL, LARGE, LARGEST = 1_000, 100_000, 1_000_000
PASSES, FRAMES = 3, 60


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with SkeinServer(tmp_path_factory.mktemp("large")) as server:
        yield server
        assert server.is_alive, server.log_tail()


@pytest.fixture(scope="module")
def base(server):
    return server.url("http")


@pytest.fixture(scope="module")
def stored(server):
    """Number of spans -> the id of a stored trace of so many."""
    return {count: large.send(server, large.bushy(count)) for count in (SMALL, LARGE)}


def opened(tabs, trace):
    page = tabs.open(f"/trace/{trace}")
    page.wait_for_selector(".diagnosis li")
    page.wait_for_selector(".row:not([hidden])")
    return page


def scrolled(page, share, row):
    page.locator(".rows").evaluate(
        "(rows, share) => { rows.scrollTop = share * rows.scrollHeight }", share)
    page.wait_for_selector(f".row[aria-rowindex='{row}']:not([hidden])")


@pytest.mark.parametrize("what", ["SCROLL", "ZOOM"])
def test_a_frame_of_100_times_the_spans_takes_at_most_twice_the_cpu(tabs, stored, what):
    pages = {count: opened(tabs, trace) for count, trace in stored.items()}
    costs = {count: [] for count in pages}
    for number in range(PASSES + 1):
        for count, page in pages.items():
            page.bring_to_front()
            used, _ = large.cost(page, getattr(large, what), count=FRAMES)
            if number:  # The first pass compiled the code.
                costs[count].append(used)
    small, big = (statistics.median(costs[count]) for count in (SMALL, LARGE))
    assert big <= 2 * small, costs


def test_a_trace_of_100_000_spans_has_fewer_than_600_elements_wherever_it_is_scrolled(tabs, stored):
    page = opened(tabs, stored[LARGE])
    assert page.locator(".rows").get_attribute("aria-rowcount") == f"{LARGE}"
    for share, row in ((0.5, LARGE // 2 + 1), (1, LARGE), (0, 1)):
        scrolled(page, share, row)
        assert large.node_count(page) < 600


def test_find_gives_every_hit_among_100_000_spans_and_goes_to_the_first(tabs, stored):
    rows = large.bushy(LARGE)
    page = opened(tabs, stored[LARGE])
    page.keyboard.press("f")
    page.keyboard.type("part/07 >1ms")
    hits = large.matching(rows, "part/07", large.MS)
    assert 10 < hits < 1_000
    until(page, "n => document.querySelector('.found').textContent === n", f"{hits:,}")
    page.keyboard.press("Enter")
    first = next(row for row, (*_, name, _, _, duration, _) in enumerate(rows)
                 if "part/07" in large.name_of(name) and duration > large.MS)
    until_address(page, "row", f"{first}")
    _, says = large.find(page, "part/0")
    assert says.endswith(f"{large.matching(rows, 'part/0', 0):,}")


def test_a_million_spans_scroll_to_the_last_and_back(tabs):
    page = tabs.open("/trace/not-an-id")
    page.set_default_timeout(large.WAIT_SECONDS_MAX * 1e3)
    large.give(page, large.bushy(LARGEST))
    page.goto(f"{tabs.base}/trace/{large.GIVEN}")
    page.wait_for_selector(".row:not([hidden])")
    assert page.locator(".rows").get_attribute("aria-rowcount") == f"{LARGEST}"
    for there, row in ((large.TO_THE_END, LARGEST), (large.TO_THE_BEGIN, 1)):
        large.frames(page, there)
        page.wait_for_selector(f".row[aria-rowindex='{row}']:not([hidden])")
        assert large.node_count(page) < 600


def test_a_map_of_1238_services_is_answered_whole_and_drawn_in_groups_and_each(tabs, server):
    parameters, address, (services, links) = large.send_links(server)
    assert (services, links) == (large.SERVICES, large.LINKS)
    answer = server.get("/api/skein/v1/map", **parameters).json
    assert len({(node["x"], node["y"]) for node in answer["nodes"]}) == services
    assert answer["complete"] and answer["groups"]
    page = tabs.open(f"/map?{address}&live=0")
    page.locator(".map-stage .box").first.wait_for()
    assert page.locator(".map-stage .box").count() < 300
    page = tabs.open(f"/map?{address}&live=0&all=1")
    page.locator(".map-stage canvas").wait_for()
    assert f"{services:,} services" in page.locator(".page-head").inner_text()
