/* SPDX-License-Identifier: Apache-2.0 */
/* One image in a file, replaced by renaming. */
#include "port/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE  0600
#define SUFFIX_MAX 9 /* ".damaged" with its NUL */
#define PID_MAX    24

typedef char file_name[NAME_MAX + 1];

struct dn_state_file {
    int folder, lock;
    bool known; /* what is there may be replaced */
    file_name name, fresh, damaged, locked;
};

static dunlin_status say(char *error, size_t size, const char *what, const char *name)
{
    (void)snprintf(error, size, "%s %s: %s", what, name, strerror(errno));
    return DUNLIN_ERR_IO;
}

/* ---- opening ---- */

static bool name_files(dn_state_file *f, const char *name)
{
    const size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX - SUFFIX_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return false;
    }
    (void)snprintf(f->name, sizeof f->name, "%s", name);
    (void)snprintf(f->fresh, sizeof f->fresh, "%.*s.new", (int)len, name);
    (void)snprintf(f->damaged, sizeof f->damaged, "%.*s.damaged", (int)len, name);
    (void)snprintf(f->locked, sizeof f->locked, "%.*s.lock", (int)len, name);
    return true;
}

static dunlin_status open_folder(dn_state_file *f, const char *name, char *error, size_t size)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(name, '/');
    const size_t len = slash == NULL ? 1 : (size_t)(slash - name) + (slash == name ? 1 : 0);
    if (len >= sizeof folder || !name_files(f, slash == NULL ? name : slash + 1)) {
        (void)snprintf(error, size, "'%.80s' is no name of a file", name);
        return DUNLIN_ERR_ARGUMENT;
    }
    if (slash != NULL) {
        memcpy(folder, name, len);
        folder[len] = '\0';
    }
    f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return f->folder < 0 ? say(error, size, "cannot open the folder", folder) : DUNLIN_OK;
}

/* Who has it, as that process wrote it; it may not have come to that yet. */
static dunlin_status say_in_use(const dn_state_file *f, char *error, size_t size)
{
    char text[PID_MAX] = {0};
    const ssize_t n = pread(f->lock, text, sizeof text - 1, 0);
    const long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0) {
        (void)snprintf(error, size, "%s is in use by process %ld", f->name, pid);
    } else {
        (void)snprintf(error, size, "%s is in use by another process", f->name);
    }
    return DUNLIN_ERR_STATE;
}

static dunlin_status take_lock(dn_state_file *f, char *error, size_t size)
{
    char text[PID_MAX];
    f->lock = openat(f->folder, f->locked, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (f->lock < 0) {
        return say(error, size, "cannot make", f->locked);
    }
    if (flock(f->lock, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? say_in_use(f, error, size) : say(error, size, "cannot lock", f->locked);
    }
    /* The number is a help for people only: a full disk shows itself soon enough. */
    const int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(f->lock, 0) == 0) {
        (void)!pwrite(f->lock, text, (size_t)len, 0);
    }
    return DUNLIN_OK;
}

dunlin_status dn_state_file_open(const char *name, dn_state_file **file, char *error, size_t error_size)
{
    dn_state_file *f = calloc(1, sizeof *f);
    if (f == NULL) {
        (void)snprintf(error, error_size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    f->folder = f->lock = -1;
    dunlin_status status = open_folder(f, name, error, error_size);
    if (status == DUNLIN_OK) {
        status = take_lock(f, error, error_size);
    }
    if (status != DUNLIN_OK) {
        const int why = errno;
        dn_state_file_close(f);
        errno = why;
        return status;
    }
    *file = f;
    return DUNLIN_OK;
}

void dn_state_file_close(dn_state_file *file)
{
    if (file == NULL) {
        return;
    }
    if (file->lock >= 0) {
        (void)close(file->lock);
    }
    if (file->folder >= 0) {
        (void)close(file->folder);
    }
    free(file);
}

/* ---- loading ---- */

static bool read_all(int fd, uint8_t *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        const ssize_t n = read(fd, bytes + done, len - done);
        if (n == 0) {
            errno = EIO; /* it became shorter, which nobody but us may do */
        }
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static dunlin_status read_file(const dn_state_file *f, int fd, uint8_t **bytes, size_t *len, char *error,
                               size_t size)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return say(error, size, "cannot read", f->name);
    }
    if (!S_ISREG(about.st_mode) || about.st_size > (off_t)DN_STATE_MAX) {
        (void)snprintf(error, size, "%s is no state of a device: %s", f->name,
                       S_ISREG(about.st_mode) ? "it is larger than 1 MiB" : "it is no ordinary file");
        return DUNLIN_ERR_LIMIT;
    }
    *len = (size_t)about.st_size;
    *bytes = malloc(*len + 1);
    if (*bytes == NULL) {
        (void)snprintf(error, size, "no memory");
        return DUNLIN_ERR_MEMORY;
    }
    if (!read_all(fd, *bytes, *len)) {
        const dunlin_status status = say(error, size, "cannot read", f->name);
        explicit_bzero(*bytes, *len);
        free(*bytes);
        *bytes = NULL;
        return status;
    }
    return DUNLIN_OK;
}

dunlin_status dn_state_file_load(dn_state_file *file, uint8_t **bytes, size_t *len, char *error,
                                 size_t error_size)
{
    *bytes = NULL;
    *len = 0;
    file->known = false;
    const int fd = openat(file->folder, file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        file->known = true;
        (void)snprintf(error, error_size, "there is no %s yet", file->name);
        return DUNLIN_ERR_NOT_FOUND;
    }
    if (fd < 0) {
        return say(error, error_size, "cannot open", file->name);
    }
    const dunlin_status status = read_file(file, fd, bytes, len, error, error_size);
    (void)close(fd);
    return status;
}

void dn_state_file_accept(dn_state_file *file)
{
    file->known = true;
}

dunlin_status dn_state_file_set_aside(dn_state_file *file)
{
    if (renameat(file->folder, file->name, file->folder, file->damaged) != 0 || fsync(file->folder) != 0) {
        return DUNLIN_ERR_IO;
    }
    file->known = true;
    return DUNLIN_OK;
}

dunlin_status dn_state_file_remove(dn_state_file *file)
{
    if ((unlinkat(file->folder, file->name, 0) != 0 && errno != ENOENT) || fsync(file->folder) != 0) {
        return DUNLIN_ERR_IO;
    }
    file->known = true;
    return DUNLIN_OK;
}

/* ---- saving ---- */

static bool write_all(int fd, dunlin_slice bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        const ssize_t n = write(fd, bytes.data + done, bytes.len - done);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The bytes must be durable before the name is: else a power cut could leave the new name on an empty file. */
static bool write_fresh(const dn_state_file *f, dunlin_slice bytes)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
    const int fd = openat(f->folder, f->fresh, flags, FILE_MODE);
    if (fd < 0) {
        return false;
    }
    const bool written = fchmod(fd, FILE_MODE) == 0 && write_all(fd, bytes) && fsync(fd) == 0;
    const int why = errno;
    const bool closed = close(fd) == 0;
    errno = written ? errno : why;
    return written && closed;
}

dunlin_status dn_state_file_save(dn_state_file *file, dunlin_slice bytes)
{
    if (!file->known) {
        return DUNLIN_ERR_STATE;
    }
    if (!write_fresh(file, bytes) || renameat(file->folder, file->fresh, file->folder, file->name) != 0) {
        const int why = errno;
        (void)unlinkat(file->folder, file->fresh, 0);
        errno = why;
        return DUNLIN_ERR_IO;
    }
    return fsync(file->folder) == 0 ? DUNLIN_OK : DUNLIN_ERR_IO;
}
