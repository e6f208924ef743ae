/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `dunlin credentials` share. */
#ifndef DUNLIN_APP_CREDENTIALS_H
#define DUNLIN_APP_CREDENTIALS_H

#include "apps/dunlin/options.h"
#include "apps/dunlin/text.h"

#include <jansson.h>

/* The options of all its subcommands. */
typedef struct {
    dn_options shared;
    bool bootstrap; /* towards the bootstrap server, in place of the LwM2M server */
    bool psk, rpk_generate, x509, only_new, stop;
    const char *identity, *key; /* TEXT or hex:DIGITS; hex:DIGITS, DIGITS or @FILE */
    const char *rpk;            /* a file */
    const char *name, *certificate, *fingerprint;
    const char *out; /* a folder */
    const char *filter, *limit;
    const char *token;   /* pkcs11:… */
    const char *factory; /* a file that is made for the device */
} dn_credential_options;

/* Rows of a table of options that set the members of `o`. */
#define DN_CREDENTIAL_OPTIONS(o)                                                                             \
    {"--psk", NULL, &(o).psk}, {"--identity", &(o).identity, NULL}, {"--key", &(o).key, NULL},               \
        {"--rpk", &(o).rpk, NULL}, {"--rpk-generate", NULL, &(o).rpk_generate}, {"--x509", NULL, &(o).x509}, \
        {"--name", &(o).name, NULL}, {"--certificate", &(o).certificate, NULL},                              \
        {"--fingerprint", &(o).fingerprint, NULL}, {"--out", &(o).out, NULL},                                \
        {"--new", NULL, &(o).only_new}, {"--stop", NULL, &(o).stop}, {"--filter", &(o).filter, NULL},        \
    {                                                                                                        \
        "--limit", &(o).limit, NULL                                                                          \
    }

/* What was typed behind `dunlin`, for what is said on stderr. */
static inline const char *dn_credential_command(const dn_credential_options *o)
{
    return o->bootstrap ? "bootstrap credentials" : "credentials";
}
/* The command, its words being o->shared.arguments. Gives the exit code. */
int dn_credentials_run(const dn_credential_options *o);

/* "/credentials/NAME" as a URL. Free it. */
dn_text dn_credential_url(const dn_credential_options *options, const char *endpoint);
/* GET /server-identity; NULL when the server has none, which is said unless `quiet`. */
json_t *dn_server_identity(const dn_credential_options *options, bool quiet, int *exit_code);
/* Where a device reaches the server with security: of the identity's addresses, with the host of --server for an address that stands for
   all; a guess when there is none. Free it. */
dn_text dn_credential_uri(const dn_options *options, const json_t *identity);
/* The server's public key as PEM; empty: it has none. Free it. */
dn_text dn_credential_server_key(const json_t *identity);
/* Says so when keys would leave this host in the clear. */
void dn_credential_warn(const char *command, const dn_options *options);
/* Hex digits to bytes; false: no pairs of digits, or more than `cap` bytes. */
bool dn_credential_hex(const char *digits, unsigned char *out, size_t cap, size_t *len);
void dn_credential_add_hex(dn_text *text, const void *bytes, size_t len);

/* A factory configuration for a device (SenML JSON, RFC 8428): /0/0, an account with the bootstrap server. Keys as hex digits; `server_key` empty
   for a pre-shared key. Free `out` with dn_secret_free. */
void dn_credential_factory(const char *uri, unsigned mode, const char *identity, const char *server_key,
                           const char *secret, dn_text *out);

int dn_credentials_set(const dn_credential_options *options, const char *endpoint);
int dn_credentials_import(const dn_credential_options *options, const char *file);

#endif
