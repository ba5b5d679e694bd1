// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// The part of `paths` that is about totals.
    static let totalsPaths = #"""
        "/api/skein/v1/totals/operations": {
          "get": {
            "operationId": "getTotalsOfOperations",
            "summary": "Calls, errors and durations by service and operation, counted over every span.",
            "parameters": [
              {
                "name": "by",
                "in": "query",
                "required": false,
                "description": "What has a line of its own; kind: operations, each kind of span apart.",
                "schema": {"enum": ["service", "operation", "kind"], "default": "operation"}
              },
              {
                "name": "service",
                "in": "query",
                "required": false,
                "description": "Exact service name.",
                "schema": {"type": "string"},
                "example": "cart"
              },
              {
                "name": "operation",
                "in": "query",
                "required": false,
                "description": "Exact span name.",
                "schema": {"type": "string"}
              },
              {
                "name": "kind",
                "in": "query",
                "required": false,
                "description": "Only spans of this kind; may be given several times.",
                "schema": {
                  "type": "array",
                  "items": {
                    "enum": ["unspecified", "internal", "server", "client", "producer", "consumer"]
                  }
                }
              },
              {
                "name": "start",
                "in": "query",
                "required": false,
                "description": "Spans that start at or after, nanoseconds since 1970; widened to a whole minute.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "end",
                "in": "query",
                "required": false,
                "description": "Spans that start before, nanoseconds since 1970; widened to a whole minute.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "last",
                "in": "query",
                "required": false,
                "description": "Instead of start and end: how far to look back.",
                "schema": {"type": "string", "default": "1h"},
                "example": "15m"
              },
              {
                "name": "quantiles",
                "in": "query",
                "required": false,
                "description": "Numbers from 0 to 1 with commas between, at most 16.",
                "schema": {"type": "string", "default": "0.5,0.95,0.99"}
              },
              {
                "name": "step",
                "in": "query",
                "required": false,
                "description": "A number of whole minutes: counts by each of them too.",
                "schema": {"type": "string"},
                "example": "1m"
              }
            ],
            "responses": {
              "200": {
                "description": "Lines sorted by service, operation, kind.",
                "content": {
                  "application/json": {
                    "schema": {
                      "$ref": "#/components/schemas/OperationTotals"
                    }
                  }
                }
              },
              "400": {
                "$ref": "#/components/responses/Error"
              },
              "default": {
                "$ref": "#/components/responses/Error"
              }
            }
          }
        },
        "/api/skein/v1/totals/edges": {
          "get": {
            "operationId": "getTotalsOfEdges",
            "summary": "Calls of one service by another, counted over every span.",
            "parameters": [
              {
                "name": "service",
                "in": "query",
                "required": false,
                "description": "Only calls to this service, or by it.",
                "schema": {"type": "string"},
                "example": "cart"
              },
              {
                "name": "start",
                "in": "query",
                "required": false,
                "description": "Spans that start at or after, nanoseconds since 1970; widened to a whole minute.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "end",
                "in": "query",
                "required": false,
                "description": "Spans that start before, nanoseconds since 1970; widened to a whole minute.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "last",
                "in": "query",
                "required": false,
                "description": "Instead of start and end: how far to look back.",
                "schema": {"type": "string", "default": "1h"},
                "example": "15m"
              },
              {
                "name": "quantiles",
                "in": "query",
                "required": false,
                "description": "Numbers from 0 to 1 with commas between, at most 16.",
                "schema": {"type": "string", "default": "0.5,0.95,0.99"}
              },
              {
                "name": "step",
                "in": "query",
                "required": false,
                "description": "A number of whole minutes: counts by each of them too.",
                "schema": {"type": "string"},
                "example": "1m"
              }
            ],
            "responses": {
              "200": {
                "description": "Edges sorted by parent, then child.",
                "content": {
                  "application/json": {
                    "schema": {
                      "$ref": "#/components/schemas/EdgeTotals"
                    }
                  }
                }
              },
              "400": {
                "$ref": "#/components/responses/Error"
              },
              "default": {
                "$ref": "#/components/responses/Error"
              }
            }
          }
        }
        """#

    /// The part of `schemas` that is about totals.
    static let totalsSchemas = #"""
        "OperationTotals": {
          "type": "object",
          "required": ["startTimeUnixNano", "endTimeUnixNano", "stepNanos", "quantiles", "operations", "complete", "incompleteReasons"],
          "properties": {
            "startTimeUnixNano": {
              "type": "string",
              "description": "What was asked, widened to whole minutes."
            },
            "endTimeUnixNano": {"type": "string"},
            "stepNanos": {"type": ["string", "null"]},
            "quantiles": {"type": "array", "items": {"type": "number"}},
            "operations": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/OperationLine"}
            },
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "EdgeTotals": {
          "type": "object",
          "required": ["startTimeUnixNano", "endTimeUnixNano", "stepNanos", "quantiles", "edges", "complete", "incompleteReasons"],
          "properties": {
            "startTimeUnixNano": {
              "type": "string",
              "description": "What was asked, widened to whole minutes."
            },
            "endTimeUnixNano": {"type": "string"},
            "stepNanos": {"type": ["string", "null"]},
            "quantiles": {"type": "array", "items": {"type": "number"}},
            "edges": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/EdgeLine"}
            },
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "CallTotals": {
          "type": "object",
          "required": ["callCount", "errorCount", "durationSumNanos", "longestNanos", "quantileNanos", "reportedCount"],
          "properties": {
            "callCount": {"type": "integer"},
            "errorCount": {"type": "integer"},
            "durationSumNanos": {"type": "string"},
            "longestNanos": {"type": "string"},
            "quantileNanos": {"type": "array", "items": {"type": "string"}},
            "reportedCount": {"type": "integer", "description": "Those that applications counted themselves, sampled or not; the others were counted from stored spans."}
          },
          "additionalProperties": false
        },
        "OperationLine": {
          "type": "object",
          "required": ["service", "operation", "kind", "callCount", "errorCount", "durationSumNanos", "longestNanos", "quantileNanos", "reportedCount", "steps"],
          "properties": {
            "service": {"type": "string"},
            "operation": {"type": ["string", "null"]},
            "kind": {"type": ["string", "null"]},
            "callCount": {"type": "integer"},
            "errorCount": {"type": "integer"},
            "durationSumNanos": {"type": "string"},
            "longestNanos": {"type": "string"},
            "quantileNanos": {"type": "array", "items": {"type": "string"}},
            "reportedCount": {"type": "integer"},
            "steps": {
              "type": "array",
              "description": "One for each step; empty where none was asked.",
              "items": {"$ref": "#/components/schemas/CallTotals"}
            }
          },
          "additionalProperties": false
        },
        "EdgeLine": {
          "type": "object",
          "required": ["parent", "child", "callCount", "errorCount", "durationSumNanos", "longestNanos", "quantileNanos", "reportedCount", "requestCount", "requestCallCount", "requestQuantiles", "steps"],
          "properties": {
            "parent": {"type": "string"},
            "child": {"type": "string"},
            "callCount": {"type": "integer"},
            "errorCount": {"type": "integer"},
            "durationSumNanos": {"type": "string"},
            "longestNanos": {"type": "string"},
            "quantileNanos": {"type": "array", "items": {"type": "string"}},
            "reportedCount": {"type": "integer"},
            "requestCount": {
              "type": "integer",
              "description": "Spans of the parent that called the child at least once."
            },
            "requestCallCount": {"type": "integer", "description": "Their calls together."},
            "requestQuantiles": {
              "type": "array",
              "description": "Calls of one request, for each quantile.",
              "items": {"type": "integer"}
            },
            "steps": {
              "type": "array",
              "description": "One for each step; empty where none was asked.",
              "items": {"$ref": "#/components/schemas/CallTotals"}
            }
          },
          "additionalProperties": false
        }
        """#
}
