/* SPDX-License-Identifier: Apache-2.0 */
/* The server's keys; see keys.h. */
#include "keys.h"

#include "own_key.h"
#include "port/clock.h"
#include "security/pem.h"
#include "store/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX  (8u << 20) /* revocation lists may be long */
#define FILES_MAX (2 * LIST_MAX + 5)
#define AREA      "security"

/* A file as it was when it was read. */
typedef struct {
    char path[PATH_MAX];
    struct timespec changed;
    off_t size;
    ino_t inode;
} watched_file;

typedef struct {
    uint8_t *bytes;
    size_t len;
} blob;

/* All that a context is made of. */
typedef struct {
    blob chains[DN_TLS_KEY_PAIRS_MAX], keys[DN_TLS_KEY_PAIRS_MAX];
    const char *urls[DN_TLS_KEY_PAIRS_MAX];
    size_t pairs;
    blob trusted, revoked, ocsp;
    watched_file files[FILES_MAX];
    size_t file_count;
} material;

typedef struct {
    uint8_t public_key[DN_PUBLIC_KEY_DER_MAX];
    size_t public_key_len;
    uint8_t *der; /* the first certificate */
    size_t der_len;
    char *pem[DN_TLS_KEY_PAIRS_MAX];
    size_t count;
} shown_identity;

struct keys {
    keys_role role;
    blob authority; /* PEM */
    const dn_log *log;
    dn_credentials *credentials;
    dn_tls_context *tls;
    own_key own;
    bool in_memory;
    const char *nosec;
    shown_identity shown;
    watched_file files[FILES_MAX];
    size_t file_count;
    watched_file seal; /* of the sealing keys; an empty path: there is none */
    void (*seal_read)(void *context);
    void *seal_context;
};

/* Files. */

static void wipe(blob *what)
{
    if (what->bytes != NULL) {
        explicit_bzero(what->bytes, what->len);
        free(what->bytes);
    }
    *what = (blob){0};
}

static dunlin_slice slice_of(const blob *what)
{
    return dunlin_slice_make(what->bytes, what->len);
}

static void note(watched_file *file, const struct stat *about)
{
    file->changed = about->st_mtim;
    file->size = about->st_size;
    file->inode = about->st_ino;
}

static bool read_all(int fd, size_t size, blob *out)
{
    out->bytes = malloc(size + 1);
    while (out->bytes != NULL && out->len < size) {
        ssize_t got = read(fd, out->bytes + out->len, size - out->len);
        if (got <= 0) {
            return false;
        }
        out->len += (size_t)got;
    }
    return out->bytes != NULL;
}

/* Reads it, and watches it from now on. */
static bool read_file(material *all, const char *path, blob *out, char *error, size_t error_size)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    bool good = false;
    if (!S_ISREG(about.st_mode) || about.st_size == 0 || (uint64_t)about.st_size > FILE_MAX) {
        snprintf(error, error_size, "%s: not a file of 1 byte to %u MiB", path, FILE_MAX >> 20);
    } else if (!read_all(fd, (size_t)about.st_size, out)) {
        snprintf(error, error_size, "%s: cannot be read", path);
    } else {
        good = true;
    }
    close(fd);
    if (good && all->file_count < FILES_MAX) {
        watched_file *file = &all->files[all->file_count++];
        snprintf(file->path, sizeof file->path, "%s", path);
        note(file, &about);
    }
    return good;
}

static bool read_optional(material *all, const char *path, blob *out, char *error, size_t error_size)
{
    return path == NULL || read_file(all, path, out, error, error_size);
}

static void forget(material *all)
{
    for (size_t i = 0; i < DN_TLS_KEY_PAIRS_MAX; i++) {
        wipe(&all->chains[i]);
        wipe(&all->keys[i]);
    }
    wipe(&all->trusted);
    wipe(&all->revoked);
    wipe(&all->ocsp);
}

/* What the settings say for a role. */
typedef struct {
    const own_key_kind *own;
    const char *credentials; /* file */
    const string_list *certificates, *keys;
    const char *client_cas, *crls, *ocsp;
    const char *nosec;
} sources;

