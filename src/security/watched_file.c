/* SPDX-License-Identifier: Apache-2.0 */
/* By time, size and inode; see watched_file.h. */
#include "security/watched_file.h"

#include <string.h>

static void note(dn_watched_file *file, const struct stat *about)
{
    file->changed = about->st_mtim;
    file->size = about->st_size;
    file->inode = about->st_ino;
}

void dn_watched_file_set(dn_watched_file *file, const char *path, const struct stat *about)
{
    const size_t len = strlen(path);
    file->path[0] = 0;
    if (len < sizeof file->path) {
        memcpy(file->path, path, len + 1);
        note(file, about);
    }
}

bool dn_watched_file_has_changed(dn_watched_file *file)
{
    struct stat about;
    if (file->path[0] != 0 && stat(file->path, &about) == 0 &&
        (about.st_mtim.tv_sec != file->changed.tv_sec || about.st_mtim.tv_nsec != file->changed.tv_nsec ||
         about.st_size != file->size || about.st_ino != file->inode)) {
        note(file, &about);
        return true;
    }
    return false;
}
