# SPDX-License-Identifier: Apache-2.0
"""Every trace that other projects recorded is drawn as it was: a row a span, a bar where it ran."""

import json
import struct
import urllib.request

import pytest
from conftest import MODULES, SkeinServer, Tabs
from recorded_traces import DATA, recorded
from test_page import until

pytestmark = pytest.mark.skipif(
    not (DATA / "zipkin-lens-testdata").is_dir(),
    reason="the recorded traces (../shared/data) do not stand beside the repository")

RECORDED = list(recorded()) if (DATA / "zipkin-lens-testdata").is_dir() else []
SIZES = {"wide": (1440, 900), "narrow": (420, 900)}
# Rows whose bars are measured; further ones are drawn by the same code.
MEASURED_MOST = 20
MARGIN = 10  # Pixels of the canvas before the first moment.


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    with SkeinServer(folder, *MODULES, durability="os") as server:
        for one in RECORDED:
            answer = server.request(one.listener, "POST", one.path, json.dumps(one.body).encode(),
                                    {"content-type": "application/json"})
            assert answer.status < 300, (one.name, answer.text)
        yield server


@pytest.fixture(scope="module")
def opened(browser, server):
    """Opens traces one after the other in one tab a size, and fails with what a tab complained of."""
    tabs = Tabs(browser, server.url("http"))
    pages = {}

    def open_trace(trace, more="", size="wide"):
        address = f"/trace/{trace}?roll=0{more}"
        if size in pages:
            pages[size].goto(server.url("http") + address)
        else:
            pages[size] = tabs.open(address, size=SIZES[size])
        pages[size].wait_for_selector(".diagnosis li")
        assert tabs.complaints == []
        return pages[size]

    yield open_trace
    tabs.close()
    assert tabs.complaints == []


def columns(server, trace):
    """Starts and durations of the rows, in units of the columns."""
    with urllib.request.urlopen(
            f"{server.url('http')}/api/skein/v1/traces/{trace}?format=columns") as response:
        data = response.read()
    length = struct.unpack_from("<I", data, 4)[0]
    n = json.loads(data[8:8 + length])["n"]
    at = (8 + length + 7) & ~7
    return (struct.unpack_from(f"<{n}I", data, at), struct.unpack_from(f"<{n}I", data, at + 4 * n))


# The first and the last painted pixel of each row: of a line through the middle of its bar those
# that the line above it, with the marks of the axis alone, has otherwise. And the canvas' width.
BARS = """most => {
    const canvas = document.querySelector('.rows canvas.bars');
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const c = copy.getContext('2d', { willReadFrequently: true });
    c.drawImage(canvas, 0, 0);
    const ratio = devicePixelRatio;
    const height = 26 * ratio;
    const found = [];
    for (let row = 0; row < most; row++) {
        const above = c.getImageData(0, row * height + 1, canvas.width, 1).data;
        const bar = c.getImageData(0, row * height + Math.round(height / 2), canvas.width, 1).data;
        let [first, last] = [-1, -1];
        for (let x = 0; x < canvas.width; x++) {
            if (![0, 1, 2, 3].some((k) => above[4 * x + k] !== bar[4 * x + k])) continue;
            if (first < 0) first = x;
            last = x;
        }
        found.push([first / ratio, (last + 1) / ratio]);
    }
    return { width: canvas.width / ratio, found };
}"""


@pytest.mark.parametrize("one", RECORDED, ids=[one.name for one in RECORDED])
def test_a_recorded_trace_has_a_row_a_span_and_each_bar_where_it_ran(opened, server, one):
    page = opened(one.trace)
    until(page, "n => document.querySelector('.rows').getAttribute('aria-rowcount') === `${n}`",
          one.spans)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    starts, durations = columns(server, one.trace)
    total = max(map(sum, zip(starts, durations)), default=0) or 1
    rows = page.locator(".row:not([hidden])")
    shown = min(MEASURED_MOST, one.spans, rows.count() - 2 if rows.count() > 4 else rows.count())
    bars = page.evaluate(BARS, shown)
    scale = (bars["width"] - 2 * MARGIN) / total
    for row, (first, last) in enumerate(bars["found"]):
        begin = MARGIN + starts[row] * scale
        end = MARGIN + max(begin - MARGIN + 2, (starts[row] + durations[row]) * scale)
        # A failed span has a frame around its bar.
        assert abs(first - begin) <= 4 and abs(last - end) <= 4, (row, first, begin, last, end)
        assert 0 <= first < last <= bars["width"]
    for length in page.locator(".row:not([hidden]) .length").all_inner_texts():
        assert length and not length.startswith(("-", "−")) and "NaN" not in length
    assert all(page.locator(".row:not([hidden]) .names b").all_inner_texts())
    # Where there is room, no name of the heading is cut.
    assert page.evaluate("(one => one.scrollWidth <= one.clientWidth || innerWidth < 900)"
                         "(document.querySelector('h1 .service'))")
    # There are more services here than dyes; those of one trace are told apart all the same.
    dyes = page.evaluate("[...document.querySelectorAll('.legend .chip')].map(e =>"
                         " e.className.match(/dye-\\d+/)[0])")
    assert len(set(dyes)) == min(12, len(dyes))


UNTIMED = [one for one in RECORDED if one.listener == "zipkin" and any(
    "timestamp" not in span for span in one.body)]


@pytest.mark.parametrize("one", UNTIMED, ids=[one.name for one in UNTIMED])
def test_spans_sent_without_a_start_make_no_trace_longer(server, one):
    timed = [span for span in one.body if "timestamp" in span]
    first = min(span["timestamp"] for span in timed)
    last = max(span["timestamp"] + span.get("duration", 0) for span in timed)
    with urllib.request.urlopen(
            f"{server.url('http')}/api/skein/v1/traces/{one.trace}/analysis") as response:
        told = json.load(response)
    # Clocks that were off are corrected, by less than a second here.
    assert abs(int(told["durationNanos"]) // 1000 - (last - first)) < 1_000_000


INTERESTING = [one for one in RECORDED if one.name.split("/")[-1] in (
    "messaging-kafka.json", "messaging2.json", "smartthings-oauth-authorization.json",
    "smartthings-mobile-web-install.json", "skew.json", "genaiTestTrace.json")]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("one", INTERESTING, ids=[one.name for one in INTERESTING])
def test_all_views_and_the_panel_of_a_recorded_trace_stay_within_the_page(
        opened, picture, one, size):
    page = opened(one.trace, "&cp=1", size)
    name = one.name.rsplit("/", 1)[1].removesuffix(".json")
    inside = {"timeline": ".row", "flame": ".flame canvas", "tree": ".rows.wide .row",
              "table": ".stat-name", "paths": ".path-name", "logs": ".logs li, .none",
              "json": ".document"}
    for view, selector in inside.items():
        page.locator(f".views [data-view={view}]").click()
        page.locator(selector).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        picture(page, f"recorded-{name}-{view}-{size}")
    page.locator(".views [data-view=timeline]").click()
    page.locator(".row .names b").first.click()
    page.wait_for_selector(".panel .section")
    picture(page, f"recorded-{name}-panel-{size}")
    assert page.evaluate("""() => [document.documentElement, document.querySelector('.panel-body')]
        .every((one) => one.scrollWidth <= one.clientWidth)""")
