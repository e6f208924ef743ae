/* SPDX-License-Identifier: Apache-2.0 */
/* The console's files; see static_files.h. */
#include "api/static_files.h"

#include "api/call.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX  ((off_t)8 * 1024 * 1024)
#define TOTAL_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define FILES_MAX       2048u
#define DEPTH_MAX       6
#define PATH_BYTES_MAX  4096u

typedef struct {
    char *path; /* "/assets/index-1a2b.js" */
    char etag[24];
    struct MHD_Response *response;
    struct MHD_Response *unchanged; /* the same head without a body, for 304 */
} file;

typedef struct {
    file *files; /* by path */
    size_t count, bytes;
} file_set;

struct dn_static {
    pthread_rwlock_t lock;
    file_set set;
};

/* Scripts and styles from our own files only, no framing, no forms, no plugins: what the console needs and not more. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct {
    const char *extension;
    const char *type;
} media_types[] = {{".html", "text/html; charset=utf-8"},
                   {".js", "text/javascript; charset=utf-8"},
                   {".mjs", "text/javascript; charset=utf-8"},
                   {".css", "text/css; charset=utf-8"},
                   {".json", "application/json"},
                   {".map", "application/json"},
                   {".webmanifest", "application/manifest+json"},
                   {".svg", "image/svg+xml"},
                   {".png", "image/png"},
                   {".ico", "image/x-icon"},
                   {".webp", "image/webp"},
                   {".woff2", "font/woff2"},
                   {".txt", "text/plain; charset=utf-8"}};

static const char *media_type_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof media_types / sizeof media_types[0]; i++) {
        if (strcasecmp(dot, media_types[i].extension) == 0) {
            return media_types[i].type;
        }
    }
    return "application/octet-stream";
}

/* FNV-1a: tells versions of our own files apart, no secret is at stake. */
static uint64_t fingerprint(const uint8_t *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

static void add_headers(struct MHD_Response *response, const file *made)
{
    /* The bundler puts a hash of the content into the names under /assets/. */
    bool hashed = strncmp(made->path, "/assets/", 8) == 0;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            hashed ? "public, max-age=31536000, immutable" : "no-cache");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, made->etag);
    MHD_add_response_header(response, "Content-Security-Policy", policy);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
}

static void free_set(file_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->files[i].response != NULL) {
            MHD_destroy_response(set->files[i].response);
        }
        if (set->files[i].unchanged != NULL) {
            MHD_destroy_response(set->files[i].unchanged);
        }
        free(set->files[i].path);
    }
    free(set->files);
    *set = (file_set){0};
}

/* Takes `bytes`. */
static bool add_file(file_set *set, const char *path, uint8_t *bytes, size_t len)
{
    file *files = realloc(set->files, (set->count + 1) * sizeof *files);
    if (files == NULL) {
        free(bytes);
        return false;
    }
    set->files = files;
    file *made = &files[set->count++];
    *made = (file){.path = strdup(path)};
    snprintf(made->etag, sizeof made->etag, "\"%016llx\"", (unsigned long long)fingerprint(bytes, len));
    made->response = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    if (made->response == NULL) {
        free(bytes);
        return false;
    }
    made->unchanged = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (made->path == NULL || made->unchanged == NULL) {
        return false;
    }
    set->bytes += len;
    MHD_add_response_header(made->response, MHD_HTTP_HEADER_CONTENT_TYPE, media_type_of(path));
    add_headers(made->response, made);
    add_headers(made->unchanged, made);
    return true;
}

static bool read_file(file_set *set, int dir, const char *name, const char *path)
{
    struct stat about;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &about) != 0 || about.st_size > FILE_BYTES_MAX || set->count >= FILES_MAX ||
        set->bytes + (size_t)about.st_size > TOTAL_BYTES_MAX) {
        if (fd >= 0) {
            close(fd);
            errno = EFBIG;
        }
        return false;
    }
    size_t len = 0;
    uint8_t *bytes = malloc((size_t)about.st_size + 1);
    while (bytes != NULL && len < (size_t)about.st_size) {
        ssize_t got = read(fd, bytes + len, (size_t)about.st_size - len);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    close(fd);
    return bytes != NULL && add_file(set, path, bytes, len);
}

static bool read_dir(file_set *set, int fd, const char *prefix, int depth);

