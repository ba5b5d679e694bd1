// SPDX-License-Identifier: Apache-2.0

/// How a request's body is packed.
public enum ContentEncoding: String, Sendable, CaseIterable {
    case identity, gzip, deflate, zstd

    /// The encoding a `Content-Encoding` value names: case and blanks do not matter, no value means
    /// `identity`, several encodings are more than any client of ours sends.
    public init?(header: String?) {
        guard let header else {
            self = .identity
            return
        }
        let name = header.lowercased().filter { $0 != " " && $0 != "\t" }
        switch name {
        case "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "zstd": self = .zstd
        default: return nil
        }
    }

    /// What a server may say in `Accept-Encoding` of a 415.
    public static let accepted = "gzip, deflate, zstd, identity"
}

/// Why a body could not be unpacked.
public enum DecompressionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// More than this many bytes came out.
    case tooLarge(limit: Int)
    /// The packed data is damaged, cut short or not of its kind.
    case damaged(ContentEncoding, String)
    /// The budget of bytes in flight had no room for what came out.
    case noRoom

    public var description: String {
        switch self {
        case .tooLarge(let limit):
            "the body is larger than \(limit) bytes after decompression"
        case .damaged(let encoding, let reason):
            "the body is not valid \(encoding.rawValue): \(reason)"
        case .noRoom:
            "too many bytes are being handled at once"
        }
    }
}

extension ContentEncoding {
    /// Unpacks `body` in one go.
    ///
    /// Sizes written inside the packed data are not believed: the output grows as bytes come out, is
    /// charged to `reservation` as it grows, and ends the work at `limit`.
    ///
    /// - Parameters:
    ///   - body: the packed bytes, whole.
    ///   - limit: bytes that may come out.
    ///   - reservation: grows by what comes out.
    /// - Returns: the bytes as they were before packing.
    /// - Throws: when the data is damaged, or more comes out than there is room for.
    public func decompress(
        _ body: [UInt8],
        limit: Int,
        reservation: inout Reservation
    ) throws(DecompressionError) -> [UInt8] {
        if self == .identity {
            guard body.count <= limit else { throw .tooLarge(limit: limit) }
            return body
        }
        // No body stays no body: some clients announce an encoding even then.
        if body.isEmpty { return [] }
        var output = BoundedOutput(limit: limit, alreadyReserved: reservation.byteCount)
        switch self {
        case .identity: break
        case .gzip: try inflate(body, .gzip, into: &output, &reservation)
        case .deflate: try inflate(body, deflateWrapper(of: body), into: &output, &reservation)
        case .zstd: try decompressZstd(body, into: &output, &reservation)
        }
        return output.bytes
    }

    /// HTTP's `deflate` is zlib's format, but some clients send the bare data: a zlib header is two
    /// bytes whose first names method 8 and which, read as one number, 31 divides.
    private func deflateWrapper(of body: [UInt8]) -> DeflateWrapper {
        guard body.count >= 2, body[0] & 0x0f == 8 else { return .none }
        return (Int(body[0]) << 8 | Int(body[1])) % 31 == 0 ? .zlib : .none
    }
}

/// What surrounds deflated data.
enum DeflateWrapper {
    case gzip, zlib, none
}
