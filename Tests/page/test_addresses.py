# SPDX-License-Identifier: Apache-2.0
"""Broken addresses: each opens the nearest page there is, and says what of it was dropped."""

import urllib.parse

import pytest
from test_page import api, parameters, until

HOSTILE = "<img src=x onerror=alert(1)>"

# What is there once a page is drawn.
DRAWN = {
    "/": ".entries tbody tr",
    "/search": "a.trace",
    "/services": ".services tbody tr",
    "/map": ".box",
    "/live": ".tail li",
    "/system": ".receiving tbody tr",
    "/compare": "#compare-a",
}

RANGED = ("/", "/search", "/services", "/map", "/compare")

BROKEN = [
    *((path, name, value) for path in DRAWN for name, value in (
        ("embed", "yes"), ("oder", "slowest"), ("constructor", "1"))),
    *((path, name, value) for path in RANGED for name, value in (
        ("last", "15q"), ("last", "0h"), ("last", "99999d"), ("from", "soon"), ("to", "-5"),
        ("live", "always"))),
    *(("/search", name, value) for name, value in (
        ("order", "upwards"), ("order", "__proto__"), ("tab", "nothing"), ("cursor", "abc"),
        ("limit", "0"), ("limit", "1e3"), ("box", "9-5"), ("box", "1-2-3"), ("mark", "not-an-id"),
        ("minDuration", "long"), ("maxDuration", "5"), ("minTraceDuration", "1y"),
        ("status", "bad"), ("kind", "any"), ("tag", "no-value"), ("sort", "colour"),
        ("by", "} | {"), ("order", HOSTILE))),
    *(("/services", "sort", value) for value in ("colour", "--rate")),
    *(("/map", name, value) for name, value in (
        ("hops", "0"), ("hops", "many"), ("hops", "99"), ("min", "-1"), ("min", "1.5"),
        ("view", "1,2"), ("view", "0,0,0"), ("view", "a,b,c"), ("all", "2"), ("table", "no"),
        ("sort", "colour"), ("calls", "colour"), ("sel", "no-such-service"),
        ("group", "no-such-group"), ("sel", HOSTILE))),
    ("/live", "paused", "maybe"),
    ("/compare", "order", "size"),
    ("/compare", "limit", "0"),
]


def opened(tabs, path, wrong, right=()):
    page = tabs.open(f"{path}?" + urllib.parse.urlencode([*right, *wrong]))
    page.locator(DRAWN[path]).first.wait_for()
    return page


@pytest.mark.parametrize("path, name, value", BROKEN)
def test_what_an_address_says_wrongly_is_dropped_and_said(tabs, path, name, value):
    page = opened(tabs, path, [(name, value)])
    page.locator(".dropped").wait_for()
    assert f"{name}={value}"[:40] in page.locator(".dropped").inner_text()
    assert name not in parameters(page)
    assert page.locator(".dropped img").count() == 0


BROKEN_OF_A_TRACE = [
    ("z", "0.4-0.2"), ("z", "a-b"), ("z", "0-7"), ("sel", "root"), ("row", "-1"),
    ("shut", "1,,2"), ("open", "all"), ("unroll", "x"), ("v", "chart"), ("roll", "1"),
    ("cp", "yes"), ("err", "0"), ("hide", "2"), ("raw", "true"), ("min", "long"),
    ("by", "colour"), ("sort", HOSTILE), ("oder", "1"), ("constructor", "1"), ("embed", "yes")]
BROKEN_OF_A_SERVICE = [("sort", "colour"), ("oder", "1"), ("last", "15q"), ("tab", "1")]


def trace_of(tabs):
    """An order whose spans have all come."""
    found = api(tabs.base, "/traces?service=order&limit=20")["traces"]
    return f"/trace/{max(found, key=lambda one: one['spanCount'])['traceId']}"


def test_what_the_address_of_a_trace_says_wrongly_is_dropped_and_said(tabs):
    trace = trace_of(tabs)
    page = tabs.open(trace)
    for name, value in BROKEN_OF_A_TRACE:
        page.goto(f"{tabs.base}{trace}?" + urllib.parse.urlencode({"cp": "1", name: value}))
        page.locator(".row").first.wait_for()
        page.locator(".dropped").wait_for()
        assert f"{name}={value}"[:40] in page.locator(".dropped").inner_text()
        assert parameters(page) == ({} if name == "cp" else {"cp": ["1"]})
        assert page.locator(".dropped img").count() == 0


