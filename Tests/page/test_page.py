# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser against a running `skein demo`: one of its own, or that of SKEIN_URL.

    SKEIN_URL=http://127.0.0.1:16686 .venv/bin/python -m pytest Tests/page
"""

import functools
import json
import re
import time
import urllib.parse
import urllib.request

import large
import pytest

THEMES = ("light", "dark")
WAIT_SECONDS_MAX = 30
SETTLED_NANOS = 6_000_000_000


def api(base, path):
    with urllib.request.urlopen(f"{base}/api/skein/v1{path}", timeout=30) as response:
        return json.load(response)


def until(page, condition, argument=None):
    """Waits for a condition of the page. Playwright's own wait would evaluate a string inside the
    page, which the page's content policy forbids."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not page.evaluate(condition, argument):
        assert time.monotonic() < deadline, f"never true at {page.url}: {condition}"
        page.wait_for_timeout(20)  # Between two looks; the loop ends by the deadline.


def until_address(page, name, value=None):
    """Waits until the address has a parameter, of this value where one is given."""
    until(page, """([name, value]) => {
        const now = new URLSearchParams(location.search);
        return value === null ? now.has(name) : now.get(name) === value;
    }""", [name, value])


def traces(page):
    """The links of the list, once the demo's traces are there."""
    page.wait_for_selector("a.trace")
    return page.locator("a.trace")


def settled_list(page, more=""):
    """Lists traces with an order so old that none of their spans is on its way."""
    end = str(time.time_ns() - SETTLED_NANOS)
    there = urllib.parse.urlsplit(page.url)
    base = f"{there.scheme}://{there.netloc}"
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not api(base, f"/traces?start=0&end={end}&service=payment&limit=1")["traces"]:
        assert time.monotonic() < deadline, "the demo made no order"
        page.wait_for_timeout(200)  # Between two looks; the loop ends by the deadline.
        end = str(time.time_ns() - SETTLED_NANOS)
    page.goto(f"{base}/search?from=0&to={int(end) // 1_000_000}{more}")
    traces(page)


def open_order(page):
    """Follows a settled trace of an order into the trace view."""
    settled_list(page)
    page.locator("a.trace", has=page.locator(".chip:nth-of-type(3)")).first.click()
    page.wait_for_selector(".row:not([hidden])")
    page.wait_for_url(re.compile(r"/trace/[0-9a-f]{32}"))


def select(page, place):
    """Clicks the row at a place of the view; waits until its span is shown and in the address."""
    row = page.locator(f".row[aria-rowindex='{place + 1}']")
    row.locator(".names b").click()
    page.wait_for_selector(f".row.selected[aria-rowindex='{place + 1}']")
    page.wait_for_selector(".panel .section")
    until_address(page, "sel")


def parameters(page):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)


def drag(page, selector, start, end):
    """Drags over an element between two shares of its width."""
    box = page.locator(selector).bounding_box()
    y = box["y"] + min(box["height"], 400) / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, y, steps=4)
    page.mouse.move(box["x"] + box["width"] * end, y, steps=4)
    page.mouse.up()


@pytest.mark.parametrize("theme", THEMES)
def test_demo_traces_appear_and_say_what_the_list_is(tabs, picture, theme):
    page = tabs.open(theme=theme)
    traces(page)
    says = page.locator(".says").inner_text()
    assert re.fullmatch(r"(Newest|All) \d+ · (more exist|complete)|The only one · complete", says)
    shown = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", shown)[:3])) > 382) == (theme == "light")
    picture(page, f"search-{theme}")


def test_new_traces_arrive_by_themselves(tabs):
    page = tabs.open()
    first = traces(page).first.get_attribute("href")
    until(page, "href => document.querySelector('a.trace').getAttribute('href') !== href", first)


