# SPDX-License-Identifier: Apache-2.0
"""The overview: what it says is what the interface counts, and every number leads to its traces."""

import re
import time
import urllib.parse

import pytest
from test_page import THEMES, api, drag, parameters, traces, until

MINUTE = 60_000_000_000


def overview(page):
    """Waits until the entries of the demo are there."""
    page.locator(".entries tbody tr").first.wait_for()


def query(page):
    return parameters(page)["q"][0]


@pytest.mark.parametrize("theme", THEMES)
def test_it_says_how_it_goes_and_axe_finds_nothing(tabs, picture, accessible, theme):
    page = tabs.open("/", theme=theme)
    overview(page)
    assert re.search(r"Last hour: .* answered [\d.,k]+ calls?", page.locator(".says-all").inner_text())
    picture(page, f"overview-{theme}")
    accessible(page)
    assert page.evaluate("document.querySelectorAll('*').length") < 700


def test_entries_are_what_no_other_service_calls(tabs, base):
    page = tabs.open("/?last=15m")
    overview(page)
    called = {edge["child"] for edge in api(base, "/totals/edges?last=15m")["edges"]}
    services = page.locator(".entries .name .service").all_inner_texts()
    assert "gateway" in {name.strip() for name in services}
    assert "payment" in called and "payment" not in {name.strip() for name in services}


def test_a_rate_leads_to_its_traces_and_back(tabs):
    page = tabs.open("/?last=15m")
    overview(page)
    row = page.locator(".entries tbody tr").first
    operation = row.locator(".name b").inner_text()
    row.locator("a.number").first.click()
    traces(page)
    assert f'name = "{operation}"' in query(page) and parameters(page)["last"] == ["15m"]
    page.go_back()
    overview(page)


def test_a_box_dragged_in_the_heat_map_asks_for_its_traces(tabs):
    page = tabs.open("/?last=15m&live=0")
    overview(page)
    until(page, "Number(document.querySelector('.heat .area').getAttribute('aria-valuemax')) > 5")
    drag(page, ".heat .area", 0.5, 0.98)
    page.wait_for_url("**/search?**")
    assert re.search(r"duration >= \d+ns && duration < \d+ns", query(page))
    window = {name: int(parameters(page)[name][0]) for name in ("from", "to")}
    assert 0 < window["to"] - window["from"] <= 16 * 60_000
    assert parameters(page)["order"] == ["slowest"]


