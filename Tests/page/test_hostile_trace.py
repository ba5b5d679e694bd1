# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in the fields of a trace is text: it runs nothing and breaks no layout."""

import json
import secrets
import time
import urllib.request

import pytest
from skein_server import SkeinServer
from test_page import api, until

MS = 1_000_000
MARKUP = "<img src=x onerror=ran=1>\"'><script>ran=2</script><svg/onload=ran=3>{n} {time}"
TEXTS = {
    "markup": MARKUP,
    "right to left": "\u202e\u2067gnp.txt\u202bexe עברית العربية",
    "one long word": "w" * 3000,
    "zero width": "\u200b\u200d\ufeff" * 60,
    "marks": "Z" + "\u0300\u0489\u20dd" * 120 + "algo",
    "lines": "first\nsecond\r\nthird\tfourth\u2028fifth\x00\x1b[31m",
    "wide": "漢字" * 400 + "😀" * 200,
    "prototype": "__proto__",
    "object": "constructor",
    "address": "javascript:ran=4//https://example.test/%00%2e%2e/",
    "template": "${ran=5} {{constructor.constructor('ran=6')()}}",
}
HUGE = MARKUP + "h" * 100_000
SIZES = {"wide": (1440, 900), "narrow": (420, 900)}
VIEWS = {"timeline": ".row", "flame": ".flame canvas", "tree": ".rows.wide .row",
         "table": ".stat-name", "paths": ".path-name", "logs": ".logs li", "json": ".document"}


def pairs(text, value=None):
    # Two keys with what stands before and after, so that one of them is no known name.
    return [{"key": key, "value": {"stringValue": value or text}} for key in (text, f"k.{text}")]


