/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing with AES-256-GCM by GnuTLS; see seal.h. */
#include "store/seal.h"

#include "store/seal_file.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>

#define NONCE_LEN         12u
#define TAG_LEN           16u
#define CREDENTIAL_PREFIX "credential:"
#define TOKEN_PREFIX      "pkcs11:"
#define OTHERS            077u
/* Files of systemd's are root's, with an access list for the service that shows as bits of the group. */
#define WORLD 007u

typedef struct {
    uint64_t id;
    gnutls_aead_cipher_hd_t cipher;
} ready_key;

typedef struct {
    size_t count;
    ready_key keys[DN_SEAL_KEYS_MAX];
} ring;

struct dn_seal {
    char *path;  /* NULL: memory */
    char *token; /* NULL: the keys are not wrapped */
    unsigned forbidden;
    pthread_mutex_t lock; /* guards what follows; a cipher has the state of one call */
    ring keys;
};

static void empty(ring *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        gnutls_aead_cipher_deinit(keys->keys[i].cipher); /* wipes */
    }
    keys->count = 0;
}

static dunlin_status add(ring *keys, dn_seal_key *key)
{
    const gnutls_datum_t bytes = {.data = key->key, .size = sizeof key->key};
    ready_key *ready = &keys->keys[keys->count];
    if (gnutls_aead_cipher_init(&ready->cipher, GNUTLS_CIPHER_AES_256_GCM, &bytes) != 0) {
        return DUNLIN_ERR_MEMORY;
    }
    ready->id = key->id;
    keys->count++;
    return DUNLIN_OK;
}

static const ready_key *find(const ring *keys, uint64_t id)
{
    for (size_t i = keys->count; i > 0; i--) {
        if (keys->keys[i - 1].id == id) {
            return &keys->keys[i - 1];
        }
    }
    return NULL;
}

static dunlin_status read_keys(const dn_seal *seal, ring *keys, char *error, size_t error_size)
{
    dn_seal_keys found;
    keys->count = 0;
    dunlin_status status =
        dn_seal_file_read(seal->path, seal->forbidden, seal->token, &found, error, error_size);
    for (size_t i = 0; status == DUNLIN_OK && i < found.count; i++) {
        status = add(keys, &found.keys[i]);
        if (status != DUNLIN_OK) {
            snprintf(error, error_size, "no memory for sealing keys");
            empty(keys);
        }
    }
    dn_seal_keys_wipe(&found);
    return status;
}

static dn_seal *make(void)
{
    dn_seal *seal = calloc(1, sizeof *seal);
    if (seal != NULL) {
        pthread_mutex_init(&seal->lock, NULL);
    }
    return seal;
}

/* Where the keys are, from what the configuration says. */
static dunlin_status locate(dn_seal *seal, const char *source, const char *file, char *error,
                            size_t error_size)
{
    char path[PATH_MAX];
    const char *found = source;
    const bool in_token = strncmp(source, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1) == 0;
    seal->forbidden = OTHERS;
    if (strncmp(source, CREDENTIAL_PREFIX, sizeof CREDENTIAL_PREFIX - 1) == 0) {
        const char *name = source + sizeof CREDENTIAL_PREFIX - 1;
        const char *folder = getenv("CREDENTIALS_DIRECTORY");
        if (folder == NULL || *folder == '\0') {
            snprintf(error, error_size,
                     "%s: there is no $CREDENTIALS_DIRECTORY; the unit needs LoadCredential=%.64s or "
                     "LoadCredentialEncrypted=",
                     source, name);
            return DUNLIN_ERR_STORE;
        }
        if (*name == '\0' || strchr(name, '/') != NULL ||
            snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
            snprintf(error, error_size, "%s: this is not the name of a credential", source);
            return DUNLIN_ERR_STORE;
        }
        found = path;
        seal->forbidden = WORLD;
    } else if (in_token) {
        found = file;
        seal->token = strdup(source);
    }
    seal->path = strdup(found);
    if (seal->path == NULL || (in_token && seal->token == NULL)) {
        snprintf(error, error_size, "no memory for sealing keys");
        return DUNLIN_ERR_MEMORY;
    }
    return DUNLIN_OK;
}

dunlin_status dn_seal_open(const char *source, const char *file, bool may_make, dn_seal **out, char *error,
                           size_t error_size)
{
    dn_seal *seal = make();
    if (seal == NULL) {
        snprintf(error, error_size, "no memory for sealing keys");
        return DUNLIN_ERR_MEMORY;
    }
    dunlin_status status = locate(seal, source, file, error, error_size);
    if (status == DUNLIN_OK) {
        status = read_keys(seal, &seal->keys, error, error_size);
    }
    if (status == DUNLIN_ERR_NOT_FOUND && may_make && seal->forbidden == OTHERS) {
        status = dn_seal_file_add(seal->path, seal->token, NULL, error, error_size);
        if (status == DUNLIN_OK) {
            status = read_keys(seal, &seal->keys, error, error_size);
        }
    }
    if (status != DUNLIN_OK) {
        dn_seal_free(seal);
        return status;
    }
    *out = seal;
    return DUNLIN_OK;
}

