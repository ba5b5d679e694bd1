# SPDX-License-Identifier: Apache-2.0
"""The search page: form and TraceQL, completion, charts and their box, tabs, marks, export."""

import json
import re
import urllib.parse

import pytest
from test_page import HOSTILE, api, parameters, settled_list, traces, until, until_address

TABS = ("spans", "groups", "differences")


def query(page):
    return page.locator("#query").input_value()


def write(page, text):
    page.locator("#query").fill("")
    page.locator("#query").press_sequentially(text)


def search(text, **more):
    return "/search?" + urllib.parse.urlencode({"q": text, **more})


def in_module(page, code):
    """The value of JavaScript that has `m`, the module of queries."""
    return page.evaluate(f"import('/modules/query-text.js').then(m => {code})")


def test_the_form_writes_the_query_and_the_query_fills_the_form(tabs):
    page = tabs.open("/search?service=order&status=error&tag=order.id%3D17&last=6h")
    page.locator("#query").wait_for()
    assert query(page) == (
        '{ resource.service.name = "order" && (.order.id = "17" || .order.id = 17)'
        " && status = error }")
    page.select_option("#kind", "server")
    until_address(page, "kind", "server")
    assert "kind = server" in query(page)
    write(page, '{ resource.service.name = "stock" && duration >= 1ms && kind = client }')
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    until_address(page, "service", "stock")
    assert parameters(page) == {
        "service": ["stock"], "minDuration": ["1ms"], "kind": ["client"], "last": ["6h"]}
    assert page.locator("#service").input_value() == "stock"
    assert page.locator("#min-duration").input_value() == "1ms"
    assert page.locator("#kind").input_value() == "client"


def test_what_the_form_writes_it_reads_again(tabs):
    page = tabs.open("/trace/not-an-id")
    page.locator(".notice").wait_for()
    for asked in (
        {}, {"service": 'a "b" \\ c'}, {"operation": "GET /{id} && x = 1"}, {"tag": "a=true"},
        {"tag": "resource:host.name=x y"}, {"tag": "a=-1.5"}, {"tag": "a=" + HOSTILE},
        {"minDuration": "1.5s", "maxTraceDuration": "2m", "kind": "consumer", "status": "ok"},
    ):
        given = json.dumps(urllib.parse.urlencode(asked))
        back = in_module(
            page, f"m.paramsOf(m.textOf(new URLSearchParams({given}))).toString()")
        assert dict(urllib.parse.parse_qsl(back)) == asked
    for text in ("{ a", "{ } >> { }", "{ duration > 1s }", "{ .a = 1 }", "{ .a = nil } | count() > 1",
                 "{ status = error || kind = server }", "", "{ name = \"a\" && name = \"b\" }"):
        assert in_module(page, f"m.paramsOf({json.dumps(text)})") is None, text


def test_a_query_beyond_the_form_says_so_and_finds(tabs):
    page = tabs.open(search("{ } >> { status = error }", last="6h"))
    traces(page)
    assert page.locator(".beyond").is_visible()
    assert not page.locator("#service").is_visible()
    assert re.search(r"\d+ traces and [\d,]+ spans read", page.locator(".examined").inner_text())


def test_a_mistake_is_underlined_where_it_is(tabs, accessible, picture):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open(search('{ name = "😀" && status == error }'))
    page.locator(".marks u").wait_for()
    before = page.evaluate("document.querySelector('.marks u').previousSibling.textContent")
    assert before == '{ name = "😀" && status ='
    assert "write one =" in page.locator(".query-says").inner_text()
    assert page.locator("#query").get_attribute("aria-invalid") == "true"
    accessible(page)
    picture(page, "search-mistake")
    write(page, "{ status = error }")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    traces(page)
    assert page.locator(".marks u").count() == 0


