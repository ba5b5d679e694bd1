# SPDX-License-Identifier: Apache-2.0
"""Mistakes that other servers of Tempo's interface made, one test each: `docs/api.md` lists them."""

import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

import otlp
import tempo_shop
from tempo_shop import CHECKOUT, RANGE, VISIT, found, search, stripped, text_id, values


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server far from UTC: no time zone may show in an answer."""
    from skein_server import SkeinServer
    running = SkeinServer(tmp_path_factory.mktemp("far"))
    running.environment["TZ"] = "Pacific/Kiritimati"
    with running:
        tempo_shop.send(running)
        yield running
        assert running.is_alive, running.log_tail()


def test_trap_1_numbers_of_64_bits_are_text(server):
    for trace in search(server, "{ }"):
        assert isinstance(trace["startTimeUnixNano"], str)
        assert isinstance(trace["durationMs"], int)
        for span in trace["spanSet"]["spans"] + trace["spanSets"][0]["spans"]:
            assert isinstance(span["startTimeUnixNano"], str)
            assert isinstance(span["durationNanos"], str)
    [trace] = search(server, "{ span.order.id != nil } | select(span.http.status_code)")
    [told] = [pair for pair in trace["spanSet"]["spans"][0]["attributes"]
              if pair["key"] == "http.status_code"]
    assert told["value"] == {"intValue": "404"}


@pytest.mark.parametrize("tag", ["status", "span:status"])
def test_trap_2_the_values_of_status_are_words(server, tag):
    assert values(server, tag) == [
        ("keyword", "unset"), ("keyword", "ok"), ("keyword", "error")]


@pytest.mark.parametrize("tag", ["kind", "span:kind"])
def test_trap_2_the_values_of_kind_are_words(server, tag):
    assert set(values(server, tag)) == {("keyword", word) for word in (
        "unspecified", "internal", "server", "client", "producer", "consumer")}


def test_trap_3_intrinsics_have_a_scope_of_their_own(server):
    for parameters in ({}, {"scope": "intrinsic"}):
        scopes = server.get("/tempo/api/v2/search/tags", **parameters).json["scopes"]
        [intrinsic] = [scope["tags"] for scope in scopes if scope["name"] == "intrinsic"]
        assert {"duration", "name", "status", "kind", "statusMessage", "rootName",
                "rootServiceName", "traceDuration", "trace:duration", "span:name", "event:name",
                "instrumentation:name"} <= set(intrinsic)
        assert len(scopes) == 1 or parameters == {}


def test_trap_4_spansets_hold_the_spans_that_matched(server):
    assert found(search(server, "{ kind = client }", spss=1)) == {
        stripped(CHECKOUT): ["add item"]}
    [trace] = search(server, "{ kind = client }", spss=10)
    assert [span["spanID"] for span in trace["spanSets"][0]["spans"]] == [
        text_id(0x12), text_id(0x13)]
    assert trace["spanSets"][0]["matched"] == 2


@pytest.mark.parametrize("accept", [
    "application/protobuf", "application/protobuf, application/json;q=0.5"])
def test_trap_5_both_versions_answer_protobuf_and_the_first_says_batches(server, accept):
    for version in ("", "v2/"):
        answer = server.request("http", "GET", f"/tempo/api/{version}traces/{VISIT}",
                                headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/protobuf"
        body = answer.body
        if version:
            # trace = 1, of less than 2^14 bytes, then metrics = 2, of none.
            assert body[0] == 0x0A and body[-2:] == b"\x12\x00"
            body = body[3:-2] if body[1] >= 128 else body[2:-2]
        [part] = trace_pb2.TracesData.FromString(body).resource_spans
        assert part.scope_spans[0].spans[0].trace_id.hex() == VISIT
    assert "batches" in server.get(f"/tempo/api/traces/{VISIT}").json


def test_trap_9_no_time_zone_moves_a_range(server):
    start = otlp.BASE_TIME // 10**9
    assert list(found(search(server, "{ }", start=start, end=start + 1))) == [stripped(CHECKOUT)]
    assert list(found(search(server, "{ }", start=start + 1, end=start + 2))) == [stripped(VISIT)]
    # 14 hours east of it, and as far west.
    for hours in (14, -14):
        shifted = start + hours * 3600
        assert search(server, "{ }", start=shifted, end=shifted + 10) == []


def test_trap_10_the_duration_of_a_trace_is_not_that_of_a_span(server):
    # No span but the root lasts that long; all of its trace are found.
    [trace] = search(server, "{ traceDuration > 250ms && kind = client }")
    assert [span["name"] for span in trace["spanSet"]["spans"]] == ["add item", "SELECT"]
    answer = server.get("/tempo/api/search", minDuration="250ms", tags="db.system=postgresql",
                        **RANGE)
    assert found(answer.json["traces"]) == {stripped(CHECKOUT): ["SELECT"]}


@pytest.mark.parametrize("form", [
    VISIT, stripped(VISIT), stripped(VISIT).upper(), "0" + stripped(VISIT), VISIT[16:]])
def test_trap_11_a_trace_is_found_without_the_zeros_it_begins_with(server, form):
    for version in ("", "v2/"):
        answer = server.get(f"/tempo/api/{version}traces/{form}")
        assert answer.status == 200, answer.text
    assert [trace["traceID"] for trace in search(server, '{ name = "GET /" }')] == [
        stripped(VISIT)]


def test_trap_11_half_an_id_finds_the_whole(server):
    answer = server.get(f"/tempo/api/traces/{CHECKOUT[16:]}")
    assert answer.status == 200 and len(answer.json["batches"]) == 3


def test_trap_14_limit_counts_traces_and_spss_spans(server):
    assert len(search(server, "{ }", limit=2)) == 2
    [trace] = search(server, "{ kind != producer } | count() > 1", spss=2)
    assert len(trace["spanSet"]["spans"]) == 2 and trace["spanSet"]["matched"] == 3
    [trace] = search(server, "{ kind != producer } | count() > 1")
    assert len(trace["spanSet"]["spans"]) == 3


def test_trap_15_times_are_seconds_asked_and_nanoseconds_told(server):
    start = otlp.BASE_TIME // 10**9
    [trace] = search(server, "{ }", start=start, end=start + 1)
    assert trace["startTimeUnixNano"] == str(otlp.BASE_TIME)
    assert trace["durationMs"] == 300
    # Whoever gives milliseconds or less is told, and does not wonder why nothing is found.
    for unit in (10**3, 10**6, 10**9):
        answer = server.get("/tempo/api/search", q="{ }", start=start * unit,
                            end=(start + 1) * unit)
        assert answer.status == 400 and "give seconds" in answer.text
