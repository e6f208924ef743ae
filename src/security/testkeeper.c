/* SPDX-License-Identifier: Apache-2.0 */
/* A keeper of credentials for tests; see the header. */
#include "security/testkeeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dn_testkeeper *keeper_of(dn_credentials *credentials)
{
    return (dn_testkeeper *)credentials;
}

static dunlin_slice endpoint_of(const dn_credential *credential)
{
    return dunlin_slice_make(credential->endpoint, credential->endpoint_len);
}

static dunlin_status find_psk(dn_credentials *credentials, dunlin_slice identity, dn_credential *out)
{
    const dn_testkeeper *keeper = keeper_of(credentials);
    for (size_t i = 0; i < keeper->count && !keeper->fails; i++) {
        const dn_credential *at = &keeper->list[i];
        if (at->mode == DN_SECURITY_PSK &&
            dunlin_slice_equal(dunlin_slice_make(at->identity, at->identity_len), identity)) {
            *out = *at;
            return DUNLIN_OK;
        }
    }
    return keeper->fails ? DUNLIN_ERR_STORE : DUNLIN_ERR_NOT_FOUND;
}

static dunlin_status find_key(dn_credentials *credentials, dunlin_slice key, dn_credential *out)
{
    const dn_testkeeper *keeper = keeper_of(credentials);
    for (size_t i = 0; i < keeper->count && !keeper->fails; i++) {
        const dn_credential *at = &keeper->list[i];
        if (at->mode == DN_SECURITY_RPK &&
            dunlin_slice_equal(dunlin_slice_make(at->public_key, at->public_key_len), key)) {
            *out = *at;
            return DUNLIN_OK;
        }
    }
    return keeper->fails ? DUNLIN_ERR_STORE : DUNLIN_ERR_NOT_FOUND;
}

/* The claimed name that the credential is for; NULL: none. */
static const dunlin_slice *fitting(const dn_credential *credential, const dn_certificate_claims *claims)
{
    const dunlin_slice wanted = credential->name_len > 0
                                    ? dunlin_slice_make(credential->name, credential->name_len)
                                    : endpoint_of(credential);
    for (size_t i = 0; i < claims->count; i++) {
        if (credential->is_pattern ? dn_endpoint_matches(wanted, claims->names[i])
                                   : dunlin_slice_equal(wanted, claims->names[i])) {
            return &claims->names[i];
        }
    }
    return NULL;
}

static dunlin_status find_names(dn_credentials *credentials, const dn_certificate_claims *claims,
                                dn_credential *out)
{
    const dn_testkeeper *keeper = keeper_of(credentials);
    dunlin_status status = DUNLIN_ERR_NOT_FOUND;
    for (size_t i = 0; i < keeper->count && !keeper->fails; i++) {
        const dn_credential *at = &keeper->list[i];
        if (at->mode == DN_SECURITY_X509 && at->has_fingerprint &&
            memcmp(at->fingerprint, claims->fingerprint, DN_FINGERPRINT_LEN) == 0) {
            *out = *at;
            return DUNLIN_OK;
        }
    }
    for (size_t i = 0; i < keeper->count && !keeper->fails; i++) {
        const dn_credential *at = &keeper->list[i];
        const dunlin_slice *name = at->mode == DN_SECURITY_X509 ? fitting(at, claims) : NULL;
        if (name == NULL) {
            continue;
        }
        if (at->has_fingerprint || !claims->is_trusted) {
            status = DUNLIN_ERR_ACCESS;
            continue;
        }
        *out = *at;
        if (at->is_pattern) {
            out->is_pattern = false;
            out->endpoint_len = (uint8_t)name->len;
            memcpy(out->endpoint, name->data, name->len);
        }
        return DUNLIN_OK;
    }
    return keeper->fails ? DUNLIN_ERR_STORE : status;
}

static bool is_known(dn_credentials *credentials, dunlin_slice endpoint)
{
    const dn_testkeeper *keeper = keeper_of(credentials);
    for (size_t i = 0; i < keeper->count; i++) {
        const dn_credential *at = &keeper->list[i];
        if (at->is_pattern ? dn_endpoint_matches(endpoint_of(at), endpoint)
                           : dunlin_slice_equal(endpoint_of(at), endpoint)) {
            return true;
        }
    }
    return false;
}

