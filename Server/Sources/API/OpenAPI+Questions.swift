// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
    /// What is told of the questions asked.
    static let questionSchemas = #"""
        "Questions": {
            "type": "object",
            "required": ["routes", "rememberedCount", "costliest"],
            "properties": {
              "routes": {
                "type": "array",
                "description": "Sums since the start, the costliest first.",
                "items": {
                  "type": "object",
                  "required": [
                    "interface", "route", "count", "failedCount", "elapsedNanos", "cpuNanos",
                    "examinedSpanCount"
                  ],
                  "properties": {
                    "interface": {"enum": ["native", "jaeger", "zipkin", "tempo", "mcp"]},
                    "route": {
                      "type": "string",
                      "description": "A path with its parameters in braces, a method of gRPC, or a tool of MCP."
                    },
                    "count": {"type": "integer", "minimum": 1},
                    "failedCount": {
                      "type": "integer",
                      "minimum": 0,
                      "description": "Questions without an answer; that nothing is there is an answer."
                    },
                    "elapsedNanos": {"type": "string", "pattern": "^[0-9]+$"},
                    "cpuNanos": {
                      "type": "string",
                      "pattern": "^[0-9]+$",
                      "description": "Processor time of reading and of looking at what was read."
                    },
                    "examinedSpanCount": {"type": "integer", "minimum": 0}
                  },
                  "additionalProperties": false
                }
              },
              "rememberedCount": {"type": "integer", "minimum": 0, "maximum": 1000},
              "costliest": {
                "type": "array",
                "description": "Of the questions remembered, by processor time.",
                "items": {
                  "type": "object",
                  "required": [
                    "askedAtUnixNano", "interface", "route", "text", "httpStatus", "elapsedNanos",
                    "cpuNanos", "examinedSpanCount"
                  ],
                  "properties": {
                    "askedAtUnixNano": {"type": "string", "pattern": "^[0-9]+$"},
                    "interface": {"enum": ["native", "jaeger", "zipkin", "tempo", "mcp"]},
                    "route": {"type": "string"},
                    "text": {
                      "type": "string",
                      "description": "The address as it was asked, or the arguments; at most 400 bytes."
                    },
                    "httpStatus": {"type": "integer"},
                    "elapsedNanos": {"type": "string", "pattern": "^[0-9]+$"},
                    "cpuNanos": {"type": "string", "pattern": "^[0-9]+$"},
                    "examinedSpanCount": {"type": "integer", "minimum": 0}
                  },
                  "additionalProperties": false
                }
              }
            },
            "additionalProperties": false
          }
        """#
}
