// SPDX-License-Identifier: Apache-2.0

import Ingest
import Testing

@Suite struct DecompressionTests {
    static let text = Array(String(repeating: "the quick brown fox, 17 times; ", count: 700).utf8)
    static let limit = 1 << 20

    /// Every way a body may be packed.
    enum Pack: String, CaseIterable, CustomTestStringConvertible {
        case gzip, gzipOfTwoMembers, zlib, bareDeflate, zstd, zstdOfTwoFrames

        var testDescription: String { rawValue }

        var encoding: ContentEncoding {
            switch self {
            case .gzip, .gzipOfTwoMembers: .gzip
            case .zlib, .bareDeflate: .deflate
            case .zstd, .zstdOfTwoFrames: .zstd
            }
        }

        func pack(_ bytes: [UInt8]) -> [UInt8] {
            let half = bytes.count / 2
            let (first, second) = (Array(bytes[..<half]), Array(bytes[half...]))
            return switch self {
            case .gzip: Packing.gzip(bytes)
            case .gzipOfTwoMembers: Packing.gzip(first) + Packing.gzip(second)
            case .zlib: Packing.deflate(bytes, windowBits: 15)
            case .bareDeflate: Packing.deflate(bytes, windowBits: -15)
            case .zstd: Packing.zstd(bytes)
            case .zstdOfTwoFrames: Packing.zstd(first) + Packing.zstd(second)
            }
        }
    }

    static func unpack(
        _ body: [UInt8],
        _ encoding: ContentEncoding,
        limit: Int = limit,
        budget: ByteBudget = ByteBudget(byteCount: 1 << 30)
    ) throws -> [UInt8] {
        guard var reservation = budget.reserve(body.count) else { throw DecompressionError.noRoom }
        return try encoding.decompress(body, limit: limit, reservation: &reservation)
    }

    @Test(arguments: Pack.allCases)
    func `what was packed comes out again`(_ pack: Pack) throws {
        #expect(try Self.unpack(pack.pack(Self.text), pack.encoding) == Self.text)
        #expect(try Self.unpack(pack.pack([7]), pack.encoding) == [7])
    }

    @Test(arguments: Pack.allCases)
    func `a body cut at any byte is refused`(_ pack: Pack) throws {
        let whole = pack.pack(Self.text)
        // Between two members or frames a cut leaves a whole, shorter body.
        var wholeOnes = 0
        for length in 1..<whole.count {
            do {
                let output = try Self.unpack(Array(whole[..<length]), pack.encoding)
                #expect(output == Array(Self.text[..<(Self.text.count / 2)]))
                wholeOnes += 1
            } catch is DecompressionError {}
        }
        let hasTwo = pack == .gzipOfTwoMembers || pack == .zstdOfTwoFrames
        #expect(wholeOnes == (hasTwo ? 1 : 0))
    }

    @Test(arguments: Pack.allCases)
    func `the limit holds to the byte`(_ pack: Pack) throws {
        let packed = pack.pack(Self.text)
        #expect(try Self.unpack(packed, pack.encoding, limit: Self.text.count) == Self.text)
        #expect(throws: DecompressionError.tooLarge(limit: Self.text.count - 1)) {
            try Self.unpack(packed, pack.encoding, limit: Self.text.count - 1)
        }
    }

    @Test(arguments: Pack.allCases)
    func `a bomb ends at the limit and takes no more room than that`(_ pack: Pack) throws {
        let bomb = pack.pack([UInt8](repeating: 0, count: 64 << 20))
        #expect(bomb.count < 1 << 20)
        let budget = ByteBudget(byteCount: bomb.count + Self.limit)
        #expect(throws: DecompressionError.tooLarge(limit: Self.limit)) {
            try Self.unpack(bomb, pack.encoding, budget: budget)
        }
        #expect(budget.reservedByteCount == 0)
    }

    @Test(arguments: Pack.allCases)
    func `what comes out is charged to the budget`(_ pack: Pack) throws {
        let packed = pack.pack(Self.text)
        let budget = ByteBudget(byteCount: packed.count + Self.text.count - 1)
        #expect(throws: DecompressionError.noRoom) {
            try Self.unpack(packed, pack.encoding, budget: budget)
        }
        #expect(budget.reservedByteCount == 0)
    }

    @Test(arguments: Pack.allCases)
    func `every single flipped bit is refused or leaves the text as it was`(_ pack: Pack) throws {
        let packed = pack.pack(Array(Self.text.prefix(600)))
        for bit in 0..<(packed.count * 8) {
            var damaged = packed
            damaged[bit / 8] ^= 1 << (bit % 8)
            // The point is that it returns: bare deflate and zstd without a checksum may not notice.
            _ = try? Self.unpack(damaged, pack.encoding)
        }
    }

    @Test func `a frame that lies about its size is refused`() throws {
        var frame = Packing.zstd(Self.text)
        // Byte 4 is the frame's descriptor, the size follows it: claim another one.
        for index in 5..<8 { frame[index] = 0xff }
        #expect(throws: DecompressionError.self) { try Self.unpack(frame, .zstd) }
    }

    @Test func `a frame that asks for a huge window is refused`() throws {
        // Magic number, no content size, window of 2^(10 + exponent), one last raw block of 5 bytes.
        func frame(windowLog: UInt8) -> [UInt8] {
            [0x28, 0xb5, 0x2f, 0xfd, 0x00, (windowLog - 10) << 3, 5 << 3 | 1, 0, 0]
                + Array("hello".utf8)
        }
        #expect(try Self.unpack(frame(windowLog: 23), .zstd) == Array("hello".utf8))
        for windowLog in [24, 27, 31, 41] as [UInt8] {
            #expect(throws: DecompressionError.self, "2^\(windowLog)") {
                try Self.unpack(frame(windowLog: windowLog), .zstd)
            }
        }
    }

    @Test func `members without end are refused`() throws {
        let empty = Packing.gzip([])
        let body = Array(repeatElement(empty, count: 5_000).joined())
        #expect(throws: DecompressionError.self) { try Self.unpack(body, .gzip) }
    }

    @Test func `bytes after the end are refused`() throws {
        for pack in [Pack.gzip, .zlib, .bareDeflate, .zstd] {
            #expect(throws: DecompressionError.self, "\(pack)") {
                try Self.unpack(pack.pack(Self.text) + [1, 2, 3], pack.encoding)
            }
        }
    }

    @Test(arguments: ContentEncoding.allCases)
    func `no body stays no body`(_ encoding: ContentEncoding) throws {
        #expect(try Self.unpack([], encoding).isEmpty)
    }

    @Test func `a plain body is limited too`() throws {
        #expect(try Self.unpack([1, 2, 3], .identity, limit: 3) == [1, 2, 3])
        #expect(throws: DecompressionError.tooLarge(limit: 2)) {
            try Self.unpack([1, 2, 3], .identity, limit: 2)
        }
    }

    @Test(
        arguments: [
            (nil, ContentEncoding.identity), ("", .identity), ("identity", .identity),
            ("gzip", .gzip), ("GZIP", .gzip), (" x-gzip ", .gzip), ("deflate", .deflate),
            ("zstd", .zstd), ("br", nil), ("gzip, gzip", nil),
        ] as [(String?, ContentEncoding?)]
    )
    func `a header names an encoding`(_ header: String?, _ encoding: ContentEncoding?) {
        #expect(ContentEncoding(header: header) == encoding)
    }
}
