/* SPDX-License-Identifier: Apache-2.0 */
/* The authority for enrolment; see authority.h. */
#include "authority.h"

#include "own_key.h"
#include "security/pem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536u

void authority_free(authority *held)
{
    if (held->key != NULL) {
        explicit_bzero(held->key, held->key_len);
    }
    free(held->pem);
    free(held->certificate);
    free(held->key);
    *held = (authority){.pem = NULL};
}

static uint8_t *read_file(const char *path, size_t *len, char *error, size_t error_size)
{
    uint8_t *bytes = malloc(FILE_MAX);
    FILE *file = bytes != NULL ? fopen(path, "re") : NULL;
    *len = file != NULL ? fread(bytes, 1, FILE_MAX, file) : 0;
    if (file == NULL || ferror(file) != 0 || *len == 0 || *len == FILE_MAX) {
        snprintf(error, error_size, "%s: %s", path,
                 file == NULL ? strerror(errno) : "not a file of that kind");
        free(bytes);
        bytes = NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return bytes;
}

/* The first block of that label, DER; NULL: there is none. */
static uint8_t *first(const char *label, dunlin_slice text, size_t *len)
{
    dunlin_buf der = dunlin_buf_make(malloc(text.len), text.len);
    if (der.data != NULL && dn_pem_read(&text, label, &der) != DUNLIN_OK) {
        free(der.data);
        der.data = NULL;
    }
    *len = der.len;
    return der.data;
}

static bool take_certificate(authority *out, const char *from, char *error, size_t error_size)
{
    out->certificate =
        first(DN_PEM_CERTIFICATE, dunlin_slice_make(out->pem, out->pem_len), &out->certificate_len);
    if (out->certificate == NULL) {
        snprintf(error, error_size, "%s: no certificate in PEM", from);
    }
    return out->certificate != NULL;
}

static bool take_key(authority *out, const char *from, char *error, size_t error_size)
{
    size_t len = 0;
    if (strncmp(from, "pkcs11:", 7) == 0) {
        out->key = (uint8_t *)strdup(from);
        out->key_len = strlen(from);
        return out->key != NULL;
    }
    uint8_t *text = read_file(from, &len, error, error_size);
    if (text == NULL) {
        return false;
    }
    out->key = first(DN_PEM_PRIVATE_KEY, dunlin_slice_make(text, len), &out->key_len);
    explicit_bzero(text, len);
    free(text);
    if (out->key == NULL) {
        snprintf(error, error_size, "%s: no PKCS#8 private key in PEM (see openssl pkcs8 -topk8 -nocrypt)",
                 from);
    }
    return out->key != NULL;
}

static bool from_files(const char *certificate, const char *key, authority *out, char *error,
                       size_t error_size)
{
    out->pem = read_file(certificate, &out->pem_len, error, error_size);
    return out->pem != NULL && take_certificate(out, certificate, error, error_size) &&
           take_key(out, key, error, error_size);
}

/* As long as the process. */
static bool in_memory(authority *out, char *error, size_t error_size)
{
    own_key made;
    bool good = own_key_make(&own_key_authority, &made, error, error_size);
    if (good) {
        out->pem = malloc(made.certificate_len);
        out->key = malloc(made.key_len);
        good = out->pem != NULL && out->key != NULL;
        snprintf(error, error_size, "no memory");
    }
    if (good) {
        memcpy(out->pem, made.certificate, out->pem_len = made.certificate_len);
        memcpy(out->key, made.key, out->key_len = made.key_len);
        good = take_certificate(out, "est-ca", error, error_size);
    }
    explicit_bzero(&made, sizeof made);
    return good;
}

bool authority_load(const settings *set, const dn_log *log, authority *out, char *error, size_t error_size)
{
    char certificate[PATH_MAX], key[PATH_MAX];
    bool good;
    *out = (authority){.pem = NULL};
    snprintf(error, error_size, "no memory");
    if (set->est.authority != NULL) {
        good = from_files(set->est.authority, set->est.authority_key, out, error, error_size);
    } else if (set->store == STORE_MEMORY) {
        good = in_memory(out, error, error_size);
    } else {
        good =
            own_key_ensure(&own_key_authority, set->data, log, error, error_size) &&
            own_key_files(&own_key_authority, set->data, certificate, key, sizeof key, error, error_size) &&
            from_files(certificate, key, out, error, error_size);
    }
    if (!good) {
        authority_free(out);
    }
    return good;
}
