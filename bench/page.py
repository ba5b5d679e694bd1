#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the page costs a browser, and writes the table in docs/benchmarks.md. Run by
`make bench-page`.

Headless Chromium, without a graphics card, opens what `bin/skein serve` stores: traces of 1,000 and of
100,000 spans, the map of 1,238 services. Columns of 1,000,000 spans are given to it ready made. ROUNDS
in the environment says how often; medians stand in the table.
"""

import gzip
import os
import statistics
import sys
import time

import machine
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(machine.ROOT / "Tests" / "page"))

import large  # noqa: E402
from skein_server import SkeinServer  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "3"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SMALL, LARGE, LARGEST = 1_000, 100_000, 1_000_000
SEQUENCE = 50_000
WARM_UP = 2
PAGES = ("/", "/search", "/services", "/map", "/compare", "/live", "/system", "/trace/file")

# Milliseconds from the start of the navigation to the frame after the one that first drew a thing.
PAINTED = """
const look = () => {
    if (!document.querySelector('.row:not([hidden]), .map-stage .box, .map-stage canvas')) {
        return requestAnimationFrame(look);
    }
    requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = performance.now(); }));
};
requestAnimationFrame(look);
// What comes after the first paint waits until its cost was read.
const ask = fetch;
const read = new Promise((resolve) => { window.goOn = resolve; });
window.fetch = async (where, how) => {
    if (/[/]analysis/.test(where)) await read;
    return ask(where, how);
};
"""
# When the last byte of a trace's columns was here, in milliseconds as above.
COME = """performance.getEntriesByType('resource').find(
    (entry) => entry.name.includes('format=columns')).responseEnd"""


def tab(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.add_init_script(PAINTED)
    return context.new_page()


def painted(page, address):
    """Opens an address: milliseconds until it was painted, and CPU milliseconds of the renderer."""
    before = large.renderers(page.context.browser)
    page.goto(address)
    deadline = time.monotonic() + large.WAIT_SECONDS_MAX
    while not (took := page.evaluate("window.painted ?? null")):
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing was drawn at {address}")
        page.wait_for_timeout(20)
    used = large.renderers(page.context.browser) - before
    page.evaluate("window.goOn()")
    return took, used / 1e6


def settle(page, seconds=2):
    """Until the tab has nothing left to do: analyses that come after the rows are drawn, too."""
    page.wait_for_load_state("networkidle")
    last, since = large.renderers(page.context.browser), time.monotonic()
    while time.monotonic() - since < seconds:
        page.wait_for_timeout(200)
        now = large.renderers(page.context.browser)
        if now - last > 20 * large.MS:
            since = time.monotonic()
        last = now


def measure_trace(browser, server, rows, stored=True):
    """Numbers of one trace: name -> those of each round."""
    page, own = tab(browser), {}
    address = server.url("http", f"/trace/{large.GIVEN}")
    if stored:
        address = server.url("http", "/trace/" + large.send(server, rows))
        machine.wait_until_idle(server.process.pid)
        for number in range(WARM_UP + ROUNDS):
            took, used = painted(page, address)
            if number >= WARM_UP:
                own.setdefault("paint", []).append(took)
                own.setdefault("paint CPU", []).append(used)
                own.setdefault("come", []).append(page.evaluate(COME))
            # The analysis of this page would be work beside the next.
            settle(page, 1)
        path = address.removeprefix(server.url("http", "/trace/"))
        own["read"] = [asked(server, f"/api/skein/v1/traces/{path}", format="columns")[0]]
    else:
        large.give(page, rows)
        painted(page, address)
    settle(page)
    own["nodes"] = [large.node_count(page)]
    passes = {"scroll": large.SCROLL, "end": large.TO_THE_END, "begin": large.TO_THE_BEGIN,
              "zoom": large.ZOOM}
    for number in range(ROUNDS + 1):
        for name, what in passes.items():
            used, between = large.cost(page, what)
            if number:  # The first pass compiled the code.
                own.setdefault(name, []).append(used)
                own.setdefault(f"{name} time", []).append(between)
    for number in range(WARM_UP + ROUNDS):
        word = f"part/{number % 10:02}"
        took, says = large.find(page, f"{word} >20µs")
        if says != f"{large.matching(rows, word, 20_000):,}":
            raise SystemExit(f"a search for {word} found {says}")
        if number >= WARM_UP:
            own.setdefault("find", []).append(took)
    page.context.close()
    machine.say(f"{len(rows):,} spans: " + " ".join(
        f"{name}={statistics.median(values):.1f}" for name, values in own.items()))
    return own


def asked(server, path, **parameters):
    """CPU and wall milliseconds of a question, each the median of the rounds."""
    used, took = [], []
    for _ in range(WARM_UP + ROUNDS):
        cpu, begin = machine.cpu_nanoseconds(server.process.pid), time.monotonic()
        answer = server.get(path, **parameters)
        took.append((time.monotonic() - begin) * 1e3)
        used.append((machine.cpu_nanoseconds(server.process.pid) - cpu) / 1e6)
        if answer.status != 200:
            raise SystemExit(answer.text)
    return statistics.median(used[WARM_UP:]), statistics.median(took[WARM_UP:])


def measure_map(browser, server):
    parameters, address, size = large.send_links(server)
    machine.wait_until_idle(server.process.pid)
    cpu, took = asked(server, "/api/skein/v1/map", **parameters)
    page = tab(browser)
    found = {"size": size, "cpu": cpu, "answer": took}
    for name, more in (("groups", ""), ("whole", "&all=1")):
        whole = server.url("http", f"/map?{address}&live=0{more}")
        found[name] = statistics.median(
            [painted(page, whole)[0] for _ in range(WARM_UP + ROUNDS)][WARM_UP:])
    settle(page)
    found["frame"], _ = large.cost(page, large.ZOOM, it=".map-stage canvas")
    page.context.close()
    machine.say(f"the map: {found}")
    return found


def served(browser, server):
    """Bytes as they are sent, of scripts and of all that the pages load: kind -> bytes."""
    page = browser.new_page()
    seen = set()
    kinds = ("script", "stylesheet", "document", "image", "font")
    page.on("request", lambda request: seen.add(
        (request.resource_type if request.resource_type in kinds else "data", request.url)))
    for path in PAGES:
        page.goto(server.url("http", path))
        page.wait_for_load_state("networkidle")
    page.close()
    files, root = {}, server.url("http")
    for kind, url in seen:
        path = url.removeprefix(root).split("?")[0]
        if path.startswith("/api/"):
            continue
        answer = server.request("http", "GET", path, headers={"accept-encoding": "gzip"})
        if answer.headers.get("content-encoding") == "gzip":
            gzip.decompress(answer.body)
        files.setdefault(kind, {})[path] = len(answer.body)
    return files


def number(values, name, digits=1):
    return "-" if name not in values else machine.number(statistics.median(values[name]), digits)


def tables(traces, chart, sequence, files):
    names = {
        "paint": "opened until painted, warm, ms (< 300 at 100,000)",
        "come": "of these until its columns had come",
        "paint CPU": "the renderer's CPU ms until painted",
        "read": "the server's CPU ms for the columns",
        "scroll": "CPU ms of the renderer a frame: scrolling by three rows",
        "end": "the same: from the first row to the last in 120 frames",
        "begin": "the same, back",
        "zoom": "the same: zooming in and out",
        "scroll time": "ms from frame to frame, scrolling",
        "zoom time": "the same, zooming",
        "nodes": "elements of the document (< 600)",
        "find": "find in names and durations, all hits counted and marked, ms (< 10 at 100,000)"}
    lines = []
    for name, says in names.items():
        line = [says, *(number(own, name) for own in traces.values())]
        ratio = "-"
        if name in ("scroll", "end", "begin", "zoom"):
            small, big = (statistics.median(traces[size][name]) for size in (SMALL, LARGE))
            ratio = f"{big / small:.2f} (≤ 2)"
        lines.append([*line, ratio])
    head = ["of a trace", *(f"{count:,} spans" for count in traces), "100,000 ÷ 1,000"]
    scripts = files.get("script", {})
    every = sum(sum(own.values()) for own in files.values())
    services, links = chart["size"]
    data = "recorded" if large.CALLS.is_file() else "made of the same shape"
    others = [
        [f"map of {services:,} services and {links:,} links, {data}: answered and laid out by the "
         "server, CPU ms; ms (< 500)",
         f"{machine.number(chart['cpu'], 1)}; {machine.number(chart['answer'], 1)}"],
        ["opened until its groups are painted, ms", machine.number(chart["groups"], 1)],
        ["opened until each service is painted, ms", machine.number(chart["whole"], 1)],
        ["each service: CPU ms of the renderer a frame, zooming", machine.number(chart["frame"], 1)],
        [f"analysis of {SEQUENCE:,} calls one after another, read and answered by the server, CPU ms",
         machine.number(sequence[0], 1)],
        [f"scripts of all pages, gzipped as served: {len(scripts)} files, KB (≤ 80)",
         machine.number(sum(scripts.values()) / 1e3, 1)],
        ["all that the pages load besides answers, KB", machine.number(every / 1e3, 1)]]
    return machine.table(head, lines), machine.table(["of the rest", ""], others)


def main():
    with machine.scratch() as folder, SkeinServer(folder) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        traces = {
            count: measure_trace(browser, server, large.bushy(count), stored=count <= LARGE)
            for count in (SMALL, LARGE, LARGEST)}
        chart = measure_map(browser, server)
        trace = large.send(server, large.sequence(SEQUENCE))
        machine.wait_until_idle(server.process.pid)
        sequence = asked(server, f"/api/skein/v1/traces/{trace}/analysis")
        files = served(browser, server)
        version = browser.version
        browser.close()
    machine.write_section("page", "\n\n".join([
        machine.circumstances(f"make bench-page ROUNDS={ROUNDS}") + f" Chromium {version}, headless, "
        f"1440 × 900, medians of {ROUNDS} rounds of {large.FRAMES} frames.",
        *tables(traces, chart, sequence, files)]), is_full=ROUNDS >= 3)


if __name__ == "__main__":
    main()