@pytest.mark.parametrize("theme", THEMES)
def test_a_trace_is_opened_zoomed_and_a_span_selected(tabs, picture, theme):
    page = tabs.open(theme=theme)
    open_order(page)
    assert page.locator("[role=treegrid]").get_attribute("aria-rowcount") != "0"
    picture(page, f"trace-{theme}")
    drag(page, ".map", 0.2, 0.6)
    until_address(page, "z")
    start, end = map(float, parameters(page)["z"][0].split("-"))
    assert start == pytest.approx(0.2, abs=0.02) and end == pytest.approx(0.6, abs=0.02)
    select(page, 1)
    assert page.locator(".row.selected").count() == 1
    assert page.locator(".panel .attribute").count() > 0
    picture(page, f"span-{theme}")


def test_dragging_over_the_bars_zooms(tabs):
    page = tabs.open()
    open_order(page)
    drag(page, ".rows", 0.6, 0.8)
    until_address(page, "z")
    page.keyboard.press("0")
    until(page, "!new URLSearchParams(location.search).has('z')")


def test_the_address_restores_everything_in_a_fresh_tab(tabs):
    page = tabs.open()
    open_order(page)
    drag(page, ".map", 0.1, 0.7)
    page.keyboard.press("f")
    page.keyboard.type("order")
    page.locator(".legend .chip").first.click()
    page.locator(".row[aria-rowindex='3'] .fold").click()
    select(page, 1)
    for name in ("z", "sel", "shut", "q", "svc"):
        until_address(page, name)
    state = """() => ({
        window: document.querySelector('.window').style.cssText,
        selected: document.querySelector('.row.selected')?.getAttribute('aria-rowindex'),
        rows: document.querySelector('.rows').getAttribute('aria-rowcount'),
        found: document.getElementById('find').value,
        service: document.querySelector('.legend [aria-pressed=true]')?.textContent,
        title: document.querySelector('.panel h2').textContent,
        query: location.search,
    })"""
    before = page.evaluate(state)
    assert before["selected"] and before["service"] and before["found"] == "order"
    fresh = tabs.open(page.url[len(tabs.base):])
    fresh.wait_for_selector(".panel .attribute")
    fresh.wait_for_selector(".row.selected")
    assert fresh.evaluate(state) == before


def test_a_trace_that_grew_shows_the_span_that_was_clicked(tabs):
    page = tabs.open("/trace/not-an-id")
    trace = "ab" * 16
    # First four spans; then a span arrives that stands between, and the later rows move down.
    old, grown = chain(["root", "b", "c", "d"]), chain(["root", "a", "b", "c", "d"])
    answers = [old]

    def span(route):
        place = int(route.request.url.rsplit("/", 1)[1])
        name, start = grown[place]
        answers.append(grown)
        route.fulfill(json={
            "row": place, "traceId": trace, "spanId": f"{place:015x}f", "parentSpanId": "",
            "name": name, "service": "one", "kind": "server", "traceState": "", "scope": {},
            "startTimeUnixNano": str(T0 + start), "endTimeUnixNano": str(T0 + start + 10),
            "status": {"code": "unset", "message": ""}, "attributes": [], "resource": [],
            "events": [], "links": [], "droppedAttributes": 0, "droppedEvents": 0,
            "droppedLinks": 0, "warnings": [],
        })

    page.route(re.compile(r"/spans/\d{1,4}$"), span)
    without_analysis(page)
    page.route("**/traces/*?format=columns", lambda route: route.fulfill(
        body=chain_columns(answers[-1]), content_type="application/octet-stream"))
    page.goto(f"{tabs.base}/trace/{trace}")
    page.locator(".row[aria-rowindex='3'] .names b").click()
    page.wait_for_selector(".row.selected[aria-rowindex='4']")
    page.wait_for_selector(".panel .section")
    assert page.locator(".panel h2").inner_text() == "c"
    until_address(page, "row", "3")


T0 = 1_790_000_000_000_000_000