static sources sources_of(keys_role role, const settings *set)
{
    static const char *const policies[] = {
        [DN_NOSEC_OFF] = "off", [DN_NOSEC_LOOPBACK] = "loopback", [DN_NOSEC_ON] = "on"};
    if (role == KEYS_BOOTSTRAP) {
        const bootstrap_settings *bootstrap = &set->bootstrap;
        return (sources){.own = &own_key_bootstrap,
                         .credentials = DN_BOOTSTRAP_CREDENTIALS_FILE,
                         .certificates = &bootstrap->certificates,
                         .keys = &bootstrap->keys,
                         .client_cas = bootstrap->client_cas,
                         .crls = set->crls,
                         .nosec = bootstrap->nosec_on ? "on" : "loopback"};
    }
    return (sources){.own = &own_key_server,
                     .credentials = DN_CREDENTIALS_FILE,
                     .certificates = &set->certificates,
                     .keys = &set->keys,
                     .client_cas = set->client_cas,
                     .crls = set->crls,
                     .ocsp = set->ocsp,
                     .nosec = policies[set->nosec]};
}

/* Others on this host could read it: said, not refused, for some run with a group of their own. */
static void warn_readable(const keys *held, const char *path)
{
    struct stat about;
    if (stat(path, &about) == 0 && (about.st_mode & S_IROTH) != 0) {
        dn_log_at(held->log, DN_LOG_WARN, AREA, "WARNING: the private key %s can be read by everybody", path);
    }
}

static bool read_pair(const keys *held, const sources *from, size_t at, material *all, char *error,
                      size_t error_size)
{
    const char *key = from->keys->item[at];
    if (!read_file(all, from->certificates->item[at], &all->chains[at], error, error_size)) {
        return false;
    }
    if (strncmp(key, "pkcs11:", 7) == 0) {
        all->urls[at] = key;
        return true;
    }
    warn_readable(held, key);
    return read_file(all, key, &all->keys[at], error, error_size);
}

/* What was made here: in memory, or in the data folder. */
static bool take_own(keys *held, const settings *set, material *all, char *error, size_t error_size)
{
    char certificate[PATH_MAX], key[PATH_MAX];
    if (held->in_memory) {
        all->chains[0] = (blob){.bytes = malloc(held->own.certificate_len), .len = held->own.certificate_len};
        all->keys[0] = (blob){.bytes = malloc(held->own.key_len), .len = held->own.key_len};
        if (all->chains[0].bytes == NULL || all->keys[0].bytes == NULL) {
            snprintf(error, error_size, "no memory");
            return false;
        }
        memcpy(all->chains[0].bytes, held->own.certificate, held->own.certificate_len);
        memcpy(all->keys[0].bytes, held->own.key, held->own.key_len);
        return true;
    }
    return own_key_files(sources_of(held->role, set).own, set->data, certificate, key, sizeof key, error,
                         error_size) &&
           read_file(all, certificate, &all->chains[0], error, error_size) &&
           read_file(all, key, &all->keys[0], error, error_size);
}

/* Our own authority beside those of the file. */
static bool add_authority(const keys *held, material *all, char *error, size_t error_size)
{
    if (held->authority.len == 0) {
        return true;
    }
    uint8_t *both = realloc(all->trusted.bytes, all->trusted.len + held->authority.len + 1);
    if (both == NULL) {
        snprintf(error, error_size, "no memory");
        return false;
    }
    if (all->trusted.len > 0) {
        both[all->trusted.len++] = '\n';
    }
    memcpy(both + all->trusted.len, held->authority.bytes, held->authority.len);
    all->trusted = (blob){.bytes = both, .len = all->trusted.len + held->authority.len};
    return true;
}

static bool gather(keys *held, const settings *set, material *all, char *error, size_t error_size)
{
    const sources from = sources_of(held->role, set);
    all->pairs = from.certificates->count > 0 ? from.certificates->count : 1;
    if (from.certificates->count == 0 && !take_own(held, set, all, error, error_size)) {
        return false;
    }
    for (size_t i = 0; i < from.certificates->count; i++) {
        if (!read_pair(held, &from, i, all, error, error_size)) {
            return false;
        }
    }
    return read_optional(all, from.client_cas, &all->trusted, error, error_size) &&
           add_authority(held, all, error, error_size) &&
           read_optional(all, from.crls, &all->revoked, error, error_size) &&
           read_optional(all, from.ocsp, &all->ocsp, error, error_size);
}

/* The context. */

