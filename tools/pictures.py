#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures in docs/images. Run by `make pictures`.

Every page of a running demo, light and dark, in English and Chinese, 1440 by 900 pixels, under names
that stay: PAGE-THEME-LANGUAGE.png. The demo runs for MINUTES first, so that charts have something to
show; SKEIN_URL names one that has run already. Names on the command line choose: `overview map`.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT / "Tests" / "blackbox"))

from skein_server import SkeinServer  # noqa: E402

MINUTES = float(os.environ.get("MINUTES", "16"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
THEMES = ("light", "dark")
RANGE = "last=15m&live=0"
# All pictures together may have so many bytes: they are in the repository's history for ever.
TOGETHER_MAX = 3_000_000
# Without dots between colours, which flat areas would show and which pack badly.
PACKING = ["pngquant", "--force", "--strip", "--speed", "1", "--nofs", "80"]


def ask(base, path, **parameters):
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{base}/api/skein/v1{path}?{query}", timeout=60) as answer:
        return json.load(answer)


def found(base, query):
    now = time.time_ns()
    return [trace["traceId"] for trace in ask(
        base, "/traces", q=query, start=now - 900 * 10**9, end=now - 10 * 10**9, limit=2)["traces"]]


def addresses(base):
    """Name of a picture -> the address, what has to be there, and what is done before it is taken."""
    order = found(base, "{ status = error && trace:duration < 300ms } order by span:count")[0]
    other = found(base, "{ } order by trace:duration")[0]
    failed = urllib.parse.quote("{ status = error }")
    trace = f"/trace/{order}"
    pages = {
        "overview": (f"/?{RANGE}", ".heat, canvas, svg"),
        "search": (f"/search?{RANGE}&q={failed}", "a.trace"),
        "search-spans": (f"/search?{RANGE}&q={failed}&tab=spans", "main table tbody tr"),
        "search-groups": (f"/search?{RANGE}&tab=groups&by=name", "main table tbody tr"),
        "search-differences": (f"/search?{RANGE}&tab=differences", "main table tbody tr, .difference"),
        "trace": (f"{trace}?cp=1", ".diagnosis li"),
        "trace-flame": (f"{trace}?v=flame", ".flame canvas"),
        "trace-tree": (f"{trace}?v=tree", ".rows.wide .row"),
        "trace-table": (f"{trace}?v=table", ".stat-name"),
        "trace-paths": (f"{trace}?v=paths", ".path-name"),
        "trace-logs": (f"{trace}?v=logs", ".logs li"),
        "compare": (f"/compare?a={order}&b={other}", ".compare-paths td"),
        "services": (f"/services?{RANGE}", "main table tbody tr"),
        "service": (f"/services/order?{RANGE}", "main table tbody tr"),
        "service-below": (f"/services/order?{RANGE}", "main table tbody tr"),
        "operation": (f"/services/gateway/{urllib.parse.quote('POST /orders', safe='')}?{RANGE}",
                      "main svg, main canvas"),
        "map": (f"/map?{RANGE}&sel=order", ".map-stage .box"),
        "live": ("/live", "main a"),
        "system": ("/system", "main section"),
    }
    return pages


def select_first_error(page):
    page.keyboard.press("e")
    page.wait_for_selector(".panel .section")


def scroll_to_the_end(page):
    """Twice: what is below is asked for once it comes into view."""
    for _ in range(2):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        settled(page)


BEFORE = {"trace": select_first_error, "service-below": scroll_to_the_end}
# A list that fills by itself is worth looking at after a while.
SECONDS = {"live": 12}


def settled(page):
    """Until nothing is read any more and nothing moves."""
    try:
        page.wait_for_load_state("networkidle", timeout=10_000)
    except Exception:  # Of a stream that stays open, there is no end.
        pass
    page.wait_for_timeout(700)


def take(browser, base, names):
    every = addresses(base)
    for language, locale in LANGUAGES.items():
        for theme in THEMES:
            context = browser.new_context(
                viewport={"width": 1440, "height": 900}, color_scheme=theme, locale=locale,
                timezone_id="UTC", reduced_motion="reduce")
            for name in names or every:
                address, there = every[name]
                page = context.new_page()
                page.set_default_timeout(180_000)
                page.goto(base + address)
                page.locator(there).first.wait_for()
                if name in BEFORE:
                    BEFORE[name](page)
                page.wait_for_timeout(SECONDS.get(name, 0) * 1000)
                settled(page)
                file = IMAGES / f"{name}-{theme}-{language}.png"
                page.screenshot(path=file)
                page.close()
                subprocess.run([*PACKING, "--output", file, file], check=False)
                print(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes", flush=True)
            context.close()


def main():
    IMAGES.mkdir(exist_ok=True)
    names = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        base = os.environ.get("SKEIN_URL")
        if base:
            take(browser, base.rstrip("/"), names)
        else:
            with SkeinServer(folder, "--rate", "6", command="demo") as demo:
                print(f"the demo runs for {MINUTES:g} minutes first", flush=True)
                time.sleep(MINUTES * 60)
                take(browser, demo.url("http"), names)
        browser.close()
    together = sum(file.stat().st_size for file in IMAGES.glob("*.png"))
    print(f"together {together:,} bytes")
    if together > TOGETHER_MAX:
        raise SystemExit(f"the pictures have more than {TOGETHER_MAX:,} bytes together")


if __name__ == "__main__":
    main()
