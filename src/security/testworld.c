/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends that fit each other; see the header. */
#include "security/testworld.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t wall(void *context)
{
    return ((const dn_testworld *)context)->now_s;
}

static void make_certificates(dn_testworld *world)
{
    world->ca_key = dn_testpki_key_make(TESTPKI_P256);
    world->middle_key = dn_testpki_key_make(TESTPKI_P256);
    world->server_key = dn_testpki_key_make(TESTPKI_P256);
    world->client_key = dn_testpki_key_make(TESTPKI_P256);
    world->other_key = dn_testpki_key_make(TESTPKI_P256);
    const dn_testpki_subject ca = {.common_name = "test root", .is_ca = true};
    const dn_testpki_subject middle = {.common_name = "test intermediate", .is_ca = true};
    const dn_testpki_subject server = {
        .common_name = "server", .dns = {DN_TESTWORLD_NAME}, .address = "192.0.2.7"};
    const dn_testpki_subject client = {.common_name = DN_TESTWORLD_X509};
    world->ca = dn_testpki_cert_make(&ca, world->ca_key, NULL, NULL);
    world->middle = dn_testpki_cert_make(&middle, world->middle_key, world->ca, world->ca_key);
    world->server = dn_testpki_cert_make(&server, world->server_key, world->middle, world->middle_key);
    world->client = dn_testpki_cert_make(&client, world->client_key, world->ca, world->ca_key);
    const dn_testpki_cert *const chain[] = {world->server, world->middle, NULL};
    world->server_chain = dn_testpki_chain(chain);
}

dn_testworld *dn_testworld_make(void)
{
    dn_testworld *world = calloc(1, sizeof *world);
    if (world == NULL) {
        abort();
    }
    make_certificates(world);
    for (size_t i = 0; i < sizeof world->psk_identity; i++) {
        world->psk_identity[i] = (uint8_t)(i * 3); /* NUL bytes among them, and what is no text */
    }
    for (size_t i = 0; i < sizeof world->psk_key; i++) {
        world->psk_key[i] = (uint8_t)(i * 5);
    }
    world->now_s = TESTPKI_NOW_S;
    dn_testkeeper_init(&world->keeper);
    dn_testkeeper_psk(&world->keeper, DN_TESTWORLD_PSK,
                      dunlin_slice_make(world->psk_identity, sizeof world->psk_identity),
                      dunlin_slice_make(world->psk_key, sizeof world->psk_key));
    dn_testkeeper_rpk(&world->keeper, DN_TESTWORLD_RPK, dn_testpki_key_spki(world->client_key));
    dn_testkeeper_x509(&world->keeper, DN_TESTWORLD_X509, NULL, NULL);
    world->pair =
        (dn_tls_key_pair){.chain = world->server_chain, .key = dn_testpki_key_pem(world->server_key)};
    return world;
}

void dn_testworld_free(dn_testworld *world)
{
    dn_testpki_cert_free(world->ca);
    dn_testpki_cert_free(world->middle);
    dn_testpki_cert_free(world->server);
    dn_testpki_cert_free(world->client);
    dn_testpki_key_free(world->ca_key);
    dn_testpki_key_free(world->middle_key);
    dn_testpki_key_free(world->server_key);
    dn_testpki_key_free(world->client_key);
    dn_testpki_key_free(world->other_key);
    free((void *)(uintptr_t)world->server_chain.data);
    free(world);
}

dn_tls_server_config dn_testworld_server(dn_testworld *world)
{
    dn_tls_server_config config = dn_tls_server_config_default();
    config.pairs = &world->pair;
    config.pair_count = 1;
    config.trusted = dn_testpki_cert_pem(world->ca);
    config.credentials = &world->keeper.base;
    config.wall_s = wall;
    config.wall_context = world;
    return config;
}

dn_tls_client_config dn_testworld_client(dn_testworld *world, uint8_t mode, uint8_t usage)
{
    dn_tls_client_config config = dn_tls_client_config_default();
    config.mode = mode;
    config.usage = usage;
    config.name = DN_TESTWORLD_NAME;
    config.wall_s = wall;
    config.wall_context = world;
    config.roots = dn_testpki_cert_pem(world->ca);
    switch (mode) {
    case DN_SECURITY_PSK:
        config.own = dunlin_slice_make(world->psk_identity, sizeof world->psk_identity);
        config.secret = dunlin_slice_make(world->psk_key, sizeof world->psk_key);
        break;
    case DN_SECURITY_RPK:
        config.own = dn_testpki_key_spki(world->client_key);
        config.secret = dn_testpki_key_der(world->client_key);
        config.server = dn_testpki_key_spki(world->server_key);
        break;
    default:
        config.own = dn_testpki_cert_der(world->client);
        config.secret = dn_testpki_key_der(world->client_key);
        config.server = usage == 0   ? dn_testpki_cert_der(world->middle)
                        : usage == 2 ? dn_testpki_cert_der(world->ca)
                                     : dn_testpki_cert_der(world->server);
        break;
    }
    return config;
}

static dn_tls_context *must(dunlin_status status, dn_tls_context *context, const char *error)
{
    if (status != DUNLIN_OK) {
        (void)fprintf(stderr, "testworld: %s\n", error);
        abort();
    }
    return context;
}

dn_tls_context *dn_testworld_make_server(const dn_tls_server_config *config)
{
    dn_tls_context *context = NULL;
    char error[200];
    const dunlin_status status = dn_tls_server_create(config, &context, error, sizeof error);
    return must(status, context, error);
}

dn_tls_context *dn_testworld_make_client(const dn_tls_client_config *config)
{
    dn_tls_context *context = NULL;
    char error[200];
    const dunlin_status status = dn_tls_client_create(config, &context, error, sizeof error);
    return must(status, context, error);
}
