// SPDX-License-Identifier: Apache-2.0
#ifndef CPLATFORM_H
#define CPLATFORM_H

/// Names the calling thread for tools such as `top -H`; at most 15 bytes.
void skein_name_thread(const char *name);

/// Makes writes to an open file pass the page cache by (`on`), or go through it again. Returns 0,
/// or -1 where the file system does not do that.
int skein_bypass_cache(int file, int on);

/// Tells malloc to keep the memory of large blocks for the next ones instead of giving it back to
/// the system after each: a page that is fetched anew costs four times the copy into it.
void skein_keep_memory(void);

#endif