static dunlin_status get(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out)
{
    const dn_testkeeper *keeper = keeper_of(credentials);
    for (size_t i = 0; i < keeper->count && !keeper->fails; i++) {
        if (dunlin_slice_equal(endpoint_of(&keeper->list[i]), endpoint)) {
            *out = keeper->list[i];
            memset(out->key, 0, sizeof out->key);
            return DUNLIN_OK;
        }
    }
    return keeper->fails ? DUNLIN_ERR_STORE : DUNLIN_ERR_NOT_FOUND;
}

static bool is_current(dn_credentials *credentials, uint64_t number, uint64_t generation)
{
    const dn_testkeeper *keeper = keeper_of(credentials);
    for (size_t i = 0; i < keeper->count && !keeper->vanishes; i++) {
        if (keeper->list[i].number == number) {
            return keeper->list[i].generation == generation;
        }
    }
    return false;
}

static const char *no_error(dn_credentials *credentials)
{
    (void)credentials;
    return "";
}

static void take_away(dn_testkeeper *keeper, dunlin_slice endpoint)
{
    for (size_t i = 0; i < keeper->count; i++) {
        if (dunlin_slice_equal(endpoint_of(&keeper->list[i]), endpoint)) {
            keeper->list[i] = keeper->list[--keeper->count];
            return;
        }
    }
}

void dn_testkeeper_init(dn_testkeeper *keeper)
{
    static const dn_credentials_ops ops = {.find_psk = find_psk,
                                           .find_key = find_key,
                                           .find_names = find_names,
                                           .is_known = is_known,
                                           .is_current = is_current,
                                           .get = get,
                                           .error = no_error};
    memset(keeper, 0, sizeof *keeper);
    keeper->base.ops = &ops;
}

static void add(dn_testkeeper *keeper, dn_credential *credential)
{
    const char *wrong = dn_credential_check(credential);
    if (wrong != NULL || keeper->count == DN_TESTKEEPER_MAX) {
        (void)fprintf(stderr, "testkeeper: %s\n", wrong != NULL ? wrong : "full");
        abort();
    }
    take_away(keeper, endpoint_of(credential));
    credential->number = ++keeper->last_number;
    credential->generation = ++keeper->last_generation;
    keeper->list[keeper->count++] = *credential;
}

static dn_credential begin(uint8_t mode, const char *endpoint)
{
    dn_credential credential = {.mode = mode, .endpoint_len = (uint8_t)strlen(endpoint)};
    credential.is_pattern = dn_endpoint_is_pattern(dunlin_slice_of(endpoint));
    memcpy(credential.endpoint, endpoint, credential.endpoint_len);
    return credential;
}

void dn_testkeeper_psk(dn_testkeeper *keeper, const char *endpoint, dunlin_slice identity, dunlin_slice key)
{
    dn_credential credential = begin(DN_SECURITY_PSK, endpoint);
    credential.identity_len = (uint8_t)identity.len;
    memcpy(credential.identity, identity.data, identity.len);
    credential.key_len = (uint8_t)key.len;
    memcpy(credential.key, key.data, key.len);
    add(keeper, &credential);
}

void dn_testkeeper_rpk(dn_testkeeper *keeper, const char *endpoint, dunlin_slice spki)
{
    dn_credential credential = begin(DN_SECURITY_RPK, endpoint);
    credential.public_key_len = (uint16_t)spki.len;
    memcpy(credential.public_key, spki.data, spki.len);
    add(keeper, &credential);
}

void dn_testkeeper_x509(dn_testkeeper *keeper, const char *endpoint, const char *name,
                        const uint8_t *fingerprint)
{
    dn_credential credential = begin(DN_SECURITY_X509, endpoint);
    if (name != NULL) {
        credential.name_len = (uint8_t)strlen(name);
        memcpy(credential.name, name, credential.name_len);
    }
    if (fingerprint != NULL) {
        credential.has_fingerprint = true;
        memcpy(credential.fingerprint, fingerprint, DN_FINGERPRINT_LEN);
    }
    add(keeper, &credential);
}

void dn_testkeeper_remove(dn_testkeeper *keeper, const char *endpoint)
{
    take_away(keeper, dunlin_slice_of(endpoint));
}
