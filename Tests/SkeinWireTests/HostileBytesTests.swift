// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinWire
import Testing

/// Bytes made to hurt. Every one must be answered with an error or a batch, never with a trap.
@Suite struct HostileBytesTests {
    private typealias P = ProtobufBytes

    private func decode(_ bytes: [UInt8]) throws(WireError) -> Int {
        let batch = try OTLP.decodeProtobuf(bytes, receivedAt: 1)
        return batch.columns.count + batch.rejected
    }

    @Test func `every truncation of a whole request throws or is whole`() {
        let golden = OTLPBytes.golden
        // One resource list holds everything: no beginning of it but the empty one is a request.
        for count in 1..<golden.count {
            #expect(throws: WireError.self, "cut at byte \(count)") {
                _ = try decode(Array(golden[..<count]))
            }
        }
    }

    @Test func `a cut between two resource lists leaves the first one whole`() throws {
        let golden = OTLPBytes.golden
        for count in golden.count..<golden.count * 2 {
            let cut = Array((golden + golden)[..<count])
            if count == golden.count {
                #expect(try decode(cut) == 1)
            } else {
                #expect(throws: WireError.self, "cut at byte \(count)") { _ = try decode(cut) }
            }
        }
    }

    @Test(
        arguments: [
            ("length of 4 GiB", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], "ends before"),
            ("length of 2^63", [0x0A] + P.varint(1 << 63), "ends before"),
            ("length of 2^64 - 1", [0x0A] + P.varint(.max), "ends before"),
            ("varint of 11 bytes", [0x08] + [UInt8](repeating: 0x80, count: 10) + [0], "varint"),
            ("endless varint", [UInt8](repeating: 0xFF, count: 100), "varint"),
            ("field 0", [0x02, 0x00], "numbered 0"),
            ("field above 2^29", P.varint(1 << 35), "above"),
            ("wire type 6", [0x0E], "wire type"),
            ("wire type 7", [0x0F], "wire type"),
            ("group that never ends", [0x0B], "ends before"),
            ("end without a group", [0x0C], "group"),
            ("group that ends as another", [0x13, 0x1C], "group"),
            ("fixed64 of 7 bytes", [0x09, 1, 2, 3, 4, 5, 6, 7], "ends before"),
            ("fixed32 of 3 bytes", [0x0D, 1, 2, 3], "ends before"),
        ] as [(String, [UInt8], String)]
    )
    func `says what is malformed and where`(name: String, bytes: [UInt8], message: String) {
        let error = #expect(throws: WireError.self, "\(name)") { _ = try decode(bytes) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(message) == true, "\(name): \(error?.message ?? "")")
        #expect(error?.place.hasPrefix("byte ") == true)
    }

    @Test func `the place is the byte where the reading stopped`() {
        let error = #expect(throws: WireError.self) {
            _ = try decode(OTLPBytes.request(spans: [OTLPBytes.span([0x4A, 0x7F])]))
        }
        #expect(error?.message.hasPrefix("Span ") == true)
        #expect(
            error?.place == "byte \(OTLPBytes.request(spans: [OTLPBytes.span([0x4A, 0x7F])]).count)"
        )
    }

    @Test func `a million opened groups are refused, not followed`() {
        let error = #expect(throws: WireError.self) {
            _ = try decode([UInt8](repeating: 0x7B, count: 1_000_000))
        }
        #expect(error?.code == .tooDeep)
    }

    @Test func `ten thousand nested values are refused, not followed`() {
        var value: [UInt8] = []
        for _ in 0..<10_000 { value = P.bytes(5, P.bytes(1, value)) }
        let fields = P.bytes(9, OTLPBytes.attribute("k", value))
        let error = #expect(throws: WireError.self) {
            _ = try decode(OTLPBytes.request(spans: [OTLPBytes.span(fields)]))
        }
        #expect(error?.code == .tooDeep)
    }

    @Test func `ten thousand nested groups inside a value are refused, not followed`() {
        let groups = [UInt8](repeating: 0x7B, count: 10_000)
        let fields = P.bytes(9, OTLPBytes.attribute("k", P.bytes(5, groups)))
        let error = #expect(throws: WireError.self) {
            _ = try decode(OTLPBytes.request(spans: [OTLPBytes.span(fields)]))
        }
        #expect(error?.code == .tooDeep)
    }

    @Test func `a million empty messages cost little and change nothing`() throws {
        let lists = [UInt8](repeating: 0, count: 1_000_000).indices.map {
            $0 % 2 == 0 ? UInt8(0x0A) : 0
        }
        let batch = try OTLP.decodeProtobuf(lists, receivedAt: 1)
        #expect(batch.columns.count == 0)
        #expect(batch.columns.resources.count <= 1)
    }

    @Test func `damaged bytes never trap, and what is taken is consistent`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let golden = OTLPBytes.golden
        for round in 0..<20_000 {
            var bytes = golden
            for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = random.byte() }
            if random.below(4) == 0 { bytes.removeSubrange(random.below(bytes.count)...) }
            guard let batch = try? OTLP.decodeProtobuf(bytes, receivedAt: 1) else { continue }
            // Encoding walks every row and run; it would trap on one that points nowhere.
            let again = OTLP.encodeProtobuf(batch.columns)
            let reread = try OTLP.decodeProtobuf(again, receivedAt: 1)
            #expect(reread.columns.count == batch.columns.count, "SEED=\(seed) round \(round)")
        }
    }
}
