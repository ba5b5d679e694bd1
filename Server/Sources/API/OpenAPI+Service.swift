// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// The part of `paths` that is about what runs a service, what fails in it and where its calls go.
    static let servicePaths = #"""
        "/api/skein/v1/instances": {
          "get": {
            "operationId": "getInstances",
            "summary": "The processes, containers or hosts that send spans of a service.",
            "parameters": [
              \#(askedService),
              \#(askedKinds),
              \#(askedTimes),
              {
                "name": "limit",
                "in": "query",
                "required": false,
                "description": "Instances in the answer, at most 1,000.",
                "schema": {"type": "integer", "default": 100}
              }
            ],
            "responses": {
              "200": {
                "description": "Those of most spans first.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ServiceInstances"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/exceptions": {
          "get": {
            "operationId": "getExceptions",
            "summary": "Exceptions of a service, grouped by type, message and operation.",
            "parameters": [
              \#(askedService),
              \#(askedKinds),
              \#(askedTimes),
              {
                "name": "limit",
                "in": "query",
                "required": false,
                "description": "Groups in the answer, at most 1,000.",
                "schema": {"type": "integer", "default": 50}
              }
            ],
            "responses": {
              "200": {
                "description": "The most frequent first.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ServiceExceptions"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/call-trees": {
          "get": {
            "operationId": "getCallTrees",
            "summary": "The distinct ways that calls of a service or an operation go, with their share and latency.",
            "parameters": [
              \#(askedService),
              \#(askedTimes),
              {
                "name": "traces",
                "in": "query",
                "required": false,
                "description": "How many traces are looked at, the newest; at most 1,000.",
                "schema": {"type": "integer", "default": 200}
              },
              {
                "name": "limit",
                "in": "query",
                "required": false,
                "description": "Trees in the answer, at most 100.",
                "schema": {"type": "integer", "default": 20}
              }
            ],
            "responses": {
              "200": {
                "description": "Those of most calls first; exact for the traces looked at.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CallTrees"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        }
        """#

    /// Parameters: which spans.
    private static let askedService = #"""
        {
          "name": "service",
          "in": "query",
          "required": true,
          "description": "Exact name.",
          "schema": {"type": "string"},
          "example": "cart"
        },
        {
          "name": "operation",
          "in": "query",
          "required": false,
          "description": "Only spans of this name.",
          "schema": {"type": "string"},
          "example": "POST /orders"
        }
        """#

    /// A parameter: of which kinds.
    private static let askedKinds = #"""
        {
          "name": "kind",
          "in": "query",
          "required": false,
          "description": "Only spans of this kind; may be given several times.",
          "schema": {"type": "string", "enum": ["unspecified", "internal", "server", "client", "producer", "consumer"]}
        }
        """#

    /// Parameters: when.
    private static let askedTimes = #"""
        {
          "name": "start",
          "in": "query",
          "required": false,
          "description": "When spans start, nanoseconds since 1970.",
          "schema": {"type": "string", "pattern": "^[0-9]+$"}
        },
        {
          "name": "end",
          "in": "query",
          "required": false,
          "description": "The moment after the last one, nanoseconds since 1970.",
          "schema": {"type": "string", "pattern": "^[0-9]+$"}
        },
        {
          "name": "last",
          "in": "query",
          "required": false,
          "description": "Instead of start and end: how far to look back.",
          "schema": {"type": "string", "default": "1h"},
          "example": "15m"
        }
        """#

    /// The part of `schemas` that is about them.
    static let serviceSchemas = #"""
        "ServiceInstances": {
          "type": "object",
          "required": [
            "service",
            "operation",
            "startTimeUnixNano",
            "endTimeUnixNano",
            "instanceCount",
            "instances",
            "uncountedSpanCount",
            "examinedTraceCount",
            "examinedSpanCount",
            "complete",
            "incompleteReasons"
          ],
          "properties": {
            "service": {"type": "string"},
            "operation": {"type": ["string", "null"]},
            "startTimeUnixNano": {"type": "string"},
            "endTimeUnixNano": {"type": "string"},
            "instanceCount": {"type": "integer", "description": "Instances there are; some may not be told."},
            "instances": {"type": "array", "items": {"$ref": "#/components/schemas/ServiceInstance"}},
            "uncountedSpanCount": {"type": "integer", "description": "Spans of instances past the 1,000 that are counted."},
            "examinedTraceCount": {"type": "integer"},
            "examinedSpanCount": {"type": "integer"},
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "ServiceInstance": {
          "type": "object",
          "required": [
            "key",
            "name",
            "version",
            "spanCount",
            "errorCount",
            "p50Nanos",
            "p99Nanos",
            "firstTimeUnixNano",
            "lastTimeUnixNano",
            "query"
          ],
          "properties": {
            "key": {"type": ["string", "null"], "description": "The attribute of the resource that tells it; null where none does."},
            "name": {"type": "string"},
            "version": {"type": ["string", "null"], "description": "service.version of its newest span."},
            "spanCount": {"type": "integer"},
            "errorCount": {"type": "integer"},
            "p50Nanos": {"type": "string", "description": "Within 0.55 %."},
            "p99Nanos": {"type": "string", "description": "Within 0.55 %."},
            "firstTimeUnixNano": {"type": "string", "description": "When its first span starts."},
            "lastTimeUnixNano": {"type": "string", "description": "When its last span starts."},
            "query": {"type": "string", "description": "TraceQL that finds the very spans that were counted."}
          },
          "additionalProperties": false
        },
        "ServiceExceptions": {
          "type": "object",
          "required": [
            "service",
            "operation",
            "startTimeUnixNano",
            "endTimeUnixNano",
            "stepNanos",
            "exceptionCount",
            "groupCount",
            "groups",
            "examinedTraceCount",
            "examinedSpanCount",
            "complete",
            "incompleteReasons"
          ],
          "properties": {
            "service": {"type": "string"},
            "operation": {"type": ["string", "null"]},
            "startTimeUnixNano": {"type": "string"},
            "endTimeUnixNano": {"type": "string"},
            "stepNanos": {"type": "string", "description": "Of one of the steps, which begin where the range does."},
            "exceptionCount": {"type": "integer", "description": "Of all groups, and beyond them."},
            "groupCount": {"type": "integer"},
            "groups": {"type": "array", "items": {"$ref": "#/components/schemas/ExceptionGroup"}},
            "examinedTraceCount": {"type": "integer"},
            "examinedSpanCount": {"type": "integer"},
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "ExceptionGroup": {
          "type": "object",
          "required": [
            "type",
            "message",
            "messageCut",
            "operation",
            "event",
            "count",
            "traceCount",
            "firstTimeUnixNano",
            "lastTimeUnixNano",
            "steps",
            "example",
            "query"
          ],
          "properties": {
            "type": {"type": ["string", "null"], "description": "exception.type; null where none came."},
            "message": {"type": "string", "description": "What the messages have in common: … stands for numbers, ids and what is in quotes."},
            "messageCut": {"type": "boolean", "description": "Whether messages go on behind it."},
            "operation": {"type": "string"},
            "event": {"type": "boolean", "description": "False for spans that failed without an event; their message is that of the status."},
            "count": {"type": "integer"},
            "traceCount": {"type": "integer"},
            "firstTimeUnixNano": {"type": "string", "description": "When the first span with one starts."},
            "lastTimeUnixNano": {"type": "string"},
            "steps": {"type": "array", "items": {"type": "integer"}, "description": "Exceptions by step of the range."},
            "example": {"$ref": "#/components/schemas/ExceptionExample"},
            "query": {"type": "string", "description": "TraceQL that finds their spans, and hardly any others."}
          },
          "additionalProperties": false
        },
        "ExceptionExample": {
          "type": "object",
          "required": [
            "traceId",
            "spanId",
            "startTimeUnixNano",
            "message",
            "stackTrace"
          ],
          "properties": {
            "traceId": {"type": "string"},
            "spanId": {"type": "string"},
            "startTimeUnixNano": {"type": "string"},
            "message": {"type": "string", "description": "As it came, or its first 2,048 bytes."},
            "stackTrace": {"type": ["string", "null"], "description": "As it came, or its first 8,192 bytes."}
          },
          "additionalProperties": false
        },
        "CallTrees": {
          "type": "object",
          "required": [
            "service",
            "operation",
            "startTimeUnixNano",
            "endTimeUnixNano",
            "traceCount",
            "olderTraces",
            "callCount",
            "treeCount",
            "trees",
            "examinedTraceCount",
            "examinedSpanCount",
            "complete",
            "incompleteReasons"
          ],
          "properties": {
            "service": {"type": "string"},
            "operation": {"type": ["string", "null"]},
            "startTimeUnixNano": {"type": "string"},
            "endTimeUnixNano": {"type": "string"},
            "traceCount": {"type": "integer", "description": "Traces looked at, the newest."},
            "olderTraces": {"type": "boolean", "description": "Whether there are older ones in the range."},
            "callCount": {"type": "integer"},
            "treeCount": {"type": "integer"},
            "trees": {"type": "array", "items": {"$ref": "#/components/schemas/CallTree"}},
            "examinedTraceCount": {"type": "integer"},
            "examinedSpanCount": {"type": "integer"},
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "CallTree": {
          "type": "object",
          "required": [
            "callCount",
            "share",
            "errorCount",
            "p50Nanos",
            "p99Nanos",
            "longestNanos",
            "typical",
            "slowest",
            "usual",
            "lineCount",
            "lines",
            "missing"
          ],
          "properties": {
            "callCount": {"type": "integer"},
            "share": {"type": "number", "description": "Of all calls looked at, 0 to 1."},
            "errorCount": {"type": "integer", "description": "Calls whose own span failed."},
            "p50Nanos": {"type": "string", "description": "Exact."},
            "p99Nanos": {"type": "string", "description": "Exact."},
            "longestNanos": {"type": "string"},
            "typical": {"$ref": "#/components/schemas/CallExample"},
            "slowest": {"$ref": "#/components/schemas/CallExample"},
            "usual": {"type": ["integer", "null"], "description": "The number of the most frequent tree of the same root, which it is compared with; null for that itself."},
            "lineCount": {"type": "integer", "description": "Lines there are; 200 are told."},
            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/CallTreeLine"}, "description": "Depth first."},
            "missing": {"type": "array", "items": {"$ref": "#/components/schemas/CallTreeOperation"}, "description": "What the most frequent tree has and this one has not, where their ways part; at most 20."}
          },
          "additionalProperties": false
        },
        "CallTreeLine": {
          "type": "object",
          "required": [
            "parent",
            "service",
            "operation",
            "spanCount",
            "errorCount",
            "fewest",
            "most",
            "extra"
          ],
          "properties": {
            "parent": {"type": ["integer", "null"], "description": "A number of the lines before it."},
            "service": {"type": "string"},
            "operation": {"type": "string"},
            "spanCount": {"type": "integer", "description": "Of all calls."},
            "errorCount": {"type": "integer"},
            "fewest": {"type": "integer", "description": "Spans of one call."},
            "most": {"type": "integer"},
            "extra": {"type": "boolean", "description": "Whether the most frequent tree of the same root has it not."}
          },
          "additionalProperties": false
        },
        "CallTreeOperation": {
          "type": "object",
          "required": [
            "service",
            "operation"
          ],
          "properties": {
            "service": {"type": "string"},
            "operation": {"type": "string"}
          },
          "additionalProperties": false
        },
        "CallExample": {
          "type": "object",
          "required": [
            "traceId",
            "spanId",
            "durationNanos"
          ],
          "properties": {
            "traceId": {"type": "string"},
            "spanId": {"type": "string"},
            "durationNanos": {"type": "string"}
          },
          "additionalProperties": false
        }
        """#
}
