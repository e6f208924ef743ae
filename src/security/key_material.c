/* SPDX-License-Identifier: Apache-2.0 */
/* Files and bytes become the views of a configuration; see key_material.h. */
#include "security/key_material.h"

#include "security/watched_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AREA      "security"
#define FILES_MAX (3 * DN_TLS_KEY_PAIRS_MAX + 2)

/* What one source gave. */
typedef struct {
    uint8_t *owned; /* NULL: `bytes` views the caller's */
    dunlin_slice bytes;
} part;

struct dn_material {
    part chains[DN_TLS_KEY_PAIRS_MAX], keys[DN_TLS_KEY_PAIRS_MAX], ocsp[DN_TLS_KEY_PAIRS_MAX];
    const char *urls[DN_TLS_KEY_PAIRS_MAX];
    dn_tls_key_pair pairs[DN_TLS_KEY_PAIRS_MAX];
    size_t pair_count;
    part trusted, revoked;
    dn_watched_file files[FILES_MAX];
    size_t file_count;
};

/* Where it goes wrong, and where to say so. */
typedef struct {
    dn_material *material;
    const dn_log *log;
    char *error;
    size_t error_size;
} reading;

static void wipe(part *what)
{
    if (what->owned != NULL) {
        explicit_bzero(what->owned, what->bytes.len);
        free(what->owned);
    }
    *what = (part){0};
}

static dunlin_status fail(const reading *r, const char *path, const char *why)
{
    (void)snprintf(r->error, r->error_size, "%s: %s", path, why);
    return DUNLIN_ERR_IO;
}

static dunlin_status no_memory(const reading *r)
{
    (void)snprintf(r->error, r->error_size, "no memory");
    return DUNLIN_ERR_MEMORY;
}

static dunlin_status read_all(const reading *r, const char *path, int fd, size_t size, part *out)
{
    size_t len = 0;
    out->owned = malloc(size);
    if (out->owned == NULL) {
        return no_memory(r);
    }
    while (len < size) {
        const ssize_t got = read(fd, out->owned + len, size - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            out->bytes = dunlin_slice_make(out->owned, len);
            wipe(out);
            return fail(r, path, got < 0 ? strerror(errno) : "it has become shorter");
        }
        len += (size_t)got;
    }
    out->bytes = dunlin_slice_make(out->owned, len);
    return DUNLIN_OK;
}

static dunlin_status read_open(const reading *r, const char *path, int fd, bool is_secret, part *out)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return fail(r, path, strerror(errno));
    }
    if (!S_ISREG(about.st_mode) || about.st_size == 0 || (uint64_t)about.st_size > DN_MATERIAL_FILE_MAX) {
        (void)snprintf(r->error, r->error_size, "%s: not a file of 1 byte to %u MiB", path,
                       DN_MATERIAL_FILE_MAX >> 20);
        return DUNLIN_ERR_IO;
    }
    if (is_secret && (about.st_mode & S_IROTH) != 0) { /* said, not refused: it may be what is wanted */
        dn_log_at(r->log, DN_LOG_WARN, AREA, "WARNING: the private key %s can be read by everybody", path);
    }
    dn_material *material = r->material;
    if (material->file_count < FILES_MAX) {
        dn_watched_file_set(&material->files[material->file_count++], path, &about);
    }
    return read_all(r, path, fd, (size_t)about.st_size, out);
}

static dunlin_status take(const reading *r, const dn_source *source, bool is_secret, part *out)
{
    if (source->file == NULL) {
        out->bytes = source->bytes;
        return DUNLIN_OK;
    }
    const int fd = open(source->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return fail(r, source->file, strerror(errno));
    }
    const dunlin_status status = read_open(r, source->file, fd, is_secret, out);
    (void)close(fd);
    return status;
}

