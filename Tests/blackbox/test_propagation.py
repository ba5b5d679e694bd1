# SPDX-License-Identifier: Apache-2.0
"""The SDK's headers are read by OpenTelemetry's propagators for Python, and theirs by the SDK."""

import json
import subprocess

import pytest
from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.jaeger import JaegerPropagator
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from peer_program import program

W3C = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
# OTEL_PROPAGATORS of the SDK -> the same for Python.
FORMATS = {
    "tracecontext,baggage": W3C, "b3": B3SingleFormat(), "b3multi": B3MultiFormat(),
    "jaeger": JaegerPropagator(), "xray": AwsXRayPropagator(),
}
CARRIES_BAGGAGE = ["tracecontext,baggage", "jaeger"]
TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
# X-Ray has no short ids.
SHORT_TRACE = 0x8448EB211C80319C
ODD_VALUES = {
    "plain": "4711", "blank": "a b  c", "comma": "a,b;c=d", "quoted": '"x" \\ y', "percent": "100%41",
    "plus": "1+1=2", "letters": "收货 🛒 ü", "empty": "", "url": "https://x/y?a=b&c=d#e",
}


class AnyCase(Getter):
    """Reads headers as HTTP has them, whatever their case."""

    def get(self, carrier, key):
        found = [value for name, value in carrier.items() if name.lower() == key.lower()]
        return found or None

    def keys(self, carrier):
        return [name.lower() for name in carrier]


