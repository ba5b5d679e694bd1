// SPDX-License-Identifier: Apache-2.0
// Lets the thread sanitizer see the lock of Swift's Synchronization.Mutex where threads meet: there the
// kernel hands it over, which nobody told the sanitizer, so that it reported what such a lock guards.
// The program's definitions stand before those of the library, and call them.

#define _GNU_SOURCE
#include "mutex_watch.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

// There only in a program that is built with the sanitizer.
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

SWIFT void watched_lock(uint32_t thread, SELF void *mutex)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void watched_unlock(SELF void *mutex)
    __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

typedef SWIFT void (*lock_function)(uint32_t, SELF void *);
typedef SWIFT void (*unlock_function)(SELF void *);

static void *library_function(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    return function;
}

SWIFT void watched_lock(uint32_t thread, SELF void *mutex) {
    static lock_function lock;
    lock_function known = __atomic_load_n(&lock, __ATOMIC_ACQUIRE);
    if (!known) {
        known = (lock_function)library_function(
            "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
        __atomic_store_n(&lock, known, __ATOMIC_RELEASE);
    }
    known(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void watched_unlock(SELF void *mutex) {
    static unlock_function unlock;
    unlock_function known = __atomic_load_n(&unlock, __ATOMIC_ACQUIRE);
    if (!known) {
        known = (unlock_function)library_function(
            "$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
        __atomic_store_n(&unlock, known, __ATOMIC_RELEASE);
    }
    if (__tsan_release) __tsan_release(mutex);
    known(mutex);
}

int mutex_watch(void) { return __tsan_acquire != 0; }