def chain(names):
    """Spans one inside the other: their names, and their starts by the letter."""
    return [(name, 0 if name == "root" else ord(name) - 90) for name in names]


def chain_columns(spans):
    """The columns of such a chain."""
    count = len(spans)
    rows = range(count)
    return trv1(
        [name for name, _ in spans], [start for _, start in spans], [10 - row for row in rows],
        [row - 1 for row in rows], list(rows), [0] * count, list(rows), [0] * count)


def test_a_stale_row_in_the_address_yields_to_the_span_id(tabs):
    page = tabs.open()
    open_order(page)
    select(page, 2)
    chosen = parameters(page)
    assert chosen["row"] == ["2"]
    trace = urllib.parse.urlsplit(page.url).path
    for stale in (f"?sel={chosen['sel'][0]}", f"?sel={chosen['sel'][0]}&row=0"):
        fresh = tabs.open(trace + stale)
        fresh.wait_for_selector(".row.selected")
        assert fresh.locator(".row.selected").get_attribute("aria-rowindex") == "3"


def test_a_tag_of_a_span_leads_to_all_its_traces(tabs):
    page = tabs.open()
    open_order(page)
    page.keyboard.press("f")
    page.keyboard.type("order")
    page.keyboard.press("Enter")
    tag = page.locator(".attribute", has=page.locator("dt", has_text="order.id")).first
    tag.wait_for()
    value = tag.locator(".value").inner_text()
    tag.hover()
    tag.locator("a.copy").click()
    traces(page)
    assert parameters(page)["tag"] == [f"order.id={value}"]
    assert page.locator(".tag").inner_text().strip() == f"order.id={value}"


def test_the_form_asks_and_the_address_answers(tabs):
    page = tabs.open()
    traces(page)
    page.select_option("#service", "order")
    page.wait_for_url("**/search?service=order")
    page.fill("#min-duration", "1ms")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?service=order&minDuration=1ms")
    page.fill("#max-duration", "soon")
    page.keyboard.press("Enter")
    assert page.locator(".complaint").is_visible()
    page.fill("#max-duration", "")
    page.get_by_text("Errors", exact=True).click()
    page.wait_for_url("**/search?service=order&minDuration=1ms&status=error")
    page.go_back()
    until(page, "!location.search.includes('status')")
    assert page.locator("#service").input_value() == "order"


def test_a_longer_list_is_paged_without_gaps_or_doubles(tabs, base):
    page = tabs.open("/search?last=1h&live=0")
    count = traces(page).count()
    if page.locator(".list-foot button").count() == 0:
        pytest.skip("the demo has made fewer traces than one page holds so far")
    page.locator(".list-foot button").click()
    until(page, "n => document.querySelectorAll('a.trace').length > n", count)
    links = page.locator("a.trace").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert len(links) == len(set(links))


