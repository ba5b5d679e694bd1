// SPDX-License-Identifier: Apache-2.0
#ifndef CCHECKSUM_H
#define CCHECKSUM_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `count` bytes, continuing from `seed`
/// (0 to begin). Uses the processor's instruction where it has one.
uint32_t skein_crc32c(uint32_t seed, const void *bytes, size_t count);

#endif