static dunlin_status take_pair(const reading *r, const dn_key_source *from, size_t at)
{
    dn_material *material = r->material;
    dunlin_status status = take(r, &from->chain, false, &material->chains[at]);
    if (status == DUNLIN_OK) {
        status = take(r, &from->ocsp, false, &material->ocsp[at]);
    }
    if (status != DUNLIN_OK) {
        return status;
    }
    if (from->key.file != NULL && strncmp(from->key.file, "pkcs11:", 7) == 0) {
        material->urls[at] = from->key.file;
    } else if (from->key.file == NULL && from->key.bytes.len == 0) {
        (void)snprintf(r->error, r->error_size, "key pair %zu has no private key", at + 1);
        return DUNLIN_ERR_ARGUMENT;
    } else {
        status = take(r, &from->key, true, &material->keys[at]);
    }
    material->pairs[at] = (dn_tls_key_pair){.chain = material->chains[at].bytes,
                                            .key = material->keys[at].bytes,
                                            .key_url = material->urls[at],
                                            .ocsp = material->ocsp[at].bytes};
    return status;
}

/* One more authority behind those that were read. */
static dunlin_status add_trusted(const reading *r, dunlin_slice also)
{
    part *trusted = &r->material->trusted;
    if (also.len == 0) {
        return DUNLIN_OK;
    }
    const size_t len = trusted->bytes.len;
    uint8_t *both = malloc(len + 1 + also.len);
    if (both == NULL) {
        return no_memory(r);
    }
    if (len > 0) {
        memcpy(both, trusted->bytes.data, len);
    }
    both[len] = '\n';
    memcpy(both + len + 1, also.data, also.len);
    wipe(trusted);
    *trusted = (part){.owned = both, .bytes = dunlin_slice_make(both, len + 1 + also.len)};
    return DUNLIN_OK;
}

static dunlin_status take_everything(const reading *r, const dn_sources *sources)
{
    dunlin_status status = DUNLIN_OK;
    if (sources->pair_count > DN_TLS_KEY_PAIRS_MAX) {
        (void)snprintf(r->error, r->error_size, "more than %u key pairs", DN_TLS_KEY_PAIRS_MAX);
        return DUNLIN_ERR_ARGUMENT;
    }
    for (size_t i = 0; i < sources->pair_count && status == DUNLIN_OK; i++) {
        status = take_pair(r, &sources->pairs[i], i);
        r->material->pair_count = i + 1;
    }
    if (status == DUNLIN_OK) {
        status = take(r, &sources->trusted, false, &r->material->trusted);
    }
    if (status == DUNLIN_OK) {
        status = add_trusted(r, sources->also_trusted);
    }
    return status == DUNLIN_OK ? take(r, &sources->revoked, false, &r->material->revoked) : status;
}

dunlin_status dn_material_read(const dn_sources *sources, const dn_log *log, dn_material **material,
                               char *error, size_t error_size)
{
    const reading r = {
        .material = calloc(1, sizeof **material), .log = log, .error = error, .error_size = error_size};
    if (r.material == NULL) {
        return no_memory(&r);
    }
    const dunlin_status status = take_everything(&r, sources);
    if (status != DUNLIN_OK) {
        dn_material_free(r.material);
        return status;
    }
    *material = r.material;
    return DUNLIN_OK;
}

void dn_material_fill(const dn_material *material, dn_tls_server_config *config)
{
    config->pairs = material->pairs;
    config->pair_count = material->pair_count;
    config->trusted = material->trusted.bytes;
    config->revoked = material->revoked.bytes;
}

dunlin_slice dn_material_chain(const dn_material *material, size_t index)
{
    return index < material->pair_count ? material->chains[index].bytes : (dunlin_slice){0};
}

void dn_material_wipe(dn_material *material)
{
    for (size_t i = 0; i < DN_TLS_KEY_PAIRS_MAX; i++) {
        wipe(&material->chains[i]);
        wipe(&material->keys[i]);
        wipe(&material->ocsp[i]);
    }
    wipe(&material->trusted);
    wipe(&material->revoked);
    memset(material->pairs, 0, sizeof material->pairs);
    material->pair_count = 0;
}

bool dn_material_has_changed(dn_material *material)
{
    bool changed = false;
    for (size_t i = 0; i < material->file_count; i++) {
        changed = dn_watched_file_has_changed(&material->files[i]) || changed;
    }
    return changed;
}

void dn_material_free(dn_material *material)
{
    if (material != NULL) {
        dn_material_wipe(material);
        free(material);
    }
}
