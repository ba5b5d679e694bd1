// SPDX-License-Identifier: Apache-2.0

internal import HTTPTypes
internal import Hummingbird
internal import Ingest
internal import NIOCore

/// Why a request's body was not taken.
enum BodyRefusal: Error {
    /// Over the limit, before or after decompression.
    case tooLarge(String)
    /// No room in the budget of bytes in flight.
    case noRoom
    /// The packed data is damaged.
    case damaged(String)
}

extension Request {
    /// The length the client declares, `nil` where it declares none.
    var declaredByteCount: Int? { headers[.contentLength].flatMap { Int($0) } }

    /// Reads the body whole and unpacks it.
    ///
    /// - Parameters:
    ///   - encoding: how it is packed.
    ///   - limit: its bytes at most, before and after unpacking.
    ///   - reservation: the bytes taken for it; grows when more come than were declared.
    /// - Returns: the payload.
    /// - Throws: `BodyRefusal`, or the connection's error when the client went away.
    func readBody(
        _ encoding: ContentEncoding,
        limit: Int,
        reservation: inout Reservation
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in body {
            let needed = bytes.count + piece.readableBytes
            guard needed <= limit else {
                throw BodyRefusal.tooLarge("the body is larger than \(limit) bytes")
            }
            guard reservation.grow(to: needed) else { throw BodyRefusal.noRoom }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        guard encoding != .identity else { return bytes }
        do throws(DecompressionError) {
            return try encoding.decompress(bytes, limit: limit, reservation: &reservation)
        } catch {
            switch error {
            case .tooLarge: throw BodyRefusal.tooLarge("\(error)")
            case .noRoom: throw BodyRefusal.noRoom
            case .damaged: throw BodyRefusal.damaged("\(error)")
            }
        }
    }
}
