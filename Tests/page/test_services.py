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


# Exceptions, call trees and instances: sections that ask for themselves.

HOSTILE = '"><img src=x onerror=alert(1)>{{7*7}}\u202e\u0000' + "W" * 300
NOW = 1_790_000_000_000_000_000
DESCRIBED = {
    "service": "order", "operation": None, "startTimeUnixNano": str(NOW), "endTimeUnixNano": str(NOW),
    "examinedTraceCount": 1, "examinedSpanCount": 1, "complete": True, "incompleteReasons": []}


def trace(number):
    return {"traceId": f"{number:032x}", "spanId": f"{number:016x}", "durationNanos": str(number * 10**6)}


def tree(share, names, *, usual=None, missing=(), extra=()):
    return {
        "callCount": int(share * 200), "share": share, "errorCount": 2 if extra else 0,
        "p50Nanos": "5000000", "p99Nanos": "90000000", "longestNanos": "95000000",
        "typical": trace(int(share * 100)), "slowest": trace(int(share * 100) + 1), "usual": usual,
        "lineCount": len(names),
        "lines": [
            {"parent": at - 1 if at else None, "service": "order", "operation": name, "spanCount": 9,
             "errorCount": 3 if name in extra else 0, "fewest": 1, "most": at + 1,
             "extra": name in extra} for at, name in enumerate(names)],
        "missing": [{"service": "order", "operation": name} for name in missing]}


def group(count, type_, message, operation, stack=None):
    return {
        "type": type_, "message": message, "messageCut": False, "operation": operation, "event": True,
        "count": count, "traceCount": count, "firstTimeUnixNano": str(NOW), "lastTimeUnixNano": str(NOW),
        "steps": [0] * 29 + [count], "query": f'{{ event.exception.type = "{count}" }}',
        "example": {"traceId": f"{count:032x}", "spanId": f"{count:016x}", "startTimeUnixNano": str(NOW),
                    "message": message, "stackTrace": stack}}


def instance(count, name, key="service.instance.id"):
    return {
        "key": key, "name": name, "version": HOSTILE if name == HOSTILE else "1.2", "spanCount": count,
        "errorCount": 3, "p50Nanos": "4000000", "p99Nanos": str(count * 1000), "firstTimeUnixNano": str(NOW),
        "lastTimeUnixNano": str(NOW), "query": f'{{ resource.service.instance.id = "i{count}" }}'}


def sections(page, text=HOSTILE, **others):
    """Answers of the three routes, made up."""
    answers = {
        "exceptions": {
            "stepNanos": "1", "exceptionCount": 12, "groupCount": 9,
            "groups": [group(9, "java.io." + text, text, text, "at " + text + "\n  at main()"),
                       group(3, None, "", "op")]},
        "call-trees": {
            "traceCount": 200, "olderTraces": True, "callCount": 200, "treeCount": 3,
            "trees": [tree(0.8, ["buy", "load", text]),
                      tree(0.2, ["buy", "retry"], usual=0, missing=["load"], extra=["retry"])]},
        "instances": {
            "instanceCount": 3, "uncountedSpanCount": 0,
            "instances": [instance(700, text), instance(30, "i-2"), instance(2, "", None)]},
        **others}
    for route, answered in answers.items():
        if isinstance(answered, int):
            def refuse(route, _, status=answered):
                route.fulfill(status=status, json={"error": {"code": status, "message": "too much at once"}})
            page.route(f"**/api/skein/v1/{route}?*", refuse)
        else:
            body = {**DESCRIBED, **answered}
            page.route(f"**/api/skein/v1/{route}?*", lambda route, _, body=body: route.fulfill(json=body))


def section(page, name):
    return page.locator(".card", has=page.get_by_role("heading", name=name, exact=True))


@pytest.fixture(name="made_up")
def fixture_made_up(tabs):
    """A page of the service order whose sections show made-up answers."""
    def open_(address="/services/order?last=15m&live=0", **more):
        answers = more.pop("answers", {})
        page = tabs.open("/search", **more)
        sections(page, **answers)
        page.goto(tabs.base + address)
        section(page, "Instances" if more.get("language") != "zh-CN" else "实例").wait_for()
        return page
    return open_


@pytest.mark.parametrize("theme", THEMES)
def test_hostile_text_in_the_sections_is_text_and_breaks_nothing(made_up, accessible, picture, theme):
    page = made_up(theme=theme)
    section(page, "Exceptions").locator("tbody tr").nth(1).wait_for()
    section(page, "Instances").locator("tbody tr").nth(2).wait_for()
    for summary in page.locator(".service-page summary").all():
        summary.click()
    assert page.locator(".service-page img").count() == 0
    assert "onerror=alert(1)" in section(page, "Exceptions").locator("pre").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"service-hostile-{theme}")
    accessible(page)


def test_an_exception_leads_to_its_traces_its_example_and_its_stack(made_up):
    page = made_up(answers={"text": "lost 5"})
    rows = section(page, "Exceptions").locator("tbody tr")
    rows.nth(1).wait_for()
    assert "7 more" in section(page, "Exceptions").inner_text()
    assert "without a message" in rows.nth(1).inner_text()
    details = rows.nth(0).locator("details")
    assert details.get_attribute("open") is None
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('td details').open")
    assert details.locator("a").get_attribute("href").startswith(f"/trace/{9:032x}?")
    assert "at main()" in details.locator("pre").inner_text()
    until_address(page, "exception")
    rows.nth(0).locator("a.number").last.click()
    traces_or_none = page.locator(".list, .notice").first
    traces_or_none.wait_for()
    assert query(page) == '{ event.exception.type = "9" }'
    assert parameters(page)["last"] == ["15m"]


