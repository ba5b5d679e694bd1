# SPDX-License-Identifier: Apache-2.0
"""What the server's own page tells of the questions that were asked: of a server nobody else asks."""

import re
import struct

import otlp
import pytest
from skein_server import SkeinServer


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with SkeinServer(tmp_path_factory.mktemp("asked")) as server:
        span = otlp.span(struct.pack(">QQ", 7, 7), struct.pack(">Q", 1), "pay",
                         start=otlp.BASE_TIME, duration=5_000_000)
        assert server.post_otlp(otlp.request([span], service="till")).status == 200
        yield server.url("http")


def test_what_is_asked_and_what_it_costs_is_told(tabs, accessible):
    page = tabs.open("/search?q=" + "%7B%20duration%20%3E%201ms%20%7D&last=all")
    page.locator("a.trace").first.wait_for()
    page.goto(tabs.base + "/system")
    routes = page.get_by_role("table", name="Questions", exact=True)
    row = routes.locator("tr", has_text="/api/skein/v1/traces").first
    assert re.match(r"Skein\s+/api/skein/v1/traces\s+[\d,]+\s+\d", row.inner_text())
    asked = page.get_by_role("table", name="Costliest questions").get_by_role(
        "link", name="{ duration > 1ms }").first
    asked.click()
    page.locator("a.trace").first.wait_for()
    assert "q=%7B" in page.url and page.url.startswith(tabs.base + "/search?")
    page.go_back()
    routes.wait_for()
    accessible(page)
