// SPDX-License-Identifier: Apache-2.0
// Reads a corpus file, and knows where in a request the ids and times stand that a replay changes.
// The bytes are trusted: they come from otlpgen.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

struct Rd {
    const u8 *p, *e;
};

static inline u64 read_varint(const u8*& p) {
    u64 v = *p++;
    if (v < 128) {
        return v;
    }
    v &= 127;
    int s = 7;
    for (;;) {
        u64 b = *p++;
        v |= (b & 127) << s;
        if (b < 128) {
            return v;
        }
        s += 7;
    }
}

static inline void skip_field(const u8*& p, int wt) {
    switch (wt) {
        case 0:
            while (*p++ >= 128)
                ;
            break;
        case 1:
            p += 8;
            break;
        case 2: {
            u64 n = read_varint(p);
            p += n;
        } break;
        case 5:
            p += 4;
            break;
    }
}

struct Batch {
    u32 off, len, n;
};

struct Corpus {
    std::vector<u8> buf;
    std::vector<Batch> b;
    u64 spans = 0;

    bool load(const char* f, u64 maxspans = ~0ull) {
        FILE* h = fopen(f, "rb");
        if (!h) {
            return false;
        }
        char m[8];
        if (fread(m, 1, 8, h) != 8 || memcmp(m, "OTLPB01\n", 8)) {
            return false;
        }
        u32 x[2];
        fseek(h, 0, SEEK_END);
        long sz = ftell(h);
        fseek(h, 8, SEEK_SET);
        buf.resize(sz);
        u64 o = 0;
        while (spans < maxspans && fread(x, 4, 2, h) == 2) {
            if (fread(buf.data() + o, 1, x[0], h) != x[0]) {
                return false;
            }
            b.push_back({(u32)0, x[0], x[1]});
            offs.push_back(o);
            o += x[0];
            spans += x[1];
        }
        buf.resize(o);
        fclose(h);
        return true;
    }

    std::vector<u64> offs;

    const u8* at(size_t i) const {
        return buf.data() + offs[i];
    }
};

enum PatchKind { PATCH_TRACE_ID, PATCH_SPAN_ID, PATCH_TIME };

struct Patch {
    u32 off : 30;
    u32 k : 2;
};

static inline void walk_patch(const u8* base, size_t len, std::vector<Patch>& out) {
    const u8 *p = base, *e = base + len;
    while (p < e) {
        u64 t = read_varint(p);
        if (t != (1 << 3 | 2)) {
            skip_field(p, t & 7);
            continue;
        }
        u64 n = read_varint(p);
        const u8* re = p + n;
        while (p < re) {
            t = read_varint(p);
            if (t != (2 << 3 | 2)) {
                skip_field(p, t & 7);
                continue;
            }
            n = read_varint(p);
            const u8* se = p + n;
            while (p < se) {
                t = read_varint(p);
                if (t != (2 << 3 | 2)) {
                    skip_field(p, t & 7);
                    continue;
                }
                n = read_varint(p);
                const u8* ne = p + n;
                while (p < ne) {
                    t = read_varint(p);
                    int f = t >> 3;
                    if ((f == 1 || f == 2 || f == 4) && (t & 7) == 2) {
                        n = read_varint(p);
                        if (n) {
                            out.push_back(
                                {(u32)(p - base), (u32)(f == 1 ? PATCH_TRACE_ID : PATCH_SPAN_ID)});
                        }
                        p += n;
                    } else if (f == 7 || f == 8) {
                        out.push_back({(u32)(p - base), PATCH_TIME});
                        p += 8;
                    } else if (f == 11) {
                        n = read_varint(p);
                        const u8* ee = p + n;
                        while (p < ee) {
                            u64 q = read_varint(p);
                            if ((q >> 3) == 1 && (q & 7) == 1) {
                                out.push_back({(u32)(p - base), PATCH_TIME});
                                p += 8;
                            } else {
                                skip_field(p, q & 7);
                            }
                        }
                    } else if (f == 13) {
                        n = read_varint(p);
                        const u8* ee = p + n;
                        while (p < ee) {
                            u64 q = read_varint(p);
                            if ((q & 7) == 2 && ((q >> 3) == 1 || (q >> 3) == 2)) {
                                u64 m = read_varint(p);
                                out.push_back(
                                    {(u32)(p - base),
                                     (u32)((q >> 3) == 1 ? PATCH_TRACE_ID : PATCH_SPAN_ID)});
                                p += m;
                            } else {
                                skip_field(p, q & 7);
                            }
                        }
                    } else {
                        skip_field(p, t & 7);
                    }
                }
            }
        }
    }
}

static inline u64 mix(u64 z) {
    z += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static inline void apply_patch(u8* d, const std::vector<Patch>& v, u64 replay, u64 shift_ns) {
    if (!replay) {
        return;
    }
    u64 k0 = mix(replay * 3 + 1), k1 = mix(replay * 3 + 2), k2 = mix(replay * 3 + 3) & ~1ull,
        sh = shift_ns * replay;
    for (auto& q : v) {
        u64 a;
        u8* p = d + q.off;
        memcpy(&a, p, 8);
        if (q.k == PATCH_TRACE_ID) {
            u64 b;
            memcpy(&b, p + 8, 8);
            a ^= k0;
            b ^= k1;
            memcpy(p + 8, &b, 8);
        } else if (q.k == PATCH_SPAN_ID) {
            a ^= k2;
        } else {
            a += sh;
        }
        memcpy(p, &a, 8);
    }
}