def test_by_keyboard_alone_from_an_entry_to_its_page_and_from_the_map_to_its_traces(tabs):
    page = tabs.open("/?last=15m&live=0")
    overview(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('.entries') !== null")
    page.keyboard.press("Enter")
    page.wait_for_url("**/services/**")
    page.locator(".page-head h1").wait_for()
    page.keyboard.press("g")
    page.keyboard.press("o")
    overview(page)
    page.keyboard.press("2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    said = page.locator(".heat .area").get_attribute("aria-valuetext")
    assert re.search(r"\d\d:\d\d – \d\d:\d\d, .* calls", said)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    assert "duration >=" in query(page)


def test_what_is_selected_by_time_and_sorting_is_restored_in_a_fresh_tab(tabs):
    now = time.time_ns() // 1_000_000
    page = tabs.open(f"/?from={now - 600_000}&to={now}")
    overview(page)
    fresh = tabs.open(page.url[len(tabs.base):])
    overview(fresh)
    rows = "[...document.querySelectorAll('.entries .name')].map((name) => name.textContent)"
    assert fresh.evaluate(rows) == page.evaluate(rows)
    assert fresh.locator("#range").inner_text() == page.locator("#range").inner_text()


def test_chinese_on_a_narrow_screen_fits(tabs, picture):
    page = tabs.open("/", language="zh-CN", theme="dark", size=(420, 900))
    overview(page)
    assert "最近 1 小时" in page.locator(".says-all").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, "overview-narrow-zh")


def answer(route, name, lines, reasons=()):
    now = time.time_ns() // MINUTE * MINUTE
    route.fulfill(json={
        "startTimeUnixNano": str(now - 60 * MINUTE), "endTimeUnixNano": str(now),
        "stepNanos": None, "quantiles": [0.5, 0.99], name: lines, "complete": not reasons,
        "incompleteReasons": list(reasons)})


def line(service, operation, calls, errors, p99, **more):
    steps = [{"callCount": calls // 10, "errorCount": errors // 10, "durationSumNanos": "1",
              "longestNanos": str(p99), "quantileNanos": [str(p99 // 10), str(p99)]}] * 10
    return {"service": service, "operation": operation, "kind": None, "callCount": calls,
            "errorCount": errors, "durationSumNanos": "1", "longestNanos": str(p99),
            "quantileNanos": [str(p99 // 10), str(p99)], "reportedCount": 0, "steps": steps, **more}


HOSTILE = "<img src=x onerror=alert(1)>"


def test_what_fails_more_and_what_is_new_stands_out_and_names_are_text(tabs, accessible):
    page = tabs.open("/search")
    before = [line("shop", "buy", 2000, 10, 50_000_000)]
    now = [line("shop", "buy", 2000, 300, 51_000_000), line(HOSTILE, HOSTILE, 900, 0, 9_000_000)]

    def operations(route):
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(route.request.url).query)
        old = time.time_ns() - int(asked["end"][0]) > 30 * MINUTE
        answer(route, "operations", before if old else now, () if old else ["disk 2 is slow"])

    page.route("**/totals/operations?*", operations)
    page.route("**/totals/edges?*", lambda route: answer(route, "edges", []))
    page.goto(tabs.base + "/?live=0")
    overview(page)
    assert "0.50% before, 15.0% now" in page.locator(".says-why").inner_text()
    assert page.locator(".state.bad").count() == 1
    assert HOSTILE in page.locator(".new").inner_text()
    assert page.locator("main img").count() == 0
    assert "disk 2 is slow" in page.locator(".incomplete").inner_text()
    accessible(page)


def refusal(route):
    route.fulfill(status=503, json={"error": {"code": 503, "message": "too many questions"}})


@pytest.mark.parametrize("path", ["/", "/services"])
def test_a_question_that_is_refused_leaves_the_answers_to_the_others(tabs, path):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/search")
    page.route("**/totals/edges?*", refusal)
    page.goto(f"{tabs.base}{path}?live=0")
    page.locator("tbody .name", has_text="gateway").first.wait_for()
    assert "too many questions" in page.locator(".incomplete").inner_text()


def test_a_heat_map_that_cannot_be_counted_whole_is_put_together_from_totals(tabs):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/search")
    page.route("**/api/skein/v1/metrics?*", refusal)
    page.goto(tabs.base + "/?last=15m&live=0")
    overview(page)
    area = page.locator(".heat .area")
    until(page, "Number(document.querySelector('.heat .area').getAttribute('aria-valuemax')) > 5")
    area.focus()
    page.keyboard.press("ArrowLeft")
    assert "about" in area.get_attribute("aria-valuetext")
    page.route("**/totals/operations?*quantiles=0%2C0.05*", refusal)
    page.reload()
    overview(page)
    assert "too many questions" in page.locator(".incomplete").inner_text()


def test_a_failure_says_what_to_do_and_trying_again_helps(tabs):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/search")
    page.route("**/totals/*?*", refusal)
    page.goto(tabs.base + "/?live=0")
    page.locator(".notice").wait_for()
    assert "too many questions" in page.locator(".notice").inner_text()
    page.unroute("**/totals/*?*")
    page.locator(".notice button").click()
    overview(page)


def test_waiting_shows_the_shape_then_how_long_and_can_be_stopped(tabs):
    page = tabs.open("/search")
    held = []
    page.route("**/totals/edges?*", lambda route: held.append(route))
    page.goto(tabs.base + "/?live=0")
    page.locator(".skeleton").wait_for()
    page.locator(".progress button").click()
    page.locator(".notice").wait_for()
    assert "Stopped" in page.locator(".notice").inner_text()
    page.unroute("**/totals/edges?*")
    page.locator(".notice button").click()
    overview(page)
