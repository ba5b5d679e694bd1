// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// The part of `paths` whose answers have no end in sight.
    static let streamPaths = #"""
        "/api/skein/v1/tail": {
          "get": {
            "operationId": "tailTraces",
            "summary": "Traces that a query finds, as they arrive, each once, by server-sent events.",
            "description": "Events: trace (data: a trace as a search with q tells it), leftOut (traceCount found beyond the rate, unreadTraceCount that came too fast to be looked at), incomplete and end (message). The id of an event is when it was told; a reader that comes back with Last-Event-ID is told of traces that began less than 10 s before it too. Comments keep the connection open.",
            "parameters": [
              {
                "name": "q",
                "in": "query",
                "required": false,
                "description": "A query in TraceQL for traces, without order by; every trace where it is missing.",
                "schema": {"type": "string", "maxLength": 16384},
                "example": "{ status = error }"
              },
              {
                "name": "spans",
                "in": "query",
                "required": false,
                "description": "Spans told of each spanset, at most.",
                "schema": {"type": "integer", "minimum": 0, "maximum": 1000, "default": 3}
              },
              {
                "name": "rate",
                "in": "query",
                "required": false,
                "description": "Traces told a second, at most; the others are counted.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 20}
              },
              {
                "name": "settle",
                "in": "query",
                "required": false,
                "description": "A trace is looked at once it has not grown for this long, at most 1m.",
                "schema": {
                  "type": "string",
                  "pattern": "^(0|\\+?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d))+)$",
                  "default": "1s"
                }
              }
            ],
            "responses": {
              "200": {
                "description": "Events, until the reader or the server ends.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "429": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/export": {
          "get": {
            "operationId": "exportTraces",
            "summary": "All traces of a stretch of time, or those a query finds there, as they were sent.",
            "description": "Whole traces, the newest first: as a TracesData object of OTLP JSON a line, or as TracesData messages, each after its length as a varint. The last object has no spans: its member skeinExport (protobuf: field 1000, the same as JSON text) has traceCount, spanCount, complete and incompleteReasons. A body without it was interrupted.",
            "parameters": [
              {
                "name": "q",
                "in": "query",
                "required": false,
                "description": "A query in TraceQL for traces, without order by.",
                "schema": {"type": "string", "maxLength": 16384},
                "example": "{ status = error }"
              },
              {
                "name": "start",
                "in": "query",
                "required": false,
                "description": "A span starts at or after this; nanoseconds since 1970.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "end",
                "in": "query",
                "required": false,
                "description": "A span starts before this; nanoseconds since 1970.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "last",
                "in": "query",
                "required": false,
                "description": "Instead of start and end: this long before now.",
                "schema": {
                  "type": "string",
                  "pattern": "^(0|\\+?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d))+)$",
                  "default": "1h"
                },
                "example": "15m"
              },
              {
                "name": "format",
                "in": "query",
                "required": false,
                "description": "The form of the answer; overrides Accept.",
                "schema": {"enum": ["json", "protobuf"], "default": "json"}
              }
            ],
            "responses": {
              "200": {
                "description": "The traces.",
                "content": {
                  "application/x-ndjson": {"schema": {"type": "string"}},
                  "application/x-protobuf": {
                    "schema": {"type": "string", "contentEncoding": "binary"}
                  }
                }
              },
              "400": {"$ref": "#/components/responses/Error"},
              "429": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/links": {
          "post": {
            "operationId": "shortLink",
            "summary": "A short link for an address of the page.",
            "description": "The same address has the same link, which lasts: opening it leads to the address. Refused from pages of another origin.",
            "requestBody": {
              "required": true,
              "content": {
                "application/json": {
                  "schema": {
                    "type": "object",
                    "required": ["address"],
                    "additionalProperties": false,
                    "properties": {
                      "address": {
                        "type": "string",
                        "description": "Path and query of what the page shows, percent-encoded; no scheme, no host.",
                        "pattern": "^/[!-~]*$",
                        "maxLength": 16384,
                        "example": "/search?q=%7Bstatus%3Derror%7D&last=1h"
                      }
                    }
                  }
                }
              }
            },
            "responses": {
              "200": {
                "description": "The path of the link.",
                "content": {
                  "application/json": {
                    "schema": {
                      "type": "object",
                      "required": ["link"],
                      "properties": {
                        "link": {"type": "string", "pattern": "^/l/[0-9a-hjkmnp-tv-z]{12}$"}
                      }
                    }
                  }
                }
              },
              "400": {"$ref": "#/components/responses/Error"},
              "403": {"$ref": "#/components/responses/Error"},
              "413": {"$ref": "#/components/responses/Error"},
              "429": {"$ref": "#/components/responses/Error"},
              "503": {"$ref": "#/components/responses/Error"},
              "507": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/mcp": {
          "post": {
            "operationId": "mcp",
            "summary": "Model Context Protocol: tools by which assistants read traces.",
            "description": "Streamable HTTP transport without streams and sessions: a JSON-RPC 2.0 message, or a list of at most 20, answered with JSON; 202 where no answer is wanted. Methods: initialize, ping, tools/list, tools/call. Refused from pages of another origin.",
            "parameters": [
              {
                "name": "MCP-Protocol-Version",
                "in": "header",
                "required": false,
                "description": "The version that initialize agreed on.",
                "schema": {"enum": ["2025-06-18", "2025-03-26", "2024-11-05"]}
              }
            ],
            "requestBody": {
              "required": true,
              "content": {"application/json": {"schema": {"type": ["object", "array"]}}}
            },
            "responses": {
              "200": {
                "description": "The answer, or a list of answers.",
                "content": {"application/json": {"schema": {"type": ["object", "array"]}}}
              },
              "202": {"description": "Taken; no answer is wanted."},
              "400": {"description": "No JSON-RPC message; a JSON-RPC error tells why."},
              "403": {"$ref": "#/components/responses/Error"},
              "413": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        }
        """#
}
