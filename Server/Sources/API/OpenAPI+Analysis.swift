// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// The part of `paths` that is about traces explained and services laid out.
    static let analysisPaths = #"""
        "/api/skein/v1/traces/{id}/analysis": {
          "get": {
            "operationId": "getAnalysis",
            "summary": "A trace explained: what to say of it, its critical path, equal siblings, statistics.",
            "parameters": [
              {
                "name": "id",
                "in": "path",
                "required": true,
                "description": "Trace id, 1 to 32 hexadecimal digits.",
                "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{1,32}$"}
              },
              {
                "name": "raw",
                "in": "query",
                "required": false,
                "description": "Leave clocks and shared spans as they were sent.",
                "schema": {"type": "boolean", "default": false}
              }
            ],
            "responses": {
              "200": {
                "description": "Rows are those of format=columns.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TraceAnalysis"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "404": {"$ref": "#/components/responses/Error"},
              "409": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/traces/{id}/paths": {
          "get": {
            "operationId": "getPaths",
            "summary": "The spans of a trace merged by call path.",
            "parameters": [
              {
                "name": "id",
                "in": "path",
                "required": true,
                "description": "Trace id, 1 to 32 hexadecimal digits.",
                "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{1,32}$"}
              },
              {
                "name": "raw",
                "in": "query",
                "required": false,
                "description": "Leave clocks and shared spans as they were sent.",
                "schema": {"type": "boolean", "default": false}
              }
            ],
            "responses": {
              "200": {
                "description": "Nodes, parents before children.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PathGraph"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "404": {"$ref": "#/components/responses/Error"},
              "409": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/traces/{id}/spans/{row}/standing": {
          "get": {
            "operationId": "getStanding",
            "summary": "Which part of the calls of its operation a span was slower than.",
            "parameters": [
              {
                "name": "id",
                "in": "path",
                "required": true,
                "description": "Trace id, 1 to 32 hexadecimal digits.",
                "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{1,32}$"}
              },
              {
                "name": "row",
                "in": "path",
                "required": true,
                "description": "A row of format=columns, or a span id of 16 digits.",
                "schema": {"type": "string"}
              },
              {
                "name": "raw",
                "in": "query",
                "required": false,
                "description": "Leave clocks and shared spans as they were sent.",
                "schema": {"type": "boolean", "default": false}
              },
              {
                "name": "start",
                "in": "query",
                "required": false,
                "description": "Nanoseconds since 1970; widened to a whole minute. Where no time is given: the day that ends with the span.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "end",
                "in": "query",
                "required": false,
                "description": "Nanoseconds since 1970; widened to a whole minute. Where no time is given: the day that ends with the span.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "last",
                "in": "query",
                "required": false,
                "description": "Instead of start and end: how far to look back. Where no time is given: the day that ends with the span.",
                "schema": {"type": "string", "default": "1h"},
                "example": "15m"
              }
            ],
            "responses": {
              "200": {
                "description": "Bounds, and the quantiles they come from.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SpanStanding"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "404": {"$ref": "#/components/responses/Error"},
              "409": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/compare": {
          "get": {
            "operationId": "getComparison",
            "summary": "Two traces, or two sets of traces, matched by call path.",
            "parameters": [
              {
                "name": "a",
                "in": "query",
                "required": false,
                "description": "Trace ids of one side, with commas between.",
                "schema": {"type": "string"},
                "example": "0af7651916cd43dd8448eb211c80319c"
              },
              {
                "name": "b",
                "in": "query",
                "required": false,
                "description": "Trace ids of the other side.",
                "schema": {"type": "string"}
              },
              {
                "name": "qa",
                "in": "query",
                "required": false,
                "description": "Instead of a: a TraceQL query; the traces it finds.",
                "schema": {"type": "string"},
                "example": "{ resource.service.version = \"1\" }"
              },
              {
                "name": "qb",
                "in": "query",
                "required": false,
                "description": "Instead of b.",
                "schema": {"type": "string"}
              },
              {
                "name": "start",
                "in": "query",
                "required": false,
                "description": "Nanoseconds since 1970; widened to a whole minute.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "end",
                "in": "query",
                "required": false,
                "description": "Nanoseconds since 1970; widened to a whole minute.",
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
                "name": "limit",
                "in": "query",
                "required": false,
                "description": "Traces that each query finds, at most 1,000.",
                "schema": {"type": "integer", "default": 100}
              }
            ],
            "responses": {
              "200": {
                "description": "Paths, parents before children.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TraceComparison"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "404": {"$ref": "#/components/responses/Error"},
              "409": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        },
        "/api/skein/v1/map": {
          "get": {
            "operationId": "getMap",
            "summary": "Services and their calls, laid out to be drawn.",
            "parameters": [
              {
                "name": "start",
                "in": "query",
                "required": false,
                "description": "Nanoseconds since 1970; widened to a whole minute.",
                "schema": {"type": "string", "pattern": "^[0-9]+$"}
              },
              {
                "name": "end",
                "in": "query",
                "required": false,
                "description": "Nanoseconds since 1970; widened to a whole minute.",
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
                "name": "focus",
                "in": "query",
                "required": false,
                "description": "Only this service, and services some calls away.",
                "schema": {"type": "string"},
                "example": "cart"
              },
              {
                "name": "hops",
                "in": "query",
                "required": false,
                "description": "With focus: how many calls away, 1 to 20.",
                "schema": {"type": "integer", "default": 1}
              },
              {
                "name": "minCalls",
                "in": "query",
                "required": false,
                "description": "Leave out edges of fewer calls, and services without others.",
                "schema": {"type": "integer", "default": 0}
              }
            ],
            "responses": {
              "200": {
                "description": "The map. The same services and calls stand at the same places, however many calls there were.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ServiceMap"}}}
              },
              "400": {"$ref": "#/components/responses/Error"},
              "default": {"$ref": "#/components/responses/Error"}
            }
          }
        }
        """#
}