dn_seal *dn_seal_of_memory(void)
{
    dn_seal *seal = make();
    dn_seal_key key = {0};
    if (seal != NULL && (dn_seal_key_make(&key) != DUNLIN_OK || add(&seal->keys, &key) != DUNLIN_OK)) {
        dn_seal_free(seal);
        seal = NULL;
    }
    gnutls_memset(&key, 0, sizeof key);
    return seal;
}

void dn_seal_free(dn_seal *seal)
{
    if (seal == NULL) {
        return;
    }
    empty(&seal->keys);
    if (seal->token != NULL) { /* a PIN may be in it */
        gnutls_memset(seal->token, 0, strlen(seal->token));
    }
    free(seal->token);
    free(seal->path);
    pthread_mutex_destroy(&seal->lock);
    free(seal);
}

const char *dn_seal_path(const dn_seal *seal)
{
    return seal->path;
}

dunlin_status dn_seal_reload(dn_seal *seal, const uint64_t *needed, size_t count, char *error,
                             size_t error_size)
{
    ring fresh;
    if (seal->path == NULL) {
        return DUNLIN_OK;
    }
    dunlin_status status = read_keys(seal, &fresh, error, error_size);
    if (status != DUNLIN_OK) {
        return DUNLIN_ERR_STORE;
    }
    for (size_t i = 0; i < count; i++) {
        if (find(&fresh, needed[i]) == NULL) {
            snprintf(error, error_size,
                     "%s lacks the key %016" PRIx64
                     ", with which something here is sealed; the keys read before stay in use",
                     seal->path, needed[i]);
            empty(&fresh);
            return DUNLIN_ERR_STORE;
        }
    }
    pthread_mutex_lock(&seal->lock);
    ring old = seal->keys;
    seal->keys = fresh;
    pthread_mutex_unlock(&seal->lock);
    empty(&old);
    return DUNLIN_OK;
}

uint64_t dn_seal_newest(dn_seal *seal)
{
    pthread_mutex_lock(&seal->lock);
    uint64_t id = seal->keys.keys[seal->keys.count - 1].id;
    pthread_mutex_unlock(&seal->lock);
    return id;
}

bool dn_seal_has(dn_seal *seal, uint64_t id)
{
    pthread_mutex_lock(&seal->lock);
    bool has = find(&seal->keys, id) != NULL;
    pthread_mutex_unlock(&seal->lock);
    return has;
}

dunlin_status dn_seal_close(dn_seal *seal, dunlin_slice about, dunlin_slice plain, uint8_t *out, uint64_t *id)
{
    static const uint8_t nothing[1] = {0};
    size_t len = plain.len + TAG_LEN;
    if (gnutls_rnd(GNUTLS_RND_NONCE, out, NONCE_LEN) != 0) {
        return DUNLIN_ERR_STORE;
    }
    pthread_mutex_lock(&seal->lock);
    const ready_key *key = &seal->keys.keys[seal->keys.count - 1];
    int result =
        gnutls_aead_cipher_encrypt(key->cipher, out, NONCE_LEN, about.data, about.len, TAG_LEN,
                                   plain.len > 0 ? plain.data : nothing, plain.len, out + NONCE_LEN, &len);
    *id = key->id;
    pthread_mutex_unlock(&seal->lock);
    return result == 0 && len == plain.len + TAG_LEN ? DUNLIN_OK : DUNLIN_ERR_STORE;
}

dunlin_status dn_seal_break(dn_seal *seal, uint64_t id, dunlin_slice about, dunlin_slice sealed, uint8_t *out)
{
    uint8_t nothing[1];
    if (sealed.len < DN_SEAL_EXTRA) {
        return DUNLIN_ERR_MALFORMED;
    }
    size_t len = sealed.len - DN_SEAL_EXTRA;
    const size_t expected = len;
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    pthread_mutex_lock(&seal->lock);
    const ready_key *key = find(&seal->keys, id);
    if (key != NULL) {
        int result = gnutls_aead_cipher_decrypt(key->cipher, sealed.data, NONCE_LEN, about.data, about.len,
                                                TAG_LEN, sealed.data + NONCE_LEN, sealed.len - NONCE_LEN,
                                                expected > 0 ? out : nothing, &len);
        status = result == 0 && len == expected ? DUNLIN_OK : DUNLIN_ERR_MALFORMED;
    }
    pthread_mutex_unlock(&seal->lock);
    return status;
}
