// SPDX-License-Identifier: Apache-2.0

/// The description of the native interface, served at `/api/skein/v1/openapi.json`.
///
/// Tests hold it to the routes and hold real answers to its schemas.
public enum OpenAPI {
    /// An OpenAPI 3.1 document.
    public static let document = #"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "Skein",
            "version": "1",
            "summary": "Reading traces.",
            "description": "Times are nanoseconds since 1970 and durations nanoseconds, as text: they pass 2^53.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
          },
          "paths": \#(paths),
          "components": {
            "responses": {
              "Error": {
                "description": "What was wrong, where, and what to do.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              }
            },
            "schemas": \#(schemas)
          }
        }
        """#
}
