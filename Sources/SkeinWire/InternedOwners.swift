// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Resources or scopes of one payload by their bytes: each distinct one becomes one row.
struct InternedOwners: ~Copyable {
    private var bodies = StringTable()
    /// Of the owner whose bytes have id `index + 1`.
    private var rows: [(row: UInt32, marks: SpanMarks)] = []
    private var scratch = Column<UInt8>()

    /// Forgets all, keeping the room.
    mutating func removeAll() {
        bodies.removeAll()
        rows.removeAll(keepingCapacity: true)
    }

    /// Looks for an owner that was seen before.
    ///
    /// - Parameters:
    ///   - body: The owner's bytes.
    ///   - schemaURL: The bytes of the URL that stands beside it.
    ///   - whole: False for an owner in several pieces; it is never shared.
    /// - Returns: What to give to `remember` where `known` is `nil`.
    mutating func find(
        _ body: UnsafeRawBufferPointer,
        _ schemaURL: UnsafeRawBufferPointer,
        whole: Bool
    ) -> (id: UInt32?, known: (row: UInt32, marks: SpanMarks)?) {
        guard whole else { return (nil, nil) }
        scratch.truncate(to: 0)
        // The length keeps body and URL apart, and keeps the key from being the empty string.
        withUnsafeBytes(of: UInt64(body.count)) { scratch.append(raw: $0) }
        scratch.append(raw: body)
        scratch.append(raw: schemaURL)
        let id = scratch.withElements { bodies.intern(UnsafeRawBufferPointer($0)) }
        // New ids count up from 1, and `remember` follows each unless the whole decoding ends.
        let index = Int(id) - 1
        guard index < rows.count else { return (id, nil) }
        return (id, rows[index])
    }

    /// Notes the row of an owner that `find` did not know.
    mutating func remember(_ id: UInt32?, _ row: UInt32, _ marks: SpanMarks) {
        if id != nil { rows.append((row, marks)) }
    }
}
