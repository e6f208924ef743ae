/* SPDX-License-Identifier: Apache-2.0 */
/* An embedded server on all four transports, with keys and certificates made on the spot, and what tests ask of it. */
#ifndef TESTS_SERVER_EMBED_SERVER_H
#define TESTS_SERVER_EMBED_SERVER_H

#include "security/testpki.h"
#include "tests/server/embed_device.h"
#include "tests/server/embed_table.h"

#include <dunlin/server.h>

#define EMBED_ENDPOINT "thermo-1"
#define EMBED_IDENTITY "identity of 1"
#define EMBED_KEY      "0123456789abcdef"

/* An authority, two pairs of the server (the second is for a reload), one of the device. Valid whatever the clock says. */
typedef struct {
    dn_testpki_key *ca_key, *server_key[2], *device_key;
    dn_testpki_cert *ca, *server[2], *device;
    uint8_t fingerprint[DN_FINGERPRINT_LEN];
} embed_pki;

void embed_pki_make(embed_pki *pki);
void embed_pki_free(embed_pki *pki);
/* Pair 0 or 1 and the authority, as bytes; `key` is what it views. */
dunlin_server_security embed_pki_security(const embed_pki *pki, size_t pair, dunlin_server_key *key);
/* What the table has of the device, and what the device has. The server proves itself by pair 0 or 1. */
embed_row embed_pki_row(const embed_pki *pki, dunlin_credential_mode mode);
dunlin_security embed_pki_account(const embed_pki *pki, dunlin_credential_mode mode, size_t pair);

typedef struct {
    embed_pki pki;
    embed_table table;
    dunlin_credentials *credentials;
    dunlin_lwm2m_server *server;
} embed_server;

/* On coap, coaps, coap+tcp, coaps+tcp, in this order, with pair 0 and the table's credentials. */
void embed_server_start(embed_server *s);
void embed_server_stop(embed_server *s);
/* The next event of that kind, others passed over, while the device runs; views live until the next. */
dunlin_server_event embed_server_await(embed_server *s, embed_device *device, dunlin_server_event_kind kind);
/* Reads /3303/0/5700 as text; the answer's status. */
dunlin_status embed_server_read(embed_server *s, embed_device *device, const char *endpoint, char text[16]);
/* The same as an observation. */
dunlin_status embed_server_observe(embed_server *s, embed_device *device, const char *endpoint,
                                   char text[16]);

#endif
