# SPDX-License-Identifier: Apache-2.0
"""Exports: `GET /api/skein/v1/export`, `skein export`, and loading them again."""

import json
import struct
import subprocess

import pytest

import otlp
from skein_server import BINARY
from test_cli import said, skein

TRACES = 450
MINUTE = 60_000_000_000


def fill(server):
    """Traces over 45 minutes, of two services; every tenth failed. One has every field of OTLP."""
    failed = otlp.message(15, otlp.integer(3, 2))
    for first in range(0, TRACES, 150):
        for service, number in (("front", 1), ("back", 2)):
            spans = [
                otlp.span(
                    struct.pack(">QQ", 0xE, trace + 1), struct.pack(">Q", trace * 2 + number),
                    f"{service} work", start=otlp.BASE_TIME + trace * MINUTE // 10 + number,
                    parent=struct.pack(">Q", trace * 2 + 1) if number == 2 else b"",
                    values={"n": trace}, status=failed if number == 2 and trace % 10 == 0 else b"")
                for trace in range(first, first + 150)]
            assert server.post_otlp(otlp.request(spans, service=service)).status == 200
    body, trace_id = otlp.rich_request(3)
    assert server.post_otlp(body).status == 200
    return trace_id


@pytest.fixture(scope="module")
def filled(server):
    server.rich = fill(server)
    return server


def spans_of(server, trace_id):
    return sorted(map(repr, otlp.flatten(server.trace(trace_id))))


def varint(data, place):
    value, shift = 0, 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, place


@pytest.mark.parametrize("form", ["otlp-json", "otlp-protobuf"])
def test_an_export_loaded_into_another_server_gives_the_same_traces(
        filled, new_server, tmp_path, form):
    file = tmp_path / "window.otlp"
    exported = skein("export", "--address", filled.url("http"), "--last", "3650d", "--format",
                     form, "-o", file)
    assert exported.returncode == 0, said(exported)
    assert f"{TRACES + 1} traces, {2 * TRACES + 2} spans in {file}." in exported.stderr
    assert not file.with_name("window.otlp.part").exists()
    with new_server(folder="second") as second:
        loaded = skein("load", file, "--endpoint", second.url("otlp-http"))
        assert loaded.returncode == 0, said(loaded)
        again = skein("export", "--address", second.url("http"), "--last", "3650d")
        assert f"{TRACES + 1} traces, {2 * TRACES + 2} spans." in again.stderr
        for trace_id in [filled.rich, *(f"{0xE:016x}{number:016x}" for number in (1, 77, TRACES))]:
            assert spans_of(second, trace_id) == spans_of(filled, trace_id)


def test_lines_are_whole_traces_the_newest_first_and_the_last_one_counts(filled):
    answer = filled.get("/api/skein/v1/export", last="3650d")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["transfer-encoding"] == "chunked"
    *lines, end = [json.loads(line) for line in answer.text.splitlines()]
    assert end == {"resourceSpans": [], "skeinExport": {
        "traceCount": TRACES + 1, "spanCount": 2 * TRACES + 2, "complete": True,
        "incompleteReasons": []}}
    traces = [otlp.flatten(line) for line in lines]
    assert [len(trace) for trace in traces] == [2] * (TRACES + 1)
    ids = [{span["traceId"] for span in trace} for trace in traces]
    assert all(len(found) == 1 for found in ids)
    own = [min(span["startUnixNano"] for span in trace) for trace in traces]
    assert own == sorted(own, reverse=True)


def test_protobuf_has_a_length_before_each_message(filled):
    answer = filled.get("/api/skein/v1/export", last="3650d", format="protobuf")
    assert answer.headers["content-type"].startswith("application/x-protobuf")
    place, messages = 0, []
    while place < len(answer.body):
        length, place = varint(answer.body, place)
        messages.append(answer.body[place:place + length])
        place += length
    assert place == len(answer.body)
    assert len(messages) == TRACES + 2
    assert all(message[0] == 0x0A for message in messages[:-1])
    number, place = varint(messages[-1], 0)
    assert number == 1000 << 3 | 2
    length, place = varint(messages[-1], place)
    assert json.loads(messages[-1][place:])["spanCount"] == 2 * TRACES + 2


def test_a_window_and_a_query_choose_traces(filled):
    start, end = otlp.BASE_TIME + 10 * MINUTE, otlp.BASE_TIME + 20 * MINUTE
    window = filled.get("/api/skein/v1/export", start=start, end=end)
    assert json.loads(window.text.splitlines()[-1])["skeinExport"]["traceCount"] == 100
    failed = filled.get("/api/skein/v1/export", last="3650d",
                        q='{ name = "front work" } >> { status = error }')
    *lines, end = [json.loads(line) for line in failed.text.splitlines()]
    assert end["skeinExport"]["traceCount"] == len(lines) == TRACES // 10
    # Whole traces, not only the spans that were found.
    assert all(len(otlp.flatten(line)) == 2 for line in lines)
    nothing = filled.get("/api/skein/v1/export", start=1, end=2)
    assert len(nothing.text.splitlines()) == 1


@pytest.mark.parametrize("parameters, hint", [
    ({"q": "{ .a == 1 }"}, "write one = to compare"), ({"format": "xml"}, "json, protobuf"),
    ({"start": "5", "end": "5"}, "empty"), ({"last": "1h", "end": "5"}, "one of them"),
    ({"q": "{ } | rate()"}, "numbers over time"), ({"limit": "5"}, "not known"),
    ({"q": "{ } order by trace:duration"}, "leave order by out"),
])
def test_a_wrong_question_is_refused(filled, parameters, hint):
    answer = filled.get("/api/skein/v1/export", **parameters)
    assert answer.status == 400
    assert hint in answer.json["error"]["message"]


def test_an_interrupted_export_has_no_end_and_the_command_says_so(new_server, tmp_path):
    with new_server() as server:
        # More than pipes and sockets hold, so that it cannot have been written before.
        text = "x" * 2_000
        for batch in range(40):
            spans = [otlp.span(struct.pack(">QQ", batch + 1, number + 1), b"\x02" * 8,
                               start=otlp.BASE_TIME + number, values={"text": text})
                     for number in range(250)]
            assert server.post_otlp(otlp.request(spans)).status == 200
        file = tmp_path / "out.ndjson"
        process = subprocess.Popen(
            [str(BINARY), "export", "--address", server.url("http"), "--last", "3650d"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        head = process.stdout.read(100_000)
        server.kill()
        rest, told = process.communicate(timeout=60)
        assert process.returncode == 1
        assert b"interrupted" in told
        assert b"skeinExport" not in head + rest
        # What came is recognised as cut short by who loads it, unless it ends between two lines.
        file.write_bytes((head + rest)[:-10])
        with new_server(folder="second") as second:
            loaded = skein("load", file, "--endpoint", second.url("otlp-http"))
            assert loaded.returncode != 0
            assert "is the file complete?" in said(loaded)


def test_a_file_of_an_interrupted_export_keeps_its_other_name(tmp_path):
    result = skein("export", "--address", "http://127.0.0.1:1", "-o", tmp_path / "out.ndjson")
    assert result.returncode == 1
    assert not (tmp_path / "out.ndjson").exists()
    nowhere = skein("export", "-o", tmp_path / "none" / "out.ndjson")
    assert nowhere.returncode == 1
    assert "cannot create" in said(nowhere)
