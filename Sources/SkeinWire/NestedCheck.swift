// SPDX-License-Identifier: Apache-2.0

/// Makes sure that the body of a nested value is well formed before it is stored as it came.
///
/// Recursion is bounded by `DecodeLimits.parsedDepth`.
enum NestedCheck {
    static func array(
        _ cursor: consuming ProtobufCursor,
        depth: Int,
        _ limits: DecodeLimits,
        _ found: inout RawValue
    ) throws(ProtobufFault) {
        try enter(cursor, depth, limits, &found)
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2:
                let body = try cursor.bytes()
                try value(cursor.inner(body, .anyValue), depth: depth, limits, &found)
            default: try cursor.skip(tag, limits)
            }
        }
    }

    static func map(
        _ cursor: consuming ProtobufCursor,
        depth: Int,
        _ limits: DecodeLimits,
        _ found: inout RawValue
    ) throws(ProtobufFault) {
        try enter(cursor, depth, limits, &found)
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 1 << 3 | 2 else {
                try cursor.skip(tag, limits)
                continue
            }
            var entry = try cursor.inner(cursor.bytes(), .keyValue)
            while !entry.atEnd {
                let tag = try entry.tag()
                switch tag {
                case 1 << 3 | 2: text(try entry.bytes(), &found)
                case 2 << 3 | 2:
                    let body = try entry.bytes()
                    try value(entry.inner(body, .anyValue), depth: depth, limits, &found)
                default: try entry.skip(tag, limits)
                }
            }
        }
    }

    private static func value(
        _ cursor: consuming ProtobufCursor,
        depth: Int,
        _ limits: DecodeLimits,
        _ found: inout RawValue
    ) throws(ProtobufFault) {
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: text(try cursor.bytes(), &found)
            case 5 << 3 | 2:
                let body = try cursor.bytes()
                try array(cursor.inner(body, .arrayValue), depth: depth &+ 1, limits, &found)
            case 6 << 3 | 2:
                let body = try cursor.bytes()
                try map(cursor.inner(body, .keyValueList), depth: depth &+ 1, limits, &found)
            default: try cursor.skip(tag, limits)
            }
        }
    }

    private static func enter(
        _ cursor: borrowing ProtobufCursor,
        _ depth: Int,
        _ limits: DecodeLimits,
        _ found: inout RawValue
    ) throws(ProtobufFault) {
        guard depth <= limits.parsedDepth else { throw cursor.fault(.tooDeep) }
        if depth > limits.storedDepth { found.isTooDeep = true }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer, _ found: inout RawValue) {
        if !Text.isUTF8(bytes) { found.hasBadText = true }
    }
}
