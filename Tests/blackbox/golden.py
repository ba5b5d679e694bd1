# SPDX-License-Identifier: Apache-2.0
"""What a recorded client meant to send, and what each read API must make of it."""

import json
import pathlib

# Third-party data that may stand beside the clone.
WIRE = (pathlib.Path(__file__).resolve().parents[2] / "../shared/data/wire").resolve()

OTLP_FOLDERS = [
    "otlp-grpc", "otlp-grpc-gzip", "otlp-http-protobuf", "otlp-http-protobuf-gzip",
    "otlp-http-json", "otel-flask-requests-sqlalchemy",
]
ZIPKIN_OTEL_FOLDERS = ["zipkin-v2-json-otel", "zipkin-v2-proto-otel"]
ZIPKIN_NATIVE_FOLDERS = ["zipkin-v2-json-py_zipkin", "zipkin-kafka-v2-json-py_zipkin"]

# `traceFlags` is what the SDK's object had; the recorded exporters do not send it.
COMPARED = [
    "traceId", "spanId", "parentSpanId", "name", "service", "kind", "startUnixNano", "endUnixNano",
    "attributes", "resource", "scope", "events", "links", "status", "traceState",
    "droppedAttributes", "droppedEvents", "droppedLinks",
]


def strict(value):
    """`value` in a form in which 1, 1.0 and True differ and the order of keys does not count."""
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strict(item) for item in value]
    return (type(value).__name__, value)


def otlp_view(spans):
    """The compared fields of spans, sorted, from expected.json or from `otlp.flatten`."""
    chosen = [{name: item[name] for name in COMPARED} for item in spans]
    return [strict(item) for item in sorted(chosen, key=lambda item: item["spanId"])]


# -- Jaeger, by the mapping of OTLP to Jaeger's JSON


def jaeger_tag(key, value):
    if isinstance(value, bool):
        return (key, "bool", strict(value))
    if isinstance(value, int):
        # Beyond what a double can hold, Jaeger writes text and keeps the type.
        return (key, "int64", strict(value if abs(value) < 2**53 else str(value)))
    if isinstance(value, float):
        return (key, "float64", strict(value))
    if isinstance(value, (list, dict)):
        return (key, "string", ("json", json.dumps(value, sort_keys=True)))
    return (key, "string", strict(value))


def jaeger_expected(item):
    """One span of expected.json as Jaeger's `/api/traces/{id}` shows it."""
    tags = [jaeger_tag(key, value) for key, value in item["attributes"].items()]
    scope = [("otel.scope.name", item["scope"]["name"]),
             ("otel.scope.version", item["scope"]["version"])]
    tags += [jaeger_tag(key, value) for key, value in scope if value]
    if item["kind"] != "UNSPECIFIED":
        tags.append(jaeger_tag("span.kind", item["kind"].lower()))
    if item["status"]["code"] == "OK":
        tags.append(jaeger_tag("otel.status_code", "OK"))
    if item["status"]["code"] == "ERROR":
        tags.append(jaeger_tag("error", True))
    if item["status"]["message"]:
        tags.append(jaeger_tag("otel.status_description", item["status"]["message"]))
    parent = (item["traceId"], item["parentSpanId"])
    links = [(link["traceId"], link["spanId"]) for link in item["links"]]
    references = []
    if item["parentSpanId"]:
        # A link to the parent says how it follows; it is no reference of its own.
        references.append(("FOLLOWS_FROM" if parent in links else "CHILD_OF", *parent))
    references += [("FOLLOWS_FROM", *link) for link in links if link != parent]
    logs = []
    for event in item["events"]:
        fields = [jaeger_tag("event", event["name"])]
        fields += [jaeger_tag(key, value) for key, value in event["attributes"].items()]
        logs.append((event["timeUnixNano"] // 1000, sorted(fields)))
    process = {key: value for key, value in item["resource"].items() if key != "service.name"}
    return {
        "traceID": item["traceId"],
        "spanID": item["spanId"],
        "operationName": item["name"],
        "references": references,
        "startTime": item["startUnixNano"] // 1000,
        "duration": (item["endUnixNano"] - item["startUnixNano"]) // 1000,
        "tags": sorted(tags),
        "logs": logs,
        "service": item["service"],
        "process": sorted(jaeger_tag(key, value) for key, value in process.items()),
    }


def jaeger_actual(trace):
    """The spans of one Jaeger trace in the shape of `jaeger_expected`."""
    return [_jaeger_span(item, trace["processes"][item["processID"]]) for item in trace["spans"]]


def _jaeger_span(item, process):
    return {
        "traceID": item["traceID"],
        "spanID": item["spanID"],
        "operationName": item["operationName"],
        "references": [
            (each["refType"], each["traceID"], each["spanID"]) for each in item["references"]],
        "startTime": item["startTime"],
        "duration": item["duration"],
        "tags": sorted(_received_tag(tag) for tag in item["tags"]),
        "logs": [
            (log["timestamp"], sorted(_received_tag(tag) for tag in log["fields"]))
            for log in item["logs"]],
        "service": process["serviceName"],
        "process": sorted(_received_tag(tag) for tag in process["tags"]),
    }


def _received_tag(tag):
    value = tag["value"]
    if tag["type"] == "string" and value[:1] in ("[", "{"):
        # The text of a list or map: its spacing is nobody's business.
        try:
            return (tag["key"], "string", ("json", json.dumps(json.loads(value), sort_keys=True)))
        except ValueError:
            pass
    if tag["type"] == "float64":
        value = float(value)
    return (tag["key"], tag["type"], strict(value))
