// SPDX-License-Identifier: Apache-2.0

/// Says which trace ids are surely not in a part: a Bloom filter, 10 bits a trace, 7 probes, under
/// 1 % false hits. Keyed by the low half of the id, so that short ids are found.
struct TraceFilter: Sendable, Equatable {
    private var words: [UInt64]
    private static let probes = 7

    init(traceCount: Int) {
        words = Array(repeating: 0, count: max(1, (traceCount * 10 + 63) / 64))
    }

    mutating func insert(_ low: UInt64) {
        for probe in 0..<Self.probes {
            let bit = bit(low, probe)
            words[bit >> 6] |= 1 << UInt64(bit & 63)
        }
    }

    func mayContain(_ low: UInt64) -> Bool {
        for probe in 0..<Self.probes {
            let bit = bit(low, probe)
            if words[bit >> 6] & 1 << UInt64(bit & 63) == 0 { return false }
        }
        return true
    }

    private func bit(_ low: UInt64, _ probe: Int) -> Int {
        // Ids may be small numbers: spread them first.
        let first = low &* 0x9E37_79B9_7F4A_7C15 ^ low >> 32
        let second = low &* 0xC2B2_AE3D_27D4_EB4F | 1
        let hash = first &+ UInt64(probe) &* second
        return Int(hash.multipliedFullWidth(by: UInt64(words.count * 64)).high)
    }

    func encode(to writer: inout ByteWriter) {
        writer.append(varint: words.count)
        for word in words { writer.append(word) }
    }

    init(parsing reader: inout ByteReader) throws(CorruptBytes) {
        words = []
        for _ in 0..<(try reader.count(ofAtLeast: 8)) { words.append(try reader.number()) }
        guard !words.isEmpty else { throw CorruptBytes(what: "its filter is empty") }
    }
}
