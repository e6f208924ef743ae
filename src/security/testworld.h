/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests only: a root, an intermediate CA, a server and a device with keys, certificates and a pre-shared key, and the configurations of both
 * ends that fit each other. A test changes what it is about, and makes contexts of them.
 */
#ifndef DN_SECURITY_TESTWORLD_H
#define DN_SECURITY_TESTWORLD_H

#include "security/testkeeper.h"
#include "security/testpki.h"
#include "security/tls.h"

#define DN_TESTWORLD_NAME "lwm2m.example.com" /* of the server */
#define DN_TESTWORLD_PSK  "urn:dev:psk"       /* endpoints by what they prove themselves with */
#define DN_TESTWORLD_RPK  "urn:dev:rpk"
#define DN_TESTWORLD_X509 "urn:dev:x509"

typedef struct {
    dn_testpki_key *ca_key, *middle_key, *server_key, *client_key, *other_key;
    dn_testpki_cert *ca, *middle, *server, *client;
    dunlin_slice server_chain;                 /* PEM: the server's, the intermediate's */
    uint8_t psk_identity[DN_PSK_IDENTITY_MAX]; /* any bytes */
    uint8_t psk_key[DN_PSK_KEY_MAX];
    dn_testkeeper keeper; /* knows the device by all three */
    int64_t now_s;        /* the wall clock of both ends */
    dn_tls_key_pair pair; /* of the server */
} dn_testworld;

dn_testworld *dn_testworld_make(void);
void dn_testworld_free(dn_testworld *world);
/* What they point to is the world's. */
dn_tls_server_config dn_testworld_server(dn_testworld *world);
dn_tls_client_config dn_testworld_client(dn_testworld *world, uint8_t mode, uint8_t usage);
/* End the program when it fails. */
dn_tls_context *dn_testworld_make_server(const dn_tls_server_config *config);
dn_tls_context *dn_testworld_make_client(const dn_tls_client_config *config);

#endif
