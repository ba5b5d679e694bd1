# SPDX-License-Identifier: Apache-2.0
"""The frame around every page: navigation, time range, keys, and what the address says of them."""

import re
import time
import urllib.parse

from test_page import parameters, traces, until, until_address


def range_shown(page):
    return page.locator("#range").inner_text().strip()


def test_the_time_range_is_chosen_by_keys_and_restored_from_the_address(tabs):
    page = tabs.open("/search")
    traces(page)
    assert range_shown(page) == "Last hour"
    page.keyboard.press("t")
    assert page.locator(".range-panel").is_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    until_address(page, "last", "15m")
    assert range_shown(page) == "Last 15 minutes"
    fresh = tabs.open(page.url[len(tabs.base):])
    assert range_shown(fresh) == "Last 15 minutes"
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('.range-panel').hidden")
    assert page.evaluate("document.activeElement.id") == "range"


def test_brackets_lead_to_the_window_before_and_back_to_now(tabs):
    page = tabs.open("/search?last=15m")
    page.locator("#range").wait_for()
    page.keyboard.press("[")
    until_address(page, "from")
    window = {name: int(parameters(page)[name][0]) for name in ("from", "to")}
    assert window["to"] - window["from"] == 15 * 60_000
    assert abs(time.time() * 1000 - 15 * 60_000 - window["to"]) < 60_000
    page.keyboard.press("]")
    until_address(page, "last", "15m")


def test_a_time_of_ones_own_must_begin_before_it_ends(tabs):
    page = tabs.open("/search")
    page.locator("#range").click()
    page.fill("#range-from", "2026-01-02T10:00:00")
    page.fill("#range-to", "2026-01-02T09:00:00")
    page.keyboard.press("Enter")
    assert page.locator(".range-panel .complaint").is_visible()
    page.fill("#range-to", "2026-01-02T10:30:00")
    page.keyboard.press("Enter")
    until_address(page, "from")
    assert int(parameters(page)["to"][0]) - int(parameters(page)["from"][0]) == 30 * 60_000


def test_an_address_that_is_no_time_range_says_what_was_dropped(tabs):
    page = tabs.open("/search?from=soon&last=15q")
    strip = page.locator(".dropped")
    strip.wait_for()
    assert "from=soon" in strip.inner_text() and "last=15q" in strip.inner_text()
    assert range_shown(page) == "Last hour"


def test_g_and_a_letter_open_pages_and_keep_the_range(tabs):
    page = tabs.open("/trace/not-an-id?last=6h")
    page.locator(".notice").wait_for()
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/search?last=6h")
    assert page.locator(".pages [aria-current=page]").inner_text() == "Search"
    page.go_back()
    page.locator(".notice").wait_for()


def test_a_copied_link_has_fixed_times(tabs):
    page = tabs.open("/search?service=order&last=3h")
    page.locator("#range").wait_for()
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.keyboard.press("c")
    page.locator(".toast", has_text="copied").wait_for()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(page.evaluate("window.copied")).query)
    assert query["service"] == ["order"] and "last" not in query
    assert int(query["to"][0]) - int(query["from"][0]) == 3 * 3_600_000


def test_an_old_address_of_a_search_still_finds(tabs):
    end = str(time.time_ns())
    page = tabs.open(f"/?service=order&start={int(end) - 10**15}&end={end}")
    page.wait_for_url("**/search?service=order&**")
    traces(page)
    assert re.search(r"\d{2}:\d{2} – ", range_shown(page))


def test_the_help_names_every_page_that_a_key_opens(tabs):
    page = tabs.open("/search")
    page.locator(".pages a").first.wait_for()
    page.keyboard.press("?")
    keys = page.locator("dialog .keys-everywhere dt").all_inner_texts()
    titles = page.locator(".pages a").evaluate_all("all => all.map(a => a.title)")
    assert titles
    for title in titles:
        letter = re.search(r"\(g (\w)\)", title).group(1)
        assert any(re.fullmatch(rf"g\s*{letter}", key) for key in keys)


def test_embedded_there_is_the_page_alone(tabs):
    page = tabs.open("/search?embed=1")
    traces(page)
    assert not page.locator(".top").is_visible() and not page.locator(".second").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()


def test_an_unknown_address_leads_on(tabs):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/search")
    page.evaluate("history.pushState(null, '', '/search/nothing/here')")
    page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
    page.locator(".notice a.primary").click()
    page.wait_for_url(tabs.base + "/")


def test_a_refresh_leaves_a_question_that_still_runs_alone(tabs):
    page = tabs.open("/search")
    traces(page)
    held = []
    page.route("**/totals/edges?*", lambda route: held.append(route))
    page.goto(tabs.base + "/services")
    until(page, "document.querySelector('.skeleton') !== null")
    for _ in range(3):
        page.keyboard.press("r")
    page.locator(".time button[title*='(r)']").click()
    assert len(held) == 1
    held[0].continue_()
    page.locator(".services tbody tr").first.wait_for()
    assert len(held) == 1
