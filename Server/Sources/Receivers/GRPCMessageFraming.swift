// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import NIOCore

/// Why a gRPC call is answered before its message is whole.
enum GRPCRefusal: Error, Equatable {
    /// Bytes of a message that is over the limit, or a reason why it would be.
    case tooLarge(String)
    /// No room in the budget of bytes in flight.
    case noRoom
    /// The framing or the packed data is wrong.
    case malformed(String)
}

/// Follows the length-prefixed message of a unary call through its DATA frames.
///
/// ```
/// offset  size  field
///      0     1  0 plain, 1 packed as the call's grpc-encoding says
///      1     4  length of the message, big-endian
///      5   ...  the message
/// ```
/// A plain message passes through piece by piece, a packed one is held until it is whole and passed
/// on plain. Its length is reserved from the budget before any of it is held anywhere.
struct GRPCMessageFraming: ~Copyable {
    private enum Phase {
        /// Bytes of the prefix so far.
        case prefix(ByteBuffer)
        /// Bytes of a plain message still to come.
        case plain(Int)
        /// A packed message so far, and its length.
        case packed(ByteBuffer, Int)
        case complete
    }

    private static let prefixByteCount = 5

    private let encoding: ContentEncoding
    private let limit: Int
    private let budget: ByteBudget
    private var phase = Phase.prefix(ByteBuffer())
    private var reservation: Reservation?

    init(encoding: ContentEncoding, limit: Int, budget: ByteBudget) {
        self.encoding = encoding
        self.limit = limit
        self.budget = budget
        reservation = nil
    }

    /// Takes the content of a DATA frame.
    ///
    /// - Parameters:
    ///   - bytes: the content.
    ///   - isLast: whether the request ends with it.
    /// - Returns: what is to be passed on, plain.
    /// - Throws: when the call is to be refused now.
    mutating func receive(_ bytes: ByteBuffer, isLast: Bool) throws(GRPCRefusal) -> ByteBuffer {
        var bytes = bytes
        var output = ByteBuffer()
        while bytes.readableBytes > 0 {
            switch phase {
            case .prefix(var prefix):
                if var piece = bytes.readSlice(
                    length: min(Self.prefixByteCount - prefix.readableBytes, bytes.readableBytes)
                ) {
                    prefix.writeBuffer(&piece)
                }
                phase = .prefix(prefix)
                if prefix.readableBytes == Self.prefixByteCount { try begin(prefix, &output) }
            case .plain(let missing):
                if var piece = bytes.readSlice(length: min(missing, bytes.readableBytes)) {
                    let left = missing - piece.readableBytes
                    // A frame of nothing but message passes as it is.
                    if output.readableBytes == 0 {
                        output = piece
                    } else {
                        output.writeBuffer(&piece)
                    }
                    phase = left == 0 ? .complete : .plain(left)
                }
            case .packed(var held, let length):
                // Let go of the stored copy, so that appending does not copy it all.
                phase = .complete
                if var piece = bytes.readSlice(
                    length: min(length - held.readableBytes, bytes.readableBytes)
                ) {
                    held.writeBuffer(&piece)
                }
                if held.readableBytes == length {
                    try unpack(held, &output)
                } else {
                    phase = .packed(held, length)
                }
            case .complete:
                throw .malformed("a call here has one message, more bytes follow it")
            }
        }
        if isLast { try end() }
        return output
    }

    /// Reads a whole prefix.
    private mutating func begin(
        _ prefix: ByteBuffer,
        _ output: inout ByteBuffer
    ) throws(GRPCRefusal) {
        var prefix = prefix
        let whole = prefix
        guard let flag = prefix.readInteger(as: UInt8.self),
            let length = prefix.readInteger(as: UInt32.self).map(Int.init)
        else { return }
        guard length <= limit else {
            throw .tooLarge("the message has \(length) bytes, the limit is \(limit)")
        }
        guard let reserved = budget.reserve(length) else { throw .noRoom }
        reservation = consume reserved
        switch flag {
        case 0:
            output.writeImmutableBuffer(whole)
            phase = length == 0 ? .complete : .plain(length)
        case 1 where encoding != .identity:
            phase = .packed(ByteBuffer(), length)
            if length == 0 { try unpack(ByteBuffer(), &output) }
        case 1:
            throw .malformed("the message is packed, and no grpc-encoding says how")
        default:
            throw .malformed("the message's first byte is \(flag), not 0 or 1")
        }
    }

    private mutating func unpack(
        _ packed: ByteBuffer,
        _ output: inout ByteBuffer
    ) throws(GRPCRefusal) {
        phase = .complete
        guard var reserved = reservation.take() else { return }
        let message: [UInt8]
        do throws(DecompressionError) {
            message = try encoding.decompress(
                [UInt8](packed.readableBytesView),
                limit: limit,
                reservation: &reserved
            )
        } catch {
            switch error {
            case .tooLarge: throw .tooLarge("\(error)")
            case .damaged: throw .malformed("\(error)")
            case .noRoom: throw .noRoom
            }
        }
        reservation = consume reserved
        output.writeInteger(UInt8(0))
        // At most `limit`, which fits: it is compared with lengths of this size above.
        output.writeInteger(UInt32(clamping: message.count))
        output.writeBytes(message)
    }

    private func end() throws(GRPCRefusal) {
        switch phase {
        case .complete: return
        // No message at all: the call's handler knows what to say to that.
        case .prefix(let prefix) where prefix.readableBytes == 0: return
        case .prefix, .plain, .packed: throw .malformed("the message ends too early")
        }
    }
}
