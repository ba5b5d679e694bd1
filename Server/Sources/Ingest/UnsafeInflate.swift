// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// Unpacks gzip (any number of members), zlib or bare deflate data into `output`.
///
/// Bounds: zlib reads at most `avail_in` bytes of `body` and writes at most `avail_out` into
/// `chunk`; both pointers outlive the calls, and both counts are set from the buffers themselves.
func inflate(
    _ body: [UInt8],
    _ wrapper: DeflateWrapper,
    into output: inout BoundedOutput,
    _ reservation: inout Reservation
) throws(DecompressionError) {
    let encoding: ContentEncoding = wrapper == .gzip ? .gzip : .deflate
    let windowBits: Int32 =
        switch wrapper {
        case .gzip: 16 + MAX_WBITS
        case .zlib: MAX_WBITS
        case .none: -MAX_WBITS
        }
    var stream = z_stream()
    guard
        inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .noRoom }
    defer { inflateEnd(&stream) }
    let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(
        capacity: DecompressionLimits.chunkByteCount
    )
    defer { chunk.deallocate() }

    // A body is at most `IngestLimits.requestByteCount` long, far below what UInt32 holds.
    guard let inputCount = UInt32(exactly: body.count) else {
        throw .tooLarge(limit: Int(UInt32.max))
    }
    let failure: DecompressionError? = body.withUnsafeBufferPointer { input in
        // zlib's interface is not const, but it does not write through next_in.
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = inputCount
        do throws(DecompressionError) {
            try inflateMembers(&stream, chunk, encoding, into: &output, &reservation)
            return nil
        } catch {
            return error
        }
    }
    if let failure { throw failure }
}

/// Runs `stream` to the end of its input, one gzip member after another.
private func inflateMembers(
    _ stream: inout z_stream,
    _ chunk: UnsafeMutableBufferPointer<UInt8>,
    _ encoding: ContentEncoding,
    into output: inout BoundedOutput,
    _ reservation: inout Reservation
) throws(DecompressionError) {
    var members = 1
    while true {
        stream.next_out = chunk.baseAddress
        stream.avail_out = UInt32(chunk.count)
        let status = inflate(&stream, Z_NO_FLUSH)
        let produced = chunk.count - Int(stream.avail_out)
        try output.append(
            UnsafeBufferPointer(start: chunk.baseAddress, count: produced),
            &reservation
        )
        switch status {
        case Z_OK:
            // Without input or output there is no progress: the data ended before its end mark.
            if stream.avail_in == 0 && produced < chunk.count {
                throw .damaged(encoding, "it ends too early")
            }
        case Z_STREAM_END:
            if stream.avail_in == 0 { return }
            guard encoding == .gzip else { throw .damaged(encoding, "bytes follow its end") }
            members += 1
            guard members <= DecompressionLimits.gzipMemberCount else {
                throw .damaged(
                    encoding,
                    "it has more than \(DecompressionLimits.gzipMemberCount) members"
                )
            }
            guard inflateReset(&stream) == Z_OK else { throw .damaged(encoding, "cannot go on") }
        case Z_BUF_ERROR:
            throw .damaged(encoding, "it ends too early")
        case Z_NEED_DICT:
            throw .damaged(encoding, "it needs a dictionary")
        default:
            throw .damaged(encoding, stream.msg.map { String(cString: $0) } ?? "status \(status)")
        }
    }
}
