// SPDX-License-Identifier: Apache-2.0
// The floor of tracing in a process: what starting, filling and ending a span costs in C with nothing
// around it. A recorded span is written straight into a ring as the bytes of OTLP; there is no limit,
// no second thread and no exporter, so nothing that does more can cost less.
// Prints CPU nanoseconds, best of seven rounds, as JSON lines.   usage: sdkfloor

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RING_BYTES = 1 << 22, SPAN_BYTES_MAX = 2048, ATTRIBUTES = 10, ROUNDS = 7 };

struct context {
    uint64_t trace_high, trace_low, span;
    uint8_t sampled;
    struct context *outer;
};

static __thread struct context *current;
static __thread uint64_t random_state[2] = {88172645463325252ull, 2463534242ull};
static __thread size_t position;
static uint8_t *ring;
static volatile uint8_t sampling;

static const char *const keys[ATTRIBUTES] = {
    "http.request.method", "http.route", "url.path", "url.scheme", "http.response.status_code",
    "network.peer.address", "network.peer.port", "server.address", "thread.id",
    "user_agent.original"};
// A key without a text has a number.
static const char *const texts[ATTRIBUTES] = {
    "GET", "/api/v1/order/{id}", "/api/v1/order/12345", "http", NULL,
    "10.0.0.12", NULL, "order-service", NULL, "Apache-HttpClient/5.2.1"};
static uint8_t key_bytes[ATTRIBUTES], text_bytes[ATTRIBUTES];

static uint64_t random_word(void) {
    uint64_t a = random_state[0], b = random_state[1];
    random_state[0] = b;
    a ^= a << 23;
    random_state[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
    return random_state[1] + b;
}

static uint64_t wall_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// The compiler may not see through the span that `context` stands for.
static void keep(struct context *context) { __asm__ volatile("" ::"r"(context) : "memory"); }

static uint8_t *put_bytes(uint8_t *at, uint8_t tag, const void *bytes, uint8_t count) {
    *at++ = tag;
    *at++ = count;
    memcpy(at, bytes, count);
    return at + count;
}

static uint8_t *put_attribute(uint8_t *at, int index) {
    *at++ = 0x4a;
    uint8_t *whole = at++;
    at = put_bytes(at, 0x0a, keys[index], key_bytes[index]);
    *at++ = 0x12;
    uint8_t *value = at++;
    if (texts[index]) {
        at = put_bytes(at, 0x0a, texts[index], text_bytes[index]);
    } else {
        uint64_t number = 200 + (uint64_t)index * 1000;
        *at++ = 0x18;
        for (; number > 127; number >>= 7) *at++ = (uint8_t)number | 128;
        *at++ = (uint8_t)number;
    }
    *value = (uint8_t)(at - value - 1);
    *whole = (uint8_t)(at - whole - 1);
    return at;
}

static inline __attribute__((always_inline)) void recorded_span(int attributes) {
    struct context own = {current->trace_high, current->trace_low, random_word(), 1, current};
    current = &own;
    uint64_t start = wall_nanoseconds();
    uint8_t *begin = ring + position, *at = begin;
    // Two bytes of length, filled in at the end.
    *at++ = 0x12;
    at += 2;
    at = put_bytes(at, 0x0a, &own.trace_high, 16);
    at = put_bytes(at, 0x12, &own.span, 8);
    at = put_bytes(at, 0x22, &own.outer->span, 8);
    at = put_bytes(at, 0x2a, "GET /api/v1/order/{id}", 22);
    *at++ = 0x30;
    *at++ = 2;
    for (int index = 0; index < attributes; index++) at = put_attribute(at, index);
    keep(&own);
    uint64_t end = wall_nanoseconds();
    *at++ = 0x39;
    memcpy(at, &start, 8);
    at += 8;
    *at++ = 0x41;
    memcpy(at, &end, 8);
    at += 8;
    size_t count = (size_t)(at - begin) - 3;
    begin[1] = (uint8_t)count | 128;
    begin[2] = (uint8_t)(count >> 7);
    position += (size_t)(at - begin);
    if (position > RING_BYTES - SPAN_BYTES_MAX) position = 0;
    current = own.outer;
}

static __attribute__((noinline)) void unsampled_root(void) {
    struct context own = {random_word(), random_word(), random_word(), sampling, current};
    current = &own;
    keep(&own);
    if (own.sampled) abort();
    current = own.outer;
}

// Under a parent that is not sampled nothing is to be done but to see that.
static __attribute__((noinline)) void unsampled_child(void) {
    if (current->sampled) abort();
    keep(current);
}

static __attribute__((noinline)) void sampled_child(void) { recorded_span(0); }
static __attribute__((noinline)) void sampled_child_10(void) { recorded_span(ATTRIBUTES); }

static void measure(const char *name, void (*body)(void), int count) {
    for (int i = 0; i < count / 10; i++) body();
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        for (int i = 0; i < count; i++) body();
        double nanoseconds = (cpu_seconds() - start) / count * 1e9;
        if (nanoseconds < best) best = nanoseconds;
    }
    printf("{\"case\": \"%s\", \"ns\": %.1f}\n", name, best);
}

int main(void) {
    ring = malloc(RING_BYTES);
    if (!ring) return 71;
    memset(ring, 1, RING_BYTES);
    for (int index = 0; index < ATTRIBUTES; index++) {
        key_bytes[index] = (uint8_t)strlen(keys[index]);
        text_bytes[index] = texts[index] ? (uint8_t)strlen(texts[index]) : 0;
    }
    struct context root = {1, 2, 3, 0, NULL};
    current = &root;
    measure("floor unsampled root", unsampled_root, 5000000);
    measure("floor unsampled child", unsampled_child, 20000000);
    root.sampled = 1;
    measure("floor sampled child", sampled_child, 2000000);
    measure("floor sampled child, 10 attributes", sampled_child_10, 1000000);
    return 0;
}
