// SPDX-License-Identifier: Apache-2.0
// Counts what each thread asks the allocator for; preloaded into a program that asks for the count by
// the symbol `allocation_count`.   usage: LD_PRELOAD=allocations.so PROGRAM

#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

// Where it lies must not be allocated by the first that counts.
static __thread uint64_t count __attribute__((tls_model("initial-exec")));

uint64_t allocation_count(void) { return count; }

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t bytes) {
    count++;
    return __libc_malloc(bytes);
}

void *calloc(size_t items, size_t bytes) {
    count++;
    return __libc_calloc(items, bytes);
}

void *realloc(void *old, size_t bytes) {
    count++;
    return __libc_realloc(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    count++;
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **result, size_t alignment, size_t bytes) {
    count++;
    *result = __libc_memalign(alignment, bytes);
    return *result ? 0 : ENOMEM;
}
