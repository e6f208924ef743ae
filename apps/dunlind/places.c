/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders; see places.h. */
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dir(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

bool places_shared(const char *name, char *out, size_t size)
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len > 0) {
        program[len] = 0;
        char *slash = strrchr(program, '/');
        if (slash != NULL) {
            *slash = 0;
        }
        int written = snprintf(out, size, "%s/../share/dunlin/%s", program, name);
        if (written > 0 && (size_t)written < size && is_dir(out)) {
            return true;
        }
    }
    snprintf(out, size, "/usr/share/dunlin/%s", name);
    return is_dir(out);
}

bool places_make(const char *dir, char *error, size_t error_size)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s", dir);
    if (len <= 0 || (size_t)len >= sizeof path) {
        snprintf(error, error_size, "the name of the folder %.60s is too long", dir);
        return false;
    }
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != 0) {
            continue;
        }
        char kept = *at;
        *at = 0;
        if (mkdir(path, 0750) != 0 && errno != EEXIST) {
            snprintf(error, error_size, "cannot make the folder %s: %s", path, strerror(errno));
            return false;
        }
        *at = kept;
        if (kept == 0) {
            break;
        }
    }
    if (!is_dir(dir)) {
        snprintf(error, error_size, "%s is not a folder", dir);
        return false;
    }
    return true;
}

bool places_write(const char *path, const char *text, size_t len)
{
    char temporary[PATH_MAX];
    int name = snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    if (name < 0 || (size_t)name >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return false;
    }
    bool good = write(fd, text, len) == (ssize_t)len;
    good = close(fd) == 0 && good;
    good = good && rename(temporary, path) == 0;
    if (!good) {
        unlink(temporary);
    }
    return good;
}