def test_a_query_is_completed_by_keys_alone(tabs, accessible):
    page = tabs.open("/search?last=6h")
    traces(page)

    def choose(text, offer):
        page.keyboard.type(text)
        first = page.locator("#query-offers li", has_text=re.compile(f"^{re.escape(offer)}$"))
        first.wait_for()
        place = first.evaluate("item => [...item.parentNode.children].indexOf(item)")
        for _ in range(place + 1):
            page.keyboard.press("ArrowDown")
        assert first.get_attribute("aria-selected") == "true"
        page.keyboard.press("Enter")

    page.locator("#query").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    choose("", "{ ")
    choose("resource.serv", "resource.service.name")
    choose("", "=")
    accessible(page)
    choose("", '"payment"')
    choose("", "&&")
    choose("stat", "status")
    choose("= ", "error")
    choose("", "}")
    assert query(page) == '{ resource.service.name = "payment" && status = error } '
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    until_address(page, "service", "payment")
    until_address(page, "status", "error")


@pytest.mark.parametrize("order", ["oldest", "slowest", "fastest", "spans"])
def test_the_list_has_the_order_that_is_asked_for(tabs, base, order):
    page = tabs.open("/search")
    settled_list(page, "&service=payment")
    page.locator(".list-head select").select_option(order)
    until_address(page, "order", order)
    until(page, "!document.querySelector('.stage').classList.contains('busy')")
    asked = page.locator("a.trace").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    found = []
    for href in asked[:6]:
        trace = re.search(r"[0-9a-f]{32}", href)[0]
        spans = page.evaluate(
            "id => fetch(`/api/skein/v1/traces/${id}`).then(r => r.json())", trace)
        all_spans = [span for resource in spans["resourceSpans"]
                     for scope in resource["scopeSpans"] for span in scope["spans"]]
        start = min(int(span["startTimeUnixNano"]) for span in all_spans)
        end = max(int(span["endTimeUnixNano"]) for span in all_spans)
        found.append({"oldest": start, "fastest": end - start, "slowest": start - end,
                      "spans": -len(all_spans)}[order])
    assert len(found) > 1 and found == sorted(found)


