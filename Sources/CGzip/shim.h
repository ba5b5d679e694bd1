// SPDX-License-Identifier: Apache-2.0
//
// zlib behind two functions. Its own types stay here: other C modules of one program include zlib.h too,
// and Swift then takes the types from any of them.
#include <zlib.h>

/// The most bytes that `count` of them can take, packed.
static inline unsigned long skein_gzip_bound(unsigned long count) {
    // Without a stream zlib gives its bound for any; gzip's head and tail take 18 bytes.
    return deflateBound(NULL, count) + 18;
}

/// Packs `count` bytes by gzip, fast rather than small. Returns how many bytes of `output` it filled, of
/// `room`; 0 where that was too little, or there was no memory.
static inline unsigned skein_gzip(
    const unsigned char *input, unsigned count, unsigned char *output, unsigned room) {
    z_stream stream = {0};
    // The largest window, and 16 more for gzip's head and tail; the usual memory, 128 KiB.
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return 0;
    }
    // zlib reads from there alone; its type does not say so.
    stream.next_in = (unsigned char *)input;
    stream.avail_in = count;
    stream.next_out = output;
    stream.avail_out = room;
    int end = deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return end == Z_STREAM_END ? room - stream.avail_out : 0;
}
