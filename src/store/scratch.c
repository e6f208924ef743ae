/* SPDX-License-Identifier: Apache-2.0 */
/* Directories for tests. */
#include "store/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void stop(const char *what, const char *path)
{
    fprintf(stderr, "%s: ", what);
    perror(path);
    abort();
}

void scratch_make(char dir[SCRATCH_MAX])
{
    const char *base = getenv("TMPDIR");
    snprintf(dir, SCRATCH_MAX, "%s/dunlin-store.XXXXXX", base != NULL && strlen(base) < 96 ? base : "/tmp");
    if (mkdtemp(dir) == NULL) {
        stop("mkdtemp", dir);
    }
}

void scratch_remove(const char *dir)
{
    DIR *entries = opendir(dir);
    if (entries == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        const char *path = scratch_path(dir, entry->d_name);
        if (unlink(path) != 0) {
            rmdir(path);
        }
    }
    closedir(entries);
    rmdir(dir);
}

const char *scratch_path(const char *dir, const char *name)
{
    static char paths[4][SCRATCH_MAX + 300];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    if (in == NULL) {
        return; /* there is no log before the first write */
    }
    FILE *out = fopen(to, "wb");
    if (out == NULL) {
        stop("cannot copy to", to);
    }
    char buffer[65536];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0) {
        if (fwrite(buffer, 1, n, out) != n) {
            stop("cannot write", to);
        }
    }
    fclose(in);
    if (fclose(out) != 0) {
        stop("cannot write", to);
    }
}

void scratch_copy_store(const char *from, const char *to)
{
    copy_file(scratch_path(from, "dunlin.db"), scratch_path(to, "dunlin.db"));
    copy_file(scratch_path(from, "dunlin.db-wal"), scratch_path(to, "dunlin.db-wal"));
}
