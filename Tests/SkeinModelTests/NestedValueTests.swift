// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import Testing

@Suite struct NestedValueTests {
    private static let values: [AttributeValue] = [
        .empty, .string(""), .string("订单🧶"), .bool(false), .bool(true), .int(.min), .int(-1),
        .int(.max), .double(-0.5), .double(.infinity), .bytes([]), .bytes([0, 255]), .array([]),
        .array([.int(1), .array([.string("x")])]), .map([]),
        .map([
            .init(key: "k", value: .map([.init(key: "", value: .empty)])),
            .init(key: "k", value: .bool(true)),
        ]),
    ]

    private func array(_ bytes: [UInt8]) -> [AttributeValue] {
        bytes.withUnsafeBytes { NestedValue.array($0) }
    }

    @Test func `an array of every type survives a round trip`() {
        var bytes: [UInt8] = []
        NestedValue.encode(array: Self.values, to: &bytes)
        #expect(array(bytes) == Self.values)
    }

    @Test func `a map keeps order and repeated keys`() {
        let entries = Self.values.map { AttributeValue.KeyValue(key: "same", value: $0) }
        var bytes: [UInt8] = []
        NestedValue.encode(map: entries, to: &bytes)
        #expect(bytes.withUnsafeBytes { NestedValue.map($0) } == entries)
    }

    @Test func `every truncation reads as a beginning`() {
        var bytes: [UInt8] = []
        NestedValue.encode(array: Self.values, to: &bytes)
        for count in 0..<bytes.count {
            let read = array(Array(bytes[..<count]))
            #expect(read == Array(Self.values.prefix(read.count)), "cut at byte \(count)")
        }
    }

    @Test func `what lies deeper than the limit reads as empty`() {
        var value = AttributeValue.string("bottom")
        for _ in 0..<NestedValue.depthLimit + 10 { value = .array([value]) }
        var bytes: [UInt8] = []
        NestedValue.encode(array: [value], to: &bytes)
        var depth = 0
        var rest = array(bytes).first
        while case .array(let inner) = rest {
            depth += 1
            rest = inner.first
        }
        #expect(depth == NestedValue.depthLimit - 1)
        #expect(rest == .empty)
    }

    /// Random bytes from a printed seed: nothing but "it comes back" is asked.
    @Test func `any bytes are read to some end`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let bytes = (0..<random.below(60)).map { _ in random.byte() }
            let count = array(bytes).count + bytes.withUnsafeBytes { NestedValue.map($0).count }
            #expect(count <= bytes.count, "SEED=\(seed)")
        }
    }
}
