# SPDX-License-Identifier: Apache-2.0
"""The page in a frame of another site: where that was allowed it stands alone, else it is not shown."""

import http.server
import threading

import pytest

from skein_server import SkeinServer
from test_page import traces


class Outer(http.server.BaseHTTPRequestHandler):
    """A page of another origin, which frames the address in its query."""

    def do_GET(self):
        body = (f"<!doctype html><title>outer</title><iframe width=1200 height=700 "
                f"src='{self.path[2:]}'></iframe>").encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def outer():
    """The origin of the other site."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Outer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def tab(browser):
    context = browser.new_context(viewport={"width": 1300, "height": 800}, locale="en-US")
    yield context.new_page()
    context.close()


def test_a_site_that_was_named_shows_the_page_alone_and_its_links_stay_so(outer, tab, tmp_path):
    with SkeinServer(tmp_path, "--embed-in", "https://grafana.example", "--embed-in", outer) as own:
        tab.goto(f"{outer}/?{own.url('http')}/map?embed=1")
        frame = tab.frame_locator("iframe")
        frame.locator("main").wait_for()
        assert not frame.locator(".top").is_visible()
        inner = tab.frames[1]
        # Any link of the page, by whichever code it was made.
        inner.evaluate("document.querySelector('main').insertAdjacentHTML('afterbegin',"
                       " '<a id=on href=/system>on</a>')")
        frame.locator("#on").click()
        inner.wait_for_url("**/system?embed=1")
        frame.locator(".page[data-page=system]").wait_for()
        assert not frame.locator(".top").is_visible()


def test_a_site_that_was_not_named_shows_nothing(outer, tab, tmp_path):
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    with SkeinServer(tmp_path, "--embed-in", "https://grafana.example") as own:
        tab.goto(f"{outer}/?{own.url('http')}/map?embed=1")
        tab.wait_for_function("document.querySelector('iframe').contentDocument === null")
        assert tab.frame_locator("iframe").locator("main").count() == 0
        assert any("frame-ancestors" in text for text in complaints)


def test_an_embedded_trace_stays_so_whatever_is_done_with_it(tabs):
    page = tabs.open("/search?embed=1")
    traces(page).first.click()
    page.wait_for_url("**/trace/*embed=1*")
    page.locator(".timeline").wait_for()
    page.keyboard.press("j")
    page.wait_for_url("**sel=**")
    assert "embed=1" in page.url
    assert not page.locator(".top").is_visible() and not page.locator(".crumb").is_visible()
