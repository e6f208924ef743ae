/* SPDX-License-Identifier: Apache-2.0 */
/* The setting in which a foreign server is tested: our device goes to it over UDP, DTLS, TCP or TLS, and its operator is reached in a way of
 * that server's own. */
#ifndef DN_ETS_TARGET_H
#define DN_ETS_TARGET_H

#include "ets/world.h"

typedef struct dn_ets_target dn_ets_target;

typedef struct {
    /*
     * "coap://host:port", "coaps://…", "coap+tcp://…", "coaps+tcp://…". Those with a scheme that the server before has already are of the second
     * server. A case that is about no way in particular goes by the first one of its server.
     */
    const char *const *uris;
    size_t count;
    const char
        *bootstrap; /* the URI of the bootstrap server under test; NULL: none. With the same credentials */
    const dn_ets_operator *const *operators; /* one for each server; must outlive the target */
    size_t operator_count;
    /* The device's credentials; each kind may be missing. Views must outlive the target. */
    dunlin_slice identity, key;            /* pre-shared */
    dunlin_slice certificate, private_key; /* DER */
    dunlin_slice server_certificate;       /* /0/x/4 with certificates */
    int16_t usage;                         /* of that; -1: 3 */
    const char *sni;                       /* NULL: the URI's host */
} dn_ets_target_config;

/* NULL: `error` says why. */
dn_ets_target *dn_ets_target_create(const dn_ets_target_config *config, char *error, size_t error_size);
void dn_ets_target_destroy(dn_ets_target *target);
dn_ets_world *dn_ets_target_world(dn_ets_target *target);

#endif
