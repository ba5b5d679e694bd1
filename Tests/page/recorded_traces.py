# SPDX-License-Identifier: Apache-2.0
"""Traces that other projects recorded, where `../shared/data` stands beside the repository, in the
forms the receivers take: Zipkin's as they are, Jaeger's as OTLP."""

import dataclasses
import gzip
import hashlib
import json
import pathlib

DATA = (pathlib.Path(__file__).resolve().parents[2] / "../shared/data").resolve()
# Some files count from zero, which says of a span that its time is not known.
FIRST_MICROSECOND = 1_700_000_000_000_000
KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
MICROSECOND = 1000


@dataclasses.dataclass
class Recorded:
    """One trace of a file; `body` is a JSON document for its receiver."""

    name: str
    trace: str
    spans: int
    listener: str
    path: str
    body: object


def _digits(text, count, salt):
    """The id itself where it is one, else one made of it: some files count their spans by name."""
    if not salt and len(text) == count and set(text) <= set("0123456789abcdef"):
        return text
    return hashlib.sha256(f"{salt}/{text}".encode()).hexdigest()[:count]


def _value(tag):
    kind, value = tag.get("type"), tag["value"]
    if kind == "bool":
        return {"boolValue": value in (True, "true")}
    if kind in ("int64", "long"):
        return {"intValue": str(value)}
    if kind in ("float64", "double"):
        return {"doubleValue": float(value)}
    return {"stringValue": value if isinstance(value, str) else json.dumps(value)}


def _attributes(tags):
    return [{"key": tag["key"], "value": _value(tag)} for tag in tags or ()]


def _otlp_of_jaeger(trace, name):
    """A trace as Jaeger's page has it. Many of these files share one trace id: each gets its own."""
    identity = _digits(trace.get("traceID") or trace["spans"][0]["traceID"], 32, name)
    groups = {}
    first = min(span["startTime"] for span in trace["spans"])
    shift = 0 if first > FIRST_MICROSECOND // 2 else FIRST_MICROSECOND
    for span in trace["spans"]:
        tags = {tag["key"]: tag["value"] for tag in span.get("tags") or ()}
        process = span.get("process") or trace["processes"][span["processID"]]
        parents = [one for one in span.get("references") or () if one["refType"] == "CHILD_OF"]
        key = json.dumps(process, sort_keys=True)
        groups.setdefault(key, (process, []))[1].append({
            "traceId": identity,
            "spanId": _digits(span["spanID"], 16, ""),
            "parentSpanId": _digits(parents[0]["spanID"], 16, "") if parents else "",
            "name": span["operationName"],
            "kind": KINDS.get(tags.get("span.kind"), 0),
            "startTimeUnixNano": str((shift + span["startTime"]) * MICROSECOND),
            "endTimeUnixNano": str(
                (shift + span["startTime"] + span["duration"]) * MICROSECOND),
            "attributes": _attributes(span.get("tags")),
            "status": {"code": 2} if str(tags.get("error")).lower() == "true" else {},
            "events": [{
                "timeUnixNano": str((shift + log["timestamp"]) * MICROSECOND),
                "name": str(next((f["value"] for f in log["fields"] if f["key"] == "event"), "log")),
                "attributes": _attributes(log["fields"])} for log in span.get("logs") or ()]})
    return identity, {"resourceSpans": [{
        "resource": {"attributes": _attributes(process.get("tags")) + [
            {"key": "service.name", "value": {"stringValue": process["serviceName"]}}]},
        "scopeSpans": [{"spans": spans}]} for process, spans in groups.values()]}


def _read(path):
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def _zipkin(path):
    spans = _read(path)
    traces = {}
    for span in spans:
        traces.setdefault(span["traceId"].lower().rjust(32, "0"), []).append(span)
    for trace, some in traces.items():
        yield Recorded(str(path.relative_to(DATA)), trace, len(some), "zipkin", "/api/v2/spans", some)


def _jaeger(path, most):
    document = _read(path)
    data = document.get("data", document)
    name = str(path.relative_to(DATA))
    for at, trace in enumerate((data if isinstance(data, list) else [data])[:most]):
        identity, body = _otlp_of_jaeger(trace, f"{name} {at}")
        # A span that is there twice, equal, is one.
        spans = {json.dumps(span, sort_keys=True) for span in trace["spans"]}
        yield Recorded(name, identity, len(spans), "otlp-http", "/v1/traces", body)


def _otlp(path):
    document = _read(path)
    name = str(path.relative_to(DATA))
    ids = {}
    for group in document["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                span["traceId"] = _digits(span["traceId"].lower(), 32, name)
                ids.setdefault(span["traceId"], set()).add(span["spanId"].lower())
    for trace, spans in ids.items():
        yield Recorded(name, trace, len(spans), "otlp-http", "/v1/traces", document)


def recorded(of_each=2):
    """Every trace of Zipkin's and Jaeger's pages, and some of larger collections."""
    for path in sorted((DATA / "zipkin-lens-testdata").glob("*.json")):
        yield from _zipkin(path)
    for path in sorted((DATA / "jaeger-ui").rglob("*.json")):
        if "dependency" not in str(path):
            yield from _otlp(path) if "-in" in path.name else _jaeger(path, of_each)
    yield from _otlp(DATA / "otlp" / "opentelemetry-proto-example-trace.json")
    for path in sorted((DATA / "crisp-test-cases").rglob("*.json"))[::5]:
        yield from _jaeger(path, of_each)
    for path in sorted((DATA / "hotel-reservation").glob("*.json.gz")):
        yield from _jaeger(path, of_each)
