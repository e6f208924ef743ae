/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper, as dn_credentials_ops. What a handshake does not need says UNSUPPORTED. */
#include "tests/endpoint/keeper.h"

#include <string.h>

static keeper *of(dn_credentials *credentials)
{
    return (keeper *)(void *)credentials;
}

static dunlin_status find_psk(dn_credentials *credentials, dunlin_slice identity, dn_credential *out)
{
    keeper *k = of(credentials);
    k->looked_up++;
    for (size_t i = 0; i < k->count; i++) {
        const dn_credential *c = &k->list[i];
        if (c->mode == DN_SECURITY_PSK &&
            dunlin_slice_equal(dunlin_slice_make(c->identity, c->identity_len), identity)) {
            *out = *c;
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_NOT_FOUND;
}

static dunlin_status find_key(dn_credentials *credentials, dunlin_slice public_key, dn_credential *out)
{
    keeper *k = of(credentials);
    k->looked_up++;
    for (size_t i = 0; i < k->count; i++) {
        const dn_credential *c = &k->list[i];
        if (c->mode == DN_SECURITY_RPK &&
            dunlin_slice_equal(dunlin_slice_make(c->public_key, c->public_key_len), public_key)) {
            *out = *c;
            return DUNLIN_OK;
        }
    }
    return DUNLIN_ERR_NOT_FOUND;
}

static dunlin_status find_names(dn_credentials *credentials, const dn_certificate_claims *claims,
                                dn_credential *out)
{
    (void)credentials;
    (void)claims;
    (void)out;
    return DUNLIN_ERR_NOT_FOUND;
}

static bool is_known(dn_credentials *credentials, dunlin_slice endpoint)
{
    keeper *k = of(credentials);
    for (size_t i = 0; i < k->count; i++) {
        if (dunlin_slice_equal(dunlin_slice_make(k->list[i].endpoint, k->list[i].endpoint_len), endpoint)) {
            return true;
        }
    }
    return false;
}

static bool is_current(dn_credentials *credentials, uint64_t number, uint64_t generation)
{
    keeper *k = of(credentials);
    for (size_t i = 0; i < k->count; i++) {
        if (k->list[i].number == number) {
            return k->list[i].generation == generation;
        }
    }
    return false;
}

static dunlin_status put(dn_credentials *credentials, const dn_credential *credential, bool *created)
{
    (void)credentials;
    (void)credential;
    (void)created;
    return DUNLIN_ERR_UNSUPPORTED;
}

static dunlin_status take_out(dn_credentials *credentials, dunlin_slice endpoint)
{
    (void)credentials;
    (void)endpoint;
    return DUNLIN_ERR_UNSUPPORTED;
}

static dunlin_status get(dn_credentials *credentials, dunlin_slice endpoint, dn_credential *out)
{
    (void)credentials;
    (void)endpoint;
    (void)out;
    return DUNLIN_ERR_UNSUPPORTED;
}

static dunlin_status list(dn_credentials *credentials, dunlin_slice after, uint32_t limit,
                          dunlin_slice substring, void (*done)(void *context, const dn_credential_page *page),
                          void *context)
{
    (void)credentials;
    (void)after;
    (void)limit;
    (void)substring;
    (void)done;
    (void)context;
    return DUNLIN_ERR_UNSUPPORTED;
}

static uint64_t count(dn_credentials *credentials)
{
    return of(credentials)->count;
}

static const char *error(dn_credentials *credentials)
{
    (void)credentials;
    return "";
}

static void nothing(dn_credentials *credentials)
{
    (void)credentials;
}

void keeper_init(keeper *k)
{
    static const dn_credentials_ops ops = {.find_psk = find_psk,
                                           .find_key = find_key,
                                           .find_names = find_names,
                                           .is_known = is_known,
                                           .is_current = is_current,
                                           .put = put,
                                           .remove = take_out,
                                           .get = get,
                                           .list = list,
                                           .count = count,
                                           .error = error,
                                           .close = nothing};
    memset(k, 0, sizeof *k);
    k->head.ops = &ops;
}

/* The one of that endpoint, else a new one. */
static dn_credential *place(keeper *k, const char *endpoint)
{
    size_t len = strlen(endpoint), i = 0;
    while (i < k->count &&
           (k->list[i].endpoint_len != len || memcmp(k->list[i].endpoint, endpoint, len) != 0)) {
        i++;
    }
    dn_credential *c = &k->list[i < KEEPER_MAX ? i : KEEPER_MAX - 1];
    if (i == k->count) {
        k->count++;
        c->number = ++k->numbers;
        memcpy(c->endpoint, endpoint, len);
        c->endpoint_len = (uint8_t)len;
        c->is_pattern = dn_endpoint_is_pattern(dunlin_slice_of(endpoint));
    }
    c->generation++;
    return c;
}

uint64_t keeper_psk(keeper *k, const char *endpoint, const char *identity, const char *key)
{
    dn_credential *c = place(k, endpoint);
    c->mode = DN_SECURITY_PSK;
    c->identity_len = (uint8_t)strlen(identity);
    memcpy(c->identity, identity, c->identity_len);
    c->key_len = (uint8_t)strlen(key);
    memcpy(c->key, key, c->key_len);
    return c->number;
}

uint64_t keeper_rpk(keeper *k, const char *endpoint, dunlin_slice public_key)
{
    dn_credential *c = place(k, endpoint);
    c->mode = DN_SECURITY_RPK;
    c->public_key_len = (uint16_t)public_key.len;
    memcpy(c->public_key, public_key.data, public_key.len);
    return c->number;
}
