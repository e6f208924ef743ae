/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key and certificate of our own, for who has configured none: made once, and kept in the data folder as NAME.key, mode 0600, and NAME.pem. Self-signed
 * ones prove this server; an authority issues certificates to devices.
 */
#ifndef DUNLIND_OWN_KEY_H
#define DUNLIND_OWN_KEY_H

#include "base/log.h"
#include "security/issue.h"

typedef struct {
    const char *name;  /* of the files */
    bool is_authority; /* else of a server */
} own_key_kind;

extern const own_key_kind own_key_server, own_key_bootstrap, own_key_authority;

typedef struct {
    uint8_t key[DN_KEY_DER_MAX];
    size_t key_len;
    char certificate[DN_CERTIFICATE_PEM_MAX]; /* PEM */
    size_t certificate_len;
} own_key;

/* A new one. False: `error` says why. */
bool own_key_make(const own_key_kind *kind, own_key *out, char *error, size_t error_size);
/* Makes the files, unless they are there. A server's key alone gets a new certificate; an authority's does not, for devices know the one
   that is missing. */
bool own_key_ensure(const own_key_kind *kind, const char *dir, const dn_log *log, char *error,
                    size_t error_size);
/* Their names, each in a memory of `size`. */
bool own_key_files(const own_key_kind *kind, const char *dir, char *certificate, char *key, size_t size,
                   char *error, size_t error_size);

#endif