static int64_t wall_s(void *context)
{
    (void)context;
    return dn_clock_wall_ms() / 1000;
}

static dn_tls_context *make_context(const keys *held, const settings *set, const material *all, char *error,
                                    size_t error_size)
{
    dn_tls_key_pair pairs[DN_TLS_KEY_PAIRS_MAX];
    dn_tls_server_config config = dn_tls_server_config_default();
    dn_tls_context *made = NULL;
    settings_tls(set, &config);
    for (size_t i = 0; i < all->pairs; i++) {
        pairs[i] = (dn_tls_key_pair){
            .chain = slice_of(&all->chains[i]), .key = slice_of(&all->keys[i]), .key_url = all->urls[i]};
    }
    pairs[0].ocsp = slice_of(&all->ocsp); /* a response is about one certificate: the first */
    config.pairs = pairs;
    config.pair_count = all->pairs;
    config.trusted = slice_of(&all->trusted);
    config.revoked = slice_of(&all->revoked);
    config.credentials = held->credentials;
    config.wall_s = wall_s;
    return dn_tls_server_create(&config, &made, error, error_size) == DUNLIN_OK ? made : NULL;
}

static void hide(shown_identity *shown)
{
    for (size_t i = 0; i < shown->count; i++) {
        free(shown->pem[i]);
    }
    free(shown->der);
    *shown = (shown_identity){0};
}

/* The first certificate as devices are told of it. */
static bool keep_der(shown_identity *shown)
{
    dunlin_slice text = dunlin_slice_of(shown->pem[0]);
    shown->der = malloc(text.len); /* PEM is longer */
    dunlin_buf der = dunlin_buf_make(shown->der, shown->der != NULL ? text.len : 0);
    if (dn_pem_read(&text, DN_PEM_CERTIFICATE, &der) != DUNLIN_OK) {
        return false;
    }
    shown->der_len = der.len;
    return dn_certificate_public(dunlin_buf_view(&der), shown->public_key, &shown->public_key_len) ==
           DUNLIN_OK;
}

/* The first certificate of a chain, as text. A key alone has none to show. */
static bool show(shown_identity *shown, const material *all)
{
    for (size_t i = 0; i < all->pairs; i++) {
        const char *text = (const char *)all->chains[i].bytes;
        static const char last[] = "-----END CERTIFICATE-----";
        const char *end = memmem(text, all->chains[i].len, last, sizeof last - 1);
        const char *begin = memmem(text, all->chains[i].len, "-----BEGIN CERTIFICATE", 22);
        if (begin == NULL || end == NULL || end < begin) {
            continue;
        }
        char *pem = NULL;
        if (asprintf(&pem, "%.*s\n", (int)(end + sizeof last - 1 - begin), begin) < 0) {
            return false;
        }
        shown->pem[shown->count++] = pem;
    }
    return shown->count == 0 || keep_der(shown);
}

static bool load(keys *held, const settings *set, char *error, size_t error_size)
{
    material *all = calloc(1, sizeof *all);
    shown_identity shown = {0};
    bool good = all != NULL;
    snprintf(error, error_size, "no memory");
    good = good && gather(held, set, all, error, error_size);
    dn_tls_context *made = good ? make_context(held, set, all, error, error_size) : NULL;
    if (made != NULL && show(&shown, all)) {
        dn_tls_context_give_up(held->tls);
        held->tls = made;
        hide(&held->shown);
        held->shown = shown;
        memcpy(held->files, all->files, sizeof held->files);
        held->file_count = all->file_count;
    } else if (made != NULL) {
        good = false;
        snprintf(error, error_size, "the server's certificate cannot be read");
        dn_tls_context_give_up(made);
        hide(&shown);
    }
    if (all != NULL) {
        forget(all);
        free(all);
    }
    return good && made != NULL;
}

/* Life. */

static bool open_credentials(keys *held, const settings *set, char *error, size_t error_size)
{
    dn_credential_store_config config = dn_credential_store_config_default();
    config.dir = held->in_memory ? NULL : set->data;
    config.file = sources_of(held->role, set).credentials;
    config.seal_key = set->seal_key;
    config.log = held->log;
    if (dn_credential_store_open(&config, &held->credentials, error, error_size) != DUNLIN_OK) {
        return false;
    }
    const char *seal = dn_credential_store_seal_file(held->credentials);
    struct stat about;
    if (seal != NULL && strlen(seal) < sizeof held->seal.path && stat(seal, &about) == 0) {
        snprintf(held->seal.path, sizeof held->seal.path, "%s", seal);
        note(&held->seal, &about);
    }
    return true;
}

