# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the browser tests: the address of a running `skein demo`, and tabs that stay quiet."""

import os
import pathlib
import sys
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "blackbox"))

from skein_server import SkeinServer  # noqa: E402

WEB = ROOT / "Server" / "web"
ARTIFACTS = ROOT / "artifacts"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


# Where work on the page goes on, its modules are served in place of what the binary embeds.
MODULES = ["--web-dir", os.environ["SKEIN_WEB_DIR"]] if "SKEIN_WEB_DIR" in os.environ else []


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """The address of the page, without a slash at the end: SKEIN_URL, or a demo started for it."""
    address = os.environ.get("SKEIN_URL")
    if address:
        yield address.rstrip("/")
        return
    folder = tmp_path_factory.mktemp("demo")
    with SkeinServer(folder, "--rate", "20", *MODULES, command="demo") as demo:
        # Pages are asked what orders look like: there are some.
        deadline = time.monotonic() + 60
        while len(demo.search(limit=20)["traces"]) < 20:
            assert time.monotonic() < deadline, demo.log_tail()
            time.sleep(0.2)  # Between two looks; the loop ends by the deadline.
        yield demo.url("http")
        assert demo.is_alive, demo.log_tail()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


def serve_modules(target):
    """Puts the modules that the page's script is bundled of at /modules/, for tests of one alone."""
    target.route("**/modules/*", lambda route: route.fulfill(
        path=WEB / route.request.url.rsplit("/", 1)[1]))


class Tabs:
    """Opens tabs and keeps every complaint: console errors, exceptions, breaches of the policy."""

    def __init__(self, browser, base):
        self.browser = browser
        self.base = base
        self.contexts = []
        self.complaints = []
        self.expected = ()

    def open(self, address="/search", *, theme="light", size=(1440, 900), language="en-US"):
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, locale=language)
        self.contexts.append(context)
        # A breach of the content policy is an event; here it becomes a console error.
        context.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))")
        serve_modules(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("request", self._request)
        page.goto(self.base + address)
        return page

    def _console(self, message):
        if message.type in ("error", "warning"):
            place = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} {place}")

    def _request(self, request):
        if not request.url.startswith(self.base + "/"):
            self.complaints.append(f"foreign request: {request.url}")

    def close(self):
        for context in self.contexts:
            context.close()


@pytest.fixture
def tabs(browser, base):
    tabs = Tabs(browser, base)
    yield tabs
    tabs.close()
    unexpected = [c for c in tabs.complaints if not any(e in c for e in tabs.expected)]
    assert unexpected == []


@pytest.fixture(scope="module")
def run(browser, base):
    """Evaluates a function of one module in the page: `run("scale.js", "m => m.niceTicks(7)")`."""
    page = browser.new_page(locale="en-US", timezone_id="Asia/Kolkata")
    serve_modules(page)
    page.goto(base + "/search")
    yield lambda module, code: page.evaluate(f"import('/modules/{module}').then({code})")
    page.close()


@pytest.fixture(scope="session")
def accessible():
    """Fails with what axe finds wrong in a tab."""
    axe = Axe()

    def check(page):
        found = axe.run(page).response["violations"]
        assert [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found] == []

    return check


@pytest.fixture(scope="session")
def picture():
    """Keeps a screenshot of a tab under a name."""
    ARTIFACTS.mkdir(exist_ok=True)

    def take(page, name):
        page.screenshot(path=ARTIFACTS / f"{name}.png")

    return take
