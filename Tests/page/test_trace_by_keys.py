# SPDX-License-Identifier: Apache-2.0
"""All that a trace's page can do, by keys alone, and each state again in a fresh tab."""

import re

import pytest
from test_page import until, until_address
from test_trace import CALLS, MS, Sender, opened, shop, until_rows

TABS_MOST = 300


@pytest.fixture(scope="module")
def trace(base):
    return shop(base).trace


def tab_to(page, selector, key="Tab"):
    """Presses tab until an element that matches has the focus."""
    for _ in range(TABS_MOST):
        page.keyboard.press(key)
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached")


def open_section(page, name):
    """Opens a section of the panel, going on from where the focus is."""
    tab_to(page, ".panel summary")
    while name not in page.evaluate("document.activeElement.textContent"):
        tab_to(page, ".panel summary")
    page.keyboard.press("Enter")


def again(tabs, page):
    """The same address in a fresh tab."""
    fresh = tabs.open(page.url[len(tabs.base):])
    fresh.wait_for_selector(".diagnosis li")
    return fresh


def pressed(page):
    return page.evaluate("""[...document.querySelectorAll(
        '.toggles [aria-pressed=true], .legend [aria-pressed=true], .views [aria-pressed=true]')]
        .map((one) => one.dataset.toggle ?? one.dataset.view ?? one.textContent)""")


def test_rows_are_filtered_by_keys_and_again_from_the_address(tabs, trace):
    page = opened(tabs, trace)
    tab_to(page, ".legend .chip", "Tab")
    page.keyboard.press("Enter")
    until_address(page, "svc")
    tab_to(page, "#find")
    page.keyboard.type("row=3..20")
    until(page, "document.querySelector('.found').textContent === '18'")
    for toggle in ("rolled", "path", "errors", "hide"):
        tab_to(page, f"[data-toggle={toggle}]")
        page.keyboard.press("Space")
    tab_to(page, "input.least")
    page.keyboard.type("5ms")
    page.keyboard.press("Enter")
    until_address(page, "min", "5ms")
    until_address(page, "hide", "1")
    # One failed call among those, below its two callers.
    until_rows(page, 3)
    state = pressed(page)
    assert {"path", "errors", "hide", "timeline"} < set(state) and "rolled" not in state
    fresh = again(tabs, page)
    until_rows(fresh, 3)
    assert pressed(fresh) == state
    assert fresh.input_value("#find") == "row=3..20" and fresh.input_value(".least") == "5ms"
    # Escape undoes one thing after the other, and leaves the page at last.
    fresh.locator(".rows").focus()
    for name in ("q", "svc", "err"):
        fresh.keyboard.press("Escape")
        until(fresh, "name => !new URLSearchParams(location.search).has(name)", name)
    fresh.keyboard.press("Escape")
    fresh.wait_for_url(re.compile("/search"))


def test_the_stretch_in_view_is_chosen_by_keys_and_again_from_the_address(tabs, trace):
    page = opened(tabs, trace)
    for key in ("+", "+", "]", "["):
        page.keyboard.press(key)
    # The address follows the last of them.
    until(page, """() => {
        const left = parseFloat(document.querySelector('.minimap .window').style.left);
        const from = new URLSearchParams(location.search).get('z')?.split('-')[0];
        return Math.abs(left - 100 * from) < 0.001;
    }""")
    fresh = again(tabs, page)
    # The overview shows the same stretch.
    window = "document.querySelector('.minimap .window').style.cssText"
    assert fresh.evaluate(window) == page.evaluate(window)
    fresh.keyboard.press("0")
    until(fresh, "!new URLSearchParams(location.search).has('z')")


def test_the_panel_is_opened_read_and_closed_by_keys(tabs, base):
    sender = Sender(base)
    root = sender.span("front", "POST /pay", 0, 100 * MS, tags={"order.id": 17})
    sender.span("front", "long", 5 * MS, 1 * MS, root, tags={
        f"key.{at:03}": "v" * (2000 if at == 0 else 1) for at in range(80)})
    sender.span("front", "failed", 10 * MS, 10 * MS, root, error=True, dropped=2, events=[
        ("exception", {"exception.type": "Deadlock", "exception.message": "again"})])
    page = opened(tabs, sender.send().trace)
    page.keyboard.press("e")
    until_address(page, "row", "2")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.matches('.panel')")
    panel = page.locator(".panel")
    assert "Deadlock again" in panel.inner_text() and "2 " in panel.locator(".note").inner_text()
    # What opens on demand keeps the focus where it was.
    page.keyboard.press("k")
    until_address(page, "row", "1")
    page.wait_for_selector(".panel .attribute")
    tab_to(page, ".panel dd > .inline")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.textContent === 'v'.repeat(2000)")
    tab_to(page, ".attributes > .inline")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.closest('.attribute')?.textContent.startsWith('key.060')")
    page.keyboard.press("u")
    until_address(page, "row", "0")
    page.keyboard.press("i")
    until(page, "document.querySelector('.panel').hidden")
    page.keyboard.press("i")
    page.wait_for_selector(".panel .section")
    page.keyboard.press("Enter")
    tab_to(page, "[aria-label='Find order.id=17 in this trace']")
    page.keyboard.press("Enter")
    until_address(page, "q", "order.id=17")
    until(page, "document.querySelector('.found').textContent.startsWith('1')")
    page.locator(".panel").focus()
    for name in ("Links to this span", "Identity"):
        open_section(page, name)
    assert page.locator(".panel details[open]", has_text=sender.trace).count() == 1
    fresh = again(tabs, page)
    fresh.wait_for_selector(".panel .section")
    assert fresh.locator(".panel h2").inner_text() == "POST /pay"
    page.keyboard.press("Escape")
    until(page, "document.querySelector('.panel').hidden")


