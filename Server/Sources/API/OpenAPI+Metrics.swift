// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// The part of `paths` that is about numbers over time.
    static let metricsPaths = #"""
        "/api/skein/v1/metrics": {
          "get": {
            "operationId": "getMetrics",
            "summary": "Numbers over time that a TraceQL query asks for.",
            "parameters": [
              {
                "name": "q",
                "in": "query",
                "required": true,
                "description": "A TraceQL query that ends with functions of metrics.",
                "schema": {"type": "string", "maxLength": 16384},
                "example": "{ status = error } | rate() by (resource.service.name)"
              },
              {
                "name": "start",
                "in": "query",
                "required": false,
                "description": "Spans that start at or after, nanoseconds since 1970; widened to a whole step.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "end",
                "in": "query",
                "required": false,
                "description": "Spans that start before, nanoseconds since 1970; widened to a whole step. Now where only start is given.",
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
                "name": "step",
                "in": "query",
                "required": false,
                "description": "The time that one number is about, at most 11,000 of them; all: one number about all of the time. Where it is not given, about 240 steps.",
                "schema": {"type": "string"},
                "example": "1m"
              },
              {
                "name": "exemplars",
                "in": "query",
                "required": false,
                "description": "Spans named beside the numbers, at most. What the query says in with (exemplars = …) goes before.",
                "schema": {"type": "integer", "minimum": 0, "maximum": 10000, "default": 0}
              },
              {
                "name": "series",
                "in": "query",
                "required": false,
                "description": "Series, at most.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 1000}
              }
            ],
            "responses": {
              "200": {
                "description": "Series sorted by their labels.",
                "content": {
                  "application/json": {"schema": {"$ref": "#/components/schemas/Metrics"}}
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

    /// The part of `schemas` that is about numbers over time.
    static let metricsSchemas = #"""
        "Metrics": {
          "type": "object",
          "required": ["startTimeUnixNano", "endTimeUnixNano", "stepNanos", "series", "source", "complete", "incompleteReasons", "examinedTraces", "examinedSpans"],
          "properties": {
            "startTimeUnixNano": {
              "type": "string",
              "description": "Of the first step: what was asked, widened to whole steps counted from 1970. Step i is from start + i * step, a span counts in the step in which it starts."
            },
            "endTimeUnixNano": {"type": "string", "description": "Of the last step."},
            "stepNanos": {"type": "string"},
            "series": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/MetricSeries"}
            },
            "source": {
              "enum": ["totals", "spans"],
              "description": "totals: every number comes from minute totals, which also count spans that are gone and calls that applications counted themselves."
            },
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}},
            "examinedTraces": {"type": "integer", "description": "Traces looked at."},
            "examinedSpans": {"type": "integer", "description": "Spans of them."}
          },
          "additionalProperties": false
        },
        "MetricSeries": {
          "type": "object",
          "required": ["labels", "values", "exemplars"],
          "properties": {
            "labels": {
              "type": "array",
              "description": "Values of by(…), and __name__, p, __bucket or __meta_type.",
              "items": {"$ref": "#/components/schemas/ToldValue"}
            },
            "values": {
              "type": "array",
              "description": "One for each step, null where there is none. Durations are seconds.",
              "items": {"type": ["number", "null"]}
            },
            "exemplars": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["traceId", "spanId", "timeUnixNano", "value"],
                "properties": {
                  "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                  "spanId": {"type": ["string", "null"]},
                  "timeUnixNano": {"type": "string", "description": "When the span starts."},
                  "value": {"type": "number", "description": "In the unit of the series."}
                },
                "additionalProperties": false
              }
            }
          },
          "additionalProperties": false
        }
        """#
}