def test_keys_move_through_list_and_trace(tabs):
    page = tabs.open()
    settled_list(page, "&service=payment")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".row:not([hidden])")
    page.keyboard.press("Home")
    page.keyboard.press("j")
    until_address(page, "row", "1")
    rows = page.locator("[role=treegrid]").get_attribute("aria-rowcount")
    page.keyboard.press("C")
    until(page, "n => document.querySelector('.rows').getAttribute('aria-rowcount') !== n", rows)
    page.keyboard.press("X")
    until(page, "n => document.querySelector('.rows').getAttribute('aria-rowcount') === n", rows)
    page.keyboard.press("?")
    assert page.locator("dialog.help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    until(page, "!location.search.includes('sel')")
    page.keyboard.press("Escape")
    page.wait_for_selector("a.trace")


def test_theme_and_language_are_kept(tabs, picture):
    page = tabs.open()
    traces(page)
    page.click("#theme")
    page.click("#theme")
    page.click("#language")
    page.reload()
    traces(page)
    kept = page.evaluate("[document.documentElement.dataset.theme, document.documentElement.lang]")
    assert kept == ["dark", "zh-CN"]
    picture(page, "search-zh-dark")


def test_a_narrow_screen_fits(tabs, picture):
    page = tabs.open("/search?service=order&last=1h", size=(390, 844))
    traces(page)
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    picture(page, "search-narrow")
    open_order(page)
    assert page.evaluate(fits)
    picture(page, "trace-narrow")


def test_an_unknown_trace_is_looked_for_and_a_bad_id_explained(tabs, picture):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/trace/" + "ab" * 16)
    page.wait_for_selector(".notice")
    assert "ab" * 16 in page.locator(".notice").inner_text()
    picture(page, "trace-missing")
    # What expired is not waited for.
    page.route("**/traces/*?format=columns", lambda route: route.fulfill(status=404, json={"error": {
        "code": 404, "message": "gone", "reason": "expired",
        "removedAtUnixNano": "1795280764000000000"}}))
    page.goto(f"{tabs.base}/trace/" + "cd" * 16)
    page.get_by_text("removed on 2026-11-2").wait_for()
    page = tabs.open("/trace/not-an-id")
    page.wait_for_selector(".notice")
    assert "16 or 32" in page.locator(".notice").inner_text()


def test_the_head_tells_what_the_server_has_stored(tabs, base):
    page = tabs.open()
    traces(page)
    page.wait_for_selector(".pulse.ready")
    assert int(api(base, "/status")["spansStored"]) > 0
    assert re.match(r"[\d,.]+[kMG]? spans", page.locator(".pulse").inner_text())


HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>{n}"


def test_names_from_spans_are_text_and_never_markup(tabs):
    page = tabs.open("/trace/not-an-id")
    summary = {
        "traceId": "ab" * 16, "rootService": HOSTILE, "rootOperation": HOSTILE,
        "startTimeUnixNano": "1790000000000000000", "durationNanos": "1000000", "spanCount": 2,
        "errorCount": 1, "matchedSpanIds": [],
        "services": [{"name": HOSTILE, "spanCount": 2, "errorCount": 1}],
    }
    answer = {"traces": [summary], "cursor": None, "order": "newest", "complete": False,
              "incompleteReasons": [HOSTILE]}
    names = {"services": [HOSTILE]}
    page.route("**/api/skein/v1/services", lambda route: route.fulfill(json=names))
    page.route("**/api/skein/v1/traces?*", lambda route: route.fulfill(json=answer))
    page.goto(tabs.base + "/search?tag=" + urllib.parse.quote("a=" + HOSTILE))
    traces(page)
    assert page.locator("main img, main script").count() == 0
    assert page.locator("a.trace .title b").inner_text() == HOSTILE
    assert page.locator(".tag").inner_text() == "a=" + HOSTILE
    assert HOSTILE in page.locator(".strip.warn").inner_text()


def trv1(names, start, duration, parent, name, service, depth, error):
    """A trace in the columnar form, in nanoseconds."""
    return large.trv1(names, ["one", "two"], start, duration, parent, name, service, depth,
                      [2] * len(start), error, t0=T0)


def without_analysis(page):
    """A trace that only these tests know of: the server can explain nothing about it."""
    page.route(re.compile(r"/(analysis|standing)(\?|$)"), lambda route: route.fulfill(
        json={"spanCount": 0, "callCount": 0}))


def columns(count):
    """A root, and under it chains of ten spans one after the other."""
    place = [0] + [(row - 1) % 10 for row in range(1, count)]
    odd = [row % 2 for row in range(count)]
    return trv1(
        ["work", HOSTILE], list(range(count)), [count] + [10 - k for k in place[1:]],
        [-1] + [row - 1 if place[row] else 0 for row in range(1, count)], odd, odd,
        [0] + [k + 1 for k in place[1:]], [row % 97 == 96 for row in range(count)])


def test_a_hundred_thousand_spans_need_few_nodes(tabs, picture):
    page = tabs.open("/trace/not-an-id")
    body = columns(100_000)
    without_analysis(page)
    page.route("**/traces/*?format=columns", lambda route: route.fulfill(
        body=body, content_type="application/octet-stream"))
    page.goto(tabs.base + "/trace/" + "ab" * 16)
    page.wait_for_selector(".row:not([hidden])")
    assert page.locator(".rows").get_attribute("aria-rowcount") == "100000"
    for share in (0.5, 1, 0):
        page.locator(".rows").evaluate(
            "(rows, share) => { rows.scrollTop = share * rows.scrollHeight }", share)
        last = 100_000 if share == 1 else 1 if share == 0 else 50_001
        page.wait_for_selector(f".row[aria-rowindex='{last}']:not([hidden])")
        assert page.evaluate("document.querySelectorAll('*').length") < 600
    assert page.locator(".row .names b").nth(1).inner_text() == HOSTILE
    page.keyboard.press("f")
    page.keyboard.type("work >8ns")
    until(page, "document.querySelector('.found').textContent === '10,001'")
    picture(page, "trace-100k")


def stored_span(row):
    """What the interface says of the span of a row of `columns`."""
    return {
        "row": row, "traceId": "ab" * 16, "spanId": f"{row + 1:016x}", "parentSpanId": "",
        "name": "work", "service": "one", "kind": "server", "startTimeUnixNano": str(T0 + row),
        "endTimeUnixNano": str(T0 + row + 1), "status": {"code": "unset", "message": ""},
        "traceState": "", "scope": {"name": "", "version": ""}, "attributes": [], "resource": [],
        "events": [], "links": [], "droppedAttributes": 0, "droppedEvents": 0, "droppedLinks": 0,
        "warnings": []}


def test_a_deep_row_in_the_address_is_shown_and_stays_in_a_taller_window(tabs):
    page = tabs.open("/trace/not-an-id")
    body = columns(10_000)
    without_analysis(page)
    page.route("**/traces/*?format=columns", lambda route: route.fulfill(
        body=body, content_type="application/octet-stream"))
    # A ring of row elements that grows far down begins somewhere in its middle for most rows.
    for row in range(5_000, 5_030, 6):
        page.set_viewport_size({"width": 1440, "height": 480})
        answer = json.dumps(stored_span(row))
        page.route("**/traces/*/spans/*", functools.partial(
            lambda body, route: route.fulfill(body=body, content_type="application/json"), answer))
        page.goto(f"{tabs.base}/trace/{'ab' * 16}?sel={row + 1:016x}&row={row}")
        page.wait_for_selector(f".row.selected[aria-rowindex='{row + 1}']:not([hidden])")
        few = page.locator(".row:not([hidden])").count()
        page.set_viewport_size({"width": 1440, "height": 900})
        until(page, "n => document.querySelectorAll('.row:not([hidden])').length > n + 9", few)


def test_durations_are_written_and_read_as_people_do(tabs):
    page = tabs.open()
    module = "import('/modules/format.js')"
    written = {
        0: "0 ns", 640: "640 ns", 999_600: "1.00 ms", 12_340: "12.3 µs", 3_060_000: "3.06 ms",
        999_999_999: "1.00 s", 59_000_000_000: "59.0 s", 123_000_000_000: "2 min 03 s",
        7_500_000_000_000: "2 h 05 min",
    }
    for nanos, text in written.items():
        assert page.evaluate(f"{module}.then(m => m.duration({nanos}))") == text
    read = {
        "10ms": 10e6, "1.5 s": 1.5e9, "250µs": 250e3, "7": 7e6, "2m": 120e9, "x": None, "1e3": None,
    }
    for text, nanos in read.items():
        parse = f"m => m.parseDuration({json.dumps(text)})?.nanos ?? null"
        got = page.evaluate(f"{module}.then({parse})")
        assert got == nanos, text
