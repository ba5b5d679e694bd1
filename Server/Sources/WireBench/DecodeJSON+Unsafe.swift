// SPDX-License-Identifier: Apache-2.0

import SkeinModel
import SkeinWire

/// Decodes OTLP/JSON and returns how many spans there were. The decoder gets the array's own memory
/// and length, for the call alone.
func decodeJSON(_ text: [UInt8]) throws -> Int {
    try text.span.withUnsafeBytes {
        let batch = try OTLP.decodeJSON($0, receivedAt: 1)
        return batch.columns.count
    }
}
