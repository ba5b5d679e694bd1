// SPDX-License-Identifier: Apache-2.0
// Makes chosen calls of a process fail: loaded with LD_PRELOAD by faults.py, which maps the same
// control file and arms one fault at a time.
//
// Only calls on files whose path contains SKEIN_FAULT_PATH count, so that nothing but the data
// directory is touched.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { OPEN, WRITE, READ, SYNC, RENAME, REMOVE, ALLOCATE, OPERATIONS };
enum effect { FAIL, SHORTEN, KILL };

// The layout is known to faults.py.
struct control {
    _Atomic uint32_t operation;  // OPERATIONS: nothing is armed
    _Atomic uint32_t effect;
    _Atomic int32_t error;
    _Atomic uint32_t sticky;
    _Atomic uint64_t at;  // the call that fails, counted from 1 since it was armed
    _Atomic uint64_t seen;
    _Atomic uint64_t fired;
    _Atomic uint64_t calls[OPERATIONS];
};

static struct control *control;
static const char *part;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SKEIN_FAULT_CONTROL");
    part = getenv("SKEIN_FAULT_PATH");
    if (!path || !part) {
        return;
    }
    int file = open(path, O_RDWR);
    if (file < 0) {
        return;
    }
    void *memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) {
        control = memory;
    }
}

// Whether this call of `operation` has to fail.
static int hits(enum operation operation) {
    atomic_fetch_add(&control->calls[operation], 1);
    if (atomic_load(&control->operation) != (uint32_t)operation) {
        return 0;
    }
    uint64_t number = atomic_fetch_add(&control->seen, 1) + 1;
    uint64_t at = atomic_load(&control->at);
    if (number != at && !(number > at && atomic_load(&control->sticky))) {
        return 0;
    }
    atomic_fetch_add(&control->fired, 1);
    return 1;
}

static int is_ours(const char *path) {
    return control && path && strstr(path, part);
}

static int is_our_file(int file) {
    if (!control) {
        return 0;
    }
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t count = readlink(link, path, sizeof path - 1);
    if (count < 0) {
        return 0;
    }
    path[count] = 0;
    return strstr(path, part) != NULL;
}

static int fails(enum operation operation) {
    if (!hits(operation)) {
        return 0;
    }
    if (atomic_load(&control->effect) == KILL) {
        kill(getpid(), SIGKILL);
    }
    errno = atomic_load(&control->error);
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// What a write of `count` bytes has to do: returns the count to write, or -1 to fail.
static ssize_t write_count(int file, size_t count) {
    if (!is_our_file(file) || !hits(WRITE)) {
        return (ssize_t)count;
    }
    if (atomic_load(&control->effect) == FAIL) {
        errno = atomic_load(&control->error);
        return -1;
    }
    return (ssize_t)(count > 1 ? count / 2 : count);
}

static void maybe_die(size_t wanted, ssize_t count) {
    if (count < (ssize_t)wanted && atomic_load(&control->effect) == KILL) {
        kill(getpid(), SIGKILL);
    }
}

ssize_t pwrite(int file, const void *bytes, size_t wanted, off_t offset) {
    ssize_t count = write_count(file, wanted);
    if (count < 0) {
        return -1;
    }
    ssize_t written = REAL(pwrite)(file, bytes, (size_t)count, offset);
    maybe_die(wanted, count);
    return written;
}

ssize_t pwrite64(int file, const void *bytes, size_t wanted, off_t offset) {
    return pwrite(file, bytes, wanted, offset);
}

ssize_t write(int file, const void *bytes, size_t wanted) {
    ssize_t count = write_count(file, wanted);
    if (count < 0) {
        return -1;
    }
    ssize_t written = REAL(write)(file, bytes, (size_t)count);
    maybe_die(wanted, count);
    return written;
}

// A shortened vector is cut to half of its first piece: the caller has to go on from there.
ssize_t pwritev(int file, const struct iovec *pieces, int number, off_t offset) {
    size_t wanted = 0;
    for (int index = 0; index < number; index++) {
        wanted += pieces[index].iov_len;
    }
    ssize_t count = write_count(file, wanted);
    if (count < 0) {
        return -1;
    }
    if (count == (ssize_t)wanted || number == 0) {
        return REAL(pwritev)(file, pieces, number, offset);
    }
    size_t first = pieces[0].iov_len;
    size_t half = first > 1 ? first / 2 : first;
    ssize_t written = REAL(pwrite)(file, pieces[0].iov_base, half, offset);
    maybe_die(wanted, count);
    return written;
}

ssize_t pwritev64(int file, const struct iovec *pieces, int number, off_t offset) {
    return pwritev(file, pieces, number, offset);
}

ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
    if (is_our_file(file) && hits(READ)) {
        if (atomic_load(&control->effect) != SHORTEN) {
            errno = atomic_load(&control->error);
            return -1;
        }
        count = count > 1 ? count / 2 : count;
    }
    return REAL(pread)(file, bytes, count, offset);
}

ssize_t pread64(int file, void *bytes, size_t count, off_t offset) {
    return pread(file, bytes, count, offset);
}

int fdatasync(int file) {
    return is_our_file(file) && fails(SYNC) ? -1 : REAL(fdatasync)(file);
}

int fsync(int file) {
    return is_our_file(file) && fails(SYNC) ? -1 : REAL(fsync)(file);
}

int rename(const char *from, const char *to) {
    return is_ours(from) && fails(RENAME) ? -1 : REAL(rename)(from, to);
}

int unlink(const char *path) {
    return is_ours(path) && fails(REMOVE) ? -1 : REAL(unlink)(path);
}

int posix_fallocate(int file, off_t offset, off_t count) {
    if (is_our_file(file) && fails(ALLOCATE)) {
        return errno;
    }
    return REAL(posix_fallocate)(file, offset, count);
}

int posix_fallocate64(int file, off_t offset, off_t count) {
    return posix_fallocate(file, offset, count);
}

int open(const char *path, int flags, ...) {
    __builtin_va_list list;
    __builtin_va_start(list, flags);
    unsigned mode = flags & O_CREAT ? __builtin_va_arg(list, unsigned) : 0;
    __builtin_va_end(list);
    return is_ours(path) && fails(OPEN) ? -1 : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    __builtin_va_list list;
    __builtin_va_start(list, flags);
    unsigned mode = flags & O_CREAT ? __builtin_va_arg(list, unsigned) : 0;
    __builtin_va_end(list);
    return is_ours(path) && fails(OPEN) ? -1 : REAL(open)(path, flags, mode);
}