def test_a_box_over_the_heat_map_narrows_the_search_or_is_told_apart(tabs, accessible):
    page = tabs.open("/search?service=order&last=15m&live=0")
    page.locator(".search-charts .area").nth(1).wait_for()
    area = page.locator(".search-charts .area").nth(1)
    until(page, "document.querySelectorAll('.search-charts .area')[1].ariaValueText !== null")
    area.focus()
    page.keyboard.press("End")
    for key in ("Shift+ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    until_address(page, "box")
    start, end, least, below = map(int, parameters(page)["box"][0].split("-"))
    assert start < end and least < below
    assert page.evaluate("document.activeElement.textContent") == "Only these"
    accessible(page)
    fresh = tabs.open(page.url[len(tabs.base):])
    fresh.locator(".box-line a", has_text="What is different").click()
    until_address(fresh, "tab", "differences")
    fresh.locator(".stage .says").wait_for()
    assert "all others" in fresh.locator(".stage .says").inner_text()
    page.keyboard.press("Enter")
    until_address(page, "minDuration", f"{least + 1}ns")
    assert parameters(page) == {
        "service": ["order"], "minDuration": [f"{least + 1}ns"], "maxDuration": [f"{below}ns"],
        "from": [str(start)], "to": [str(end)], "live": ["0"]}


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_tabs_stand_in_the_address_and_are_clean(tabs, accessible, picture, tab, theme):
    page = tabs.open(f"/search?last=6h&tab={tab}", theme=theme)
    page.locator(".stage .table tbody tr, .difference").first.wait_for()
    assert page.locator(".tabs [aria-current]").get_attribute("href").endswith(f"tab={tab}")
    page.locator(".search-charts .area").first.wait_for()
    accessible(page)
    picture(page, f"search-{tab}-{theme}")


def test_groups_count_and_lead_to_their_traces(tabs):
    page = tabs.open("/search?last=6h&tab=groups&by=status")
    row = page.locator(".table tbody tr", has=page.locator("b", has_text=re.compile("^error$")))
    row.wait_for()
    # In one look: the numbers grow.
    spans, errors = row.locator("td").all_inner_texts()[1:3]
    assert errors == f"{spans} · 100%"
    page.locator("#by").fill("kind")
    page.keyboard.press("Enter")
    until_address(page, "by", "kind")
    page.locator(".table a", has_text="consumer").click()
    until_address(page, "kind", "consumer")
    traces(page)


def test_two_marked_traces_lead_to_their_comparison_by_keys(tabs):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open()
    settled_list(page)
    ids = [re.search(r"[0-9a-f]{32}", href)[0] for href in traces(page).evaluate_all(
        "all => all.map(a => a.getAttribute('href'))")]
    for key in "jxjx":
        page.keyboard.press(key)
    assert parameters(page)["mark"] == ids[:2]
    fresh = tabs.open(page.url[len(tabs.base):])
    fresh.locator(".marked a").wait_for()
    fresh.locator(".pick[aria-pressed=true]").nth(1).wait_for()
    page.keyboard.press("v")
    page.wait_for_url(f"**/compare?a={ids[0]}&b={ids[1]}")


def test_what_is_found_can_be_taken_away(tabs):
    page = tabs.open(search("{ status = error } >> { }", last="6h"))
    traces(page)
    there = urllib.parse.urlsplit(page.locator(".exports a").get_attribute("href"))
    assert there.path == "/api/skein/v1/export"
    assert urllib.parse.parse_qs(there.query) == {"q": ["{ status = error } >> { }"], "last": ["6h"]}
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    lines = open(download.value.path(), encoding="utf-8-sig").read().splitlines()
    assert lines[0].startswith("traceId,rootService") and len(lines) > 1


def test_a_condition_can_be_dropped_when_nothing_is_found(tabs):
    page = tabs.open(search('{ status = error && .never.there = 1 && duration > 1ns }', last="6h"))
    page.get_by_role("link", name="without .never.there = 1").click()
    traces(page)
    assert query(page) == "{ status = error && duration > 1ns }"


def test_values_from_spans_are_text_in_every_tab(tabs):
    page = tabs.open("/trace/not-an-id")
    span = {"spanId": "cd" * 8, "name": HOSTILE, "service": HOSTILE, "durationNanos": "5",
            "startTimeUnixNano": "1790000000000000000", "values": []}
    page.route("**/api/skein/v1/traces?*", lambda route: route.fulfill(json={
        "traces": [{"traceId": "ab" * 16, "spansets": [{"keys": [], "spanCount": 1,
                                                         "spans": [span]}]}],
        "cursor": None, "complete": False, "incompleteReasons": [HOSTILE]}))

    def series(side):
        labels = [{"name": HOSTILE, "type": "string", "value": HOSTILE}]
        if side:
            labels.insert(0, {"name": "__meta_type", "type": "string", "value": side})
        return {"labels": labels, "values": [9 if side != "baseline" else 1], "exemplars": []}

    page.route("**/api/skein/v1/metrics?*", lambda route: route.fulfill(json={
        "startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": "1790000060000000000",
        "stepNanos": "60000000000", "complete": False, "incompleteReasons": [HOSTILE],
        "series": [series(side) for side in ("selection", "baseline", "selection_total",
                                             "baseline_total")]
        if "compare" in route.request.url else [series("")]}))
    for tab in TABS:
        page.goto(f"{tabs.base}/search?tab={tab}&by={urllib.parse.quote(HOSTILE)}")
        page.locator(".stage .strip.warn").wait_for()
        assert HOSTILE in page.locator(".stage").inner_text()
        assert page.locator("main img, main script").count() == 0


def test_keys_open_the_tabs_and_a_narrow_screen_fits(tabs, picture):
    page = tabs.open("/search?last=6h", size=(420, 900), language="zh-CN")
    traces(page)
    for at, tab in enumerate(TABS):
        page.keyboard.press(str(at + 2))
        until_address(page, "tab", tab)
        page.locator(".stage .table, .difference").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        picture(page, f"search-{tab}-narrow-zh")


def test_tables_of_tabs_are_walked_by_keys(tabs):
    page = tabs.open("/search?last=6h&tab=groups")
    page.locator(".table tbody tr").nth(1).wait_for()
    page.keyboard.press("j")
    page.keyboard.press("j")
    name = page.locator(".table tbody tr").nth(1).locator("b").inner_text()
    page.keyboard.press("Enter")
    until_address(page, "service", name)


def test_a_search_that_was_stopped_says_so_and_goes_on(tabs):
    page = tabs.open("/trace/not-an-id")
    asked = []

    def answer(route):
        asked.append(route.request.url)
        route.fulfill(json={
            "traces": [{
                "traceId": f"{len(asked):032x}", "rootService": "one", "rootOperation": "work",
                "startTimeUnixNano": "1790000000000000000", "durationNanos": "5", "spanCount": 1,
                "errorCount": 0, "services": [], "matchedSpanIds": []}],
            "cursor": "further", "complete": False, "examinedTraces": 41, "examinedSpans": 690,
            "incompleteReasons": ["it took longer than 10 s"]})

    page.route("**/api/skein/v1/traces?*", answer)
    page.goto(tabs.base + search("{ status = error }", live="0"))
    page.locator(".list-foot button", has_text="Continue").wait_for()
    assert "longer than 10 s" in page.locator(".strip.warn").inner_text()
    assert page.locator(".examined").inner_text() == "41 traces and 690 spans read"
    page.locator(".list-foot button").click()
    page.locator("a.trace").nth(1).wait_for()
    assert "cursor=further" in asked[-1]


def test_a_page_that_is_left_gives_up_what_it_asks(tabs):
    page = tabs.open("/search")
    traces(page)
    given_up = []
    page.on("requestfailed", lambda request: given_up.append(request.url))
    page.route("**/api/skein/v1/traces?*", lambda route: None)
    page.keyboard.press("r")
    until(page, "document.querySelector('.stage.busy') !== null")
    page.keyboard.press("g")
    page.keyboard.press("y")
    page.locator(".receiving tbody tr").first.wait_for()
    assert any("/traces?" in url for url in given_up)


@pytest.mark.parametrize("order", ["constructor", "__proto__", "toString"])
def test_an_order_that_is_none_is_the_usual_one(tabs, order):
    page = tabs.open(f"/search?order={order}")
    traces(page)
    assert page.locator(".list-head select").input_value() == "newest"


def test_spans_go_on_in_the_order_of_their_traces_and_say_how_many_there_are(tabs, base):
    page = tabs.open("/search?last=6h&tab=spans&service=stock&order=oldest&live=0")
    page.locator(".stage tbody tr").first.wait_for()
    assert re.search(r"\d+ spans? · traces: Oldest 100; more exist",
                     page.locator(".stage .says").inner_text())
    rows = page.locator(".stage table").get_attribute("aria-rowcount")
    page.get_by_role("button", name="Show 100 more").press("Enter")
    until(page, "before => document.querySelector('.stage table').getAttribute('aria-rowcount')"
                " !== before", rows)
    assert "Oldest 200; more exist" in page.locator(".stage .says").inner_text()
    first = [each["spanId"] for trace in api(base, "/traces?last=6h&limit=1&spans=50&q=" +
             urllib.parse.quote('{ resource.service.name = "stock" } order by trace:start asc')
             )["traces"] for set in trace["spansets"] for each in set["spans"]]
    assert first[0] in page.locator(".stage a.name").first.get_attribute("href")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    lines = open(download.value.path(), encoding="utf-8-sig").read().splitlines()
    shown = int(page.locator(".stage table").get_attribute("aria-rowcount"))
    assert len(lines) == shown
    page.get_by_role("button", name="Span duration").click()
    until_address(page, "sort", "-duration")
