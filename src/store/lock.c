/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of a data directory: flock, which the system releases when the process dies. */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY_MODE 0750
#define FILE_MODE      0640
#define PID_TEXT_MAX   24

/* Who holds it, as that process wrote it; it may not have come to that yet. */
static void say_in_use(int fd, const char *directory, char *error, size_t error_size)
{
    char text[PID_TEXT_MAX] = {0};
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0) {
        snprintf(error, error_size, "%s is in use by process %ld", directory, pid);
    } else {
        snprintf(error, error_size, "%s is in use by another process", directory);
    }
}

int dn_lock_directory(const char *directory, char *error, size_t error_size)
{
    char path[PATH_MAX];
    if (mkdir(directory, DIRECTORY_MODE) != 0 && errno != EEXIST) {
        snprintf(error, error_size, "cannot make the directory %s: %s", directory, strerror(errno));
        return -1;
    }
    if (snprintf(path, sizeof path, "%s/lock", directory) >= (int)sizeof path) {
        snprintf(error, error_size, "the name of the directory %.64s... is too long", directory);
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        snprintf(error, error_size, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            say_in_use(fd, directory, error, error_size);
        } else {
            snprintf(error, error_size, "cannot lock %s: %s", path, strerror(errno));
        }
        close(fd);
        return -1;
    }
    char text[PID_TEXT_MAX];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    /* The number is a help for people only: a full disk shows itself soon enough elsewhere. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
        return fd;
    }
    return fd;
}
