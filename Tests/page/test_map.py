# SPDX-License-Identifier: Apache-2.0
"""The map: services and calls where the server put them, by pointer, by keys, and as tables."""

import json
import re

import pytest
from test_overview import query
from test_page import THEMES, drag, parameters, traces, until, until_address


def numbers(calls, errors=0):
    return {"callCount": calls, "errorCount": errors,
            "p50Nanos": "2500000", "p99Nanos": "40000000"}


def node(name, layer, row, group=None, calls=1000, errors=0):
    return {"name": name, "layer": layer, "x": layer * 240.0, "y": row * 64.0, "cycle": None,
            "group": group, **numbers(calls, errors)}


def mapped(nodes, edges, **more):
    return {"startTimeUnixNano": "0", "endTimeUnixNano": "1", "nodes": nodes, "edges": edges,
            "cycles": [], "groups": [], "groupEdges": [], "focusFound": True, "complete": True,
            "incompleteReasons": [], **more}


def large():
    """1,238 services of 31 teams, 4,271 links."""
    nodes = [node(f"team{n % 31:02}.service-{n:04}", n // 160, n % 160, n % 31, 100 + n, n % 7)
             for n in range(1238)]
    edges = [{"from": n % 900, "to": 161 + (n * 7) % 1077, **numbers(1 + n, n % 11)}
             for n in range(4271)]
    groups = [{"name": f"team{n:02}.", "layer": n % 4, "x": n % 4 * 240.0, "y": n // 4 * 64.0,
               "nodeCount": 40, "callCount": 5} for n in range(31)]
    links = [{"from": n, "to": (n + 1) % 31, "callCount": 9, "errorCount": 1} for n in range(31)]
    return mapped(nodes, edges, groups=groups, groupEdges=links)


def answered(tabs, address, answer, **how):
    """The map of an answer made here."""
    page = tabs.open("/search", **how)
    page.route("**/api/skein/v1/map?*", lambda route: route.fulfill(
        content_type="application/json", body=json.dumps(answer)))
    page.goto(tabs.base + address)
    page.locator(".map-page").wait_for()
    return page


def box(page, name):
    return page.locator(".box", has=page.locator(f".box-name:text-is('{name}')"))


@pytest.mark.parametrize("theme", THEMES)
def test_the_map_names_services_with_their_numbers_and_axe_accepts_it(
        tabs, picture, accessible, theme):
    page = tabs.open("/map?last=15m&live=0", theme=theme)
    box(page, "order").wait_for()
    assert {"gateway", "order", "stock", "payment"} <= set(
        page.locator(".box-name").all_text_contents())
    assert re.search(r"/(s|min|h) · .*p99 \d", box(page, "gateway").locator(".box-says").text_content())
    picture(page, f"map-{theme}")
    accessible(page)


def test_keys_alone_walk_services_and_links_and_lead_to_traces(tabs):
    page = tabs.open("/map?last=15m&live=0")
    box(page, "gateway").focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.activeElement.textContent.startsWith('order')")
    assert page.locator(".line-says").count() > 3
    page.keyboard.press("e")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    parent, child = re.match(r"(\S+) calls (\S+):", label).groups()
    page.keyboard.press("Enter")
    until_address(page, "sel", parent)
    assert parameters(page)["callee"] == [child]
    page.keyboard.press("Escape")
    until(page, f"document.activeElement.textContent.startsWith('{parent}')")
    page.locator(".map-side a.number").first.press("Enter")
    traces(page)
    assert query(page) == (f'{{ resource.service.name = "{parent}" }} > '
                           f'{{ resource.service.name = "{child}" }}')


def test_what_is_shown_stands_in_the_address_for_a_fresh_tab(tabs):
    page = tabs.open("/map?last=15m&live=0")
    box(page, "stock").click()
    until_address(page, "sel", "stock")
    page.keyboard.press("+")
    until_address(page, "view")
    page.keyboard.press("o")
    until_address(page, "focus", "stock")
    until(page, "!document.querySelector('main').textContent.includes('push-worker')")
    page.locator(".map-tools select").select_option("2")
    until_address(page, "hops", "2")
    box(page, "push-worker").wait_for()
    page.get_by_label("Fewest calls").fill("1")
    page.get_by_label("Fewest calls").press("Enter")
    until_address(page, "min", "1")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Show as tables").click()
    until_address(page, "table", "1")
    fresh = tabs.open(page.url[len(tabs.base):])
    fresh.locator(".map-twin tbody tr").first.wait_for()
    assert fresh.locator(".map-card").is_hidden()
    assert fresh.get_by_label("Fewest calls").input_value() == "1"
    assert fresh.locator(".map-tools select").input_value() == "2"
    fresh.get_by_role("button", name="Show as tables").click()
    box(fresh, "stock").wait_for()
    assert box(fresh, "stock").get_attribute("aria-pressed") == "true"
    assert fresh.locator(".map-side h2").inner_text().strip() == "stock"


def test_a_map_read_again_keeps_elements_places_and_focus(tabs):
    page = tabs.open("/map?last=15m&live=0")
    box(page, "order").focus()
    page.keyboard.press("-")
    page.evaluate("""() => {
        window.kept = [...document.querySelectorAll('.box')];
        window.view = document.querySelector('.map-svg > g').getAttribute('transform');
    }""")
    with page.expect_response("**/api/skein/v1/map?*"):
        page.keyboard.press("r")
    until(page, """document.activeElement.textContent.startsWith('order')
        && [...document.querySelectorAll('.box')].every((box, at) => box === kept[at])
        && document.querySelector('.map-svg > g').getAttribute('transform') === view""")


def test_the_pointer_drags_and_ctrl_wheel_zooms_at_it(tabs):
    page = tabs.open("/map?last=15m&live=0")
    order = box(page, "order").locator("rect").first
    order.wait_for()
    before = order.bounding_box()
    drag(page, ".map-area", 0.3, 0.4)
    until_address(page, "view")
    moved = order.bounding_box()
    assert moved["x"] > before["x"] + 40 and abs(moved["width"] - before["width"]) < 1
    page.mouse.move(moved["x"] + 20, moved["y"] + 20)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    until(page, f"document.querySelector('.box rect').getBoundingClientRect().width > "
                f"{moved['width'] * 1.2}")
    assert abs(order.bounding_box()["x"] - moved["x"]) < 12


def test_circles_of_calls_are_listed_with_traces_that_go_around(tabs):
    page = tabs.open("/map?last=15m&live=0")
    first = page.locator(".cycles li").first
    first.wait_for()
    assert {"order", "push-worker"} <= set(first.locator(".name").all_inner_texts())
    first.locator(".sample").click()
    traces(page)
    assert query(page).count(" >> ") == 2


def test_tables_tell_the_same_and_save_as_csv_that_is_no_formula(tabs, tmp_path):
    hostile = '=HYPERLINK("x"),<img src=x onerror=alert(1)>'
    answer = mapped([node(hostile, 0, 0), node("b\"\n", 1, 0, errors=500)],
                    [{"from": 0, "to": 1, **numbers(10, 5)}])
    page = answered(tabs, "/map?live=0&table=1", answer)
    table = page.locator(".map-twin .table").nth(1)
    table.get_by_role("button", name="Callee").click()
    until_address(page, "calls", "callee")
    assert hostile in table.inner_text() and page.locator("main img").count() == 0
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV: Calls as a table").click()
    saved.value.save_as(tmp_path / "calls.csv")
    lines = (tmp_path / "calls.csv").read_text(encoding="utf-8-sig").split("\n")
    assert lines[0].strip() == "caller,callee,calls,errors,p50_ms,p99_ms"
    assert lines[1].startswith('"\'=HYPERLINK(""x"")')


def test_a_map_of_1238_services_begins_with_groups_that_open(tabs, picture, accessible):
    page = answered(tabs, "/map?live=0", large())
    page.locator(".box").first.wait_for()
    assert page.locator(".box").count() == 31
    picture(page, "map-groups")
    page.locator(".box").nth(3).click()
    page.get_by_role("link", name="Open the group").click()
    until_address(page, "group")
    until(page, "document.querySelectorAll('.box').length === 40")
    page.get_by_role("link", name="All groups").click()
    until(page, "document.querySelectorAll('.box').length === 31")
    page.get_by_label("Find a service").fill("service-0777")
    page.get_by_label("Find a service").press("Enter")
    until_address(page, "sel", "team02.service-0777")
    box(page, "team02.service-0777").wait_for()
    page.get_by_role("link", name="All groups").click()
    page.get_by_role("link", name="Draw each service").click()
    page.locator(".map-canvas").wait_for()
    assert page.evaluate("document.querySelectorAll('main :not(option)').length") < 1500
    page.locator(".map-canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    until(page, "/team\\d\\d.service-\\d+: .* calls/.test("
                "document.querySelector('.map-stage [role=status]').textContent)")
    picture(page, "map-canvas")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.map-side h2')?.textContent.startsWith('team')")
    accessible(page)


def test_services_without_links_say_what_links_need(tabs):
    page = answered(tabs, "/map?live=0", mapped([node("alone", 0, 0)], []))
    assert "client or server spans" in page.locator(".strip", has_text="No calls").inner_text()
    assert box(page, "alone").is_visible()


def test_a_focus_that_is_not_there_leads_back_to_all(tabs):
    page = tabs.open("/map?live=0&focus=no+such+one&hops=9")
    page.locator(".notice", has_text="no such one").wait_for()
    page.get_by_role("link", name="Show all services again").last.click()
    box(page, "order").wait_for()
    assert "focus" not in parameters(page)


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_a_narrow_window_shows_all_of_it_below_each_other(tabs, picture, accessible, language):
    page = tabs.open("/map?last=15m&live=0&sel=order", size=(420, 860), language=language)
    box(page, "order").wait_for()
    picture(page, f"map-narrow-{language}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    accessible(page)


def test_a_press_that_ends_outside_the_map_drags_nothing_after_it(tabs):
    page = tabs.open("/map?last=15m&live=0")
    box(page, "order").wait_for()
    place = "document.querySelector('.map-svg > g').getAttribute('transform')"
    before = page.evaluate(place)
    area = page.locator(".map-area").bounding_box()
    page.mouse.move(area["x"] + 30, area["y"] + 4)
    page.mouse.down()
    page.mouse.move(area["x"] + 30, area["y"] - 40)
    page.mouse.up()
    page.mouse.move(area["x"] + 60, area["y"] + 60)
    page.mouse.move(area["x"] + 200, area["y"] + 160)
    assert page.evaluate(place) == before
