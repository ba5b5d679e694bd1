# SPDX-License-Identifier: Apache-2.0
"""Every page on paper, from a dark screen too, and for those whom movement disturbs."""

import pytest
from test_addresses import DRAWN
from test_page import api, until

SERVICE = "/services/order"
VIEWS = {
    "timeline": ".row", "flame": ".flame canvas", "tree": ".rows.wide .row",
    "table": ".stat-name", "paths": ".path-name", "logs": ".logs li, .none", "json": ".document"}
MEDIA = {
    "paper": {"media": "print", "color_scheme": "dark"},
    "still": {"reduced_motion": "reduce", "color_scheme": "light"}}


@pytest.fixture(scope="module")
def addresses(base):
    """Every page there is, and what is there once it is drawn."""
    traces = [trace["traceId"] for trace in api(base, "/traces?service=order&limit=2")["traces"]]
    return {
        **{path.strip("/") or "overview": (path, drawn) for path, drawn in DRAWN.items()},
        "service": (SERVICE, ".half a[href*='/services/']"),
        "compared": (f"/compare?a={traces[0]}&b={traces[1]}", ".compare-sums"),
        "file": ("/trace/file", "input[type=file]"),
        **{f"trace-{view}": (f"/trace/{traces[0]}?v={view}", drawn)
           for view, drawn in VIEWS.items()},
    }


@pytest.mark.parametrize("media", MEDIA)
def test_every_page_is_readable_and_within_the_page(tabs, addresses, accessible, picture, media):
    page = tabs.open("/search")
    page.emulate_media(**MEDIA[media])
    for name, (path, drawn) in addresses.items():
        page.goto(tabs.base + path)
        page.locator(drawn).first.wait_for(state="attached")
        until(page, "document.querySelector('.skeleton') === null")
        picture(page, f"media-{name}-{media}")
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


NAMES = {
    "timeline": ".row .names b", "tree": ".row .names b", "table": ".stat-name",
    "paths": ".path-name"}


@pytest.mark.parametrize("view", NAMES)
def test_paper_has_what_was_found_and_every_name_but_nothing_to_press(tabs, addresses, view):
    page = tabs.open(addresses[f"trace-{view}"][0])
    page.locator(".diagnosis .inline").first.wait_for()
    page.locator(NAMES[view]).first.wait_for()
    page.emulate_media(media="print")
    assert page.locator(".diagnosis .inline").first.is_visible()
    assert page.locator(NAMES[view]).first.is_visible()
    for control in (".top", ".second", ".views", ".finder", ".head-doings button"):
        assert not page.locator(control).first.is_visible(), control
    # All of what scrolls on a screen is there: paper has no bars to pull.
    if view in ("table", "paths"):
        body = page.locator(".view-body")
        assert body.evaluate("one => one.clientHeight >= one.scrollHeight")
