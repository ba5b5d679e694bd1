// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct ColumnTests {
    @Test func `keeps every element through growth`() {
        var column = Column<UInt32>()
        for value in 0..<10_000 { column.append(UInt32(value)) }
        #expect(column.count == 10_000)
        #expect(column.withElements { Array($0) } == (0..<10_000).map { UInt32($0) })
        #expect(column.allocatedByteCount >= 40_000)
    }

    @Test func `appends whole buffers, empty ones too`() {
        var column = Column<UInt64>(capacity: 1)
        let values: [UInt64] = [1, 2, 3]
        values.withUnsafeBufferPointer { column.append(contentsOf: $0) }
        column.append(contentsOf: UnsafeBufferPointer(start: nil, count: 0))
        column.append(count: 2) { $0.initialize(repeating: 9) }
        #expect(column.withElements { Array($0) } == [1, 2, 3, 9, 9])
    }

    @Test func `truncating keeps the beginning and takes new elements after it`() {
        var column = Column<UInt8>()
        column.append(utf8: "gift shop")
        column.truncate(to: 4)
        column.append(utf8: "!")
        #expect(column.withElements { String(decoding: $0, as: UTF8.self) } == "gift!")
    }

    /// Each length takes another path through the short copy.
    @Test(arguments: 0...70)
    func `copies runs of every length, and nothing beside them`(length: Int) {
        let source = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        var column = Column<UInt8>()
        column.append(0xAA)
        source.withUnsafeBytes { column.append(raw: $0) }
        column.append(0xBB)
        #expect(column.withElements { Array($0) } == [0xAA] + source + [0xBB])
    }

    @Test func `reading past the end stops the process`() async {
        await #expect(processExitsWith: .failure) {
            var column = Column<UInt8>()
            column.append(1)
            _ = column[1]
        }
    }
}
