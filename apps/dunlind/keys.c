/* SPDX-License-Identifier: Apache-2.0 */
/* The server's keys; see keys.h. */
#include "keys.h"

#include "own_key.h"
#include "port/clock.h"
#include "security/key_material.h"
#include "security/pem.h"
#include "security/watched_file.h"
#include "store/credentials.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define AREA "security"

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
    uint8_t *authority; /* PEM */
    size_t authority_len;
    const dn_log *log;
    dn_credentials *credentials;
    dn_tls_context *tls;
    own_key own;
    bool in_memory;
    const char *nosec;
    shown_identity shown;
    dn_material *material; /* wiped: its files are watched */
    dn_watched_file seal;  /* of the sealing keys */
    void (*seal_read)(void *context);
    void *seal_context;
};

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

/* Where it lies: what was made here, in memory or in the data folder, or what the settings name. */
static bool find_sources(const keys *held, const settings *set, dn_sources *out, char paths[2][PATH_MAX],
                         char *error, size_t error_size)
{
    const sources from = sources_of(held->role, set);
    *out = (dn_sources){.pair_count = from.certificates->count,
                        .trusted.file = from.client_cas,
                        .also_trusted = dunlin_slice_make(held->authority, held->authority_len),
                        .revoked.file = from.crls};
    for (size_t i = 0; i < from.certificates->count; i++) {
        out->pairs[i].chain.file = from.certificates->item[i];
        out->pairs[i].key.file = from.keys->item[i];
    }
    if (from.certificates->count == 0) {
        out->pair_count = 1;
        if (held->in_memory) {
            out->pairs[0].chain.bytes = dunlin_slice_make(held->own.certificate, held->own.certificate_len);
            out->pairs[0].key.bytes = dunlin_slice_make(held->own.key, held->own.key_len);
        } else if (!own_key_files(from.own, set->data, paths[0], paths[1], PATH_MAX, error, error_size)) {
            return false;
        } else {
            out->pairs[0].chain.file = paths[0];
            out->pairs[0].key.file = paths[1];
        }
    }
    out->pairs[0].ocsp.file = from.ocsp; /* a response is about one certificate: the first */
    return true;
}

/* The context. */

static int64_t wall_s(void *context)
{
    (void)context;
    return dn_clock_wall_ms() / 1000;
}

static dn_tls_context *make_context(const keys *held, const settings *set, const dn_material *material,
                                    char *error, size_t error_size)
{
    dn_tls_server_config config = dn_tls_server_config_default();
    dn_tls_context *made = NULL;
    settings_tls(set, &config);
    dn_material_fill(material, &config);
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
static bool show(shown_identity *shown, const dn_material *material, size_t pairs)
{
    for (size_t i = 0; i < pairs; i++) {
        const dunlin_slice chain = dn_material_chain(material, i);
        const char *text = chain.len > 0 ? (const char *)chain.data : "";
        static const char last[] = "-----END CERTIFICATE-----";
        const char *end = memmem(text, chain.len, last, sizeof last - 1);
        const char *begin = memmem(text, chain.len, "-----BEGIN CERTIFICATE", 22);
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
    char paths[2][PATH_MAX];
    dn_sources from;
    dn_material *material = NULL;
    shown_identity shown = {0};
    if (!find_sources(held, set, &from, paths, error, error_size) ||
        dn_material_read(&from, held->log, &material, error, error_size) != DUNLIN_OK) {
        return false;
    }
    dn_tls_context *made = make_context(held, set, material, error, error_size);
    if (made != NULL && !show(&shown, material, from.pair_count)) {
        snprintf(error, error_size, "the server's certificate cannot be read");
        dn_tls_context_give_up(made);
        hide(&shown);
        made = NULL;
    }
    if (made == NULL) {
        dn_material_free(material);
        return false;
    }
    dn_tls_context_give_up(held->tls);
    held->tls = made;
    hide(&held->shown);
    held->shown = shown;
    dn_material_wipe(material);
    dn_material_free(held->material);
    held->material = material;
    return true;
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
    if (seal != NULL && stat(seal, &about) == 0) {
        dn_watched_file_set(&held->seal, seal, &about);
    }
    return true;
}

static bool take_authority(keys *held, dunlin_slice authority, char *error, size_t error_size)
{
    held->authority = malloc(authority.len + 1);
    if (held->authority == NULL) {
        snprintf(error, error_size, "no memory");
        return false;
    }
    held->authority_len = authority.len;
    if (authority.len > 0) {
        memcpy(held->authority, authority.data, authority.len);
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
    free(held->authority);
    dn_material_free(held->material);
    explicit_bzero(&held->own, sizeof held->own);
    free(held);
}

dn_credentials *keys_credentials(const keys *held)
{
    return held != NULL ? held->credentials : NULL;
}

dn_tls_context *keys_tls(const keys *held)
{
    return held != NULL ? held->tls : NULL;
}

dn_api_identity keys_identity(const keys *held)
{
    if (held == NULL) {
        return (dn_api_identity){.nosec = "off"};
    }
    return (dn_api_identity){.public_key =
                                 dunlin_slice_make(held->shown.public_key, held->shown.public_key_len),
                             .certificates = (const char *const *)held->shown.pem,
                             .certificate_count = held->shown.count,
                             .psk = true,
                             .nosec = held->nosec};
}

dunlin_slice keys_certificate(const keys *held)
{
    return held != NULL ? dunlin_slice_make(held->shown.der, held->shown.der_len)
                        : dunlin_slice_make(NULL, 0);
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
    if (held == NULL) {
        return false;
    }
    /* Sessions have nothing to do with the sealing keys: the rest stays as it is. */
    if (dn_watched_file_has_changed(&held->seal)) {
        reload_seal(held);
    }
    return dn_material_has_changed(held->material);
}

bool keys_reload(keys *held, const settings *set)
{
    char error[512];
    if (held == NULL) {
        return false;
    }
    reload_seal(held);
    if (!load(held, set, error, sizeof error)) {
        dn_log_at(held->log, DN_LOG_ERROR, AREA, "the former keys and certificates stay in use: %s", error);
        return false;
    }
    dn_log_at(held->log, DN_LOG_INFO, AREA, "keys and certificates are read");
    return true;
}
