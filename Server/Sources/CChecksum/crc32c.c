// SPDX-License-Identifier: Apache-2.0
#include "CChecksum.h"
#include <string.h>

// Reflected polynomial 0x82F63B78; eight tables so that the portable path takes eight bytes a step.
static uint32_t tables[8][256];

__attribute__((constructor)) static void fill_tables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
        tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xFF];
}

static uint32_t portable(uint32_t crc, const uint8_t *p, size_t n) {
    while (n >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);  // little-endian hosts only, as the rest of the engine
        word ^= crc;
        crc = tables[7][word & 0xFF] ^ tables[6][(word >> 8) & 0xFF] ^
              tables[5][(word >> 16) & 0xFF] ^ tables[4][(word >> 24) & 0xFF] ^
              tables[3][(word >> 32) & 0xFF] ^ tables[2][(word >> 40) & 0xFF] ^
              tables[1][(word >> 48) & 0xFF] ^ tables[0][word >> 56];
        p += 8;
        n -= 8;
    }
    while (n--) crc = (crc >> 8) ^ tables[0][(crc ^ *p++) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
// The instruction takes a word a cycle but answers three cycles later: three streams of this many
// bytes keep it busy. Their sums are joined by tables that say what so many zero bytes make of a sum.
enum { STREAM_BYTES = 4096 };
static uint32_t joins[4][256];

__attribute__((target("sse4.2"), constructor)) static void fill_joins(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.2")) return;
    // Following a sum with zeros is linear: what it makes of each bit gives all the rest.
    uint32_t bits[32];
    for (int bit = 0; bit < 32; bit++) {
        uint64_t sum = 1u << bit;
        for (int i = 0; i < STREAM_BYTES / 8; i++) sum = __builtin_ia32_crc32di(sum, 0);
        bits[bit] = (uint32_t)sum;
    }
    for (int t = 0; t < 4; t++)
        for (int byte = 0; byte < 256; byte++)
            for (int bit = 0; bit < 8; bit++)
                if (byte >> bit & 1) joins[t][byte] ^= bits[8 * t + bit];
}

static uint32_t followed_by_zeros(uint32_t sum) {
    return joins[0][sum & 0xFF] ^ joins[1][(sum >> 8) & 0xFF] ^ joins[2][(sum >> 16) & 0xFF] ^
           joins[3][sum >> 24];
}

__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t crc, const uint8_t *p,
                                                           size_t n) {
    while (n >= 3 * STREAM_BYTES) {
        uint64_t first = crc, second = 0, third = 0;
        for (size_t at = 0; at < STREAM_BYTES; at += 8) {
            uint64_t words[3];
            memcpy(&words[0], p + at, 8);
            memcpy(&words[1], p + at + STREAM_BYTES, 8);
            memcpy(&words[2], p + at + 2 * STREAM_BYTES, 8);
            first = __builtin_ia32_crc32di(first, words[0]);
            second = __builtin_ia32_crc32di(second, words[1]);
            third = __builtin_ia32_crc32di(third, words[2]);
        }
        uint32_t both = followed_by_zeros((uint32_t)first) ^ (uint32_t)second;
        crc = followed_by_zeros(both) ^ (uint32_t)third;
        p += 3 * STREAM_BYTES;
        n -= 3 * STREAM_BYTES;
    }
    uint64_t wide = crc;
    while (n >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
        p += 8;
        n -= 8;
    }
    crc = (uint32_t)wide;
    while (n--) crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}
#endif

uint32_t skein_crc32c(uint32_t seed, const void *bytes, size_t count) {
    uint32_t crc = ~seed;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~hardware(crc, bytes, count);
#endif
    return ~portable(crc, bytes, count);
}
