/* SPDX-License-Identifier: Apache-2.0 */
/* The setting in which a foreign device is tested: our server waits for it, over UDP, DTLS, TCP and TLS. */
#ifndef DN_ETS_LISTEN_H
#define DN_ETS_LISTEN_H

#include "ets/world.h"

typedef struct dn_ets_listen dn_ets_listen;

typedef struct {
    /*
     * "127.0.0.1:5683" or "coap://…", "coaps://…", "coap+tcp://…", "coaps+tcp://…" with numeric addresses; port 0: any. Those with a scheme that
     * the server before has already are of the second server.
     */
    const char *const *addresses;
    size_t count;
    /* Where it finds a bootstrap server, in the same way; none: there is none. */
    const char *const *bootstrap;
    size_t bootstrap_count;
    const char *endpoint; /* the device to test, NULL: the first that registers */
    /* What security there is; all empty: none. */
    const dn_tls_key_pair *pair; /* the server's certificate and key; NULL: pre-shared keys only */
    dunlin_slice trusted; /* PEM: who issues devices' certificates; any endpoint name in them is taken */
    dunlin_slice identity, key; /* the device's pre-shared key */
    dn_tls_suites suites;
} dn_ets_listen_config;

/* NULL: `error` says why. */
dn_ets_listen *dn_ets_listen_create(const dn_ets_listen_config *config, char *error, size_t error_size);
void dn_ets_listen_destroy(dn_ets_listen *listen);
dn_ets_world *dn_ets_listen_world(dn_ets_listen *listen);
/* The URIs of the servers, and then of the bootstrap server, with their real ports, "coaps://127.0.0.1:40000"; false: no such. */
bool dn_ets_listen_uri(const dn_ets_listen *listen, size_t index, char *out, size_t size);

#endif
