# SPDX-License-Identifier: Apache-2.0
"""Traces and maps of many, and what a tab needs to show them. For the tests, which gate ratios and
counts, and for `make bench-page`, which records milliseconds too."""

import array
import base64
import contextlib
import gzip
import json
import pathlib
import statistics
import struct
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "blackbox"))

import otlp  # noqa: E402

# Links of a real system, in Jaeger's form, where recorded data stands beside the repository.
CALLS = (ROOT / "../shared/data/jaeger-ui/dependency-sample/large.json").resolve()
SERVICES, LINKS = 1_238, 4_271
BRANCHES, NAMES, OWNERS = 4, 36, 14
REQUEST_SPANS = 50_000
MS, SECOND = 1_000_000, 1_000_000_000
WAIT_SECONDS_MAX = 120
# Nanoseconds of a unit of columns: ten seconds fit into 32 bits.
UNIT = 10
# The id of a trace that is given to the page. In capitals: a server has no browser ask for it ahead.
GIVEN = "AB" * 16


def name_of(number):
    return f"GET /part/{number:02}"


def service_of(number):
    return f"service-{number:02}"


def bushy(count, length=10 * SECOND):
    """Rows (parent or None, service, name, kind, start, duration, failed) of a trace, depth first:
    each span makes four calls, one after the other, none like its sibling. So none is rolled up."""
    rows, waiting = [], [(0, None, 0, 0, length)]
    while waiting:
        number, parent, name, start, duration = waiting.pop()
        row = len(rows)
        rows.append((parent, name % OWNERS, name, 2 + row % 2, start, duration, row % 97 == 96))
        first = number * BRANCHES + 1
        for child in reversed(range(first, min(first + BRANCHES, count))):
            place = child - first
            waiting.append((
                child, row, (name * 5 + place + 1) % NAMES,
                start + duration * (place * 24 + 3) // 100, max(10, duration * 22 // 100)))
    return rows


def sequence(count):
    """Rows of a trace whose root makes calls one after the other, all of one kind."""
    calls = ((0, 1, 1, 3, row * 100_000, 90_000, False) for row in range(count))
    return [(None, 0, 0, 2, 0, count * 100_000, False), *calls]


def requests(trace_id, rows, start):
    """The trace as requests of OTLP. Bytes are put together by hand: a million spans in seconds."""
    trace = otlp.message(1, trace_id)
    named = [
        {kind: otlp.message(5, name_of(name)) + otlp.integer(6, kind) for kind in (2, 3)}
        for name in range(NAMES)]
    status = otlp.message(15, otlp.integer(3, 2))
    for first in range(0, len(rows), REQUEST_SPANS):
        services = {}
        batch = enumerate(rows[first:first + REQUEST_SPANS], first)
        for row, (parent, service, name, kind, begin, duration, failed) in batch:
            above = b"" if parent is None else b"\x22\x08" + (parent + 1).to_bytes(8, "big")
            span = b"".join((
                trace, b"\x12\x08", (row + 1).to_bytes(8, "big"), above, named[name][kind],
                b"\x39", (start + begin).to_bytes(8, "little"),
                b"\x41", (start + begin + duration).to_bytes(8, "little"),
                status if failed else b""))
            services.setdefault(service, []).append(span)
        yield b"".join(
            otlp.request(spans, service=service_of(service))
            for service, spans in services.items())


def give(page, rows):
    """Has a tab draw rows as the trace of any id. They go into it packed: what is given as an answer
    by way of the browser's driver is copied a dozen times."""
    packed = base64.b64encode(gzip.compress(columns(rows), 1)).decode()
    page.add_init_script("""(() => {
        const ask = fetch;
        const packed = Uint8Array.from(atob('PACKED'), (c) => c.charCodeAt(0));
        const columns = () => new Response(
            new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')));
        window.fetch = async (where, how) => {
            if (/format=columns/.test(where)) return columns();
            return /analysis$/.test(where) ? Response.json({ spanCount: 0 }) : ask(where, how);
        };
    })()""".replace("PACKED", packed))


def send(server, rows):
    """Stores rows as a trace of now and returns its id."""
    length = rows[0][5]
    trace_id = struct.pack(">QQ", 0x1A26E, len(rows) << 1 | (rows[1][0] == rows[-1][0]))
    for body in requests(trace_id, rows, time.time_ns() - length - 60 * SECOND):
        answer = server.post_otlp(body)
        assert answer.status == 200 and b"rejected" not in answer.body, answer.text
    until(lambda: len(rows) == (server.get(
        f"/api/skein/v1/traces/{trace_id.hex()}/analysis").json or {}).get("spanCount"))
    return trace_id.hex()


def trv1(names, services, start, duration, parent, name, service, depth, kind, flags, *,
         trace_id="ab" * 16, t0=0, unit=1):
    """A trace in the columnar form that the page draws, times in units of so many nanoseconds."""
    header = json.dumps({
        "traceId": trace_id, "t0": str(t0), "duration": str(max(duration) * unit), "n": len(start),
        "unitNanos": unit, "services": services, "names": names, "warnings": [],
    }).encode()
    header += b" " * (-len(header) % 8)
    parts = [("I", start), ("I", duration), ("i", parent), ("I", name), ("H", service),
             ("H", depth), ("B", kind), ("B", flags)]
    body = b"".join(array.array(code, values).tobytes() for code, values in parts)
    return b"TRV1" + struct.pack("<I", len(header)) + header + body


def columns(rows):
    """Rows as the page gets them: for traces larger than a server reads for one question."""
    depth = []
    for row in rows:
        depth.append(0 if row[0] is None else depth[row[0]] + 1)
    parent, service, name, kind, start, duration, failed = zip(*rows)
    return trv1(
        [name_of(each) for each in range(NAMES)], [service_of(each) for each in range(OWNERS)],
        [each // UNIT for each in start], [each // UNIT for each in duration],
        [-1 if each is None else each for each in parent], name, service, depth, kind, failed,
        t0=otlp.BASE_TIME, unit=UNIT)


def until(condition):
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)  # Between two looks; the loop ends by the deadline.


def links():
    """(caller, callee, calls) of a system of 1,238 services: a recorded one where it is there."""
    if CALLS.is_file():
        return [(each["parent"], each["child"], each["callCount"])
                for each in json.loads(CALLS.read_text())]
    # As many services and links of one shape with those: few of the services make most calls.
    names = [f"Service{n}" for n in range(SERVICES)]
    first = [(names[n * n // (4 * SERVICES)], names[n], n) for n in range(1, SERVICES)]
    more = [(names[n * n % 300], names[n * 7 % SERVICES], n % 900 + 1)
            for n in range(1, 2 * LINKS) if n * n % 300 != n * 7 % SERVICES]
    return list({link[:2]: link for link in first + more}.values())[:LINKS]


def send_links(server):
    """Stores a call for each link, five hours ago; the parameters of that time for the interface
    and for the page, and how many services and links there are."""
    every = links()
    now = time.time_ns() - 5 * 3_600 * SECOND
    spans = {}
    for number, (caller, callee, _) in enumerate(every, 1):
        trace = struct.pack(">QQ", 0x11A2, number)
        ask, answer = (struct.pack(">Q", number << 1 | side) for side in (0, 1))
        spans.setdefault(caller, []).append(otlp.span(
            trace, ask, f"call {callee}", kind=3, start=now, duration=3 * MS))
        spans.setdefault(callee, []).append(otlp.span(
            trace, answer, "answer", parent=ask, start=now + MS, duration=MS))
    answer = server.post_otlp(b"".join(
        otlp.request(own, service=service) for service, own in spans.items()))
    assert answer.status == 200, answer.text
    begin, end = now - 600 * SECOND, now + 600 * SECOND
    asked = {"start": begin, "end": end}
    until(lambda: sizes(server.get("/api/skein/v1/map", **asked).json) == (len(spans), len(every)))
    return asked, f"from={begin // MS}&to={end // MS}", (len(spans), len(every))


def sizes(answer):
    return len(answer["nodes"]), len(answer["edges"])


def renderers(browser):
    """CPU nanoseconds of all processes that render pages, by the scheduler's count."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    used = 0
    for process in processes:
        if process["type"] != "renderer":
            continue
        for task in pathlib.Path(f"/proc/{process['id']}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # It has just ended.
                used += int((task / "schedstat").read_text().split()[0])
    return used


# What a pass does before each of its frames to `it`; `k` counts these from 0, `n` is their number.
SCROLL = "it.scrollTop += 78"
TO_THE_END = "it.scrollTop = (it.scrollHeight - it.clientHeight) * (k + 1) / n"
TO_THE_BEGIN = "it.scrollTop = (it.scrollHeight - it.clientHeight) * (n - k - 1) / n"
# In and out again.
ZOOM = """it.dispatchEvent(new WheelEvent('wheel', {
    ctrlKey: true, bubbles: true, cancelable: true, deltaY: (k * 2 < n ? -12 : 12),
    clientX: innerWidth * 0.6, clientY: innerHeight * 0.6 }))"""
FRAMES = 120


def frames(page, what, count=FRAMES, it=".rows"):
    """Does a thing before each of so many frames. Milliseconds from each frame to the next."""
    return page.evaluate("""([count, it]) => new Promise((done) => {
        it = document.querySelector(it);
        const times = [];
        const step = (now) => {
            times.push(now);
            if (times.length > count) return done(times.slice(1).map((at, i) => at - times[i]));
            const [k, n] = [times.length - 1, count];
            WHAT;
            requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
    })""".replace("WHAT", what), [count, it])


def cost(page, what, **how):
    """CPU milliseconds of the renderer a frame, and the median time from one frame to the next."""
    before = renderers(page.context.browser)
    between = frames(page, what, **how)
    used = renderers(page.context.browser) - before
    return used / len(between) / 1e6, statistics.median(between)


def node_count(page):
    return page.evaluate("document.querySelectorAll('*').length")


def find(page, text):
    """Puts a text into the field of a trace: milliseconds until its hits are counted and marked,
    and what the page says of them."""
    return page.evaluate("""(text) => {
        const field = document.querySelector('#find');
        field.value = text;
        const begin = performance.now();
        field.dispatchEvent(new Event('input', { bubbles: true }));
        const took = performance.now() - begin;
        return [took, document.querySelector('.found').textContent];
    }""", text)


def matching(rows, word, least):
    """How many spans have a word in their names and are longer than so many nanoseconds."""
    return sum(
        word in name_of(name) and duration > least for _, _, name, _, _, duration, _ in rows)