static bool take_authority(keys *held, dunlin_slice authority, char *error, size_t error_size)
{
    held->authority = (blob){.bytes = malloc(authority.len + 1), .len = authority.len};
    if (held->authority.bytes == NULL) {
        snprintf(error, error_size, "no memory");
        return false;
    }
    if (authority.len > 0) {
        memcpy(held->authority.bytes, authority.data, authority.len);
    }
    return true;
}

keys *keys_open(keys_role role, const settings *set, dunlin_slice authority, const dn_log *log, char *error,
                size_t error_size)
{
    keys *made = calloc(1, sizeof *made);
    if (made == NULL) {
        snprintf(error, error_size, "no memory");
        return NULL;
    }
    const sources from = sources_of(role, set);
    made->role = role;
    made->log = log;
    made->in_memory = set->store == STORE_MEMORY;
    made->nosec = from.nosec;
    bool good =
        take_authority(made, authority, error, error_size) && open_credentials(made, set, error, error_size);
    if (good && from.certificates->count == 0) {
        good = made->in_memory ? own_key_make(from.own, &made->own, error, error_size)
                               : own_key_ensure(from.own, set->data, log, error, error_size);
    }
    if (!good || !load(made, set, error, error_size)) {
        keys_close(made);
        return NULL;
    }
    return made;
}

void keys_close(keys *held)
{
    if (held == NULL) {
        return;
    }
    dn_tls_context_give_up(held->tls);
    if (held->credentials != NULL) {
        held->credentials->ops->close(held->credentials);
    }
    hide(&held->shown);
    wipe(&held->authority);
    explicit_bzero(&held->own, sizeof held->own);
    free(held);
}

dn_credentials *keys_credentials(const keys *held)
{
    return held->credentials;
}

dn_tls_context *keys_tls(const keys *held)
{
    return held->tls;
}

dn_api_identity keys_identity(const keys *held)
{
    return (dn_api_identity){.public_key =
                                 dunlin_slice_make(held->shown.public_key, held->shown.public_key_len),
                             .certificates = (const char *const *)held->shown.pem,
                             .certificate_count = held->shown.count,
                             .psk = true,
                             .nosec = held->nosec};
}

dunlin_slice keys_certificate(const keys *held)
{
    return dunlin_slice_make(held->shown.der, held->shown.der_len);
}

static bool has_changed(watched_file *file)
{
    struct stat about;
    if (stat(file->path, &about) == 0 &&
        (about.st_mtim.tv_sec != file->changed.tv_sec || about.st_mtim.tv_nsec != file->changed.tv_nsec ||
         about.st_size != file->size || about.st_ino != file->inode)) {
        note(file, &about); /* a bad one is complained of once */
        return true;
    }
    return false;
}

static void reload_seal(keys *held)
{
    char error[512];
    if (dn_credential_store_reload(held->credentials, error, sizeof error) != DUNLIN_OK) {
        dn_log_at(held->log, DN_LOG_ERROR, AREA, "the former sealing keys stay in use: %s", error);
    }
    if (held->seal_read != NULL) {
        held->seal_read(held->seal_context);
    }
}

void keys_on_seal(keys *held, void (*read)(void *context), void *context)
{
    held->seal_read = read;
    held->seal_context = context;
}

bool keys_have_changed(keys *held)
{
    bool changed = false;
    for (size_t i = 0; i < held->file_count; i++) {
        changed = has_changed(&held->files[i]) || changed;
    }
    /* Sessions have nothing to do with the sealing keys: the rest stays as it is. */
    if (held->seal.path[0] != 0 && has_changed(&held->seal)) {
        reload_seal(held);
    }
    return changed;
}

bool keys_reload(keys *held, const settings *set)
{
    char error[512];
    reload_seal(held);
    if (!load(held, set, error, sizeof error)) {
        dn_log_at(held->log, DN_LOG_ERROR, AREA, "the former keys and certificates stay in use: %s", error);
        return false;
    }
    dn_log_at(held->log, DN_LOG_INFO, AREA, "keys and certificates are read");
    return true;
}
