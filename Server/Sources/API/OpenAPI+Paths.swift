// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// What can be asked: one entry a path, the same as `ReadAPI.nativePaths`.
    static let paths = #"""
        {
          "/api/skein/v1/services": {
            "get": {
              "operationId": "listServices",
              "summary": "Names of all services, sorted.",
              "parameters": [],
              "responses": {
                "200": {
                  "description": "The names.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/Services"
                      }
                    }
                  }
                },
                "default": {
                  "$ref": "#/components/responses/Error"
                }
              }
            }
          },
          "/api/skein/v1/operations": {
            "get": {
              "operationId": "listOperations",
              "summary": "Operations of one service, or of all.",
              "parameters": [
                {
                  "name": "service",
                  "in": "query",
                  "required": false,
                  "description": "Exact service name.",
                  "schema": {"type": "string"},
                  "example": "cart"
                }
              ],
              "responses": {
                "200": {
                  "description": "Names with span kinds, sorted.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/Operations"
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
          "/api/skein/v1/keys": {
            "get": {
              "operationId": "listKeys",
              "summary": "Attribute keys of one service's spans, or of all.",
              "parameters": [
                {
                  "name": "service",
                  "in": "query",
                  "required": false,
                  "description": "Exact service name.",
                  "schema": {"type": "string"},
                  "example": "cart"
                }
              ],
              "responses": {
                "200": {
                  "description": "Keys with the scope they stand in, sorted.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/Keys"
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
          "/api/skein/v1/values": {
            "get": {
              "operationId": "listValues",
              "summary": "Values of one attribute key, as text.",
              "parameters": [
                {
                  "name": "key",
                  "in": "query",
                  "required": true,
                  "description": "The attribute key.",
                  "schema": {"type": "string"},
                  "example": "http.route"
                },
                {
                  "name": "scope",
                  "in": "query",
                  "required": false,
                  "description": "Where the attribute stands.",
                  "schema": {
                    "enum": [
                      "span",
                      "resource",
                      "event",
                      "any"
                    ],
                    "default": "span"
                  }
                },
                {
                  "name": "prefix",
                  "in": "query",
                  "required": false,
                  "description": "Only values that begin with this.",
                  "schema": {"type": "string"}
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
                  "name": "limit",
                  "in": "query",
                  "required": false,
                  "description": "Values, at most.",
                  "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 10000,
                    "default": 100
                  }
                }
              ],
              "responses": {
                "200": {
                  "description": "The values, sorted.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/Values"
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
          "/api/skein/v1/traces": {
            "get": {
              "operationId": "searchTraces",
              "summary": "Traces with a span that meets every condition, or that a TraceQL query finds.",
              "parameters": [
                {
                  "name": "q",
                  "in": "query",
                  "required": false,
                  "description": "A TraceQL query. Beside it stand spans, start, end, last, limit, order and cursor; the other conditions belong into it.",
                  "schema": {"type": "string", "maxLength": 16384},
                  "example": "{ resource.service.name = \"cart\" } >> { status = error }"
                },
                {
                  "name": "spans",
                  "in": "query",
                  "required": false,
                  "description": "With q: spans told of each spanset, at most.",
                  "schema": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 1000,
                    "default": 3
                  }
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
                  "name": "tag",
                  "in": "query",
                  "required": false,
                  "description": "A condition key=value, key, !key or scope:key=value; give it several times for several conditions on the same span. The value is compared as text.",
                  "schema": {
                    "type": "array",
                    "items": {
                      "type": "string"
                    }
                  },
                  "example": ["order.id=17"],
                  "style": "form",
                  "explode": true
                },
                {
                  "name": "minDuration",
                  "in": "query",
                  "required": false,
                  "description": "The span takes at least this.",
                  "schema": {
                    "type": "string",
                    "pattern": "^(0|\\+?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d))+)$"
                  },
                  "example": "10ms"
                },
                {
                  "name": "maxDuration",
                  "in": "query",
                  "required": false,
                  "description": "The span takes at most this.",
                  "schema": {
                    "type": "string",
                    "pattern": "^(0|\\+?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d))+)$"
                  }
                },
                {
                  "name": "minTraceDuration",
                  "in": "query",
                  "required": false,
                  "description": "The trace takes at least this.",
                  "schema": {
                    "type": "string",
                    "pattern": "^(0|\\+?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d))+)$"
                  }
                },
                {
                  "name": "maxTraceDuration",
                  "in": "query",
                  "required": false,
                  "description": "The trace takes at most this.",
                  "schema": {
                    "type": "string",
                    "pattern": "^(0|\\+?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d))+)$"
                  }
                },
                {
                  "name": "status",
                  "in": "query",
                  "required": false,
                  "description": "Status of the span.",
                  "schema": {
                    "enum": [
                      "unset",
                      "ok",
                      "error"
                    ]
                  }
                },
                {
                  "name": "kind",
                  "in": "query",
                  "required": false,
                  "description": "Kind of the span.",
                  "schema": {
                    "enum": [
                      "unspecified",
                      "internal",
                      "server",
                      "client",
                      "producer",
                      "consumer"
                    ]
                  }
                },
                {
                  "name": "start",
                  "in": "query",
                  "required": false,
                  "description": "A matching span starts at or after this; nanoseconds since 1970.",
                  "schema": {
                    "type": "string",
                    "pattern": "^[0-9]+$"
                  }
                },
                {
                  "name": "end",
                  "in": "query",
                  "required": false,
                  "description": "A matching span starts before this; nanoseconds since 1970.",
                  "schema": {
                    "type": "string",
                    "pattern": "^[0-9]+$"
                  }
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
                  "name": "limit",
                  "in": "query",
                  "required": false,
                  "description": "Traces, at most.",
                  "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 10000,
                    "default": 20
                  }
                },
                {
                  "name": "order",
                  "in": "query",
                  "required": false,
                  "description": "newest: latest trace start first; slowest: longest trace first. Ties go to the smaller trace id.",
                  "schema": {
                    "enum": [
                      "newest",
                      "slowest"
                    ],
                    "default": "newest"
                  }
                },
                {
                  "name": "cursor",
                  "in": "query",
                  "required": false,
                  "description": "The cursor of the page before, with the same other parameters.",
                  "schema": {"type": "string"}
                }
              ],
              "responses": {
                "200": {
                  "description": "A page of traces.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/TraceList"
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
          "/api/skein/v1/traces/{id}": {
            "get": {
              "operationId": "getTrace",
              "summary": "All spans of a trace.",
              "description": "As sent: OTLP JSON, or OTLP protobuf where Accept names application/x-protobuf or format says so. With format=columns: the columnar form TRV1 for display, depth first, with clocks corrected unless raw.",
              "parameters": [
                {
                  "name": "id",
                  "in": "path",
                  "required": true,
                  "description": "1 to 32 hexadecimal digits; up to 16 also find 128-bit ids that end with them.",
                  "schema": {
                    "type": "string",
                    "pattern": "^[0-9a-fA-F]{1,32}$"
                  }
                },
                {
                  "name": "format",
                  "in": "query",
                  "required": false,
                  "description": "The form of the answer; overrides Accept.",
                  "schema": {
                    "enum": [
                      "json",
                      "protobuf",
                      "columns"
                    ]
                  }
                },
                {
                  "name": "raw",
                  "in": "query",
                  "required": false,
                  "description": "Leave clocks, shared spans and repeated spans as they were sent.",
                  "schema": {
                    "type": "boolean",
                    "default": false
                  }
                }
              ],
              "responses": {
                "200": {
                  "description": "The trace.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/TracesData"
                      }
                    },
                    "application/x-protobuf": {
                      "schema": {
                        "type": "string",
                        "contentEncoding": "binary"
                      }
                    },
                    "application/octet-stream": {
                      "schema": {
                        "type": "string",
                        "contentEncoding": "binary"
                      }
                    }
                  }
                },
                "400": {
                  "$ref": "#/components/responses/Error"
                },
                "404": {
                  "$ref": "#/components/responses/Error"
                },
                "409": {
                  "$ref": "#/components/responses/Error"
                },
                "default": {
                  "$ref": "#/components/responses/Error"
                }
              }
            },
            "delete": {
              "operationId": "deleteTrace",
              "summary": "Removes a trace for good.",
              "description": "All its spans that were acknowledged until now, and their bytes in every file. Takes as long as rewriting the parts that hold it. A trace that is not stored has 0 spans removed. Refused from pages of another origin.",
              "parameters": [
                {
                  "name": "id",
                  "in": "path",
                  "required": true,
                  "description": "1 to 32 hexadecimal digits; up to 16 also mean the one 128-bit id that ends with them.",
                  "schema": {
                    "type": "string",
                    "pattern": "^[0-9a-fA-F]{1,32}$"
                  }
                }
              ],
              "responses": {
                "200": {
                  "description": "What was removed.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/DeletedTrace"
                      }
                    }
                  }
                },
                "400": {
                  "$ref": "#/components/responses/Error"
                },
                "403": {
                  "$ref": "#/components/responses/Error"
                },
                "409": {
                  "$ref": "#/components/responses/Error"
                },
                "default": {
                  "$ref": "#/components/responses/Error"
                }
              }
            }
          },
          "/api/skein/v1/traces/{id}/spans/{row}": {
            "get": {
              "operationId": "getSpan",
              "summary": "Everything about one span, by its row of format=columns or by its id.",
              "parameters": [
                {
                  "name": "id",
                  "in": "path",
                  "required": true,
                  "description": "1 to 32 hexadecimal digits; up to 16 also find 128-bit ids that end with them.",
                  "schema": {
                    "type": "string",
                    "pattern": "^[0-9a-fA-F]{1,32}$"
                  }
                },
                {
                  "name": "row",
                  "in": "path",
                  "required": true,
                  "description": "A row of the columnar form, from 0; or the 16 hexadecimal digits of a span id.",
                  "schema": {
                    "type": "string",
                    "pattern": "^([0-9]{1,15}|[0-9a-fA-F]{16})$"
                  }
                },
                {
                  "name": "raw",
                  "in": "query",
                  "required": false,
                  "description": "Leave clocks, shared spans and repeated spans as they were sent.",
                  "schema": {
                    "type": "boolean",
                    "default": false
                  }
                }
              ],
              "responses": {
                "200": {
                  "description": "The span.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/Span"
                      }
                    }
                  }
                },
                "400": {
                  "$ref": "#/components/responses/Error"
                },
                "404": {
                  "$ref": "#/components/responses/Error"
                },
                "409": {
                  "$ref": "#/components/responses/Error"
                },
                "default": {
                  "$ref": "#/components/responses/Error"
                }
              }
            }
          },
          \#(metricsPaths),
          \#(totalsPaths),
          \#(streamPaths),
          \#(analysisPaths),
          \#(servicePaths),
          "/api/skein/v1/status": {
            "get": {
              "operationId": "getStatus",
              "summary": "How the server fares.",
              "parameters": [],
              "responses": {
                "200": {
                  "description": "Numbers and state.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/Status"
                      }
                    }
                  }
                },
                "default": {
                  "$ref": "#/components/responses/Error"
                }
              }
            }
          },
          "/api/skein/v1/questions": {
            "get": {
              "operationId": "getQuestions",
              "summary": "What is asked of this server, by every interface, and what it costs.",
              "parameters": [
                {
                  "name": "limit",
                  "in": "query",
                  "description": "How many of the costliest questions to tell.",
                  "schema": {"type": "integer", "minimum": 0, "default": 20}
                }
              ],
              "responses": {
                "200": {
                  "description": "Sums since the start, and of the last 1,000 questions the costliest.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "$ref": "#/components/schemas/Questions"
                      }
                    }
                  }
                },
                "default": {
                  "$ref": "#/components/responses/Error"
                }
              }
            }
          },
          "/api/skein/v1/openapi.json": {
            "get": {
              "operationId": "getDescription",
              "summary": "This document.",
              "parameters": [],
              "responses": {
                "200": {
                  "description": "An OpenAPI 3.1 document.",
                  "content": {
                    "application/json": {
                      "schema": {
                        "type": "object"
                      }
                    }
                  }
                },
                "default": {
                  "$ref": "#/components/responses/Error"
                }
              }
            }
          }
        }
        """#
}
