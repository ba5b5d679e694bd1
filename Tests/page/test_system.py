# SPDX-License-Identifier: Apache-2.0
"""The page about the server: its numbers are those of the server."""

import re
import urllib.request

import pytest
from test_page import THEMES, api


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_received_and_stored_is_told(tabs, base, picture, accessible, theme):
    page = tabs.open("/system", theme=theme)
    page.locator(".receiving tbody tr").first.wait_for()
    number = page.locator(".receiving tbody tr").last.locator("td").nth(1)
    number.filter(has_text=re.compile("[1-9]")).wait_for()
    spans = number.inner_text()
    with urllib.request.urlopen(f"{base}/metrics", timeout=30) as response:
        text = response.read().decode()
    received = sum(int(n) for n in re.findall(r"skein_receiver_spans_total\{.*\} (\d+)", text))
    assert 0 < int(spans.replace(",", "")) <= received
    assert api(base, "/status")["version"] in page.locator(".system").inner_text()
    assert page.locator(".state.good").count() == 1
    picture(page, f"system-{theme}")
    accessible(page)


def test_refused_requests_are_told_by_their_cause(tabs):
    page = tabs.open("/search")
    text = ('skein_receiver_requests_total{protocol="zipkin",result="too_large"} 7\n'
            'skein_receiver_requests_total{protocol="zipkin",result="accepted"} 9\n'
            'skein_store_quarantined_parts 1\n')
    page.route("**/metrics", lambda route: route.fulfill(body=text, content_type="text/plain"))
    page.goto(tabs.base + "/system")
    page.locator(".refused .alarming").wait_for()
    assert re.search(r"Too large\s+7 requests\s*Zipkin", page.locator(".refused").inner_text())
    assert page.locator(".state.fair").count() == 1
    assert "set aside" in page.locator(".says-why").inner_text()


def test_numbers_that_are_refused_leave_what_the_server_says_of_itself(tabs, base):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/search")
    page.route("**/metrics", lambda route: route.fulfill(status=503, body=""))
    page.goto(tabs.base + "/system")
    page.locator(".incomplete").wait_for()
    assert api(base, "/status")["version"] in page.locator(".system").inner_text()
    # What is not known is left out, and is not nought.
    assert page.locator(".system dt", has_text="Log records lost").count() == 0
    assert page.locator(".system dt", has_text="Version").count() == 1


def test_chinese_on_a_narrow_screen_fits(tabs, picture):
    page = tabs.open("/system", language="zh-CN", size=(420, 900))
    page.locator(".receiving tbody tr").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, "system-narrow-zh")


def test_settings_tell_where_they_were_made(tabs):
    page = tabs.open("/system")
    facts = page.locator(".card", has=page.get_by_role("heading", name="Settings in force"))
    facts.locator("dt").first.wait_for()
    assert re.search(r"retention\s+7d\s*default", facts.inner_text()) or re.search(
        r"retention\s+36500d\s*--retention", facts.inner_text())
    assert re.search(r"ports?", facts.inner_text(), re.I)
