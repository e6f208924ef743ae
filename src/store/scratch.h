/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: directories that come and go. */
#ifndef DN_STORE_SCRATCH_H
#define DN_STORE_SCRATCH_H

#include <stddef.h>

#define SCRATCH_MAX 128

/* Makes an empty directory of a new name; aborts the test program if it can't. */
void scratch_make(char dir[SCRATCH_MAX]);
/* Removes it with the files in it. */
void scratch_remove(const char *dir);
/* DIR/name; valid until the fourth next call. */
const char *scratch_path(const char *dir, const char *name);
/*
 * Copies the SQLite store of `from` into the directory `to` as it is on disk now, which is what a process
 * that dies now would leave. May run while the store is open and its thread copies the log: the database goes
 * first, so that whatever is torn in it is whole in the log.
 */
void scratch_copy_store(const char *from, const char *to);

#endif