static bool read_entry(file_set *set, int dir, const char *name, const char *prefix, int depth)
{
    char path[PATH_BYTES_MAX];
    struct stat about;
    if (name[0] == '.') {
        return true;
    }
    int len = snprintf(path, sizeof path, "%s/%s", prefix, name);
    if (len < 0 || (size_t)len >= sizeof path || fstatat(dir, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    if (S_ISREG(about.st_mode)) {
        return read_file(set, dir, name, path);
    }
    if (!S_ISDIR(about.st_mode) || depth == DEPTH_MAX) {
        return true; /* links and devices are not the console's */
    }
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && read_dir(set, fd, path, depth + 1);
}

/* Takes `fd`. */
static bool read_dir(file_set *set, int fd, const char *prefix, int depth)
{
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return false;
    }
    bool good = true;
    const struct dirent *entry;
    while (good && (entry = readdir(dir)) != NULL) {
        good = read_entry(set, fd, entry->d_name, prefix, depth);
    }
    closedir(dir);
    return good;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const file *)a)->path, ((const file *)b)->path);
}

dn_static *dn_static_create(const char *dir, char *error, size_t error_size)
{
    dn_static *files = calloc(1, sizeof *files);
    if (files == NULL) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    pthread_rwlock_init(&files->lock, NULL);
    if (dir == NULL) {
        return files;
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || !read_dir(&files->set, fd, "", 0)) {
        snprintf(error, error_size, "the console's folder %s cannot be read: %s", dir, strerror(errno));
        dn_static_free(files);
        return NULL;
    }
    if (files->set.count > 0) {
        qsort(files->set.files, files->set.count, sizeof files->set.files[0], compare_files);
    }
    return files;
}

void dn_static_free(dn_static *files)
{
    if (files != NULL) {
        free_set(&files->set);
        pthread_rwlock_destroy(&files->lock);
        free(files);
    }
}

void dn_static_replace(dn_static *files, dn_static *fresh)
{
    pthread_rwlock_wrlock(&files->lock);
    file_set old = files->set;
    files->set = fresh->set;
    pthread_rwlock_unlock(&files->lock);
    fresh->set = old;
    dn_static_free(fresh); /* a response still being sent is counted by the HTTP library */
}

size_t dn_static_count(dn_static *files)
{
    pthread_rwlock_rdlock(&files->lock);
    size_t count = files->set.count;
    pthread_rwlock_unlock(&files->lock);
    return count;
}

static const file *find(const file_set *set, const char *path)
{
    file key = {.path = (char *)(uintptr_t)path};
    return set->count == 0 ? NULL : bsearch(&key, set->files, set->count, sizeof *set->files, compare_files);
}

/* A page of the console, whose address the browser's part of it reads: index.html serves them all. */
static bool is_page(dn_call *call, const char *path)
{
    const char *accept =
        MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    return strncmp(path, "/assets/", 8) != 0 && accept != NULL && strstr(accept, "text/html") != NULL;
}

void dn_static_serve(dn_call *call)
{
    dn_static *files = call->api->files;
    if (call->method != DN_METHOD_GET && call->method != DN_METHOD_HEAD) {
        dn_call_header(call, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
        dn_call_problem(call, DN_PROBLEM_METHOD_NOT_ALLOWED, "The console's files can only be read.");
        return;
    }
    call->target[strcspn(call->target, "?")] = 0;
    pthread_rwlock_rdlock(&files->lock);
    const char *path = strcmp(call->target, "/") == 0 ? "/index.html" : call->target;
    const file *found = find(&files->set, path);
    if (found == NULL && is_page(call, path)) {
        found = find(&files->set, "/index.html");
    }
    if (found != NULL) {
        const char *known =
            MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
        bool same = known != NULL && strstr(known, found->etag) != NULL;
        dn_call_queue(call, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK,
                      same ? found->unchanged : found->response);
    } else if (files->set.count == 0) {
        dn_call_problem(call, DN_PROBLEM_NOT_FOUND,
                        "This server has no console: its files were not found. The API is at /api/v1.");
    } else {
        dn_call_problem(call, DN_PROBLEM_NOT_FOUND, "The console has no such file.");
    }
    pthread_rwlock_unlock(&files->lock);
}