class Peer:
    """One running `WirePeer carry`."""

    def __init__(self):
        self.process = subprocess.Popen(
            [program("WirePeer"), "carry"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def carry(self, propagators, headers=None, records=True, is_foreign=False, put=None, keys=()):
        self.process.stdin.write(json.dumps({
            "propagators": propagators, "records": records, "isForeign": is_foreign,
            "baggageKeys": list(keys), "put": put or {},
            "headers": {name.lower(): value for name, value in (headers or {}).items()},
        }) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the peer ended"
        return json.loads(answer)

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


@pytest.fixture(scope="module")
def peer():
    running = Peer()
    yield running
    running.stop()


def written_by_python(propagator, trace_id=TRACE, span_id=SPAN, flags=1, state=None, items=()):
    context = trace.set_span_in_context(trace.NonRecordingSpan(trace.SpanContext(
        trace_id, span_id, False, trace.TraceFlags(flags),
        trace.TraceState(state) if state else None)))
    for key, value in dict(items).items():
        context = baggage.set_baggage(key, value, context)
    headers = {}
    propagator.inject(headers, context)
    return headers


def read_by_python(propagator, headers):
    context = propagator.extract(headers, getter=AnyCase())
    return trace.get_current_span(context).get_span_context(), baggage.get_all(context)


both_kinds = pytest.mark.parametrize("is_foreign", [False, True], ids=["own", "tracing"])
all_formats = pytest.mark.parametrize("name", FORMATS)


@both_kinds
@all_formats
@pytest.mark.parametrize("is_sampled", [True, False], ids=["sampled", "unsampled"])
@pytest.mark.parametrize("trace_id", [TRACE, SHORT_TRACE], ids=["128 bits", "64 bits"])
def test_a_trace_goes_there_and_back(peer, name, is_foreign, is_sampled, trace_id):
    sent = written_by_python(FORMATS[name], trace_id, flags=int(is_sampled))
    carried = peer.carry(name, sent, is_foreign=is_foreign)
    assert carried["traceID"] == f"{trace_id:032x}"
    assert carried["spanID"] == f"{SPAN:016x}"
    assert carried["flags"] & 1 == is_sampled
    assert carried["isRecorded"] == is_sampled

    back, _ = read_by_python(FORMATS[name], carried["headers"])
    assert back.is_remote and back.trace_id == trace_id
    assert back.trace_flags.sampled == is_sampled
    # The next one's parent is the span in between. One that is not recorded may let its parent
    # stand for it.
    assert back.span_id != 0 and (back.span_id != SPAN or not is_sampled)


@both_kinds
@all_formats
@pytest.mark.parametrize("records", [True, False], ids=["recorded", "unrecorded"])
def test_a_trace_that_begins_here_is_read_there(peer, name, is_foreign, records):
    carried = peer.carry(name, records=records, is_foreign=is_foreign)
    assert carried.get("traceID") is None and carried["isRecorded"] == records
    read, _ = read_by_python(FORMATS[name], carried["headers"])
    assert read.is_valid and read.trace_flags.sampled == records
    # And by the SDK, at the next station.
    again = peer.carry(name, carried["headers"], is_foreign=is_foreign)
    assert again["traceID"] == f"{read.trace_id:032x}" and again["spanID"] == f"{read.span_id:016x}"


@both_kinds
@pytest.mark.parametrize("flags", [0, 1, 2, 3])
def test_w3c_flags_survive(peer, is_foreign, flags):
    propagator = TraceContextTextMapPropagator()
    carried = peer.carry(
        "tracecontext", written_by_python(propagator, flags=flags), is_foreign=is_foreign)
    assert carried["flags"] == flags
    back, _ = read_by_python(propagator, carried["headers"])
    assert back.trace_flags == flags


@both_kinds
def test_trace_state_survives_in_its_order(peer, is_foreign):
    state = [("congo", "t61rcWkgMzE"), ("tenant@vendor", "a/b;c"), ("rojo", "00f067aa0ba902b7")]
    propagator = TraceContextTextMapPropagator()
    carried = peer.carry(
        "tracecontext", written_by_python(propagator, state=state), is_foreign=is_foreign)
    back, _ = read_by_python(propagator, carried["headers"])
    assert list(back.trace_state.items()) == state


@both_kinds
@pytest.mark.parametrize("headers, sampled", [
    ({"b3": f"{TRACE:032x}-{SPAN:016x}-d"}, True),
    ({"b3": f"{TRACE:032x}-{SPAN:016x}-1-{SPAN + 1:016x}"}, True),
    ({"b3": f"{TRACE:032x}-{SPAN:016x}-0-{SPAN + 1:016x}"}, False),
    ({"X-B3-TraceId": f"{TRACE:032x}", "X-B3-SpanId": f"{SPAN:016x}", "X-B3-Flags": "1"}, True),
])
@pytest.mark.parametrize("name", ["b3", "b3multi"])
def test_b3_with_debug_or_a_parent_is_read_alike(peer, name, headers, sampled, is_foreign):
    there, _ = read_by_python(FORMATS[name], headers)
    assert there.trace_flags.sampled == sampled
    carried = peer.carry(name, headers, records=False, is_foreign=is_foreign)
    assert carried["traceID"] == f"{there.trace_id:032x}"
    assert carried["spanID"] == f"{there.span_id:016x}"
    assert carried["isRecorded"] == sampled
    back, _ = read_by_python(FORMATS[name], carried["headers"])
    assert back.trace_id == there.trace_id and back.trace_flags.sampled == sampled


@both_kinds
@pytest.mark.parametrize("name, headers", [
    ("b3", {"b3": f"{TRACE:032x}-{SPAN:016x}"}),
    ("b3multi", {"X-B3-TraceId": f"{TRACE:032x}", "X-B3-SpanId": f"{SPAN:016x}"}),
])
@pytest.mark.parametrize("records", [True, False])
def test_without_a_decision_the_sampler_decides(peer, name, headers, records, is_foreign):
    carried = peer.carry(name, headers, records=records, is_foreign=is_foreign)
    assert carried["traceID"] == f"{TRACE:032x}" and carried["isRecorded"] == records
    back, _ = read_by_python(FORMATS[name], carried["headers"])
    assert back.trace_id == TRACE and back.trace_flags.sampled == records


@both_kinds
def test_jaeger_debug_stays_debug(peer, is_foreign):
    # What Python sends for a sampled trace says debug, too.
    sent = written_by_python(FORMATS["jaeger"])
    assert sent["uber-trace-id"].endswith(":03")
    carried = peer.carry("jaeger", sent, records=False, is_foreign=is_foreign)
    assert carried["isRecorded"] and carried["headers"]["uber-trace-id"].endswith(":3")


@both_kinds
@pytest.mark.parametrize("name", CARRIES_BAGGAGE)
def test_our_baggage_is_read_there(peer, name, is_foreign):
    carried = peer.carry(name, put=ODD_VALUES, is_foreign=is_foreign)
    _, read = read_by_python(FORMATS[name], carried["headers"])
    assert dict(read) == ODD_VALUES


@both_kinds
@pytest.mark.parametrize("name", CARRIES_BAGGAGE)
def test_their_baggage_is_read_here_and_goes_on(peer, name, is_foreign):
    # W3C's form has no + for a blank; Python writes one.
    is_exact = name == "jaeger"
    values = {key: value for key, value in ODD_VALUES.items() if is_exact or " " not in value}
    sent = written_by_python(FORMATS[name], items=values)
    carried = peer.carry(name, sent, is_foreign=is_foreign, keys=values)
    assert carried["baggage"] == values
    _, read = read_by_python(FORMATS[name], carried["headers"])
    assert dict(read) == values


@both_kinds
def test_blanks_are_escaped_as_w3c_says(peer, is_foreign):
    carried = peer.carry(
        "baggage", {"baggage": "blank=a%20b,plus=a+b"}, is_foreign=is_foreign)
    assert carried["baggage"] == {"blank": "a b", "plus": "a+b"}


@both_kinds
@pytest.mark.parametrize("headers", [
    {"traceparent": "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    {"traceparent": "00-00000000000000000000000000000000-b7ad6b7169203331-01"},
    {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"},
    {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra"},
    {"traceparent": ""}, {"traceparent": "\u0000" * 100}, {"traceparent": "0" * 100_000},
])
def test_what_python_takes_for_no_trace_is_none_here(peer, headers, is_foreign):
    there, _ = read_by_python(W3C, headers)
    assert not there.is_valid
    assert peer.carry("tracecontext", headers, is_foreign=is_foreign).get("traceID") is None
