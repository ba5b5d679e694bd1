# SPDX-License-Identifier: Apache-2.0
"""Traces as they arrive: a query, pauses, no more rows than can be drawn, broken connections."""

import json

import pytest
from test_page import THEMES, until, until_address

NEVER = "retry: 600000\n\n"


def trace(n, errors=0, operation="GET /"):
    return {"traceId": f"{n + 1:032x}", "rootService": "shop", "rootOperation": operation,
            "startTimeUnixNano": "1795298700000000000", "durationNanos": "2500000",
            "spanCount": 3, "errorCount": errors, "services": [], "matchedSpanIds": [],
            "spansets": []}


def event(name, data):
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def told(tabs, body, address="/live", **how):
    """The page with a tail that tells this, and then breaks."""
    page = tabs.open("/search", **how)
    page.route("**/api/skein/v1/tail?*", lambda route: route.fulfill(
        content_type="text/event-stream", body=body))
    page.goto(tabs.base + address)
    return page


def rows(page):
    return page.locator(".tail li").count()


@pytest.mark.parametrize("theme", THEMES)
def test_traces_arrive_and_lead_to_themselves(tabs, picture, accessible, theme):
    page = tabs.open("/live", theme=theme)
    page.locator(".tail li").nth(5).wait_for()
    page.keyboard.press(" ")
    until_address(page, "paused", "1")
    assert page.locator(".tail-state").inner_text() == "Following"
    picture(page, f"live-{theme}")
    accessible(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/trace/*")


def test_a_query_is_completed_followed_and_stands_in_the_address(tabs):
    page = tabs.open("/live")
    page.locator(".tail-state", has_text="Following").wait_for()
    page.keyboard.press("f")
    page.keyboard.type("{ status = err")
    page.locator("#query-offers li", has_text="error").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("}")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    until_address(page, "q", "{ status = error }")
    page.locator(".tail li").nth(2).wait_for()
    assert page.locator(".tail li:not(.failed)").count() == 0
    fresh = tabs.open(page.url[len(tabs.base):])
    assert fresh.locator("#query").input_value() == "{ status = error }"


def test_a_query_that_is_not_understood_is_underlined_where_its_mistake_is(tabs):
    tabs.expected = ("400 (Bad Request)",)
    page = tabs.open("/live?q=" + "{ foo = 1 }".replace(" ", "+"))
    page.locator(".marks u").wait_for()
    assert page.evaluate("document.querySelector('.marks u').previousSibling.textContent") == "{ "
    assert ".foo for the attribute" in page.locator(".query-says").inner_text()
    assert page.locator(".tail-state").inner_text() == "The query is not understood"
    assert page.locator("#query").get_attribute("aria-invalid") == "true"


def test_a_pointer_on_the_list_and_space_hold_it_while_traces_are_counted(tabs):
    page = tabs.open("/live")
    page.locator(".tail li").nth(3).wait_for()
    page.locator(".tail").hover(position={"x": 20, "y": 20})
    page.locator(".tail-waits", has_text="while you look").wait_for()
    held = rows(page)
    page.locator(".tail-waits:not(:text('0 traces'))").wait_for()
    assert rows(page) == held
    page.mouse.move(5, 5)
    until(page, f"document.querySelectorAll('.tail li').length > {held}")
    page.keyboard.press(" ")
    page.locator(".tail-waits", has_text="Paused").wait_for()
    held = rows(page)
    page.locator(".tail-waits:not(:text('0 traces'))").wait_for()
    assert rows(page) == held
    page.keyboard.press(" ")
    until(page, f"document.querySelectorAll('.tail li').length > {held}")


def test_of_400_traces_at_once_50_are_drawn_and_the_rest_are_counted(tabs):
    burst = "".join(event("trace", trace(n, n % 2)) for n in range(400))
    page = told(tabs, NEVER + burst + event("leftOut", {"traceCount": 7, "unreadTraceCount": 3}))
    page.locator(".page-head .tells", has_text="360 more not shown").wait_for()
    assert rows(page) == 50
    # The newest is first, and it is the last that was told.
    assert page.locator(".tail a").first.get_attribute("href").endswith(f"{400:032x}")
    page.get_by_role("button", name="Clear").click()
    assert rows(page) == 0


def test_a_connection_that_breaks_is_said_and_tried_again(tabs):
    page = told(tabs, NEVER + event("end", {"message": "the server stops"}))
    page.locator(".tail-state", has_text="the server stops").wait_for()
    page = told(tabs, "retry: 50\n\n" + event("trace", trace(1)))
    page.locator(".tail li").nth(3).wait_for()
    assert "connect" in page.locator(".tail-state").inner_text().lower()


def test_hostile_names_are_text(tabs, accessible):
    name = "<img src=x onerror=alert(1)>" * 9
    page = told(tabs, NEVER + event("trace", trace(1, 2, name)), size=(420, 860), language="zh-CN")
    page.locator(".tail b", has_text="onerror").wait_for()
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    accessible(page)
