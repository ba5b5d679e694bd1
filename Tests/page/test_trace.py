# SPDX-License-Identifier: Apache-2.0
"""One trace explained, rolled up, filtered and seen in its views, and two traces compared."""

import json
import re
import secrets
import time
import urllib.request

import pytest
from test_page import HOSTILE, api, parameters, until, until_address

MS = 1_000_000
CALLS = 60


def attributes(values):
    return [{"key": key, "value": {"intValue": str(value)} if isinstance(value, int)
             else {"stringValue": value}} for key, value in values.items()]


class Sender:
    """Sends spans of one trace over OTLP."""

    def __init__(self, base, ago=600_000 * MS):
        self.base = base
        port = api(base, "/status")["ports"]["otlp-http"]
        self.address = f"http://127.0.0.1:{port}/v1/traces"
        self.trace = secrets.token_hex(16)
        self.start = time.time_ns() - ago
        self.services = {}
        self.count = 0

    def span(self, service, name, start, length, parent="", kind=2, error=False, tags=None,
             events=(), dropped=0):
        self.count += 1
        identity = f"{self.count:016x}"
        self.services.setdefault(service, []).append({
            "traceId": self.trace, "spanId": identity, "parentSpanId": parent, "name": name,
            "kind": kind, "startTimeUnixNano": str(self.start + start),
            "endTimeUnixNano": str(self.start + start + length),
            "attributes": attributes(tags or {}), "status": {"code": 2} if error else {},
            "droppedAttributesCount": dropped,
            "events": [{"timeUnixNano": str(self.start + start), "name": event,
                        "attributes": attributes(values)} for event, values in events]})
        return identity

    def send(self):
        body = {"resourceSpans": [{
            "resource": {"attributes": attributes(
                {"service.name": service, "host.name": f"host-of-{service}"})},
            "scopeSpans": [{"spans": spans}]} for service, spans in self.services.items()]}
        self.services = {}
        request = urllib.request.Request(
            self.address, json.dumps(body).encode(), {"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=30).read()
        deadline = time.monotonic() + 30
        while api(self.base, f"/traces/{self.trace}/analysis")["spanCount"] < self.count:
            assert time.monotonic() < deadline, "the spans never came"
            time.sleep(0.02)  # Between two looks; the loop ends by the deadline.
        return self


def shop(base, calls=CALLS, charge=True):
    """A root over an order that asks for its stock one item after the other, and is charged by a
    payment whose call begins before it by its own clock; and a span whose parent never came."""
    sender = Sender(base)
    root = sender.span("front", "POST /pay", 0, 1000 * MS, tags={"http.status_code": 500})
    order = sender.span("orders", "create", 10 * MS, 980 * MS, root)
    for call in range(calls):
        failed = call == 7
        sender.span(
            "stock", "SELECT stock", (20 + call * 10) * MS, 9 * MS, order, 3, failed,
            {"row": call}, dropped=2 if failed else 0,
            events=[("exception", {"exception.type": "Deadlock", "exception.message": HOSTILE,
                                   "exception.stacktrace": "at a\nat b"})] if failed else ())
    if charge:
        payment = sender.span("pay", "charge", 900 * MS, 60 * MS, order, 3)
        sender.span("bank", "authorise", 300 * MS, 30 * MS, payment)
    sender.span("audit", HOSTILE, 970 * MS, 20 * MS, "f" * 16)
    return sender.send()


@pytest.fixture(scope="module")
def trace(base):
    return shop(base).trace


def opened(tabs, trace, more="", **how):
    page = tabs.open(f"/trace/{trace}{more}", **how)
    page.wait_for_selector(".diagnosis li")
    return page


def rows(page):
    return int(page.locator(".rows").get_attribute("aria-rowcount"))


def until_rows(page, count):
    until(page, "n => document.querySelector('.rows')?.getAttribute('aria-rowcount') === `${n}`",
          count)


@pytest.mark.parametrize(("language", "says"), [
    ("en-US", rf"{CALLS} calls of stock SELECT stock, one after another, could be one"),
    ("zh-CN", rf"{CALLS} 次依次进行的 stock SELECT stock 调用"),
])
def test_a_finding_is_a_sentence_that_leads_to_its_spans(tabs, trace, language, says):
    page = opened(tabs, trace, language=language)
    finding = page.locator(".diagnosis button", has_text=re.compile(says))
    finding.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".row.selected.run")
    assert page.locator(".panel h2").inner_text() == "SELECT stock"


def test_the_head_counts_what_is_missing_and_what_was_moved(tabs, trace):
    page = opened(tabs, trace)
    facts = page.locator(".more-facts").inner_text()
    for part in ("6 hosts", "1 without parent", "2 parts dropped", "1 span moved"):
        assert part in facts
    assert page.locator(".row.orphan").get_attribute("title") == "Its parent was not received"
    page.get_by_role("button", name="Show as sent").click()
    until_address(page, "raw", "1")
    page.get_by_role("button", name="Correct the clocks").wait_for()
    assert "moved" not in page.locator(".more-facts").inner_text()


def test_equal_calls_are_one_row_until_they_are_shown_each(tabs, trace):
    page = opened(tabs, trace)
    until_rows(page, 6)
    run = page.locator(".row.run")
    assert run.locator(".alike").inner_text() == f"×{CALLS}"
    assert "p50 9.00 ms · p99 9.00 ms · 1 error" == run.locator(".figures").inner_text()
    assert run.locator(".length").inner_text() == "540 ms"
    run.locator(".fold").click()
    until_rows(page, 5 + CALLS)
    until_address(page, "unroll", "2")
    fresh = opened(tabs, page.url.rsplit("/", 1)[1])
    until_rows(fresh, 5 + CALLS)
    fresh.locator(".row[aria-rowindex='5'] .names b").click()
    fresh.wait_for_selector(".row.selected")
    fresh.keyboard.press("o")
    until_rows(fresh, 6)
    fresh.locator(".chip", has_text="Roll up").click()
    until_address(fresh, "roll", "0")
    until_rows(fresh, 5 + CALLS)


def test_filters_leave_out_rows_but_no_callers(tabs, trace):
    page = opened(tabs, trace)
    page.locator(".chip", has_text="Errors only").click()
    until_rows(page, 3)
    assert page.locator(".kept").inner_text() == "1 of 65 spans"
    until_address(page, "err", "1")
    page.keyboard.press("Escape")
    until_rows(page, 6)
    page.fill(".least", "50ms")
    page.keyboard.press("Enter")
    until_rows(page, 3)
    until_address(page, "min", "50ms")
    fresh = opened(tabs, page.url.rsplit("/", 1)[1])
    until_rows(fresh, 3)
    assert fresh.input_value(".least") == "50ms"
    fresh.fill(".least", "soon")
    fresh.keyboard.press("Enter")
    assert fresh.locator(".least").get_attribute("aria-invalid") == "true"


def test_find_asks_for_attributes_and_ranges_of_them(tabs, trace):
    page = opened(tabs, trace)
    page.keyboard.press("f")
    page.keyboard.type("row=3..9")
    until(page, "document.querySelector('.found').textContent === '7'")
    page.fill("#find", "row=3..9 error")
    until(page, "document.querySelector('.found').textContent === '1'")
    page.fill("#find", "http.status_code>=500 service=front")
    until(page, "document.querySelector('.found').textContent === '1'")
    page.locator(".chip", has_text="Matches only").click()
    until_rows(page, 1)
    # The address is written a moment later.
    until(page, "new URLSearchParams(location.search).get('hide') === '1'")
    fresh = opened(tabs, page.url.rsplit("/", 1)[1])
    until_rows(fresh, 1)


def test_keys_go_along_the_critical_path(tabs, trace):
    page = opened(tabs, trace, "?cp=1&z=0.1-0.5")
    until(page, "document.querySelectorAll('.row.on-path').length > 3")
    page.keyboard.press("p")
    until_address(page, "row", "0")
    page.keyboard.press("]")
    page.keyboard.press("c")
    until_address(page, "row", "1")
    assert parameters(page)["z"] == ["0.1-0.5"]
    page.keyboard.press("P")
    until_address(page, "row", "0")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_views_are_opened_by_key_kept_in_the_address_and_accessible(
        tabs, trace, picture, accessible, theme):
    page = opened(tabs, trace, theme=theme)
    accessible(page)
    picture(page, f"trace-timeline-{theme}")
    inside = {"flame": ".flame canvas", "tree": ".rows.wide .row", "table": ".stat-name",
              "paths": ".path-name", "logs": ".logs li", "json": ".document"}
    for view, selector in inside.items():
        page.keyboard.press("v")
        until_address(page, "v", view)
        page.locator(selector).first.wait_for()
        picture(page, f"trace-{view}-{theme}")
        accessible(page)
    for view in ("flame", "table"):
        fresh = opened(tabs, f"{trace}?v={view}")
        fresh.locator(inside[view]).first.wait_for()


def test_the_table_sorts_and_leads_to_the_spans_of_a_line(tabs, trace):
    page = opened(tabs, trace, "?v=table&sort=-count")
    page.locator(".stat-name").first.wait_for()
    assert page.locator(".stat-name").first.inner_text().startswith("SELECT stock")
    page.get_by_role("button", name="p99").click()
    until_address(page, "sort", "-p99")
    page.locator(".stat-name", has_text="charge").click()
    until_rows(page, 3)


def test_logs_show_hostile_text_as_text_and_lead_to_the_span(tabs, trace):
    page = opened(tabs, trace, "?v=logs")
    line = page.locator(".logs li", has_text="Deadlock")
    assert HOSTILE in line.inner_text()
    assert page.locator("main img, main script").count() == 0
    line.locator("button").click()
    page.wait_for_selector(".panel .exception")
    assert HOSTILE in page.locator(".panel .exception").inner_text()
    assert page.locator(".panel .stack").inner_text() == "at a\nat b"


def test_a_flame_selects_what_is_pressed(tabs, trace):
    page = opened(tabs, trace, "?v=flame")
    box = page.locator(".flame canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 30)
    page.wait_for_selector(".panel .section")
    assert page.locator(".panel h2").inner_text() == "create"


def test_calls_at_the_same_time_lie_below_each_other_in_a_flame(tabs, base):
    sender = Sender(base)
    root = sender.span("front", "root", 0, 100 * MS)
    first = sender.span("a", "first", 10 * MS, 50 * MS, root)
    sender.span("a", "below first", 20 * MS, 30 * MS, first)
    sender.span("b", "meanwhile", 30 * MS, 60 * MS, root)
    sender.span("a", "after first", 70 * MS, 25 * MS, root)
    page = opened(tabs, sender.send().trace, "?v=flame")
    page.locator(".flame canvas").wait_for()
    for at, line, name in ((35, 0, "root"), (35, 1, "first"), (35, 2, "below first"),
                           (35, 3, "meanwhile"), (85, 3, "meanwhile"), (85, 1, "after first")):
        box = page.locator(".flame canvas").bounding_box()
        page.mouse.click(box["x"] + box["width"] * at / 100, box["y"] + line * 20 + 9)
        until(page, "name => document.querySelector('.panel h2')?.textContent === name", name)


def test_a_flame_of_many_parallel_and_deep_calls_is_bounded(tabs):
    page = tabs.open("/search")
    found = page.evaluate("""async () => {
        const { levelling } = await import('/modules/trace-lanes.js');
        const all = (n, parentOf, startOf) => {
            const rows = Array.from({ length: n }, (_, i) => i);
            const parent = Int32Array.from(rows, parentOf);
            const end = Int32Array.from(rows, (i) => i + 1);
            for (let i = n - 1; i > 0; i--) end[parent[i]] = Math.max(end[parent[i]], end[i]);
            return { n, parent, end, start: Uint32Array.from(rows, startOf),
                duration: new Uint32Array(n).fill(1000) };
        };
        const parallel = levelling(all(20000, (i) => Math.min(i, 1) - 1, () => 0), 4000);
        const serial = levelling(all(20000, (i) => Math.min(i, 1) - 1, (i) => i * 1000), 4000);
        const deep = levelling(all(20000, (i) => i - 1, () => 0), 4000);
        return [parallel, serial, deep].map(({ levels, levelOf }) =>
            [levels, levelOf.reduce((a, b) => Math.max(a, b))]);
    }""")
    assert found == [[201, 200], [2, 1], [4000, 3999]]


def test_a_span_stands_among_the_calls_of_its_operation(tabs, base):
    listed = api(base, "/traces?last=1h&service=gateway&limit=1")["traces"][0]
    page = tabs.open("/trace/not-an-id")
    page.route("**/standing", lambda route: route.fulfill(json={
        "row": 0, "durationNanos": "3000000", "callCount": 18_221, "errorCount": 0,
        "fasterAtLeast": 0.931, "fasterAtMost": 0.94, "complete": True, "incompleteReasons": [],
        "quantiles": [{"part": part, "nanos": str(int(nanos))} for part, nanos in
                      ((0, 1e5), (0.5, 1e6), (0.93, 3e6), (0.99, 9e6), (1, 2e7))]}))
    page.goto(f"{tabs.base}/trace/{listed['traceId']}")
    page.locator(".row[aria-rowindex='1'] .names b").click()
    page.wait_for_selector(".standing svg")
    assert page.locator(".standing").inner_text().startswith(
        "Slower than 93% of 18,221 calls of its operation")


def test_links_to_other_tools_come_from_templates_and_only_to_the_web(tabs, trace):
    page = opened(tabs, trace)
    page.locator(".row[aria-rowindex='1'] .names b").click()
    page.get_by_role("button", name="Links to other tools").click()
    page.get_by_label("Name", exact=True).fill("Logs")
    for wrong in ("javascript:alert({traceId})", "https://{service}/x", "//x"):
        page.get_by_label("Address", exact=True).fill(wrong)
        page.keyboard.press("Enter")
        assert page.locator(".link-form .complaint").is_visible()
    page.get_by_label("Address", exact=True).fill("https://logs.example/?t={traceId}&c={http.status_code}")
    page.keyboard.press("Enter")
    link = page.locator(".links-out a")
    assert link.get_attribute("href") == f"https://logs.example/?t={trace}&c=500"
    # A span without the attribute has no such link.
    page.locator(".row[aria-rowindex='2'] .names b").click()
    page.wait_for_selector(".row.selected[aria-rowindex='2']")
    until(page, "document.querySelector('.panel h2').textContent === 'create'")
    until(page, "document.querySelectorAll('.links-out a').length === 0")


def test_late_spans_join_the_view(tabs, base):
    sender = Sender(base, ago=0)
    root = sender.span("front", "slow", 0, 100 * MS)
    sender.span("front", "first", 10 * MS, 10 * MS, root)
    sender.send()
    page = tabs.open(f"/trace/{sender.trace}")
    until_rows(page, 2)
    page.locator(".row[aria-rowindex='2'] .names b").click()
    page.wait_for_selector(".panel .section")
    sender.span("front", "before", 5 * MS, 2 * MS, root)
    sender.send()
    until_rows(page, 3)
    assert "1 span arrived, shown" in page.locator(".trace-page .strip.info").inner_text()
    page.wait_for_selector(".row.selected[aria-rowindex='3']")


def test_late_spans_join_though_the_tab_was_hidden_and_the_server_did_not_answer(tabs, base):
    tabs.expected = ("Failed to load resource",)
    sender = Sender(base, ago=0)
    root = sender.span("front", "slow", 0, 100 * MS)
    sender.send()
    page = tabs.open(f"/trace/{sender.trace}")
    until_rows(page, 1)
    page.evaluate("""() => {
        window.looked = 0;
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ++looked > 0 });
    }""")
    sender.span("front", "late", 5 * MS, 2 * MS, root)
    sender.send()
    answers = []

    def fail_once(route):
        answers.append(route.request.url)
        route.fulfill(status=503) if len(answers) == 1 else route.continue_()

    page.route("**/api/skein/v1/traces/*?format=columns*", fail_once)
    until(page, "looked > 0")
    assert answers == []
    page.evaluate("""() => {
        delete document.hidden;
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }""")
    until_rows(page, 2)
    assert len(answers) == 2


@pytest.mark.parametrize("more", ("", "?raw=1", "?v=tree&cp=1"))
def test_columns_are_asked_for_once_and_before_the_page_is_read(tabs, base, more):
    sender = Sender(base)
    sender.span("front", "get", 0, 100 * MS)
    page = tabs.open(f"/trace/{sender.send().trace}{more}")
    until_rows(page, 1)
    assert page.evaluate("""performance.getEntriesByType('resource').filter(
        (one) => one.name.includes('format=columns')).map((one) => one.initiatorType)""") == ["link"]


def test_what_is_looked_for_may_have_spaces_quotes_and_backslashes(tabs, base):
    sender = Sender(base)
    said = 'say "two words" C:\\'
    root = sender.span("front", said, 0, 100 * MS, tags={"note": said})
    sender.span("front", "words two", 10 * MS, 10 * MS, root)
    page = opened(tabs, sender.send().trace)
    for text, count in (('"two words"', 1), ("words two", 2), ('-"two words"', 1),
                        (r'note="say \"two words\" C:\\"', 1), ('note!="say', 1)):
        page.fill("#find", text)
        until(page, "n => document.querySelector('.found').textContent === `${n}`", count)
    page.locator(".views [data-view=table]").click()
    page.locator(".stat-name", has_text="two words").click()
    until_rows(page, 1)
    page.locator(".row[aria-rowindex='1'] .names b").click()
    page.get_by_role("button", name="Find note=").click()
    until(page, "document.querySelector('.found').textContent.includes('1')")
    assert page.input_value("#find") == r'note="say \"two words\" C:\\"'


def test_a_drag_that_the_system_takes_away_ends(tabs, trace):
    page = opened(tabs, trace)
    box = page.locator(".map").bounding_box()
    names = page.locator(".splitter").bounding_box()
    move = "x => dispatchEvent(new PointerEvent('pointermove', { clientX: x, bubbles: true }))"
    for left, width, y in ((box["x"], box["width"], box["y"] + 10),
                           (names["x"] + 2, 200, names["y"] + 50)):
        page.mouse.move(left + 1, y)
        page.mouse.down()
        page.mouse.move(left + width / 2, y, steps=3)
        page.evaluate("dispatchEvent(new PointerEvent('pointercancel'))")
        state = "[document.querySelector('.minimap .window').style.width," \
            " document.querySelector('.splitter').getAttribute('aria-valuenow')]"
        before = page.evaluate(state)
        page.evaluate(move, left + width / 4)
        assert page.evaluate(state) == before
        page.mouse.up()
    assert page.evaluate("document.querySelector('.minimap .window').style.width") == "100%"


def test_what_could_not_be_read_is_said_beside_what_was(tabs, trace):
    page = tabs.open("/trace/not-an-id")
    reason = "one part was being moved"
    page.route("**/standing", lambda route: route.fulfill(json={
        "row": 0, "durationNanos": "3000000", "callCount": 20, "errorCount": 0,
        "fasterAtLeast": 0.9, "fasterAtMost": 0.9, "complete": False,
        "incompleteReasons": [reason], "quantiles": [{"part": 0, "nanos": "1"},
                                                     {"part": 1, "nanos": "9"}]}))
    page.route("**/api/skein/v1/traces?q=*", lambda route: route.fulfill(json={
        "traces": [], "complete": False, "incompleteReasons": [reason]}))
    page.goto(f"{tabs.base}/trace/{trace}")
    page.locator(".row[aria-rowindex='1'] .names b").click()
    page.locator(".standing .incomplete", has_text=reason).wait_for()
    page.locator(".section summary", has_text="Links to this span").click()
    page.locator(".links-back button").click()
    page.locator(".links-back .incomplete", has_text=reason).wait_for()
    page.fill("#find", "row=3")
    page.locator(".trace-page .strip.info", has_text=reason).wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_traces_are_compared_by_call_path(tabs, base, trace, picture, accessible, theme):
    other = shop(base, calls=5, charge=False).trace
    page = tabs.open(f"/compare?a={trace}", theme=theme)
    page.fill("#compare-b", other)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/compare?a={trace}&b={other}")
    line = page.locator(".compare-paths tr", has_text="SELECT stock")
    assert "60 → 5" in line.inner_text()
    assert page.locator(".only", has_text="only in A").count() == 2
    assert page.locator("main img, main script").count() == 0
    page.get_by_role("button", name="Most change first").click()
    until_address(page, "order", "change")
    picture(page, f"compare-{theme}")
    accessible(page)
    fresh = tabs.open(page.url[len(tabs.base):])
    fresh.locator(".compare-paths td").first.wait_for()
    assert fresh.get_by_role("button", name="Most change first").get_attribute(
        "aria-pressed") == "true"


def test_results_of_two_queries_are_compared(tabs):
    page = tabs.open("/compare?last=1h")
    page.fill("#compare-a", "{ status = error }")
    page.fill("#compare-b", "{ status != error }")
    page.keyboard.press("Enter")
    page.locator(".compare-paths td").first.wait_for()
    assert parameters(page)["qa"] == ["{ status = error }"]


def test_a_trace_that_is_not_stored_is_said_not_to_be(tabs, trace):
    tabs.expected = ("Failed to load resource",)
    unknown = "ab" * 16
    page = tabs.open(f"/compare?a={trace}&b={unknown}")
    page.wait_for_selector(".notice")
    assert unknown in page.locator(".notice").inner_text()


def test_a_downloaded_trace_is_drawn_from_its_file_without_being_sent(tabs, base, trace):
    with urllib.request.urlopen(f"{base}/api/skein/v1/traces/{trace}", timeout=30) as response:
        body = response.read()
    page = tabs.open("/trace/file")
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("#file", {"name": "bad.json", "mimeType": "text/plain", "buffer": b"{"})
    page.locator(".notice .detail").wait_for()
    page.set_input_files("#file", {"name": "a.json", "mimeType": "text/plain", "buffer": body})
    until(page, "document.querySelector('.rows')?.getAttribute('aria-rowcount') === '65'")
    assert "a.json: drawn from this file" in page.locator(".trace-page .strip.info").inner_text()
    page.locator(".row[aria-rowindex='1'] .names b").click()
    page.wait_for_selector(".panel .section")
    assert "POST" not in sent
    assert "500" in page.locator(".panel").inner_text()


def test_a_second_file_takes_the_place_of_the_first(tabs, base, trace):
    with urllib.request.urlopen(f"{base}/api/skein/v1/traces/{trace}", timeout=30) as response:
        body = response.read()
    page = tabs.open("/trace/file")
    page.set_input_files("#file", {"name": "a.json", "mimeType": "text/plain", "buffer": body})
    until_rows(page, 65)

    def drop(name, text):
        page.evaluate("""([name, text]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], name));
            document.querySelector('main').dispatchEvent(
                new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
        }""", [name, text])

    span = {"traceId": "1" * 32, "spanId": "2" * 16, "name": "alone", "startTimeUnixNano": "1000",
            "endTimeUnixNano": "2000"}
    drop("b.json", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}))
    until_rows(page, 1)
    # What is no trace leaves the one that is shown.
    drop("c.json", "{")
    page.locator(".trace-page .strip.info", has_text="This file is no trace").wait_for()
    # Keys are the second one's alone: the first would leave the page, for it has nothing to close.
    page.locator(".row[aria-rowindex='1'] .names b").click()
    page.wait_for_selector(".panel .section")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('.panel').hidden")
    assert page.url.split("?")[0].endswith("/trace/file")
