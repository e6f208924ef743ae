/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of a server account, as the command line names them and as Object 0 has them. Secrets are wiped. */
#ifndef DUNLIN_APP_CLIENT_SECURITY_H
#define DUNLIN_APP_CLIENT_SECURITY_H

#include "security/tls.h"
#include <dunlin/client.h>

/* As given; NULL, -1: not given. */
typedef struct {
    const char *identity, *key;
    const char *public_key, *private_key, *certificate;
    const char *server_key, *server_certificate;
    const char *sni, *roots;
    int16_t usage, matching;
    int16_t suites; /* dn_tls_suites */
} dn_sim_security_options;

typedef struct {
    dunlin_security security; /* views `bytes` */
    dunlin_slice roots;       /* PEM; empty: the system's */
    dn_tls_suites suites;
    dunlin_buf bytes[4]; /* identity, server_key, secret, roots */
} dn_sim_security;

dn_sim_security_options dn_sim_security_none(void);
/* What `own` leaves open is taken of `common`, but for credentials, if it has any of its own. */
void dn_sim_security_inherit(dn_sim_security_options *own, const dn_sim_security_options *common);
/* Whether there are credentials at all. */
bool dn_sim_security_given(const dn_sim_security_options *options);
/* Reads the files. False: what is wrong was printed. */
bool dn_sim_security_load(const dn_sim_security_options *options, dn_sim_security *out);
void dn_sim_security_free(dn_sim_security *security);

/* True when `word` names suites. */
bool dn_sim_suites_read(const char *word, int16_t *out);

#endif
