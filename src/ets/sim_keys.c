/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, certificates and contexts of both ends. */
#include "ets/sim_keys.h"

#include "store/credentials.h"

#include <stdio.h>
#include <string.h>

#define SERVER_NAME "server.example.com"
#define DAY_S       86400

static dunlin_slice key_of(const dn_ets_party *party)
{
    return dunlin_slice_make(party->key, party->key_len);
}

static dunlin_slice certificate_of(const dn_ets_party *party)
{
    return dunlin_slice_make(party->certificate, party->certificate_len);
}

static bool issue(dn_ets_party *party, const char *name, const char *dns, const dn_ets_party *issuer,
                  int64_t now_s)
{
    if (dn_key_generate(party->key, &party->key_len) != DUNLIN_OK) {
        return false;
    }
    dn_certificate_terms terms = {.common_name = name,
                                  .dns_names = &dns,
                                  .dns_count = dns != NULL,
                                  .is_authority = issuer == NULL,
                                  .from_s = now_s - DAY_S,
                                  .until_s = now_s + DAY_S * 365,
                                  .key = key_of(party)};
    if (issuer != NULL) {
        terms.issuer = certificate_of(issuer);
        terms.issuer_key = key_of(issuer);
    }
    return dn_certificate_issue(&terms, party->certificate, &party->certificate_len) == DUNLIN_OK;
}

static bool is_psk(dn_ets_way way)
{
    return way == DN_ETS_WAY_PSK || way == DN_ETS_WAY_TLS_PSK;
}

/* The device's name is in its certificate, as the server wants it. */
static bool make_parties(dn_ets_keys *keys, const char *endpoint, int64_t now_s)
{
    return issue(&keys->authority, "Test Authority", NULL, NULL, now_s) &&
           issue(&keys->server, SERVER_NAME, SERVER_NAME, &keys->authority, now_s) &&
           issue(&keys->device, endpoint, NULL, &keys->authority, now_s);
}

static void fill_security(dn_ets_keys *keys, dn_ets_way way, const char *endpoint)
{
    keys->security = (dunlin_security){.mode = DUNLIN_PSK,
                                       .identity = dunlin_slice_of(endpoint),
                                       .secret = dunlin_slice_make(keys->psk, sizeof keys->psk),
                                       .matching = -1,
                                       .usage = -1};
    if (!is_psk(way)) {
        keys->security.mode = DUNLIN_X509;
        keys->security.identity = certificate_of(&keys->device);
        keys->security.secret = key_of(&keys->device);
        keys->security.server_key = certificate_of(&keys->server);
    }
    if (way == DN_ETS_WAY_X509_OTHER) {
        keys->security.server_key = certificate_of(&keys->authority);
        keys->security.usage = 2;
    }
}

static dunlin_status put_credential(dn_ets_keys *keys, dn_ets_way way, const char *endpoint)
{
    dn_credential one = {.mode = is_psk(way) ? DN_SECURITY_PSK : DN_SECURITY_X509};
    const size_t len = strlen(endpoint);
    if (len > sizeof one.endpoint || len > sizeof one.identity) {
        return DUNLIN_ERR_ARGUMENT;
    }
    one.endpoint_len = (uint8_t)len;
    memcpy(one.endpoint, endpoint, len);
    if (is_psk(way)) {
        one.identity_len = (uint8_t)len;
        memcpy(one.identity, endpoint, len);
        one.key_len = sizeof keys->psk;
        memcpy(one.key, keys->psk, sizeof keys->psk);
    }
    const dunlin_status status = keys->credentials->ops->put(keys->credentials, &one, NULL);
    dn_credential_wipe(&one);
    return status;
}

dunlin_status dn_ets_keys_use(dn_ets_keys *keys, const dunlin_security *security, const char *host,
                              int64_t (*wall_s)(void *context), void *context, char *why, size_t why_size)
{
    dn_tls_client_config device = dn_tls_client_config_default();
    device.mode = (uint8_t)security->mode;
    device.own = security->identity;
    device.server = security->server_key;
    device.secret = security->secret;
    device.usage = security->usage < 0 ? 3 : (uint8_t)security->usage;
    device.name = security->sni[0] != '\0' ? security->sni : host;
    device.wall_s = wall_s;
    device.wall_context = context;
    dn_tls_context_give_up(keys->device_context);
    keys->device_context = NULL;
    return dn_tls_client_create(&device, &keys->device_context, why, why_size);
}

static dunlin_status make_contexts(dn_ets_keys *keys, const char *host, int64_t (*wall_s)(void *context),
                                   void *context, char *error, size_t error_size)
{
    char pem[DN_CERTIFICATE_PEM_MAX];
    size_t pem_len = 0;
    const dn_tls_key_pair pair = {.chain = certificate_of(&keys->server), .key = key_of(&keys->server)};
    dn_tls_server_config server = dn_tls_server_config_default();
    if (dn_certificate_pem(certificate_of(&keys->authority), pem, sizeof pem, &pem_len) != DUNLIN_OK) {
        return DUNLIN_ERR_SPACE;
    }
    server.pairs = &pair;
    server.pair_count = 1;
    server.trusted = dunlin_slice_make(pem, pem_len);
    server.credentials = keys->credentials;
    server.wall_s = wall_s;
    server.wall_context = context;
    dunlin_status status = dn_tls_server_create(&server, &keys->server_context, error, error_size);
    if (status != DUNLIN_OK) {
        return status;
    }
    return dn_ets_keys_use(keys, &keys->security, host, wall_s, context, error, error_size);
}

bool dn_ets_keys_make(dn_ets_keys *keys, dn_ets_way way, const char *endpoint, const char *host,
                      int64_t (*wall_s)(void *context), void *context, char *error, size_t error_size)
{
    dn_credential_store_config store = dn_credential_store_config_default();
    *keys = (dn_ets_keys){.credentials = NULL};
    for (size_t i = 0; i < sizeof keys->psk; i++) {
        keys->psk[i] = (uint8_t)(17 * i + 3);
    }
    (void)snprintf(error, error_size, "no keys could be made");
    if (!make_parties(keys, endpoint, wall_s(context)) ||
        dn_credential_store_open(&store, &keys->credentials, error, error_size) != DUNLIN_OK) {
        return false;
    }
    fill_security(keys, way, endpoint);
    const dunlin_status status = put_credential(keys, way, endpoint);
    if (status != DUNLIN_OK) {
        (void)snprintf(error, error_size, "the credential is not taken: %s", dunlin_status_text(status));
        return false;
    }
    return make_contexts(keys, host, wall_s, context, error, error_size) == DUNLIN_OK;
}

void dn_ets_keys_free(dn_ets_keys *keys)
{
    dn_tls_context_give_up(keys->server_context);
    dn_tls_context_give_up(keys->device_context);
    if (keys->credentials != NULL) {
        keys->credentials->ops->close(keys->credentials);
    }
    *keys = (dn_ets_keys){.credentials = NULL};
}