def test_what_is_open_stands_in_the_address(made_up, tabs):
    page = made_up(answers={"text": "lost 5"})
    trees = section(page, "Call trees").locator(".trees > li")
    trees.nth(1).locator("summary").click()
    until_address(page, "tree")
    section(page, "Exceptions").locator("summary").first.click()
    until_address(page, "exception")
    fresh = made_up(page.url[len(tabs.base):], answers={"text": "lost 5"})
    until(fresh, "document.querySelectorAll('.service-page details[open]').length === 2")
    lines = section(fresh, "Call trees").locator("details[open] .tree-lines li")
    assert [line.inner_text().split(" ×")[0] for line in lines.all()] == ["order buy", "order retry"]
    section(fresh, "Call trees").locator("details[open] summary").click()
    until(fresh, "!location.search.includes('tree=')")


def test_a_tree_says_what_the_usual_one_has_not_and_is_compared_with_it(made_up):
    page = made_up(answers={"text": "lost 5"})
    card = section(page, "Call trees")
    rare = card.locator(".trees > li").nth(1)
    rare.wait_for()
    assert "of 200 calls in the newest 200 traces" in card.inner_text() and "1 more" in card.inner_text()
    assert "the usual way" in card.locator(".trees > li").nth(0).inner_text()
    assert rare.locator(".chip.extra").inner_text().split() == ["Only", "here", "+", "order", "retry"]
    assert rare.locator(".chip.missing").inner_text().split() == ["Not", "here", "−", "order", "load"]
    assert "3 failed" in rare.locator(".tree-lines").text_content()
    compare = rare.get_by_role("link", name="Compare with the usual way")
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(compare.get_attribute("href")).query)
    assert asked["a"] == [f"{80:032x}"] and asked["b"] == [f"{20:032x}"]
    assert rare.get_by_role("link", name="Typical").get_attribute("href").startswith(f"/trace/{20:032x}?")


def test_an_instance_leads_to_its_spans_its_errors_and_its_slow_ones(made_up):
    page = made_up(answers={"text": "i-1"})
    row = section(page, "Instances").locator("tbody tr").first
    row.wait_for()
    links = [urllib.parse.parse_qs(urllib.parse.urlsplit(one.get_attribute("href")).query)["q"][0]
             for one in row.locator("a.number").all()]
    own = '{ resource.service.instance.id = "i700"'
    assert links == [
        own + " }", own + " }", own + " && status = error }", own + " && duration >= 4000000ns }",
        own + " && duration >= 700000ns }"]
    assert "not told" in section(page, "Instances").locator("tbody tr").last.inner_text()
    section(page, "Instances").get_by_role("button", name="p99").click()
    section(page, "Instances").get_by_role("button", name="p99").click()
    assert section(page, "Instances").locator("tbody tr").first.inner_text().startswith("not told")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "not told"


def test_a_section_that_fails_says_so_and_leaves_the_others_alone(made_up, tabs):
    tabs.expected = ("503",)
    page = made_up(answers={"exceptions": 503, "call-trees": {
        "traceCount": 0, "olderTraces": False, "callCount": 0, "treeCount": 0, "trees": []}})
    strip = section(page, "Exceptions").locator(".strip.bad")
    strip.wait_for()
    assert "too much at once" in strip.inner_text()
    section(page, "Instances").locator("tbody tr").first.wait_for()
    section(page, "Call trees").get_by_text("No calls in this time").wait_for()
    page.unroute("**/api/skein/v1/exceptions?*")
    sections(page, "lost 5")
    strip.get_by_role("button").click()
    section(page, "Exceptions").locator("tbody tr").first.wait_for()
    assert strip.count() == 0


def test_a_section_that_waits_holds_up_nothing(tabs):
    page = tabs.open("/search")
    waiting = []
    page.route("**/api/skein/v1/call-trees?*", lambda route: waiting.append(route))
    page.goto(tabs.base + "/services/order?last=15m&live=0")
    until(page, "Number(document.querySelector('.third .area')?.getAttribute('aria-valuemax')) > 5")
    section(page, "Instances").locator("tbody tr").first.wait_for()
    assert section(page, "Call trees").locator(".spinner").is_visible()
    for route in waiting:
        route.abort()
    tabs.expected = ("call-trees",)


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_a_narrow_screen_fits_the_sections(made_up, accessible, picture, language):
    page = made_up(size=(420, 900), language=language, answers={"text": "lost 5"})
    page.locator(".trees > li").nth(1).wait_for()
    for summary in page.locator(".service-page summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"service-narrow-{language}")
    accessible(page)


def test_the_demo_has_a_slow_instance_grouped_exceptions_and_rare_ways(tabs, picture):
    page = tabs.open("/services/payment?last=15m&live=0")
    rows = section(page, "Instances").locator("tbody tr")
    rows.nth(1).wait_for()
    told = {row.locator("a.number").first.inner_text(): row.inner_text() for row in rows.all()}
    assert set(told) == {"payment-1", "payment-2"}
    assert "1.12.0" in told["payment-1"] and "1.11.4" in told["payment-2"]
    declined = section(page, "Exceptions").locator("tbody tr", has_text="PaymentDeclined")
    declined.wait_for()
    assert "payment declined for order '…': insufficient funds" in declined.inner_text()
    picture(page, "service-payment")
    declined.locator("a.number").first.click()
    traces(page)
    assert "PaymentDeclined" in query(page) and "event.exception.message =~" in query(page)
    page = tabs.open("/services/order/POST%20%2Forders?last=15m&live=0")
    trees = section(page, "Call trees").locator(".trees > li")
    trees.nth(2).wait_for()
    assert "the usual way" in trees.nth(0).inner_text()
    picture(page, "operation-trees")


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