def test_a_link_is_followed_to_its_span_and_found_from_there(tabs, base):
    linked = Sender(base)
    linked.span("queue", "sent", 0, 10 * MS, kind=4)
    linked.send()
    sender = Sender(base)
    sender.span("queue", "taken", 0, 10 * MS, kind=5)
    sender.services["queue"][0]["links"] = [
        {"traceId": linked.trace, "spanId": f"{1:016x}",
         "attributes": [{"key": "reason", "value": {"stringValue": "batch"}}]}]
    page = opened(tabs, sender.send().trace)
    page.keyboard.press("j")
    page.wait_for_selector(".panel .section")
    page.keyboard.press("Enter")
    assert "batch" in page.locator(".panel").inner_text()
    tab_to(page, ".panel .event a")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/trace/{linked.trace}"))
    until(page, "document.querySelector('.panel h2')?.textContent === 'sent'")
    page.wait_for_selector(".panel .section")
    page.keyboard.press("Enter")
    open_section(page, "Links to this span")
    tab_to(page, ".links-back button")
    page.keyboard.press("Enter")
    # The focus goes on to what was found.
    until(page, "document.activeElement.matches('.links-back a')")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/trace/{sender.trace}"))


def test_views_and_their_tables_are_walked_by_keys(tabs, trace):
    page = opened(tabs, trace)
    for view in ("flame", "tree", "table"):
        page.keyboard.press("v")
        until_address(page, "v", view)
    page.locator(".stat-name").first.wait_for()
    page.keyboard.press("j")
    until(page, "document.activeElement.matches('.stat-name')")
    tab_to(page, ".segments [aria-pressed=false]", "Shift+Tab")
    tab_to(page, "th button")
    page.keyboard.press("Enter")
    until_address(page, "sort")
    fresh = again(tabs, page)
    fresh.locator(".stat-name").first.wait_for()
    order = "[...document.querySelectorAll('.stat-name')].map(one => one.textContent)"
    assert fresh.evaluate(order) == page.evaluate(order)
    page.keyboard.press("v")
    until_address(page, "v", "paths")
    page.locator(".path-name button").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".panel .section")
    page.keyboard.press("v")
    until_address(page, "v", "logs")
    tab_to(page, ".logs button")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.panel h2')?.textContent === 'SELECT stock'")
    page.keyboard.press("v")
    until_address(page, "v", "json")
    tab_to(page, "pre.document")


def test_clocks_warnings_files_and_downloads_are_reached_by_keys(tabs, trace):
    page = opened(tabs, trace)
    controls = ["a[href='/trace/file']", "a[download$='.json']", "a[download$='.pb']",
                ".more-facts button", ".warnings summary", ".diagnosis button", ".splitter"]
    reached = set()
    for _ in range(TABS_MOST):
        page.keyboard.press("Tab")
        reached |= {one for one in controls
                    if page.evaluate("s => document.activeElement.matches(s)", one)}
    assert reached == set(controls)
    tab_to(page, ".splitter")
    before = page.locator(".splitter").get_attribute("aria-valuenow")
    page.keyboard.press("ArrowRight")
    until(page, "n => document.querySelector('.splitter').ariaValueNow > n", before)
    tab_to(page, ".more-facts button")
    page.keyboard.press("Enter")
    until_address(page, "raw", "1")
    page.get_by_role("button", name="Correct the clocks").wait_for()
    assert again(tabs, page).get_by_role("button", name="Correct the clocks").count() == 1
    # Runs of equal calls are shown each, and rolled up again.
    page.goto(f"{tabs.base}/trace/{trace}")
    until_rows(page, 6)
    for key in ("j", "j", "j", "o"):
        page.keyboard.press(key)
    until_rows(page, 5 + CALLS)
    until_address(page, "unroll")
    until_rows(again(tabs, page), 5 + CALLS)
