# SPDX-License-Identifier: Apache-2.0
"""Traces in the terminal: `skein trace`, and what `skein query` shows of a query's spans."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

import otlp
from skein_server import BINARY
from test_cli import said, skein

TRACE = bytes.fromhex("ab" * 8 + "cd" * 8)
MILLISECOND = 1_000_000


def span_id(number):
    return struct.pack(">Q", number)


def post(server, service, *spans, **resource):
    answer = server.post_otlp(otlp.request(spans, service=service, resource=resource))
    assert answer.status == 200, answer.text


def item(number, name, parent=0, start=0.0, milliseconds=1.0, trace=TRACE, **more):
    return otlp.span(
        trace, span_id(number), name, parent=span_id(parent) if parent else b"",
        start=otlp.BASE_TIME + int(start * MILLISECOND), duration=int(milliseconds * MILLISECOND),
        **more)


FAILED = otlp.message(15, otlp.message(2, "no money") + otlp.integer(3, 2))


@pytest.fixture(scope="module")
def shop(server):
    """A server with one trace: a root, fifty queries that are alike, and a charge that failed."""
    post(server, "gateway", item(1, "POST /orders", milliseconds=400))
    post(server, "stock", *[item(10 + number, "SELECT stock", 1, start=number * 4,
                                 milliseconds=1 + number / 10) for number in range(50)])
    post(server, "bank", item(90, "charge", 1, start=300, milliseconds=100, status=FAILED),
         item(91, "lookup \x1b[31m", 90, start=310, milliseconds=25))
    return server


def draw(server, *arguments, **environment):
    result = skein("trace", "--server", server.url("http"), *arguments, **environment)
    assert result.returncode == 0, said(result)
    return result


def test_a_trace_is_drawn_with_times_self_times_bars_errors_and_runs_told_together(shop):
    drawn = draw(shop, TRACE.hex())
    lines = drawn.stdout.split("\n")
    assert lines[0] == f"POST /orders  gateway  {TRACE.hex()}"
    assert lines[1].startswith("400 ms, 53 spans, 3 services, 1 error, 2026-11-18 ")
    tree = lines[4:-1]
    assert [re.split(r"(?<=\S)  +", line)[0] for line in tree] == [
        "POST /orders", "├ SELECT stock", "├ SELECT stock", "├ SELECT stock",
        "├ … 47 more like it, 1.30 ms to 5.90 ms", "└ ✗ charge", "  └ lookup ·[31m"]
    # The root's own time is what neither the queries, some of which overlap, nor the charge cover.
    assert re.search(r"gateway +400 ms +\d+ ms  █+$", tree[0])
    assert re.search(r"bank +100 ms +75\.00 ms  +█+$", tree[5])
    assert "░" in tree[4] and "█" not in tree[4]
    assert "\x1b" not in drawn.stdout
    assert max(map(len, lines)) <= 100


def test_errors_of_what_is_left_out_count_where_they_are_told_together(server):
    trace = bytes.fromhex("ef" * 16)
    post(server, "gateway", item(1, "POST /refunds", milliseconds=90, trace=trace))
    post(server, "bank", *[item(10 + number, "refund", 1, start=number * 4, status=FAILED,
                                trace=trace) for number in range(10)])
    cut = draw(server, trace.hex(), "--limit", "2")
    assert "9 spans below are left out, 9 of them with errors: --limit 5" in cut.stderr


def test_short_ids_find_the_trace_and_query_draws_the_same(shop):
    short = draw(shop, "cd" * 8)
    assert short.stdout == draw(shop, TRACE.hex()).stdout
    queried = skein("query", "--address", shop.url("http"), TRACE.hex())
    assert queried.stdout == short.stdout


def test_all_and_limit_say_how_much_is_drawn(shop):
    every = draw(shop, TRACE.hex(), "--all")
    assert every.stdout.count("SELECT stock") == 50
    cut = draw(shop, TRACE.hex(), "--all", "--limit", 10)
    assert cut.stdout.count("SELECT stock") == 9
    assert "43 spans below are left out, 1 of them with errors: --limit 53" in cut.stderr
    assert "left out" not in every.stderr


def test_an_unknown_id_and_a_wrong_one_are_told(shop):
    unknown = skein("trace", "--server", shop.url("http"), "dead" * 8)
    assert unknown.returncode == 1
    assert "is not stored" in said(unknown)
    wrong = skein("trace", "xyz")
    assert wrong.returncode == 64
    assert "1 to 32 hexadecimal digits" in said(wrong)
    nobody = skein("trace", "abc", "--server", "http://127.0.0.1:1")
    assert nobody.returncode == 1


def test_an_id_of_several_traces_names_them(shop):
    for high in (1, 2):
        trace = bytes([high] * 8) + b"\x77" * 8
        post(shop, "twins", item(1, "twin", trace=trace))
    several = skein("trace", "--server", shop.url("http"), "77" * 8)
    assert several.returncode == 1
    assert "01" * 8 in said(several) and "02" * 8 in said(several)


def test_json_is_the_trace_as_it_was_sent(shop):
    document = json.loads(draw(shop, TRACE.hex(), "--json").stdout)
    assert len(otlp.flatten(document)) == 53


def test_clocks_that_were_corrected_and_parents_that_are_missing_are_noted(shop):
    trace = b"\x55" * 16
    post(shop, "web", item(1, "call", milliseconds=20, kind=3, trace=trace),
         **{"host.name": "a"})
    post(shop, "api", item(2, "serve", 1, start=5_000, milliseconds=10, trace=trace),
         **{"host.name": "b"})
    post(shop, "api", item(3, "orphan", 77, start=2, trace=trace), **{"host.name": "b"})
    drawn = draw(shop, trace.hex())
    assert drawn.stdout.split("\n")[1].startswith("20.00 ms, 3 spans")
    assert "corrected" in drawn.stderr and "--raw" in drawn.stderr
    assert "a parent that was not received" in drawn.stderr
    raw = draw(shop, trace.hex(), "--raw")
    assert raw.stdout.split("\n")[1].startswith("5.01 s, 3 spans")
    assert "corrected" not in raw.stderr


def on_terminal(columns, *arguments, **environment):
    """What the command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    given = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen([str(BINARY), *arguments], stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=subprocess.PIPE, env={**given, **environment})
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65_536):
            written += piece
    except OSError:
        pass  # The terminal's other end is closed: the program has ended.
    os.close(ours)
    assert process.wait(60) == 0, process.stderr.read()
    process.stderr.close()
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 140])
def test_a_terminal_has_colours_and_its_width_is_kept(shop, columns):
    arguments = ["trace", "--server", shop.url("http"), TRACE.hex()]
    text = on_terminal(columns, *arguments)
    assert "\x1b[31m✗ charge" in text
    plain = re.sub(r"\x1b\[\d+m", "", text)
    tree = plain.split("\n")[3:]
    assert max(map(len, tree)) <= columns
    assert max(map(len, tree)) >= columns - 2
    assert "\x1b" not in on_terminal(columns, *arguments, NO_COLOR="1")


def test_a_query_shows_the_spans_it_found_under_their_keys(shop):
    found = skein("query", "--address", shop.url("http"), "--last", "3650d",
                  '{ name =~ "SELECT stock|charge" } | by(resource.service.name)')
    assert found.returncode == 0, said(found)
    lines = [line.strip() for line in found.stdout.split("\n")]
    assert "by(resource.service.name) = stock: 50 spans" in lines
    assert "stock: SELECT stock  1.00 ms" in lines
    assert "… 47 spans more" in lines
    assert "by(resource.service.name) = bank: 1 span" in lines
    assert "bank: charge  100 ms" in lines
