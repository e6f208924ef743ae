/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `dunlin credentials` share. */
#ifndef DUNLIN_APP_CREDENTIALS_H
#define DUNLIN_APP_CREDENTIALS_H

#include "apps/dunlin/options.h"
#include "apps/dunlin/text.h"

#include <jansson.h>

#define DN_CREDENTIAL_COMMAND "credentials"

/* The options of all its subcommands. */
typedef struct {
    dn_options shared;
    bool psk, rpk_generate, x509, only_new, stop;
    const char *identity, *key; /* TEXT or hex:DIGITS; hex:DIGITS, DIGITS or @FILE */
    const char *rpk;            /* a file */
    const char *name, *certificate, *fingerprint;
    const char *out; /* a folder */
    const char *filter, *limit;
    const char *token; /* pkcs11:… */
} dn_credential_options;

/* "/credentials/NAME" as a URL. Free it. */
dn_text dn_credential_url(const dn_options *options, const char *endpoint);
/* GET /server-identity; NULL when the server has none, which is said unless `quiet`. */
json_t *dn_server_identity(const dn_options *options, bool quiet, int *exit_code);
/* Where a device reaches the server with security: of the identity's addresses, with the host of --server for an address that stands for
   all; a guess when there is none. Free it. */
dn_text dn_credential_uri(const dn_options *options, const json_t *identity);
/* The server's public key as PEM; empty: it has none. Free it. */
dn_text dn_credential_server_key(const json_t *identity);
/* Says so when keys would leave this host in the clear. */
void dn_credential_warn(const dn_options *options);
/* Hex digits to bytes; false: no pairs of digits, or more than `cap` bytes. */
bool dn_credential_hex(const char *digits, unsigned char *out, size_t cap, size_t *len);
void dn_credential_add_hex(dn_text *text, const void *bytes, size_t len);

int dn_credentials_set(const dn_credential_options *options, const char *endpoint);
int dn_credentials_import(const dn_credential_options *options, const char *file);

#endif
