// SPDX-License-Identifier: Apache-2.0
// Writes protobuf fields at the end of a string, and counts the attributes among them.
#pragma once
#include <cstring>
#include <string>

#include "random.h"
typedef string Bytes;

static inline void put_varint(Bytes& b, u64 v) {
    while (v >= 128) {
        b.push_back((char)(v | 128));
        v >>= 7;
    }
    b.push_back((char)v);
}

static inline void put_tag(Bytes& b, int f, int w) {
    put_varint(b, (u64)f << 3 | w);
}

static inline void put_bytes(Bytes& b, int f, const char* p, size_t n) {
    put_tag(b, f, 2);
    put_varint(b, n);
    b.append(p, n);
}

static inline void put_bytes(Bytes& b, int f, const Bytes& s) {
    put_bytes(b, f, s.data(), s.size());
}

static inline void put_fixed64(Bytes& b, int f, u64 v) {
    put_tag(b, f, 1);
    b.append((char*)&v, 8);
}

static inline void put_fixed32(Bytes& b, int f, u32 v) {
    put_tag(b, f, 5);
    b.append((char*)&v, 4);
}

static u64 attribute_count = 0;

static void put_text(Bytes& b, int f, const char* k, const Bytes& v) {
    size_t kl = strlen(k);
    size_t vl = v.size();
    size_t al = 1 + (vl < 128 ? 1 : vl < 16384 ? 2 : 3) + vl;
    size_t tot = 1 + 1 + kl + 1 + (al < 128 ? 1 : al < 16384 ? 2 : 3) + al;
    put_tag(b, f, 2);
    put_varint(b, tot);
    put_bytes(b, 1, k, kl);
    put_tag(b, 2, 2);
    put_varint(b, al);
    put_bytes(b, 1, v);
    attribute_count++;
}

static void put_integer(Bytes& b, int f, const char* k, u64 v) {
    Bytes a;
    put_tag(a, 3, 0);
    put_varint(a, v);
    Bytes m;
    put_bytes(m, 1, k, strlen(k));
    put_bytes(m, 2, a);
    put_bytes(b, f, m);
    attribute_count++;
}

static void put_flag(Bytes& b, int f, const char* k, bool v) {
    Bytes a;
    put_tag(a, 2, 0);
    put_varint(a, v);
    Bytes m;
    put_bytes(m, 1, k, strlen(k));
    put_bytes(m, 2, a);
    put_bytes(b, f, m);
    attribute_count++;
}
