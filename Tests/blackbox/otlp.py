# SPDX-License-Identifier: Apache-2.0
"""OTLP for tests: a small protobuf writer, request makers, and spans flattened out of OTLP JSON."""

import base64
import struct

KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
STATUSES = ["UNSET", "OK", "ERROR"]
BASE_TIME = 1_795_000_000_000_000_000


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(number, payload):
    """A length-delimited field: a string, bytes, or an encoded message."""
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def integer(number, value):
    return varint(number << 3) + varint(value)


def fixed64(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def fixed32(number, value):
    return varint(number << 3 | 5) + struct.pack("<I", value)


def any_value(value):
    if isinstance(value, bool):
        return integer(2, value)
    if isinstance(value, int):
        return integer(3, value)
    if isinstance(value, float):
        return varint(4 << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, bytes):
        return message(7, value)
    if isinstance(value, list):
        return message(5, b"".join(message(1, any_value(item)) for item in value))
    if isinstance(value, dict):
        return message(6, attributes(1, value))
    return message(1, value)


def attributes(number, values):
    return b"".join(
        message(number, message(1, key) + message(2, any_value(value)))
        for key, value in values.items())


def span(trace_id, span_id, name="op", parent=b"", kind=2, start=BASE_TIME, duration=1_000_000,
         values=None, events=b"", links=b"", status=b""):
    """One encoded Span. `events`, `links` and `status` are encoded fields."""
    return b"".join([
        message(1, trace_id), message(2, span_id), message(4, parent) if parent else b"",
        message(5, name), integer(6, kind), fixed64(7, start), fixed64(8, start + duration),
        attributes(9, values or {}), events, links, status,
    ])


def request(spans, service="test", resource=None, scope=("test-scope", "1.0")):
    """An ExportTraceServiceRequest with one resource and one scope."""
    described = attributes(1, {"service.name": service, **(resource or {})})
    scoped = message(1, message(1, scope[0]) + message(2, scope[1]))
    scoped += b"".join(message(2, item) for item in spans)
    return message(1, message(1, described) + message(2, scoped))


def rich_request(seed=0):
    """A request with every field that OTLP has, and the id of its trace in hex."""
    trace_id = struct.pack(">QQ", 0x5EED, seed + 1)
    root, child = struct.pack(">Q", 2 * seed + 1), struct.pack(">Q", 2 * seed + 2)
    event = message(11, fixed64(1, BASE_TIME + 5) + message(2, "cache.miss")
                    + attributes(3, {"key": "a"}) + integer(4, 1))
    link = message(13, message(1, trace_id) + message(2, root) + message(3, "a=b")
                   + attributes(4, {"why": "batch"}) + fixed32(6, 0x301))
    status = message(15, message(2, "stock is empty") + integer(3, 2))
    values = {
        "text": "收货地址 🛒", "yes": True, "count": -42, "ratio": 0.5, "raw": b"\x00\xff",
        "list": ["a", 1, False], "map": {"inner": [1.5, {"deep": "x"}]}, "empty": "",
    }
    spans = [
        span(trace_id, root, "GET /checkout", values={"order.id": f"o-{seed}"}),
        span(trace_id, child, "SELECT stock", parent=root, kind=3, start=BASE_TIME + 10,
             values=values, events=event, links=link, status=status)
        + message(3, "vendor=1") + fixed32(16, 0x101) + integer(10, 3),
    ]
    return request(spans, resource={"host.name": "web-1"}), trace_id.hex()


def plain_value(value):
    """An OTLP JSON AnyValue as a Python value whose type tells the OTLP type."""
    if not value:
        return None
    kind, content = next(iter(value.items()))
    if kind == "intValue":
        return int(content)
    if kind == "doubleValue":
        return float(content)
    if kind == "bytesValue":
        return base64.b64decode(content)
    if kind == "arrayValue":
        return [plain_value(item) for item in content.get("values", [])]
    if kind == "kvlistValue":
        return plain_attributes(content.get("values", []))
    assert kind in ("stringValue", "boolValue"), kind
    return content


def plain_attributes(pairs):
    plain = {}
    for pair in pairs or []:
        assert pair["key"] not in plain, f"{pair['key']} stands twice"
        plain[pair["key"]] = plain_value(pair.get("value"))
    return plain


def flatten(document):
    """Every span of OTLP JSON, in the shape that the golden expected.json files have."""
    flat = []
    for resource_spans in document.get("resourceSpans", []):
        resource = plain_attributes(resource_spans.get("resource", {}).get("attributes"))
        for scope_spans in resource_spans.get("scopeSpans", []):
            scope = scope_spans.get("scope", {})
            for item in scope_spans.get("spans", []):
                flat.append(_flat_span(item, resource, scope))
    return flat


def _flat_span(item, resource, scope):
    status = item.get("status", {})
    return {
        "traceId": item["traceId"],
        "spanId": item["spanId"],
        "parentSpanId": item.get("parentSpanId", ""),
        "name": item.get("name", ""),
        "service": resource.get("service.name"),
        "kind": KINDS[item.get("kind", 0)],
        "startUnixNano": int(item["startTimeUnixNano"]),
        "endUnixNano": int(item["endTimeUnixNano"]),
        "attributes": plain_attributes(item.get("attributes")),
        "resource": resource,
        "scope": {"name": scope.get("name", ""), "version": scope.get("version", "")},
        "events": [
            {
                "name": event.get("name", ""),
                "timeUnixNano": int(event["timeUnixNano"]),
                "attributes": plain_attributes(event.get("attributes")),
            }
            for event in item.get("events", [])
        ],
        "links": [
            {
                "traceId": link["traceId"],
                "spanId": link["spanId"],
                "traceState": link.get("traceState", ""),
                "attributes": plain_attributes(link.get("attributes")),
            }
            for link in item.get("links", [])
        ],
        "status": {
            "code": STATUSES[status.get("code", 0)], "message": status.get("message") or None,
        },
        "traceState": item.get("traceState", ""),
        "flags": item.get("flags", 0),
        "droppedAttributes": item.get("droppedAttributesCount", 0),
        "droppedEvents": item.get("droppedEventsCount", 0),
        "droppedLinks": item.get("droppedLinksCount", 0),
    }
