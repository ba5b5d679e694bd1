# SPDX-License-Identifier: Apache-2.0
"""The search box in the header: what it offers, where it leads, by keys and for screen readers."""

import re

from test_page import parameters, traces, until


def type_in(page, text):
    page.locator(".pages a").first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type(text)


def offers(page, kind):
    return page.locator("#offers li", has=page.locator("small", has_text=re.compile(f"^{kind}$")))


def test_services_and_operations_are_offered_with_their_calls(tabs, accessible):
    page = tabs.open("/search")
    type_in(page, "pay")
    offers(page, "Service").first.wait_for()
    assert re.search(r"payment\s+[\d.,k]+ calls", offers(page, "Service").first.inner_text())
    assert page.locator("#omnibox").get_attribute("aria-expanded") == "true"
    accessible(page)
    page.keyboard.press("ArrowDown")
    active = page.locator("#omnibox").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    page.wait_for_url("**/services/payment")
    page.locator(".page-head h1", has_text="payment").wait_for()


def test_the_values_of_a_key_are_offered_and_lead_to_a_search(tabs):
    page = tabs.open("/search?last=6h")
    type_in(page, "order.i")
    offers(page, "Tag").first.click()
    assert page.locator("#omnibox").input_value() == "order.id="
    offer = page.locator("#offers b", has_text=re.compile(r"order\.id=.+")).first
    offer.wait_for()
    tag = offer.inner_text()
    offer.click()
    page.wait_for_url("**/search?**tag=**")
    assert parameters(page)["tag"] == [tag] and parameters(page)["last"] == ["6h"]


def test_shapes_lead_where_they_belong(tabs):
    tabs.expected = ("Failed to load resource",)
    page = tabs.open("/search")
    for text, address in (
        ("AB" * 16, "**/trace/" + "ab" * 16),
        (f"00-{'ab' * 16}-{'cd' * 8}-01", f"**/trace/{'ab' * 16}?sel={'cd' * 8}"),
        ("{ duration > 1s }", "**/search?q=*"),
        ("order.id=17", "**/search?tag=order.id%3D17"),
    ):
        type_in(page, text)
        page.keyboard.press("Enter")
        page.wait_for_url(address)
        page.keyboard.press("Escape")


def test_what_is_nothing_says_what_may_be_typed_and_what_was_asked_is_offered_again(tabs):
    page = tabs.open("/search")
    type_in(page, "zzz no such thing")
    page.keyboard.press("Enter")
    page.locator(".offers [role=alert]").wait_for()
    page.fill("#omnibox", "order.id=17")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?tag=*")
    page.reload()
    page.locator(".pages a").first.wait_for()
    page.keyboard.press("/")
    offers(page, "Before").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, "location.search.includes('order.id')")


def test_enter_before_the_names_have_come_waits_for_them(tabs):
    page = tabs.open("/search")
    traces(page)
    held = []
    page.route("**/totals/operations?*", lambda route: held.append(route))
    type_in(page, "payment")
    page.keyboard.press("Enter")
    until(page, "document.getElementById('omnibox').value === 'payment'")
    assert page.locator(".offers [role=alert]").is_hidden()
    held[0].continue_()
    page.wait_for_url("**/services/payment")


def test_what_is_chosen_stays_chosen_when_more_is_offered(tabs):
    page = tabs.open("/search?last=6h")
    traces(page)
    held = []
    page.route("**/api/skein/v1/values?*", lambda route: held.append(route))
    type_in(page, "order.id=O")
    until(page, "document.querySelectorAll('#offers li').length === 1")
    page.keyboard.press("ArrowDown")
    for _ in range(200):
        if held:
            break
        page.wait_for_timeout(20)  # Between two looks; the loop ends.
    held[-1].fulfill(json={"values": ["O1", "O", "O2"]})
    until(page, "document.querySelectorAll('#offers li').length > 1")
    active = page.locator("#offers [aria-selected=true]")
    assert active.locator("b").inner_text() == "order.id=O"
    page.keyboard.press("Enter")
    until(page, "new URLSearchParams(location.search).get('tag') === 'order.id=O'")
