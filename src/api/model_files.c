/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions in files; see model_files.h. */
#include "api/model_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((off_t)4 * 1024 * 1024)
#define PATH_MAX_BYTES 4096u

typedef struct {
    dn_registry *registry;
    size_t count;
    void (*added)(void *context, const dn_object_def *object);
    void *context;
} taking;

static dunlin_status take(void *context, const dn_object_def *object)
{
    taking *into = context;
    dunlin_status status = dn_registry_add(into->registry, object);
    if (status == DUNLIN_OK) {
        into->count++;
        if (into->added != NULL) {
            into->added(into->context, object);
        }
    }
    return status;
}

static int is_xml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".xml") == 0;
}

/* Reads a whole file; the caller frees. NULL: errno says why. */
static uint8_t *read_file(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    uint8_t *bytes = NULL;
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size <= FILE_BYTES_MAX) {
        bytes = malloc((size_t)about.st_size + 1);
    } else {
        errno = EFBIG;
    }
    *len = 0;
    while (bytes != NULL && *len < (size_t)about.st_size) {
        ssize_t got = read(fd, bytes + *len, (size_t)about.st_size - *len);
        if (got <= 0) {
            break; /* shorter than it was: the parser decides */
        }
        *len += (size_t)got;
    }
    close(fd);
    return bytes;
}

static size_t load_file(dn_registry *registry, const char *path, const dn_log *log)
{
    size_t len;
    uint8_t *bytes = read_file(path, &len);
    if (bytes == NULL) {
        dn_log_at(log, DN_LOG_WARN, "models", "%s: cannot be read: %s", path, strerror(errno));
        return 0;
    }
    taking into = {.registry = registry};
    dn_ddf_error error = {0};
    dunlin_status status = dn_ddf_parse(dunlin_slice_make(bytes, len), take, &into, &error);
    if (status == DUNLIN_ERR_MALFORMED) {
        dn_log_at(log, DN_LOG_WARN, "models", "%s:%lu: %s", path, error.line, error.text);
    } else if (status != DUNLIN_OK) {
        dn_log_at(log, DN_LOG_WARN, "models", "%s: %s", path, dunlin_status_text(status));
    }
    free(bytes);
    return into.count;
}

dunlin_status dn_models_load(dn_registry *registry, const char *dir, const dn_log *log, size_t *count)
{
    struct dirent **entries;
    *count = 0;
    int found = scandir(dir, &entries, is_xml, alphasort);
    if (found < 0) {
        return errno == ENOENT || errno == ENOTDIR ? DUNLIN_ERR_NOT_FOUND : DUNLIN_ERR_IO;
    }
    for (int i = 0; i < found; i++) {
        char path[PATH_MAX_BYTES];
        int len = snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (len > 0 && (size_t)len < sizeof path) {
            *count += load_file(registry, path, log);
        }
        free(entries[i]);
    }
    free(entries);
    return DUNLIN_OK;
}

/* Writes beside the place and renames, so that a crash leaves the old file or the new one. */
static bool write_file(const char *path, dunlin_slice bytes)
{
    char temporary[PATH_MAX_BYTES];
    int len = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof temporary) {
        return false;
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return false;
    }
    size_t at = 0;
    while (at < bytes.len) {
        ssize_t put = write(fd, bytes.data + at, bytes.len - at);
        if (put < 0 && errno != EINTR) {
            break;
        }
        at += put > 0 ? (size_t)put : 0;
    }
    bool good = at == bytes.len && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    good = good && rename(temporary, path) == 0;
    if (!good) {
        unlink(temporary);
    }
    return good;
}

static bool sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

/* The upload is named after the first object it defines: uploading it again replaces it. */
static dunlin_status name_file(void *context, const dn_object_def *object)
{
    char *name = context;
    if (name[0] == 0) {
        snprintf(name, 64, "%u-%u.%u.xml", object->id, object->version.major, object->version.minor);
    }
    return DUNLIN_OK;
}

dunlin_status dn_models_upload(dn_registry *registry, const char *dir, dunlin_slice xml,
                               void (*added)(void *context, const dn_object_def *object), void *context,
                               dn_ddf_error *error)
{
    char name[64] = "";
    char path[PATH_MAX_BYTES];
    dunlin_status status = dn_ddf_parse(xml, name_file, name, error);
    if (status != DUNLIN_OK) {
        return status;
    }
    if (name[0] == 0) {
        *error = (dn_ddf_error){.text = "the file defines no object"};
        return DUNLIN_ERR_MALFORMED;
    }
    if (dir != NULL) {
        int len = snprintf(path, sizeof path - 8, "%s/%s", dir, name);
        if (len < 0 || (size_t)len >= sizeof path - 8 || !write_file(path, xml) || !sync_dir(dir)) {
            return DUNLIN_ERR_IO;
        }
    }
    taking into = {.registry = registry, .added = added, .context = context};
    return dn_ddf_parse(xml, take, &into, error);
}
