// SPDX-License-Identifier: Apache-2.0

/// The tools that assistants are offered.
enum MCPTool: String, CaseIterable {
    case findTraces = "find_traces"
    case getTrace = "get_trace"
    case compareTraces = "compare_traces"
    case metrics
    case services
    case operations
    case attributes

    /// Names of its arguments: those of its schema in `MCP.tools`, which a test compares.
    var arguments: [String] {
        switch self {
        case .findTraces: ["query", "last", "start", "end", "limit", "order", "cursor"]
        case .getTrace: ["trace_id", "max_lines", "span_id"]
        case .compareTraces: ["trace_id_a", "trace_id_b", "limit"]
        case .metrics:
            ["by", "service", "operation", "query", "step", "last", "start", "end", "limit"]
        case .services: []
        case .operations: ["service"]
        case .attributes: ["key", "scope", "service", "prefix"]
        }
    }
}

extension MCP {
    /// The answer to `tools/list`.
    static let tools = #"""
        {"tools": [
          {
            "name": "find_traces",
            "title": "Find traces",
            "description": "Finds traces by a TraceQL query and a time range, the newest first. Tells for each its id, start, duration, spans, errors, root and services, and the spans that the query found.",
            "annotations": {"readOnlyHint": true},
            "inputSchema": {
              "type": "object",
              "properties": {
                "query": {
                  "type": "string",
                  "description": "TraceQL. A span filter stands in braces; all conditions hold on one span. Intrinsic fields: name, status (ok, error, unset), kind (server, client, producer, consumer, internal), duration, trace:duration, trace:rootService, trace:rootName. Attributes: .key (any scope), span.key, resource.service.name, event:name. Operators: = != > >= < <= =~ (regular expression) && || !. Durations are written 250ms, 1.5s, 1m. Texts stand in double quotes. Between filters: && (both in the trace), >> (descendant), > (child), ~ (sibling). Pipelines: | count() > 2, | avg(duration) > 1s, | by(resource.service.name), | select(.order.id). Examples: { resource.service.name = \"payment\" && status = error }; { kind = server && duration > 500ms }; { name = \"POST /order\" } >> { .db.system = \"postgresql\" } | count() > 10; { name = \"POST /order\" } without { name = \"push\" } within 30s. Every trace where it is missing.",
                  "default": "{ }"
                },
                "last": {"type": "string", "description": "How far to look back, such as 15m, 1h, 7d. In place of start and end.", "default": "1h"},
                "start": {"type": "string", "description": "The first moment, RFC 3339, such as 2026-09-01T08:00:00Z."},
                "end": {"type": "string", "description": "The moment after the last one, RFC 3339."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10, "description": "Traces, at most."},
                "order": {"enum": ["newest", "slowest"], "default": "newest", "description": "What comes first."},
                "cursor": {"type": "string", "description": "The cursor of the answer before, with the same other arguments: the next page."}
              },
              "additionalProperties": false
            }
          },
          {
            "name": "get_trace",
            "title": "Read one trace",
            "description": "One trace as text, a line a span: depth by indentation, service, operation, duration, own time (no span below it ran), ERROR, span id, key attributes. Many siblings that are alike are told in one line. With span_id: everything about that one span, as JSON.",
            "annotations": {"readOnlyHint": true},
            "inputSchema": {
              "type": "object",
              "required": ["trace_id"],
              "properties": {
                "trace_id": {"type": "string", "description": "1 to 32 hexadecimal digits; the last 16 will do."},
                "max_lines": {"type": "integer", "minimum": 1, "maximum": 500, "default": 150, "description": "Lines of spans, at most."},
                "span_id": {"type": "string", "description": "16 hexadecimal digits: tell all attributes, events and links of this span."}
              },
              "additionalProperties": false
            }
          },
          {
            "name": "compare_traces",
            "title": "Compare two traces",
            "description": "Two traces side by side by call path (service: operation, from the root down): how many spans, how long, how much of it their own time. Where they differ most comes first: use it to find why one request was slower than another.",
            "annotations": {"readOnlyHint": true},
            "inputSchema": {
              "type": "object",
              "required": ["trace_id_a", "trace_id_b"],
              "properties": {
                "trace_id_a": {"type": "string", "description": "The first trace, for instance a fast one."},
                "trace_id_b": {"type": "string", "description": "The second trace, for instance a slow one."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 500, "default": 30, "description": "Call paths, at most."}
              },
              "additionalProperties": false
            }
          },
          {
            "name": "metrics",
            "title": "Rates, errors and durations",
            "description": "Calls a second, errors and durations (median, 95 %, 99 %, longest) of services, operations or calls between services, counted over every span, also those that were sampled away where applications count themselves; the range is widened to whole minutes. With query: any numbers over time that TraceQL can ask for, of spans that a filter finds.",
            "annotations": {"readOnlyHint": true},
            "inputSchema": {
              "type": "object",
              "properties": {
                "by": {"enum": ["service", "operation", "edge"], "default": "service", "description": "What has a line of its own; edge: calls of one service by another."},
                "service": {"type": "string", "description": "This service alone; for edges calls to it or by it."},
                "operation": {"type": "string", "description": "This operation alone."},
                "query": {"type": "string", "description": "In place of by, service and operation: a TraceQL query that ends with a function of metrics: rate(), count_over_time(), avg_over_time(duration), max_over_time(duration), quantile_over_time(duration, .5, .99), histogram_over_time(duration), each with by(...) if wanted. Rates are a second, durations seconds. Examples: { status = error } | rate() by(resource.service.name); { name = \"POST /order\" } | quantile_over_time(duration, .99)."},
                "step": {"type": "string", "description": "With query: the time between two numbers, such as 1m; a twentieth of the range where it is missing."},
                "last": {"type": "string", "description": "How far to look back, such as 15m, 1h, 7d. In place of start and end.", "default": "1h"},
                "start": {"type": "string", "description": "The first moment, RFC 3339, such as 2026-09-01T08:00:00Z."},
                "end": {"type": "string", "description": "The moment after the last one, RFC 3339."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50, "description": "Lines, at most; those with most time first."}
              },
              "additionalProperties": false
            }
          },
          {
            "name": "services",
            "title": "Names of services",
            "description": "The names of all services, for resource.service.name in queries.",
            "annotations": {"readOnlyHint": true},
            "inputSchema": {"type": "object", "properties": {}, "additionalProperties": false}
          },
          {
            "name": "operations",
            "title": "Names of operations",
            "description": "Operations (span names) with their kinds, of one service or of all, for name in queries.",
            "annotations": {"readOnlyHint": true},
            "inputSchema": {
              "type": "object",
              "properties": {
                "service": {"type": "string", "description": "Exact name of a service."}
              },
              "additionalProperties": false
            }
          },
          {
            "name": "attributes",
            "title": "Attributes and their values",
            "description": "Without key: the attribute keys that spans have, with their scopes. With key: the values of that key.",
            "annotations": {"readOnlyHint": true},
            "inputSchema": {
              "type": "object",
              "properties": {
                "key": {"type": "string", "description": "An attribute key, such as http.route."},
                "scope": {"enum": ["span", "resource", "event", "any"], "default": "any", "description": "Where the attribute stands."},
                "service": {"type": "string", "description": "Only spans of this service."},
                "prefix": {"type": "string", "description": "Only values that begin so."}
              },
              "additionalProperties": false
            }
          }
        ]}
        """#
}
