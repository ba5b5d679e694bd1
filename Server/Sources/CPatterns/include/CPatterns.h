// SPDX-License-Identifier: Apache-2.0
#ifndef CPATTERNS_H
#define CPATTERNS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled regular expression. Many threads may match with one at once.
typedef struct skein_pattern skein_pattern;

/// Compiles `count` bytes of UTF-8 in RE2's syntax, with at most `memory` bytes for the program and
/// for what matching keeps. Returns NULL where the pattern is none: then `problem` holds why as a C
/// string of at most `problem_room` bytes, and `place` the offset of the bytes that are wrong, or -1.
skein_pattern *skein_pattern_make(const char *bytes, size_t count, long long memory, char *problem,
                                  size_t problem_room, ptrdiff_t *place);

/// Whether all of `count` bytes match, in time linear in them.
bool skein_pattern_matches(const skein_pattern *pattern, const char *bytes, size_t count);

void skein_pattern_free(skein_pattern *pattern);

#ifdef __cplusplus
}
#endif

#endif
