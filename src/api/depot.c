/* SPDX-License-Identifier: Apache-2.0 */
/* Uploaded packages; see depot.h. */
#include "api/depot.h"

#include "api/json_read.h"
#include "api/json_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIDECAR_MAX  4096u
#define SHA256_BYTES 32u
#define UPLOAD_NAME  "upload-" /* what follows is ours alone; swept away at the start */

struct dn_depot {
    pthread_mutex_t lock;
    int dir;
    dn_package_info *packages; /* by created_ms */
    size_t count;
    uint64_t uploads; /* begun: names their files */
};

struct dn_depot_upload {
    dn_depot *depot;
    gnutls_hash_hd_t hash;
    int fd;
    uint64_t size;
    char file[40];
};

/* ---- files -------------------------------------------------------------------------------- */

static bool is_id(const char *name)
{
    return strlen(name) == DN_DEPOT_ID_LEN && strspn(name, "0123456789abcdef") == DN_DEPOT_ID_LEN;
}

static bool write_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        at += put;
        len -= (size_t)put;
    }
    return true;
}

static void sidecar_name(const char *id, char out[48])
{
    snprintf(out, 48, "%.32s.json", id);
}

static bool write_sidecar(const dn_depot *depot, const dn_package_info *info)
{
    char name[48];
    char temporary[64];
    dn_text text = {0};
    dn_jsonw json;
    dn_jsonw_start(&json, &text);
    dn_jsonw_begin(&json, '{');
    dn_jsonw_pair(&json, "name", info->name);
    dn_jsonw_pair(&json, "sha256", info->sha256);
    dn_jsonw_key(&json, "createdMs");
    dn_jsonw_signed(&json, info->created_ms);
    dn_jsonw_end(&json, '}');
    sidecar_name(info->id, name);
    snprintf(temporary, sizeof temporary, UPLOAD_NAME "%s", name);
    int fd = openat(depot->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool good = fd >= 0 && !text.failed && write_all(fd, text.data, text.len) && fsync(fd) == 0;
    good = (fd < 0 || close(fd) == 0) && good;
    good = good && renameat(depot->dir, temporary, depot->dir, name) == 0;
    if (!good) {
        unlinkat(depot->dir, temporary, 0);
    }
    dn_text_free(&text);
    return good;
}

static bool read_text(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || strlen(text) >= size) {
        return false;
    }
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool read_sidecar(const dn_depot *depot, dn_package_info *info)
{
    char name[48];
    char bytes[SIDECAR_MAX];
    char error[DN_JSON_ERROR_MAX];
    sidecar_name(info->id, name);
    int fd = openat(depot->dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, bytes, sizeof bytes) : -1;
    if (fd >= 0) {
        close(fd);
    }
    json_t *json = len > 0 ? dn_jsonr_parse(dunlin_slice_make(bytes, (size_t)len), error) : NULL;
    bool good = json != NULL && read_text(json, "name", info->name, sizeof info->name) &&
                read_text(json, "sha256", info->sha256, sizeof info->sha256) &&
                dn_jsonr_integer(json_object_get(json, "createdMs"), INT64_MIN, INT64_MAX, &info->created_ms);
    json_decref(json);
    return good && strncmp(info->sha256, info->id, DN_DEPOT_ID_LEN) == 0;
}

/* ---- the list ------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
    const dn_package_info *left = a;
    const dn_package_info *right = b;
    if (left->created_ms != right->created_ms) {
        return left->created_ms < right->created_ms ? -1 : 1;
    }
    return strcmp(left->id, right->id);
}

/* Under the lock. */
static dn_package_info *look(const dn_depot *depot, dunlin_slice id)
{
    for (size_t i = 0; i < depot->count; i++) {
        if (dunlin_slice_equal(dunlin_slice_of(depot->packages[i].id), id)) {
            return &depot->packages[i];
        }
    }
    return NULL;
}

/* Under the lock: puts it in, or over the one of its id. */
static bool enlist(dn_depot *depot, const dn_package_info *info)
{
    dn_package_info *there = look(depot, dunlin_slice_of(info->id));
    if (there != NULL) {
        *there = *info;
        return true;
    }
    dn_package_info *more = realloc(depot->packages, (depot->count + 1) * sizeof *more);
    if (more == NULL) {
        return false;
    }
    more[depot->count++] = *info;
    qsort(more, depot->count, sizeof *more, compare);
    depot->packages = more;
    return true;
}

/* A package of the folder. One whose sidecar is missing or damaged is shown with what is known. */
static bool take_file(dn_depot *depot, const char *name, const dn_log *log)
{
    struct stat about;
    dn_package_info info = {.size = 0};
    snprintf(info.id, sizeof info.id, "%s", name);
    if (fstatat(depot->dir, name, &about, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(about.st_mode)) {
        return true;
    }
    if (!read_sidecar(depot, &info)) {
        dn_log_at(log, DN_LOG_WARN, "packages", "%s has no name any more: %s.json cannot be read", name,
                  name);
        info.name[0] = 0;
        info.sha256[0] = 0;
        info.created_ms = (int64_t)about.st_mtim.tv_sec * 1000;
    }
    info.size = (uint64_t)about.st_size;
    return enlist(depot, &info);
}

/* What an upload left behind that did not get to its end. */
static bool is_left_over(const dn_depot *depot, const char *name)
{
    char id[DN_DEPOT_ID_LEN + 1];
    if (strncmp(name, UPLOAD_NAME, sizeof UPLOAD_NAME - 1) == 0) {
        return true;
    }
    snprintf(id, sizeof id, "%.32s", name);
    return is_id(id) && strcmp(name + DN_DEPOT_ID_LEN, ".json") == 0 &&
           faccessat(depot->dir, id, F_OK, 0) != 0 && errno == ENOENT;
}

static bool scan(dn_depot *depot, const dn_log *log)
{
    int fd = dup(depot->dir);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool good = dir != NULL;
    const struct dirent *entry;
    while (good && (entry = readdir(dir)) != NULL) {
        if (is_id(entry->d_name)) {
            good = take_file(depot, entry->d_name, log);
        } else if (is_left_over(depot, entry->d_name)) {
            unlinkat(depot->dir, entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    } else if (fd >= 0) {
        close(fd);
    }
    return good;
}

dn_depot *dn_depot_open(const char *path, const dn_log *log, char *error, size_t error_size)
{
    dn_depot *depot = calloc(1, sizeof *depot);
    if (depot == NULL) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    pthread_mutex_init(&depot->lock, NULL);
    depot->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (depot->dir < 0 || !scan(depot, log)) {
        snprintf(error, error_size, "the packages in %s cannot be read: %s", path, strerror(errno));
        dn_depot_free(depot);
        return NULL;
    }
    return depot;
}

void dn_depot_free(dn_depot *depot)
{
    if (depot != NULL) {
        if (depot->dir >= 0) {
            close(depot->dir);
        }
        pthread_mutex_destroy(&depot->lock);
        free(depot->packages);
        free(depot);
    }
}

bool dn_depot_find(dn_depot *depot, dunlin_slice id, dn_package_info *info)
{
    pthread_mutex_lock(&depot->lock);
    const dn_package_info *found = look(depot, id);
    if (found != NULL) {
        *info = *found;
    }
    pthread_mutex_unlock(&depot->lock);
    return found != NULL;
}

dn_package_info *dn_depot_list(dn_depot *depot, size_t *count)
{
    pthread_mutex_lock(&depot->lock);
    dn_package_info *list = calloc(depot->count + 1, sizeof *list);
    *count = depot->count;
    if (list != NULL && depot->count > 0) {
        memcpy(list, depot->packages, depot->count * sizeof *list);
    }
    pthread_mutex_unlock(&depot->lock);
    return list;
}

dunlin_status dn_depot_remove(dn_depot *depot, dunlin_slice id)
{
    char sidecar[48];
    dunlin_status status = DUNLIN_OK;
    pthread_mutex_lock(&depot->lock);
    dn_package_info *found = look(depot, id);
    if (found == NULL) {
        status = DUNLIN_ERR_NOT_FOUND;
    } else if (unlinkat(depot->dir, found->id, 0) != 0 && errno != ENOENT) {
        status = DUNLIN_ERR_IO;
    } else {
        sidecar_name(found->id, sidecar);
        unlinkat(depot->dir, sidecar, 0); /* left over, it is swept away at the next start */
        status = fsync(depot->dir) == 0 ? DUNLIN_OK : DUNLIN_ERR_IO;
        size_t at = (size_t)(found - depot->packages);
        memmove(found, found + 1, (--depot->count - at) * sizeof *found);
    }
    pthread_mutex_unlock(&depot->lock);
    return status;
}

/* ---- uploads ------------------------------------------------------------------------------- */

dn_depot_upload *dn_depot_begin(dn_depot *depot)
{
    dn_depot_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) {
        return NULL;
    }
    upload->depot = depot;
    pthread_mutex_lock(&depot->lock);
    snprintf(upload->file, sizeof upload->file, UPLOAD_NAME "%llu", (unsigned long long)++depot->uploads);
    pthread_mutex_unlock(&depot->lock);
    if (gnutls_hash_init(&upload->hash, GNUTLS_DIG_SHA256) != 0) {
        free(upload);
        return NULL;
    }
    upload->fd = openat(depot->dir, upload->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (upload->fd < 0) {
        gnutls_hash_deinit(upload->hash, NULL);
        free(upload);
        return NULL;
    }
    return upload;
}

bool dn_depot_add(dn_depot_upload *upload, const void *bytes, size_t len)
{
    upload->size += len;
    return gnutls_hash(upload->hash, bytes, len) == 0 && write_all(upload->fd, bytes, len);
}

static void end(dn_depot_upload *upload)
{
    if (upload->fd >= 0) {
        close(upload->fd);
    }
    free(upload);
}

void dn_depot_abandon(dn_depot_upload *upload)
{
    if (upload != NULL) {
        gnutls_hash_deinit(upload->hash, NULL);
        unlinkat(upload->depot->dir, upload->file, 0);
        end(upload);
    }
}

/* Under the lock. First the sidecar, then the file: a package that is there has its name. */
static bool keep(dn_depot_upload *upload, const char *name, dn_package_info *info)
{
    dn_depot *depot = upload->depot;
    const dn_package_info *there = look(depot, dunlin_slice_of(info->id));
    if (there != NULL) {
        info->created_ms = there->created_ms;
    }
    snprintf(info->name, sizeof info->name, "%s", there != NULL && name[0] == 0 ? there->name : name);
    return write_sidecar(depot, info) && renameat(depot->dir, upload->file, depot->dir, info->id) == 0 &&
           fsync(depot->dir) == 0 && enlist(depot, info);
}

dunlin_status dn_depot_finish(dn_depot_upload *upload, const char *name, int64_t now_ms,
                              dn_package_info *info)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t digest[SHA256_BYTES];
    dn_depot *depot = upload->depot;
    gnutls_hash_deinit(upload->hash, digest);
    *info = (dn_package_info){.size = upload->size, .created_ms = now_ms};
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        info->sha256[2 * i] = hex[digest[i] >> 4];
        info->sha256[2 * i + 1] = hex[digest[i] & 15];
    }
    memcpy(info->id, info->sha256, DN_DEPOT_ID_LEN);
    bool good = fsync(upload->fd) == 0;
    pthread_mutex_lock(&depot->lock);
    good = good && keep(upload, name, info);
    pthread_mutex_unlock(&depot->lock);
    if (!good) {
        unlinkat(depot->dir, upload->file, 0);
    }
    end(upload);
    return good ? DUNLIN_OK : DUNLIN_ERR_IO;
}
