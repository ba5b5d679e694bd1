// SPDX-License-Identifier: Apache-2.0

internal import CZstd

/// Unpacks zstd frames, one after another, into `output`.
///
/// Bounds: zstd reads `body` from `pos` to `size` and writes `chunk` from `pos` to `size`; both sizes
/// are the buffers' own. The content size a frame claims is not used; the window it asks for is
/// limited, since zstd allocates it before any data is seen.
func decompressZstd(
    _ body: [UInt8],
    into output: inout BoundedOutput,
    _ reservation: inout Reservation
) throws(DecompressionError) {
    guard let context = ZSTD_createDCtx() else { throw .noRoom }
    defer { ZSTD_freeDCtx(context) }
    _ = ZSTD_DCtx_setParameter(
        context,
        ZSTD_d_windowLogMax,
        DecompressionLimits.zstdWindowLog
    )
    let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(
        capacity: DecompressionLimits.chunkByteCount
    )
    defer { chunk.deallocate() }

    let failure: DecompressionError? = body.withUnsafeBytes { bytes in
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        do throws(DecompressionError) {
            try decompressFrames(context, &input, chunk, into: &output, &reservation)
            return nil
        } catch {
            return error
        }
    }
    if let failure { throw failure }
}

/// Runs `context` to the end of `input`, which must be the end of a frame too.
private func decompressFrames(
    _ context: OpaquePointer,
    _ input: inout ZSTD_inBuffer,
    _ chunk: UnsafeMutableBufferPointer<UInt8>,
    into output: inout BoundedOutput,
    _ reservation: inout Reservation
) throws(DecompressionError) {
    while true {
        var room = ZSTD_outBuffer(dst: chunk.baseAddress, size: chunk.count, pos: 0)
        let consumedBefore = input.pos
        let status = ZSTD_decompressStream(context, &room, &input)
        if ZSTD_isError(status) != 0 {
            throw .damaged(.zstd, String(cString: ZSTD_getErrorName(status)))
        }
        try output.append(
            UnsafeBufferPointer(start: chunk.baseAddress, count: room.pos),
            &reservation
        )
        if status == 0 && input.pos == input.size { return }
        if input.pos == consumedBefore && room.pos == 0
            || input.pos == input.size && room.pos < room.size
        {
            throw .damaged(.zstd, "it ends too early")
        }
    }
}