def send(base, shift):
    """A trace with a span for each text, which stands in all its fields."""
    trace = secrets.token_hex(16)
    start = time.time_ns() - 600_000 * MS
    groups = []
    for at, text in enumerate(TEXTS.values()):
        begin = start + (at * 10 + shift) * MS
        exception = [{"key": f"exception.{part}", "value": {"stringValue": value}}
                     for part, value in (("type", text), ("message", HUGE), ("stacktrace", HUGE))]
        groups.append({
            "resource": {"attributes": [
                {"key": "service.name", "value": {"stringValue": text}}, *pairs(text)]},
            "scopeSpans": [{
                "scope": {"name": text, "version": text, "attributes": pairs(text)},
                "spans": [{
                    "traceId": trace, "spanId": f"{at + 1:016x}",
                    "parentSpanId": f"{1:016x}" if at else "", "name": text, "kind": 2,
                    "traceState": text, "startTimeUnixNano": str(begin),
                    "endTimeUnixNano": str(begin + (500 if at == 0 else 20 + shift * at) * MS),
                    "attributes": [*pairs(text), *pairs(f"{text}.huge", HUGE)],
                    "status": {"code": 2, "message": text + HUGE},
                    "events": [{"timeUnixNano": str(begin), "name": text,
                                "attributes": pairs(text, HUGE)},
                               {"timeUnixNano": str(begin), "name": "exception",
                                "attributes": exception}],
                    "links": [{"traceId": secrets.token_hex(16), "spanId": secrets.token_hex(8),
                               "traceState": text, "attributes": pairs(text)}]}]}]})
    port = api(base, "/status")["ports"]["otlp-http"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/traces", json.dumps({"resourceSpans": groups}).encode(),
        {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        assert json.load(response).get("partialSuccess", {}).get("rejectedSpans", 0) == 0
    deadline = time.monotonic() + 30
    while api(base, f"/traces/{trace}/analysis")["spanCount"] < len(TEXTS):
        assert time.monotonic() < deadline, "the spans never came"
        time.sleep(0.02)  # Between two looks; the loop ends by the deadline.
    return trace


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A server of its own: what stands in these fields is in nobody else's lists."""
    with SkeinServer(tmp_path_factory.mktemp("hostile")) as server:
        yield server.url("http")


@pytest.fixture(scope="module")
def trace(base):
    return send(base, 0)


# What is wider than the page, or taller than its line, by selector.
BROKEN = """() => {
    const wrong = [];
    const wide = document.documentElement.scrollWidth;
    if (wide > innerWidth) wrong.push(`the page is ${wide} wide`);
    // Services are a line to scroll along where the page is narrow.
    const chips = innerWidth > 900 ? '.trace-head .chip, ' : '';
    const within = chips + '.trace-head h1, .diagnosis li, .strip, .panel h2, .panel dd,'
        + ' .panel dt, .logs li, .compare-sums, .tag-value';
    for (const one of document.querySelectorAll(within)) {
        const { left, right } = one.getBoundingClientRect();
        if (right > innerWidth + 1 || left < -1) wrong.push(`${one.className || one.tagName} at ${left} to ${right}`);
    }
    const lines = { '.row:not([hidden])': 26, '.trace-head h1': 120, '.trace-head .chip': 40,
        '.diagnosis li': 160, '.list tr:not(.filler)': 120 };
    for (const [selector, most] of Object.entries(lines)) {
        for (const one of document.querySelectorAll(selector)) {
            if (one.offsetHeight > most) wrong.push(`${selector} is ${one.offsetHeight} tall`);
        }
    }
    const body = document.querySelector('.panel:not([hidden]) .panel-body');
    if (body && body.scrollWidth > body.clientWidth) wrong.push('the panel is too wide');
    if (document.querySelector('main img, main script, main iframe')) wrong.push('markup');
    if (window.ran) wrong.push(`ran ${window.ran}`);
    return wrong;
}"""


def check(page, where):
    assert page.evaluate(BROKEN) == [], where


@pytest.mark.parametrize("size", SIZES)
def test_hostile_text_is_text_in_every_view(tabs, trace, picture, size):
    page = tabs.open(f"/trace/{trace}?cp=1", size=SIZES[size])
    page.wait_for_selector(".diagnosis li")
    until(page, "n => document.querySelector('.rows').getAttribute('aria-rowcount') === `${n}`",
          len(TEXTS))
    for view, selector in VIEWS.items():
        page.locator(f".views [data-view={view}]").click()
        page.locator(selector).first.wait_for()
        picture(page, f"hostile-{view}-{size}")
        check(page, view)
    assert json.dumps(MARKUP)[1:-1] in page.locator(".document").inner_text()
    # A name that says it is written from the right does not turn the sentence it stands in.
    assert "\u202e" not in page.locator(".diagnosis").inner_text()
    # Nothing is seen of the name of zero width: a dash stands for it.
    assert "–" in page.locator(".legend .chip-name").all_inner_texts()


@pytest.mark.parametrize("size", SIZES)
def test_hostile_text_is_text_in_the_panel(tabs, trace, picture, size):
    page = tabs.open(f"/trace/{trace}?shut=", size=SIZES[size])
    page.wait_for_selector(".diagnosis li")
    for at, name in enumerate(TEXTS):
        page.keyboard.press("j")
        page.wait_for_selector(".panel .section")
        until(page, "n => document.querySelector('.row.selected')?.ariaRowIndex === `${n}`"
                    " && document.querySelector('.panel .section') !== null", at + 1)
        page.evaluate("document.querySelectorAll('.panel details').forEach(one => one.open = true)")
        picture(page, f"hostile-panel-{at}-{size}")
        check(page, name)
    # The whole of a long value, and links to other tools whose addresses hold such text.
    page.get_by_role("button", name="Show all of it").first.click()
    check(page, "whole value")


@pytest.mark.parametrize("size", SIZES)
def test_hostile_text_is_text_in_the_comparison(tabs, base, trace, picture, size):
    page = tabs.open(f"/compare?a={trace}&b={send(base, 3)}", size=SIZES[size])
    page.locator(".compare-paths td").first.wait_for()
    picture(page, f"hostile-compare-{size}")
    check(page, "compare")
    assert page.locator(".compare-paths tbody tr").count() == len(TEXTS)


def test_hostile_text_is_text_in_what_is_looked_for_and_in_the_address(tabs, trace):
    page = tabs.open(f"/trace/{trace}")
    page.wait_for_selector(".diagnosis li")
    for text in TEXTS.values():
        page.fill("#find", text)
        page.keyboard.press("Enter")
        check(page, text[:40])
    for chip in page.locator(".legend .chip").all():
        chip.click()
        check(page, "service")
    fresh = tabs.open(page.url[len(tabs.base):] + "&v=__proto__&min=constructor&sort=__proto__")
    fresh.wait_for_selector(".diagnosis li")
    check(fresh, "address")
