// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// The part of `schemas` that is about them.
    static let analysisSchemas = #"""
        "TraceAnalysis": {
          "type": "object",
          "required": [
            "traceId",
            "spanCount",
            "startTimeUnixNano",
            "durationNanos",
            "levelCount",
            "serviceCount",
            "hostCount",
            "errorCount",
            "orphanCount",
            "movedCount",
            "droppedPartCount",
            "findings",
            "criticalPath",
            "runCount",
            "runs",
            "operationCount",
            "operations",
            "services",
            "complete",
            "incompleteReasons"
          ],
          "properties": {
            "traceId": {"type": "string"},
            "spanCount": {"type": "integer"},
            "startTimeUnixNano": {"type": "string"},
            "durationNanos": {"type": "string", "description": "From the earliest start to the latest end."},
            "levelCount": {"type": "integer"},
            "serviceCount": {"type": "integer"},
            "hostCount": {"type": "integer"},
            "errorCount": {"type": "integer"},
            "orphanCount": {"type": "integer", "description": "Spans whose parent did not come."},
            "movedCount": {"type": "integer", "description": "Spans whose clock was corrected."},
            "droppedPartCount": {
              "type": "integer",
              "description": "Attributes, events and links dropped before they were stored."
            },
            "findings": {
              "type": "array",
              "items": {"$ref": "#/components/schemas/TraceFinding"},
              "description": "What to say of the trace in a sentence: at most three, those that explain most time first."
            },
            "criticalPath": {"$ref": "#/components/schemas/CriticalPath"},
            "runCount": {"type": "integer", "description": "Runs there are; the largest 2,000 are told."},
            "runs": {"type": "array", "items": {"$ref": "#/components/schemas/SiblingRun"}},
            "operationCount": {"type": "integer", "description": "Operations there are; 2,000 are told."},
            "operations": {
              "type": "array",
              "items": {
                "type": "object",
                "required": [
                  "service",
                  "operation",
                  "count",
                  "errorCount",
                  "totalNanos",
                  "selfNanos",
                  "activeNanos",
                  "pathNanos",
                  "averageNanos",
                  "p50Nanos",
                  "p95Nanos",
                  "p99Nanos",
                  "longestNanos"
                ],
                "properties": {
                  "service": {"type": "string"},
                  "operation": {"type": "string"},
                  "count": {"type": "integer"},
                  "errorCount": {"type": "integer"},
                  "totalNanos": {"type": "string", "description": "Of all spans together."},
                  "selfNanos": {"type": "string", "description": "Without the time in which a child ran."},
                  "activeNanos": {"type": "string", "description": "In which at least one of the spans ran."},
                  "pathNanos": {"type": "string", "description": "On the critical path."},
                  "averageNanos": {"type": "string"},
                  "p50Nanos": {"type": "string"},
                  "p95Nanos": {"type": "string"},
                  "p99Nanos": {"type": "string"},
                  "longestNanos": {"type": "string"}
                },
                "additionalProperties": false
              },
              "description": "Most time on the critical path first."
            },
            "services": {
              "type": "array",
              "items": {
                "type": "object",
                "required": [
                  "service",
                  "count",
                  "errorCount",
                  "totalNanos",
                  "selfNanos",
                  "activeNanos",
                  "pathNanos",
                  "averageNanos",
                  "p50Nanos",
                  "p95Nanos",
                  "p99Nanos",
                  "longestNanos"
                ],
                "properties": {
                  "service": {"type": "string"},
                  "count": {"type": "integer"},
                  "errorCount": {"type": "integer"},
                  "totalNanos": {"type": "string", "description": "Of all spans together."},
                  "selfNanos": {"type": "string", "description": "Without the time in which a child ran."},
                  "activeNanos": {"type": "string", "description": "In which at least one of the spans ran."},
                  "pathNanos": {"type": "string", "description": "On the critical path."},
                  "averageNanos": {"type": "string"},
                  "p50Nanos": {"type": "string"},
                  "p95Nanos": {"type": "string"},
                  "p99Nanos": {"type": "string"},
                  "longestNanos": {"type": "string"}
                },
                "additionalProperties": false
              }
            },
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "TraceFinding": {
          "type": "object",
          "required": [
            "kind",
            "row",
            "relatedRow",
            "service",
            "operation",
            "count",
            "nanos",
            "share",
            "startTimeUnixNano",
            "endTimeUnixNano",
            "waiting"
          ],
          "properties": {
            "kind": {
              "enum": [
                "errors",
                "retries",
                "sequentialCalls",
                "slowOperation",
                "slowService",
                "gap",
                "clockSkew",
                "orphans"
              ]
            },
            "row": {
              "type": ["integer", "null"],
              "description": "The span it is about; of errors, where the first began; of runs, the first."
            },
            "relatedRow": {
              "type": ["integer", "null"],
              "description": "Of errors, the topmost span that failed with it; of runs, the parent."
            },
            "service": {"type": ["string", "null"], "description": "Of row."},
            "operation": {"type": ["string", "null"]},
            "count": {"type": "integer", "description": "Spans."},
            "nanos": {
              "type": "string",
              "description": "The time it explains; of sequentialCalls, what one call for all would save; of clockSkew, how far a clock was off."
            },
            "share": {"type": "number", "description": "nanos as a part of the trace's duration."},
            "startTimeUnixNano": {"type": ["string", "null"], "description": "Of a gap."},
            "endTimeUnixNano": {"type": ["string", "null"]},
            "waiting": {
              "type": "boolean",
              "description": "Of slow ones: most of the time is spent in clients' spans, waiting."
            }
          },
          "additionalProperties": false
        },
        "CriticalPath": {
          "type": "object",
          "required": [
            "rootRow",
            "startTimeUnixNano",
            "durationNanos",
            "pieceCount",
            "segmentCount",
            "rows",
            "starts",
            "operations"
          ],
          "properties": {
            "rootRow": {"type": ["integer", "null"], "description": "The root of the main piece, the longest."},
            "startTimeUnixNano": {"type": "string"},
            "durationNanos": {"type": "string"},
            "pieceCount": {"type": "integer", "description": "Connected pieces of the trace."},
            "segmentCount": {"type": "integer", "description": "Segments there are; the first 250,000 are told."},
            "rows": {
              "type": "array",
              "items": {"type": "integer"},
              "description": "By segment, in order of time: the span that decided."
            },
            "starts": {
              "type": "array",
              "items": {"type": ["integer", "string"]},
              "description": "By segment: nanoseconds after the root's start. A segment ends where the next begins, the last with the root."
            },
            "operations": {
              "type": "array",
              "items": {"type": ["integer", "null"]},
              "description": "By segment: a number of the analysis's operations; null for one that is not told there."
            }
          },
          "additionalProperties": false
        },
        "SiblingRun": {
          "description": "At least five children of one parent, equal in service and operation.",
          "type": "object",
          "required": [
            "parentRow",
            "firstRow",
            "service",
            "operation",
            "count",
            "errorCount",
            "sumNanos",
            "coveredNanos",
            "p50Nanos",
            "p99Nanos",
            "longestNanos",
            "firstStartTimeUnixNano",
            "lastStartTimeUnixNano",
            "sequential"
          ],
          "properties": {
            "parentRow": {"type": ["integer", "null"], "description": "null for spans without a parent."},
            "firstRow": {"type": "integer"},
            "service": {"type": "string"},
            "operation": {"type": "string"},
            "count": {"type": "integer"},
            "errorCount": {"type": "integer"},
            "sumNanos": {"type": "string"},
            "coveredNanos": {"type": "string", "description": "In which at least one ran."},
            "p50Nanos": {"type": "string"},
            "p99Nanos": {"type": "string"},
            "longestNanos": {"type": "string"},
            "firstStartTimeUnixNano": {"type": "string"},
            "lastStartTimeUnixNano": {"type": "string"},
            "sequential": {"type": "boolean", "description": "One after another rather than in parallel."}
          },
          "additionalProperties": false
        },
        "PathGraph": {
          "type": "object",
          "required": ["traceId", "nodes", "others", "complete", "incompleteReasons"],
          "properties": {
            "traceId": {"type": "string"},
            "nodes": {
              "type": "array",
              "items": {
                "type": "object",
                "required": [
                  "parent",
                  "service",
                  "operation",
                  "firstRow",
                  "count",
                  "callerCount",
                  "errorCount",
                  "totalNanos",
                  "selfNanos",
                  "pathNanos"
                ],
                "properties": {
                  "parent": {"type": ["integer", "null"], "description": "A number of nodes."},
                  "service": {"type": "string"},
                  "operation": {"type": "string"},
                  "firstRow": {"type": "integer"},
                  "count": {"type": "integer"},
                  "callerCount": {
                    "type": "integer",
                    "description": "Spans of the parent node that called at least once."
                  },
                  "errorCount": {"type": "integer"},
                  "totalNanos": {"type": "string"},
                  "selfNanos": {"type": "string"},
                  "pathNanos": {"type": "string"}
                },
                "additionalProperties": false
              }
            },
            "others": {
              "description": "Paths past 2,000, those of least self time.",
              "type": "object",
              "required": ["pathCount", "spanCount", "errorCount", "selfNanos", "pathNanos"],
              "properties": {
                "pathCount": {"type": "integer"},
                "spanCount": {"type": "integer"},
                "errorCount": {"type": "integer"},
                "selfNanos": {"type": "string"},
                "pathNanos": {"type": "string"}
              },
              "additionalProperties": false
            },
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "SpanStanding": {
          "type": "object",
          "required": [
            "row",
            "service",
            "operation",
            "kind",
            "durationNanos",
            "startTimeUnixNano",
            "endTimeUnixNano",
            "callCount",
            "errorCount",
            "fasterAtLeast",
            "fasterAtMost",
            "quantiles",
            "complete",
            "incompleteReasons"
          ],
          "properties": {
            "row": {"type": "integer"},
            "service": {"type": "string"},
            "operation": {"type": "string"},
            "kind": {"type": "string"},
            "durationNanos": {"type": "string"},
            "startTimeUnixNano": {"type": "string"},
            "endTimeUnixNano": {"type": "string"},
            "callCount": {"type": "integer"},
            "errorCount": {"type": "integer"},
            "fasterAtLeast": {
              "type": "number",
              "description": "At least this part of the calls, 0 to 1, was faster."
            },
            "fasterAtMost": {"type": "number", "description": "At most this part was."},
            "quantiles": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["part", "nanos"],
                "properties": {"part": {"type": "number"}, "nanos": {"type": "string"}},
                "additionalProperties": false
              },
              "description": "Ascending; empty where nothing was counted."
            },
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "ComparedFigures": {
          "type": "object",
          "required": ["traceCount", "spanCount", "errorCount", "totalNanos", "selfNanos"],
          "properties": {
            "traceCount": {"type": "integer", "description": "Traces with such a span."},
            "spanCount": {"type": "integer"},
            "errorCount": {"type": "integer"},
            "totalNanos": {"type": "string"},
            "selfNanos": {"type": "string"}
          },
          "additionalProperties": false
        },
        "TraceComparison": {
          "type": "object",
          "required": ["a", "b", "paths", "others", "differences", "complete", "incompleteReasons"],
          "properties": {
            "a": {"type": "array", "items": {"type": "string"}, "description": "Trace ids."},
            "b": {"type": "array", "items": {"type": "string"}},
            "paths": {
              "type": "array",
              "items": {
                "type": "object",
                "required": [
                  "parent",
                  "service",
                  "operation",
                  "a",
                  "b",
                  "totalDifferenceNanos",
                  "selfDifferenceNanos"
                ],
                "properties": {
                  "parent": {"type": ["integer", "null"], "description": "A number of paths."},
                  "service": {"type": "string"},
                  "operation": {"type": "string"},
                  "a": {"$ref": "#/components/schemas/ComparedFigures"},
                  "b": {"$ref": "#/components/schemas/ComparedFigures"},
                  "totalDifferenceNanos": {"type": "number", "description": "Of b's mean a trace, less a's."},
                  "selfDifferenceNanos": {"type": "number"}
                },
                "additionalProperties": false
              }
            },
            "others": {
              "description": "Paths past 2,000, those of least self time.",
              "type": "object",
              "required": ["pathCount", "a", "b"],
              "properties": {
                "pathCount": {"type": "integer"},
                "a": {"$ref": "#/components/schemas/ComparedFigures"},
                "b": {"$ref": "#/components/schemas/ComparedFigures"}
              },
              "additionalProperties": false
            },
            "differences": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["path", "key", "a", "b"],
                "properties": {
                  "path": {"type": "integer", "description": "A number of paths."},
                  "key": {"type": "string"},
                  "a": {"type": "array", "items": {"$ref": "#/components/schemas/ComparedValue"}},
                  "b": {"type": "array", "items": {"$ref": "#/components/schemas/ComparedValue"}}
                },
                "additionalProperties": false
              },
              "description": "Attributes of matched spans, or of their resources, that differ."
            },
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        },
        "ComparedValue": {
          "type": "object",
          "required": ["type", "value", "count"],
          "properties": {"type": {"type": "string"}, "value": {}, "count": {"type": "integer"}},
          "additionalProperties": false
        },
        "ServiceMap": {
          "type": "object",
          "required": [
            "startTimeUnixNano",
            "endTimeUnixNano",
            "nodes",
            "edges",
            "cycles",
            "groups",
            "groupEdges",
            "focusFound",
            "complete",
            "incompleteReasons"
          ],
          "properties": {
            "startTimeUnixNano": {"type": "string"},
            "endTimeUnixNano": {"type": "string"},
            "nodes": {
              "type": "array",
              "items": {
                "type": "object",
                "required": [
                  "name",
                  "layer",
                  "x",
                  "y",
                  "cycle",
                  "group",
                  "callCount",
                  "errorCount",
                  "p50Nanos",
                  "p99Nanos"
                ],
                "properties": {
                  "name": {"type": "string"},
                  "layer": {"type": "integer"},
                  "x": {"type": "number"},
                  "y": {"type": "number"},
                  "cycle": {"type": ["integer", "null"], "description": "A number of cycles."},
                  "group": {"type": ["integer", "null"], "description": "A number of groups."},
                  "callCount": {"type": "integer"},
                  "errorCount": {"type": "integer"},
                  "p50Nanos": {"type": "string"},
                  "p99Nanos": {"type": "string"}
                },
                "additionalProperties": false
              },
              "description": "By name. Calls are those a service took, as spans of servers and consumers; all its spans where it sends none of those; what its callers tell where it sends none at all, then with quantiles 0 where they are several. Boxes of 200 by 48 do not touch."
            },
            "edges": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["from", "to", "callCount", "errorCount", "p50Nanos", "p99Nanos"],
                "properties": {
                  "from": {"type": "integer"},
                  "to": {"type": "integer"},
                  "callCount": {"type": "integer"},
                  "errorCount": {"type": "integer"},
                  "p50Nanos": {"type": "string"},
                  "p99Nanos": {"type": "string"}
                },
                "additionalProperties": false
              },
              "description": "Numbers of nodes."
            },
            "cycles": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["members", "example", "edgeCount", "callCount"],
                "properties": {
                  "members": {"type": "array", "items": {"type": "integer"}},
                  "example": {
                    "type": "array",
                    "items": {"type": "integer"},
                    "description": "A shortest way from the first member back to it."
                  },
                  "edgeCount": {"type": "integer"},
                  "callCount": {"type": "integer"}
                },
                "additionalProperties": false
              },
              "description": "Services that reach each other."
            },
            "groups": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["name", "layer", "x", "y", "nodeCount", "callCount"],
                "properties": {
                  "name": {
                    "type": ["string", "null"],
                    "description": "What the names begin with; null for the others of a layer."
                  },
                  "layer": {"type": "integer"},
                  "x": {"type": "number"},
                  "y": {"type": "number"},
                  "nodeCount": {"type": "integer"},
                  "callCount": {"type": "integer", "description": "Of its nodes by each other."}
                },
                "additionalProperties": false
              },
              "description": "Above 300 nodes, else empty."
            },
            "groupEdges": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["from", "to", "callCount", "errorCount"],
                "properties": {
                  "from": {"type": "integer"},
                  "to": {"type": "integer"},
                  "callCount": {"type": "integer"},
                  "errorCount": {"type": "integer"}
                },
                "additionalProperties": false
              }
            },
            "focusFound": {
              "type": "boolean",
              "description": "Whether the service in focus is there; true where none is."
            },
            "complete": {"type": "boolean"},
            "incompleteReasons": {"type": "array", "items": {"type": "string"}}
          },
          "additionalProperties": false
        }
        """#
}
