/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that the library keeps, as an embedding program sees them: views outside, arrays inside (dunlin/credentials.h). */
#include "security/credentials.h"

#include <dunlin/credentials.h>

#include <string.h>

_Static_assert((int)DUNLIN_CREDENTIAL_PSK == (int)DN_SECURITY_PSK &&
                   (int)DUNLIN_CREDENTIAL_RPK == (int)DN_SECURITY_RPK &&
                   (int)DUNLIN_CREDENTIAL_X509 == (int)DN_SECURITY_X509 &&
                   (int)DUNLIN_CREDENTIAL_NONE == (int)DN_SECURITY_NOSEC,
               "modes are the same");

static bool copy(void *out, size_t most, dunlin_slice from)
{
    if (from.len > most) {
        return false;
    }
    if (from.len > 0) {
        memcpy(out, from.data, from.len);
    }
    return true;
}

/* NULL, or what does not fit; whatever else is wrong is for dn_credential_check. */
static const char *take(const dunlin_credential *from, dn_credential *out)
{
    *out = (dn_credential){.mode = (uint8_t)from->mode,
                           .is_pattern = dn_endpoint_is_pattern(from->endpoint),
                           .endpoint_len = (uint8_t)from->endpoint.len,
                           .identity_len = (uint8_t)from->identity.len,
                           .key_len = (uint8_t)from->key.len,
                           .public_key_len = (uint16_t)from->public_key.len,
                           .name_len = (uint8_t)from->name.len,
                           .has_fingerprint = from->fingerprint.len > 0};
    if ((unsigned)from->mode > DUNLIN_CREDENTIAL_NONE) {
        return "the mode is none";
    }
    if (!copy(out->endpoint, sizeof out->endpoint, from->endpoint)) {
        return "the endpoint name is longer than 252 bytes";
    }
    if (!copy(out->identity, sizeof out->identity, from->identity)) {
        return "the PSK identity is longer than 128 bytes";
    }
    if (!copy(out->key, sizeof out->key, from->key)) {
        return "the key is longer than 64 bytes";
    }
    if (!copy(out->public_key, sizeof out->public_key, from->public_key)) {
        return "the public key is no SubjectPublicKeyInfo of a P-256 key";
    }
    if (!copy(out->name, sizeof out->name, from->name)) {
        return "the certificate's name is longer than 252 bytes";
    }
    if (from->fingerprint.len != 0 && from->fingerprint.len != sizeof out->fingerprint) {
        return "the fingerprint is not one of SHA-256, which has 32 bytes";
    }
    (void)copy(out->fingerprint, sizeof out->fingerprint, from->fingerprint);
    return NULL;
}

const char *dunlin_credential_check(const dunlin_credential *credential)
{
    dn_credential inside;
    const char *wrong = take(credential, &inside);
    wrong = wrong != NULL ? wrong : dn_credential_check(&inside);
    dn_credential_wipe(&inside);
    return wrong;
}

static bool is_kept_here(const dunlin_credentials *credentials)
{
    return credentials->ops->put != NULL;
}

dunlin_status dunlin_credentials_put(dunlin_credentials *credentials, const dunlin_credential *credential)
{
    dn_credential inside;
    if (!is_kept_here(credentials)) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    const dunlin_status status = take(credential, &inside) == NULL
                                     ? credentials->ops->put(credentials, &inside, NULL)
                                     : DUNLIN_ERR_ARGUMENT;
    dn_credential_wipe(&inside);
    return status;
}

dunlin_status dunlin_credentials_remove(dunlin_credentials *credentials, dunlin_slice endpoint)
{
    return is_kept_here(credentials) ? credentials->ops->remove(credentials, endpoint)
                                     : DUNLIN_ERR_UNSUPPORTED;
}

static void show(const dn_credential *from, dunlin_credential_seen *seen, void *context)
{
    const dunlin_credential credential = {
        .mode = (dunlin_credential_mode)from->mode,
        .endpoint = dunlin_slice_make(from->endpoint, from->endpoint_len),
        .identity = dunlin_slice_make(from->identity, from->identity_len),
        .public_key = dunlin_slice_make(from->public_key, from->public_key_len),
        .name = dunlin_slice_make(from->name, from->name_len),
        .fingerprint =
            dunlin_slice_make(from->fingerprint, from->has_fingerprint ? sizeof from->fingerprint : 0),
        .created_ms = from->created_ms,
        .changed_ms = from->changed_ms};
    seen(context, &credential);
}

dunlin_status dunlin_credentials_get(dunlin_credentials *credentials, dunlin_slice endpoint,
                                     dunlin_credential_seen *seen, void *context)
{
    dn_credential found;
    if (!is_kept_here(credentials)) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    const dunlin_status status = credentials->ops->get(credentials, endpoint, &found);
    if (status == DUNLIN_OK) {
        show(&found, seen, context);
    }
    return status;
}

typedef struct {
    dunlin_credential_seen *seen;
    void *context;
} viewer;

static void show_page(void *context, const dn_credential_page *page)
{
    const viewer *to = context;
    for (size_t i = 0; i < page->count; i++) {
        show(&page->list[i], to->seen, to->context);
    }
}

dunlin_status dunlin_credentials_list(dunlin_credentials *credentials, dunlin_slice after, uint32_t limit,
                                      dunlin_credential_seen *seen, void *context)
{
    viewer to = {seen, context};
    if (!is_kept_here(credentials)) {
        return DUNLIN_ERR_UNSUPPORTED;
    }
    return credentials->ops->list(credentials, after, limit, (dunlin_slice){0}, show_page, &to);
}

const char *dunlin_credentials_error(dunlin_credentials *credentials)
{
    return credentials->ops->error(credentials);
}

void dunlin_credentials_close(dunlin_credentials *credentials)
{
    if (credentials != NULL) {
        credentials->ops->close(credentials);
    }
}
