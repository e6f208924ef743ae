/* SPDX-License-Identifier: Apache-2.0 */
/* See embed_server.h. */
#include "tests/server/embed_server.h"

#include <dunlin/posix.h>
#include <dunlin/store.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

#define LONG_DAYS 3650 /* before and after: the clock of the machine decides what is valid */

static dn_testpki_cert *issue(const char *name, bool is_ca, const dn_testpki_key *key,
                              const dn_testpki_cert *issuer, const dn_testpki_key *issuer_key)
{
    const dn_testpki_subject subject = {
        .common_name = name, .is_ca = is_ca, .from_day = -LONG_DAYS, .to_day = LONG_DAYS};
    return dn_testpki_cert_make(&subject, key, issuer, issuer_key);
}

void embed_pki_make(embed_pki *pki)
{
    pki->ca_key = dn_testpki_key_make(TESTPKI_P256);
    pki->ca = issue("Test CA", true, pki->ca_key, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        pki->server_key[i] = dn_testpki_key_make(TESTPKI_P256);
        pki->server[i] = issue("server", false, pki->server_key[i], pki->ca, pki->ca_key);
    }
    pki->device_key = dn_testpki_key_make(TESTPKI_P256);
    pki->device = issue(EMBED_ENDPOINT, false, pki->device_key, pki->ca, pki->ca_key);
    dn_testpki_cert_fingerprint(pki->device, pki->fingerprint);
}

void embed_pki_free(embed_pki *pki)
{
    for (size_t i = 0; i < 2; i++) {
        dn_testpki_cert_free(pki->server[i]);
        dn_testpki_key_free(pki->server_key[i]);
    }
    dn_testpki_cert_free(pki->device);
    dn_testpki_key_free(pki->device_key);
    dn_testpki_cert_free(pki->ca);
    dn_testpki_key_free(pki->ca_key);
}

dunlin_server_security embed_pki_security(const embed_pki *pki, size_t pair, dunlin_server_key *key)
{
    *key = (dunlin_server_key){.certificate.bytes = dn_testpki_cert_pem(pki->server[pair]),
                               .key.bytes = dn_testpki_key_pem(pki->server_key[pair])};
    return (dunlin_server_security){
        .keys = key, .key_count = 1, .client_cas.bytes = dn_testpki_cert_pem(pki->ca)};
}

embed_row embed_pki_row(const embed_pki *pki, dunlin_credential_mode mode)
{
    embed_row row = {.mode = mode, .endpoint = EMBED_ENDPOINT};
    if (mode == DUNLIN_CREDENTIAL_PSK) {
        row.identity = EMBED_IDENTITY;
        row.key = EMBED_KEY;
    } else if (mode == DUNLIN_CREDENTIAL_RPK) {
        row.public_key = dn_testpki_key_spki(pki->device_key);
    }
    return row;
}

dunlin_security embed_pki_account(const embed_pki *pki, dunlin_credential_mode mode, size_t pair)
{
    dunlin_security account = {
        .mode = (dunlin_security_mode)mode, .matching = -1, .usage = -1}; /* the values of /0/x/2 */
    if (mode == DUNLIN_CREDENTIAL_PSK) {
        account.identity = dunlin_slice_of(EMBED_IDENTITY);
        account.secret = dunlin_slice_of(EMBED_KEY);
        return account;
    }
    const bool is_raw = mode == DUNLIN_CREDENTIAL_RPK;
    account.identity = is_raw ? dn_testpki_key_spki(pki->device_key) : dn_testpki_cert_der(pki->device);
    account.server_key =
        is_raw ? dn_testpki_key_spki(pki->server_key[pair]) : dn_testpki_cert_der(pki->server[pair]);
    account.secret = dn_testpki_key_der(pki->device_key);
    return account;
}

void embed_server_start(embed_server *s)
{
    static const char *const addresses[] = {"coap://127.0.0.1:0", "coaps://127.0.0.1:0",
                                            "coap+tcp://127.0.0.1:0", "coaps+tcp://127.0.0.1:0"};
    char error[256] = "";
    dunlin_server_key key;
    embed_pki_make(&s->pki);
    embed_table_init(&s->table);
    s->credentials = embed_table_credentials(&s->table);
    assert_non_null(s->credentials);
    dunlin_server_config config = dunlin_server_config_default();
    config.addresses = addresses;
    config.address_count = 4;
    config.store = dunlin_store_memory();
    config.credentials = s->credentials;
    config.security = embed_pki_security(&s->pki, 0, &key);
    config.max_registrations = config.max_observations = 100;
    config.max_connections = 100;
    if (dunlin_server_start(&config, &s->server, error, sizeof error) != DUNLIN_OK) {
        fail_msg("%s", error);
    }
}

void embed_server_stop(embed_server *s)
{
    dunlin_server_stop(s->server, 0);
    dunlin_credentials_close(s->credentials);
    embed_table_free(&s->table);
    embed_pki_free(&s->pki);
}

dunlin_server_event embed_server_await(embed_server *s, embed_device *device, dunlin_server_event_kind kind)
{
    const uint64_t end_ms = dunlin_posix_now_ms() + EMBED_PATIENCE_MS;
    dunlin_server_event event;
    for (;;) {
        while (dunlin_server_next_event(s->server, &event)) {
            if (event.kind == kind) {
                return event;
            }
        }
        if (dunlin_posix_now_ms() > end_ms) {
            fail_msg("no event of kind %d", (int)kind);
        }
        (void)embed_device_turn(device);
    }
}

typedef struct {
    atomic_bool done;
    dunlin_status status;
    char text[16];
} answer;

static void on_done(void *context, const dunlin_server_response *response)
{
    answer *a = context;
    a->status = response->status;
    (void)snprintf(a->text, sizeof a->text, "%.*s", (int)response->payload.len,
                   response->payload.len > 0 ? (const char *)response->payload.data : "");
    atomic_store(&a->done, true);
}

static dunlin_status await(answer *a, embed_device *device, char text[16])
{
    while (!atomic_load(&a->done)) { /* the server sees to it that it comes */
        (void)embed_device_turn(device);
    }
    (void)snprintf(text, sizeof a->text, "%s", a->text);
    return a->status;
}

dunlin_status embed_server_read(embed_server *s, embed_device *device, const char *endpoint, char text[16])
{
    answer a = {.status = DUNLIN_END};
    const dunlin_server_request read = {.endpoint = dunlin_slice_of(endpoint),
                                        .method = 1,
                                        .path = dunlin_path_resource(3303, 0, 5700),
                                        .content_format = DUNLIN_SERVER_NO_FORMAT,
                                        .timeout_ms = EMBED_PATIENCE_MS};
    assert_int_equal(dunlin_server_send(s->server, &read, on_done, &a), DUNLIN_OK);
    return await(&a, device, text);
}

dunlin_status embed_server_observe(embed_server *s, embed_device *device, const char *endpoint, char text[16])
{
    answer a = {.status = DUNLIN_END};
    assert_int_equal(dunlin_server_observe(s->server, dunlin_slice_of(endpoint),
                                           dunlin_path_resource(3303, 0, 5700), 0, EMBED_PATIENCE_MS, on_done,
                                           &a),
                     DUNLIN_OK);
    return await(&a, device, text);
}
