// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// The shapes of answers.
    static let schemas = #"""
        {
          "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {
              "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                  "code": {
                    "type": "integer",
                    "description": "The HTTP status."
                  },
                  "message": {
                    "type": "string",
                    "description": "What was wrong, where, and what to do."
                  },
                  "parameter": {
                    "type": "string",
                    "description": "The parameter whose text is wrong."
                  },
                  "position": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "Characters of that text before the fault."
                  },
                  "problem": {"type": "string", "description": "What is wrong there."},
                  "hint": {"type": "string", "description": "What to write instead."},
                  "reason": {
                    "enum": ["neverSeen", "expired", "sampledOut"],
                    "description": "Of a trace that is not stored: nothing is known of it; retention removed it, very probably; or a trace of this id would have been left out by every sampler whose spans came lately. Absent where not all could be searched."
                  },
                  "removedAtUnixNano": {
                    "type": "string",
                    "pattern": "^[0-9]+$",
                    "description": "Of one that expired: when it was removed, nanoseconds since 1970."
                  },
                  "rememberedSinceUnixNano": {
                    "type": "string",
                    "pattern": "^[0-9]+$",
                    "description": "Since when removed traces are remembered, nanoseconds since 1970; absent where none are."
                  }
                },
                "additionalProperties": false
              }
            },
            "additionalProperties": false
          },
          "Services": {
            "type": "object",
            "required": ["services"],
            "properties": {"services": {"type": "array", "items": {"type": "string"}}},
            "additionalProperties": false
          },
          "Operations": {
            "type": "object",
            "required": ["operations"],
            "properties": {
              "operations": {
                "type": "array",
                "items": {
                  "type": "object",
                  "required": ["name", "kind"],
                  "properties": {
                    "name": {
                      "type": "string"
                    },
                    "kind": {
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
                  "additionalProperties": false
                }
              }
            },
            "additionalProperties": false
          },
          "Keys": {
            "type": "object",
            "required": ["keys"],
            "properties": {
              "keys": {
                "type": "array",
                "items": {
                  "type": "object",
                  "required": ["scope", "key"],
                  "properties": {
                    "scope": {
                      "enum": [
                        "span",
                        "resource",
                        "event"
                      ]
                    },
                    "key": {"type": "string"}
                  },
                  "additionalProperties": false
                }
              }
            },
            "additionalProperties": false
          },
          "Values": {
            "type": "object",
            "required": ["values", "complete"],
            "properties": {
              "values": {"type": "array", "items": {"type": "string"}},
              "complete": {"type": "boolean"}
            },
            "additionalProperties": false
          },
          "TraceList": {
            "type": "object",
            "required": ["traces", "cursor", "order", "complete", "incompleteReasons"],
            "properties": {
              "traces": {
                "type": "array",
                "items": {
                  "$ref": "#/components/schemas/TraceSummary"
                }
              },
              "cursor": {
                "type": ["string", "null"],
                "description": "Give it back for the next page; null on the last."
              },
              "order": {
                "enum": ["newest", "oldest", "slowest", "fastest", "largest", "smallest"]
              },
              "complete": {"type": "boolean"},
              "incompleteReasons": {
                "type": "array",
                "items": {"type": "string"}
              },
              "examinedTraces": {
                "type": "integer",
                "minimum": 0,
                "description": "Of a search by q: traces read whole."
              },
              "examinedSpans": {
                "type": "integer",
                "minimum": 0,
                "description": "Of a search by q: spans of them."
              }
            },
            "additionalProperties": false
          },
          "TraceSummary": {
            "type": "object",
            "required": [
              "traceId",
              "rootService",
              "rootOperation",
              "startTimeUnixNano",
              "durationNanos",
              "spanCount",
              "errorCount",
              "services",
              "matchedSpanIds"
            ],
            "properties": {
              "traceId": {
                "type": "string",
                "pattern": "^[0-9a-f]{32}$"
              },
              "rootService": {"type": "string"},
              "rootOperation": {"type": "string"},
              "startTimeUnixNano": {
                "type": "string",
                "pattern": "^[0-9]+$"
              },
              "durationNanos": {
                "type": "string",
                "pattern": "^[0-9]+$"
              },
              "spanCount": {"type": "integer", "minimum": 0},
              "errorCount": {"type": "integer", "minimum": 0},
              "services": {
                "type": "array",
                "items": {
                  "type": "object",
                  "required": [
                    "name",
                    "spanCount",
                    "errorCount"
                  ],
                  "properties": {
                    "name": {
                      "type": "string"
                    },
                    "spanCount": {
                      "type": "integer",
                      "minimum": 0
                    },
                    "errorCount": {
                      "type": "integer",
                      "minimum": 0
                    }
                  },
                  "additionalProperties": false
                }
              },
              "matchedSpanIds": {
                "type": "array",
                "items": {
                  "type": "string",
                  "pattern": "^[0-9a-f]{16}$"
                }
              },
              "spansets": {
                "type": "array",
                "description": "Of a search by q: the spans found, one set for each value of by(…).",
                "items": {
                  "$ref": "#/components/schemas/Spanset"
                }
              }
            },
            "additionalProperties": false
          },
          "Spanset": {
            "type": "object",
            "required": ["keys", "spanCount", "spans"],
            "properties": {
              "keys": {
                "type": "array",
                "description": "The values of by(…) that the spans share.",
                "items": {"$ref": "#/components/schemas/ToldValue"}
              },
              "spanCount": {"type": "integer", "minimum": 1, "description": "Spans found."},
              "spans": {
                "type": "array",
                "description": "The first of them by start.",
                "items": {
                  "type": "object",
                  "required": [
                    "spanId",
                    "name",
                    "service",
                    "startTimeUnixNano",
                    "durationNanos",
                    "values"
                  ],
                  "properties": {
                    "spanId": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                    "name": {"type": "string"},
                    "service": {"type": "string"},
                    "startTimeUnixNano": {"type": "string", "pattern": "^[0-9]+$"},
                    "durationNanos": {"type": "string", "pattern": "^[0-9]+$"},
                    "values": {
                      "type": "array",
                      "description": "What select(…) asks for, of what the span has.",
                      "items": {"$ref": "#/components/schemas/ToldValue"}
                    }
                  },
                  "additionalProperties": false
                }
              }
            },
            "additionalProperties": false
          },
          "ToldValue": {
            "type": "object",
            "required": ["name", "type", "value"],
            "properties": {
              "name": {"type": "string", "description": "As the query has it."},
              "type": {
                "enum": ["string", "bool", "int", "double", "bytes", "array", "map", "empty"]
              },
              "value": {
                "description": "In its natural form; durations are nanoseconds, ints beyond 2^53 text."
              }
            },
            "additionalProperties": false
          },
          "TracesData": {
            "type": "object",
            "required": ["resourceSpans"],
            "properties": {
              "resourceSpans": {
                "type": "array",
                "items": {"type": "object"}
              }
            },
            "description": "OTLP's TracesData in its JSON form."
          },
          "Attribute": {
            "type": "object",
            "required": ["key", "type", "value"],
            "properties": {
              "key": {"type": "string"},
              "type": {
                "enum": [
                  "string",
                  "bool",
                  "int",
                  "double",
                  "bytes",
                  "array",
                  "map",
                  "empty"
                ]
              },
              "value": {
                "description": "In its natural form: bytes as base64, ints beyond 2^53 as text, NaN and infinities by name."
              }
            },
            "additionalProperties": false
          },
          "Span": {
            "type": "object",
            "required": [
              "row",
              "traceId",
              "spanId",
              "parentSpanId",
              "name",
              "service",
              "kind",
              "startTimeUnixNano",
              "endTimeUnixNano",
              "status",
              "traceState",
              "scope",
              "attributes",
              "resource",
              "events",
              "links",
              "droppedAttributes",
              "droppedEvents",
              "droppedLinks",
              "warnings"
            ],
            "properties": {
              "row": {"type": "integer", "minimum": 0},
              "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
              "spanId": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
              "parentSpanId": {
                "type": "string",
                "pattern": "^([0-9a-f]{16})?$"
              },
              "name": {"type": "string"},
              "service": {"type": "string"},
              "kind": {
                "enum": [
                  "unspecified",
                  "internal",
                  "server",
                  "client",
                  "producer",
                  "consumer"
                ]
              },
              "startTimeUnixNano": {"type": "string", "pattern": "^[0-9]+$"},
              "endTimeUnixNano": {"type": "string", "pattern": "^[0-9]+$"},
              "status": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                  "code": {
                    "enum": [
                      "unset",
                      "ok",
                      "error"
                    ]
                  },
                  "message": {"type": "string"}
                },
                "additionalProperties": false
              },
              "traceState": {"type": "string"},
              "scope": {
                "type": "object",
                "required": ["name", "version"],
                "properties": {
                  "name": {"type": "string"},
                  "version": {"type": "string"}
                },
                "additionalProperties": false
              },
              "attributes": {
                "type": "array",
                "items": {
                  "$ref": "#/components/schemas/Attribute"
                }
              },
              "resource": {
                "type": "array",
                "items": {
                  "$ref": "#/components/schemas/Attribute"
                }
              },
              "events": {
                "type": "array",
                "items": {
                  "type": "object",
                  "required": [
                    "name",
                    "timeUnixNano",
                    "attributes"
                  ],
                  "properties": {
                    "name": {
                      "type": "string"
                    },
                    "timeUnixNano": {
                      "type": "string",
                      "pattern": "^[0-9]+$"
                    },
                    "attributes": {
                      "type": "array",
                      "items": {
                        "$ref": "#/components/schemas/Attribute"
                      }
                    }
                  },
                  "additionalProperties": false
                }
              },
              "links": {
                "type": "array",
                "items": {
                  "type": "object",
                  "required": [
                    "traceId",
                    "spanId",
                    "attributes"
                  ],
                  "properties": {
                    "traceId": {
                      "type": "string",
                      "pattern": "^[0-9a-f]{32}$"
                    },
                    "spanId": {
                      "type": "string",
                      "pattern": "^[0-9a-f]{16}$"
                    },
                    "attributes": {
                      "type": "array",
                      "items": {
                        "$ref": "#/components/schemas/Attribute"
                      }
                    }
                  },
                  "additionalProperties": false
                }
              },
              "droppedAttributes": {"type": "integer", "minimum": 0},
              "droppedEvents": {"type": "integer", "minimum": 0},
              "droppedLinks": {"type": "integer", "minimum": 0},
              "warnings": {"type": "array", "items": {"type": "string"}}
            },
            "additionalProperties": false
          },
          "DeletedTrace": {
            "type": "object",
            "required": ["traceId", "spanCount", "complete", "incompleteReasons"],
            "properties": {
              "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
              "spanCount": {
                "type": "integer",
                "minimum": 0,
                "description": "Spans removed."
              },
              "complete": {
                "type": "boolean",
                "description": "Whether its bytes are gone from every file."
              },
              "incompleteReasons": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Files that could not be read and may still have them."
              }
            },
            "additionalProperties": false
          },
          \#(metricsSchemas),
          \#(totalsSchemas),
          \#(analysisSchemas),
          \#(serviceSchemas),
          "Status": {
            "type": "object",
            "required": [
              "version",
              "spansReceived",
              "spansStored",
              "bytesOnDisk",
              "uptimeSeconds",
              "durability",
              "storageFailure",
              "partsSetAside",
              "overflowedKeys",
              "ports",
              "settings"
            ],
            "properties": {
              "version": {"type": "string"},
              "spansReceived": {"type": "string", "pattern": "^[0-9]+$"},
              "spansStored": {"type": "string", "pattern": "^[0-9]+$"},
              "bytesOnDisk": {"type": "string", "pattern": "^[0-9]+$"},
              "uptimeSeconds": {"type": "integer", "minimum": 0},
              "durability": {"enum": ["fsync", "os"]},
              "storageFailure": {"type": ["string", "null"]},
              "partsSetAside": {
                "type": "integer",
                "minimum": 0,
                "description": "Files of spans that are damaged or missing; see skein verify."
              },
              "overflowedKeys": {
                "type": "integer",
                "minimum": 0,
                "description": "Attribute keys past the bound of a part, which are slower to search."
              },
              "ports": {
                "type": "object",
                "description": "Where spans can be sent, by listener: http, otlp-http, otlp-grpc, zipkin, and jaeger-grpc where it was asked for.",
                "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 65535}
              },
              "settings": {
                "type": "array",
                "description": "Every setting as it is in force.",
                "items": {
                  "type": "object",
                  "required": ["name", "value", "origin"],
                  "properties": {
                    "name": {"type": "string", "description": "As the option has it, without dashes."},
                    "value": {"type": "string"},
                    "origin": {
                      "type": ["string", "null"],
                      "description": "Where it was made, such as SKEIN_RETENTION; null for the default."
                    }
                  },
                  "additionalProperties": false
                }
              }
            },
            "additionalProperties": false
          },
          \#(questionSchemas)
        }
        """#
}
