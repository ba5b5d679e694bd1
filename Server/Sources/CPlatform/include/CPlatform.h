// SPDX-License-Identifier: Apache-2.0
#ifndef CPLATFORM_H
#define CPLATFORM_H

/// Names the calling thread for tools such as `top -H`; at most 15 bytes.
void skein_name_thread(const char *name);

/// Asks that the calling thread, when it wakes, need not wait until another one has used up its turn
/// on the processor: its own turns get short, 0.1 ms, its share stays what it was. Linux 6.12 and
/// later do that; others take no notice.
void skein_take_short_turns(void);

/// Makes writes to an open file pass the page cache by (`on`), or go through it again. Returns 0,
/// or -1 where the file system does not do that.
int skein_bypass_cache(int file, int on);

/// Tells malloc to keep the memory of large blocks for the next ones instead of giving it back to
/// the system after each: a page that is fetched anew costs four times the copy into it.
void skein_keep_memory(void);

/// Gives every page that malloc holds and nobody uses back to the system, between used ones too.
void skein_give_back_memory(void);

#endif
