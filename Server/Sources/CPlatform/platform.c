// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CPlatform.h"
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void skein_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void skein_take_short_turns(void) {
    // struct sched_attr in its first form; older C libraries do not declare it.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = 48, .nice = getpriority(PRIO_PROCESS, 0), .runtime = 100000};
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

int skein_bypass_cache(int file, int on) {
    int flags = fcntl(file, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(file, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
}

void skein_keep_memory(void) {
    // Above every request and every block of the head; the largest that malloc takes here.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    // What lies free at the top of the heap: twice what the head gives back at a flush.
    mallopt(M_TRIM_THRESHOLD, 128 << 20);
    mallopt(M_TOP_PAD, 1 << 20);
    // Threads that share an arena share what is free in it; more arenas than that keep more each.
    mallopt(M_ARENA_MAX, 1);
}

void skein_give_back_memory(void) { malloc_trim(0); }
