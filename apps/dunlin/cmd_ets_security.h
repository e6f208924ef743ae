/* SPDX-License-Identifier: Apache-2.0 */
/* The credentials of `dunlin ets`: what its options and the files that they name say. */
#ifndef DUNLIN_APP_CMD_ETS_SECURITY_H
#define DUNLIN_APP_CMD_ETS_SECURITY_H

#include "security/tls.h"

/* Options as they were given; NULL: not. */
typedef struct {
    const char *psk, *cert, *key, *trust, *server_cert, *usage, *sni;
} dn_ets_security_options;

/* Empty: not given. Slices view `memory`. */
typedef struct {
    dunlin_slice identity, secret; /* pre-shared */
    dunlin_slice certificate, key; /* our own */
    dunlin_slice trusted, server_certificate;
    int16_t usage;        /* -1: not given */
    dn_tls_key_pair pair; /* of certificate and key */
    uint8_t *memory[4];
    size_t sizes[4];
    uint8_t psk[DN_PSK_IDENTITY_MAX + DN_PSK_KEY_MAX];
} dn_ets_security;

/* False: what is wrong was printed to stderr. Free it in both cases. */
bool dn_ets_security_read(dn_ets_security *out, const dn_ets_security_options *options);
/* Wipes it. */
void dn_ets_security_free(dn_ets_security *security);

#endif
