// SPDX-License-Identifier: Apache-2.0
// Visits every field of every span and every attribute of a request that otlpgen made: the least
// that a receiver has to do. The bytes are trusted. `chk` keeps the compiler from leaving it out.
#pragma once
#include "otlp.h"

// full field walk: visits every field of every span and every attribute key/value; returns spans;
// chk = anti-DCE hash of pointers/lengths
struct WalkStat {
    u64 spans = 0, attrs = 0, strbytes = 0, chk = 0;
};

static inline void w_any(const u8* p, const u8* e, WalkStat& s) {
    while (p < e) {
        u64 t = read_varint(p);
        switch (t) {
            case 10: {
                u64 n = read_varint(p);
                s.strbytes += n;
                s.chk += n ? *p : 0;
                p += n;
            } break;
            case 16:
            case 24:
                s.chk += read_varint(p);
                break;
            default:
                skip_field(p, t & 7);
        }
    }
}

static inline void w_kv(const u8* p, const u8* e, WalkStat& s) {
    s.attrs++;
    while (p < e) {
        u64 t = read_varint(p);
        if (t == 10) {
            u64 n = read_varint(p);
            s.strbytes += n;
            s.chk += *p ^ n;
            p += n;
        } else if (t == 18) {
            u64 n = read_varint(p);
            w_any(p, p + n, s);
            p += n;
        } else {
            skip_field(p, t & 7);
        }
    }
}

static inline void w_span(const u8* p, const u8* e, WalkStat& s) {
    s.spans++;
    while (p < e) {
        u64 t = read_varint(p);
        switch (t >> 3) {
            case 1:
            case 2:
            case 4: {
                u64 n = read_varint(p);
                u64 a;
                if (n >= 8) {
                    memcpy(&a, p, 8);
                    s.chk ^= a;
                }
                p += n;
            } break;
            case 5: {
                u64 n = read_varint(p);
                s.chk += n;
                s.strbytes += n;
                p += n;
            } break;
            case 6:
                s.chk += read_varint(p);
                break;
            case 7:
            case 8: {
                u64 a;
                memcpy(&a, p, 8);
                s.chk += a;
                p += 8;
            } break;
            case 9: {
                u64 n = read_varint(p);
                w_kv(p, p + n, s);
                p += n;
            } break;
            case 11:
            case 13: {
                u64 n = read_varint(p);
                const u8* ee = p + n;
                while (p < ee) {
                    u64 q = read_varint(p);
                    if ((q >> 3) == (t >> 3 == 11 ? 3u : 4u) && (q & 7) == 2) {
                        u64 m = read_varint(p);
                        w_kv(p, p + m, s);
                        p += m;
                    } else {
                        skip_field(p, q & 7);
                    }
                }
            } break;
            default:
                skip_field(p, t & 7);
        }
    }
}

static inline void walk_full(const u8* p, size_t len, WalkStat& s) {
    const u8* e = p + len;
    while (p < e) {
        u64 t = read_varint(p);
        if (t != 10) {
            skip_field(p, t & 7);
            continue;
        }
        u64 n = read_varint(p);
        const u8* re = p + n;
        while (p < re) {
            t = read_varint(p);
            if (t == 10) {
                n = read_varint(p);
                const u8* ae = p + n;
                while (p < ae) {
                    u64 q = read_varint(p);
                    if (q == 10) {
                        u64 m = read_varint(p);
                        w_kv(p, p + m, s);
                        p += m;
                    } else {
                        skip_field(p, q & 7);
                    }
                }
            } else if (t == 18) {
                n = read_varint(p);
                const u8* se = p + n;
                while (p < se) {
                    t = read_varint(p);
                    if (t == 18) {
                        n = read_varint(p);
                        w_span(p, p + n, s);
                        p += n;
                    } else {
                        skip_field(p, t & 7);
                    }
                }
            } else {
                skip_field(p, t & 7);
            }
        }
    }
}