@pytest.mark.parametrize("path", ("/services/order", "/services/order/POST%20%2Forders"))
def test_what_the_address_of_a_service_says_wrongly_is_dropped_and_said(tabs, path):
    page = tabs.open(path)
    for name, value in BROKEN_OF_A_SERVICE:
        page.goto(f"{tabs.base}{path}?" + urllib.parse.urlencode({name: value}))
        page.locator(".page-head h1").wait_for()
        page.locator(".dropped").wait_for()
        assert f"{name}={value}" in page.locator(".dropped").inner_text()
        assert parameters(page) == {}


@pytest.mark.parametrize("more", [
    {"z": "0.12-0.4", "v": "flame"}, {"z": "0.001-0.0015"}, {"z": "0.5-1", "cp": "1"},
    {"q": "POST", "svc": "order", "hide": "1"}, {"v": "table", "sort": "-count", "by": "service"},
    {"shut": "2"}, {"roll": "0", "err": "1"}, {"min": "1.5ms", "raw": "1"}])
def test_what_is_right_in_the_address_of_a_trace_stays(tabs, more):
    page = tabs.open(f"{trace_of(tabs)}?" + urllib.parse.urlencode({**more, "oder": "x"}))
    page.locator(".dropped").wait_for()
    assert page.locator(".dropped").inner_text().count("=") == 1
    assert parameters(page) == {name: [value] for name, value in more.items()}


@pytest.mark.parametrize("path, right", [
    ("/", {"last": "15m", "live": "0"}),
    ("/search", {"last": "6h", "order": "slowest", "service": "payment", "box": "1-2-3-4"}),
    ("/search", {"q": "{ kind = server }", "tab": "groups", "by": "span.order.id", "sort": "-p99"}),
    ("/search", {"minDuration": "1.5us", "maxTraceDuration": "1h30m", "tag": "a.b=c d=e"}),
    ("/services", {"from": "1700000000000", "sort": "-p95"}),
    ("/map", {"focus": "order", "hops": "2", "min": "1", "view": "10,-20,0.5"}),
    ("/live", {"last": "6h", "paused": "1"}),
    ("/system", {"last": "6h"}),
    ("/compare", {"a": "ab" * 16, "order": "change"}),
])
def test_what_is_right_stays_beside_it(tabs, path, right):
    page = tabs.open(f"{path}?" + urllib.parse.urlencode({**right, "oder": "x"}))
    page.locator(".dropped").wait_for()
    assert page.locator(".dropped").inner_text().count("=") == 1
    assert parameters(page) == {name: [value] for name, value in right.items()}


def test_times_that_contradict_each_other_are_said(tabs):
    page = opened(tabs, "/search", [("from", "1700000000000"), ("to", "yesterday")])
    assert "to=yesterday" in page.locator(".dropped").inner_text()
    assert parameters(page) == {"from": ["1700000000000"]}
    page = opened(tabs, "/search", [("from", "9"), ("to", "5"), ("last", "6h")])
    assert "from=9 to=5" in page.locator(".dropped").inner_text()
    assert parameters(page) == {"last": ["6h"]}
    page = opened(tabs, "/search", [("from", "9"), ("last", "6h")])
    assert "last=6h" in page.locator(".dropped").inner_text()


def test_a_query_and_fields_beside_it_are_not_both_asked(tabs):
    page = opened(tabs, "/search", [("q", "{ kind = server }"), ("service", "payment")])
    assert "service=payment" in page.locator(".dropped").inner_text()
    assert parameters(page) == {"q": ["{ kind = server }"]}


def test_what_was_dropped_is_said_until_it_is_read_or_another_page_is_open(tabs, accessible):
    page = opened(tabs, "/services", [("sort", HOSTILE * 20)])
    page.locator(".dropped").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    accessible(page)
    page.keyboard.press("r")
    assert page.locator(".dropped").is_visible()
    page.locator(".dropped button").click()
    assert page.locator(".dropped").is_hidden()
    page = opened(tabs, "/services", [("sort", "x")])
    page.keyboard.press("g")
    page.keyboard.press("y")
    page.locator(DRAWN["/system"]).first.wait_for()
    assert page.locator(".dropped").is_hidden()


def test_a_query_that_is_none_stays_to_be_mended(tabs):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/search?q=" + urllib.parse.quote("{ status = "))
    page.locator(".query-says.wrong").wait_for()
    assert page.locator("#query").input_value() == "{ status = "
    assert page.locator(".marks u").count() == 1


def test_a_key_to_group_by_that_is_none_is_not_blamed_on_the_query(tabs):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/search?tab=groups&by=nonsense")
    page.locator(".stage .notice").wait_for()
    assert "nonsense" in page.locator(".stage .notice").inner_text()
    assert page.locator(".marks u").count() == 0
    page.locator("#by").fill("name")
    page.keyboard.press("Enter")
    page.locator(".stage tbody tr").first.wait_for()
    until(page, "document.querySelector('.stage .notice') === null")
