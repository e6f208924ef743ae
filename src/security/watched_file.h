/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file is another one than it was when it was looked at: written anew, replaced, grown. */
#ifndef DN_SECURITY_WATCHED_FILE_H
#define DN_SECURITY_WATCHED_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

typedef struct {
    char path[PATH_MAX]; /* "": none */
    struct timespec changed;
    off_t size;
    ino_t inode;
} dn_watched_file;

/* From now on it is `path` as `about` describes it. A name that is too long is not watched. */
void dn_watched_file_set(dn_watched_file *file, const char *path, const struct stat *about);
/* True, once for each change, when it is another one; a file that is missing has not changed: it is about to be replaced. */
bool dn_watched_file_has_changed(dn_watched_file *file);

#endif
