// SPDX-License-Identifier: Apache-2.0

import Platform
import SkeinModel

/// Some number columns, filled row by row.
struct FieldColumns: ~Copyable {
    private let fields: [PartField]
    /// By raw value of the field; those of other fields stay empty.
    private let writers: UnsafeMutableBufferPointer<ColumnWriter>
    private let values: UnsafeMutableBufferPointer<Column<UInt64>>

    init(_ fields: [PartField], blockCount: Int) {
        self.fields = fields
        writers = .allocate(capacity: PartField.fixed.count)
        values = .allocate(capacity: PartField.fixed.count)
        for (index, field) in PartField.fixed.enumerated() {
            writers.initializeElement(at: index, to: ColumnWriter(field, blockCount: blockCount))
            values.initializeElement(at: index, to: Column())
        }
    }

    deinit {
        writers.deinitialize().deallocate()
        values.deinitialize().deallocate()
    }

    /// Adds a value to the block in hand of `field`.
    @inline(__always)
    mutating func append(_ value: UInt64, _ field: PartField) {
        // Bound: there is a column for every fixed field.
        values[Int(field.rawValue)].append(value)
    }

    /// Adds values to the block in hand of `field`.
    mutating func append(_ numbers: ArraySlice<UInt64>, _ field: PartField) {
        numbers.withUnsafeBufferPointer { values[Int(field.rawValue)].append(contentsOf: $0) }
    }

    /// Adds numbers `rows`, which must lie in `numbers`, to the block in hand of `field`.
    mutating func append(_ numbers: PackedIntegers, _ rows: Range<Int>, _ field: PartField) {
        // Bound: decode checks the rows and that the target has room.
        values[Int(field.rawValue)].append(count: rows.count) { numbers.decode(rows, into: $0) }
    }

    /// Calls `body` with the block in hand of `field`.
    func withValues(_ field: PartField, _ body: (UnsafeBufferPointer<UInt64>) -> Void) {
        values[Int(field.rawValue)].withElements { body($0) }
    }

    /// Writes the block in hand of every column.
    mutating func finishBlock(to output: inout PartOutput) throws(DiskError) {
        for field in fields {
            let index = Int(field.rawValue)
            try values[index].withElements { (numbers) throws(DiskError) in
                try writers[index].append(numbers: numbers, to: &output)
            }
            values[index].truncate(to: 0)
        }
    }

    /// What the directory says of the columns.
    mutating func finish(to output: inout PartOutput) throws(DiskError) -> [PartDirectory.Column] {
        var columns: [PartDirectory.Column] = []
        for field in fields {
            columns.append(try writers[Int(field.rawValue)].finish(to: &output))
        }
        return columns
    }
}
