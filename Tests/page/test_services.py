# SPDX-License-Identifier: Apache-2.0
"""Services, one service, one operation: numbers over time, neighbours, and the traces behind."""

import re
import urllib.parse

import pytest
from test_overview import answer, line, query
from test_page import THEMES, drag, parameters, traces, until, until_address


def services(page):
    page.locator(".services tbody tr").first.wait_for()


def names(page):
    return page.locator(".services tbody .name").all_inner_texts()


@pytest.mark.parametrize("theme", THEMES)
def test_all_services_with_numbers_that_axe_accepts(tabs, picture, accessible, theme):
    page = tabs.open("/services", theme=theme)
    services(page)
    assert {"gateway", "order", "stock", "payment"} <= set(names(page))
    picture(page, f"services-{theme}")
    accessible(page)


def test_a_head_sorts_and_the_address_keeps_it(tabs):
    page = tabs.open("/services?live=0")
    services(page)
    page.get_by_role("button", name="Service", exact=True).click()
    until_address(page, "sort", "service")
    assert names(page) == sorted(names(page))
    assert page.locator("th[aria-sort=ascending]").inner_text().strip() == "Service"
    fresh = tabs.open(page.url[len(tabs.base):])
    services(fresh)
    assert names(fresh) == sorted(names(fresh))
    page.get_by_role("button", name="Service", exact=True).click()
    until_address(page, "sort", "-service")
    assert names(page) == sorted(names(page), reverse=True)


def test_keys_walk_the_table_and_open_a_service(tabs):
    page = tabs.open("/services?live=0&sort=service")
    services(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = names(page)[1]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/services/{second}?live=0")
    page.locator(".page-head h1", has_text=second).wait_for()


@pytest.mark.parametrize("theme", THEMES)
def test_a_service_has_charts_operations_neighbours_and_traces(tabs, picture, accessible, theme):
    page = tabs.open("/services/order?last=15m&live=0", theme=theme)
    page.locator(".half a[href*='/services/stock']").first.wait_for()
    until(page, "Number(document.querySelector('.third .area').getAttribute('aria-valuemax')) > 5")
    assert "gateway" in page.locator(".half").nth(0).inner_text()
    assert page.locator(".whole tbody tr").count() > 3
    page.locator(".few a").first.wait_for()
    picture(page, f"service-{theme}")
    accessible(page)
    link = page.locator(".half a.number").first
    link.click()
    traces(page)
    assert re.fullmatch(
        r'\{ resource\.service\.name = "\S+" \} > \{ resource\.service\.name = "\S+" \}', query(page))


def test_dragging_over_a_chart_zooms_the_time_and_the_charts_have_a_table(tabs):
    page = tabs.open("/services/gateway?last=15m&live=0")
    until(page, "Number(document.querySelector('.third .area')?.getAttribute('aria-valuemax')) > 5")
    page.get_by_role("button", name="Show as a table: Rate").click()
    rows = page.locator(".third").first.locator(".twin tbody tr")
    assert rows.count() > 5
    assert re.search(r"\d\d:\d\d", rows.first.inner_text())
    page.get_by_role("button", name="Show as a table: Rate").click()
    drag(page, ".third:first-child .area", 0.4, 0.8)
    until_address(page, "from")
    width = int(parameters(page)["to"][0]) - int(parameters(page)["from"][0])
    assert 3 * 60_000 <= width <= 12 * 60_000
    page.locator(".page-head h1", has_text="gateway").wait_for()


def test_an_operation_whose_name_has_slashes_has_a_page_of_its_own(tabs, picture, accessible):
    page = tabs.open("/services/gateway?last=15m&live=0")
    page.locator(".whole .name b", has_text=re.compile("^POST /orders$")).first.click()
    page.wait_for_url("**/services/gateway/POST%20%2Forders?**")
    page.locator(".few a").first.wait_for()
    page.locator(".spread .area").wait_for()
    picture(page, "operation")
    accessible(page)
    fresh = tabs.open(page.url[len(tabs.base):])
    fresh.locator(".few a").first.wait_for()
    assert fresh.locator(".page-head h1").inner_text().strip() == "POST /orders"
    fresh.locator(".crumbs a").last.click()
    fresh.wait_for_url("**/services/gateway?**")


def test_a_service_nobody_knows_leads_to_longer_times(tabs):
    page = tabs.open("/services/" + urllib.parse.quote("no/such service", safe=""))
    page.locator(".notice").wait_for()
    assert "no/such service" in page.locator("h1").first.inner_text()
    assert "never received" in page.locator(".notice").inner_text()
    page.locator(".notice a", has_text="24 hours").click()
    until_address(page, "last", "24h")


def test_a_thousand_services_need_few_nodes_and_scroll_to_the_last(tabs):
    page = tabs.open("/search")
    many = [line(f"service-{n:04}", None, 1000 + n, n % 7, 9_000_000) for n in range(1000)]
    for each in many:
        each["quantileNanos"] = ["900000", "5000000", "9000000"]
    page.route("**/totals/operations?*", lambda route: answer(route, "operations", many))
    page.route("**/totals/edges?*", lambda route: answer(route, "edges", []))
    page.goto(tabs.base + "/services?live=0&sort=service")
    services(page)
    table = page.locator(".table")
    assert page.locator("table").get_attribute("aria-rowcount") == "1001"
    for share, name in ((1, "service-0999"), (0.5, "service-0500"), (0, "service-0000")):
        table.evaluate("(box, share) => { box.scrollTop = share * box.scrollHeight }", share)
        page.locator(".name", has_text=name).wait_for()
        assert page.evaluate("document.querySelectorAll('tbody tr').length") < 60


def test_a_service_has_one_colour_on_every_page(tabs):
    places = {
        "/services": ".services tbody .name:has-text('gateway')", "/services/gateway": "main h1",
        "/services/gateway/POST%20%2Forders": "main h1",
        "/services/order": "main .name:has-text('gateway')",
        "/live": "main a:has-text('gateway')", "/search": ".chip:has-text('gateway')"}
    colours = {}
    for address, place in places.items():
        there = tabs.open(address).locator(place).first
        there.wait_for()
        colours[address] = re.search(r"\bdye-\d+", there.get_attribute("class")).group()
    assert len(set(colours.values())) == 1, colours
