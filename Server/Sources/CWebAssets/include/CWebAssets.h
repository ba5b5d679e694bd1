// SPDX-License-Identifier: Apache-2.0
// The files of the page, compiled into the binary: it runs from anywhere, with nothing beside it.
#ifndef CWEBASSETS_H
#define CWEBASSETS_H

#include <stddef.h>

typedef struct {
    /// The file's name in `web/`, NUL terminated.
    const char *path;
    /// Its bytes, or one gzip member of them; not NUL terminated, valid for the life of the process.
    const unsigned char *bytes;
    size_t length;
    /// What Content-Type says, NUL terminated.
    const char *content_type;
    /// Whether `bytes` are a gzip member.
    int is_gzipped;
} cweb_asset;

/// All files; `count` receives how many there are.
const cweb_asset *cweb_assets(size_t *count);

#endif
