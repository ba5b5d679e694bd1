// SPDX-License-Identifier: Apache-2.0

/// Makes sure that the body of a nested value is well formed before it is stored as it came.
///
/// Recursion is bounded by `DecodeLimits.parsedDepth`.
enum NestedCheck {
    static func array(
        _ cursor: consuming ProtobufCursor,
        depth: Int,
        _ depths: DepthLimits,
        _ found: inout RawValue
    ) throws(ProtobufFault) {
        try enter(cursor, depth, depths, &found)
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2:
                let body = try cursor.bytes()
                try value(cursor.inner(body, .anyValue), depth: depth, depths, &found)
            default: try cursor.skip(tag, depths)
            }
        }
    }

    static func map(
        _ cursor: consuming ProtobufCursor,
        depth: Int,
        _ depths: DepthLimits,
        _ found: inout RawValue
    ) throws(ProtobufFault) {
        try enter(cursor, depth, depths, &found)
        while !cursor.atEnd {
            let tag = try cursor.tag()
            guard tag == 1 << 3 | 2 else {
                try cursor.skip(tag, depths)
                continue
            }
            var entry = try cursor.inner(cursor.bytes(), .keyValue)
            while !entry.atEnd {
                let tag = try entry.tag()
                switch tag {
                case 1 << 3 | 2: text(try entry.bytes(), &found)
                case 2 << 3 | 2:
                    let body = try entry.bytes()
                    try value(entry.inner(body, .anyValue), depth: depth, depths, &found)
                default: try entry.skip(tag, depths)
                }
            }
        }
    }

    private static func value(
        _ cursor: consuming ProtobufCursor,
        depth: Int,
        _ depths: DepthLimits,
        _ found: inout RawValue
    ) throws(ProtobufFault) {
        while !cursor.atEnd {
            let tag = try cursor.tag()
            switch tag {
            case 1 << 3 | 2: text(try cursor.bytes(), &found)
            case 5 << 3 | 2:
                let body = try cursor.bytes()
                try array(cursor.inner(body, .arrayValue), depth: depth &+ 1, depths, &found)
            case 6 << 3 | 2:
                let body = try cursor.bytes()
                try map(cursor.inner(body, .keyValueList), depth: depth &+ 1, depths, &found)
            default: try cursor.skip(tag, depths)
            }
        }
    }

    private static func enter(
        _ cursor: borrowing ProtobufCursor,
        _ depth: Int,
        _ depths: DepthLimits,
        _ found: inout RawValue
    ) throws(ProtobufFault) {
        guard depth <= depths.parsed else { throw cursor.fault(.tooDeep) }
        if depth > depths.stored { found.isTooDeep = true }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer, _ found: inout RawValue) {
        if !Text.isUTF8(bytes) { found.hasBadText = true }
    }
}
