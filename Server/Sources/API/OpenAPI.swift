// SPDX-License-Identifier: Apache-2.0

/// The description of the native interface, served at `/api/skein/v1/openapi.json`.
public enum OpenAPI {
    /// An OpenAPI 3.1 document.
    public static let document = "{}"
}
