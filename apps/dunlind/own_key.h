/* SPDX-License-Identifier: Apache-2.0 */
/* A key pair and a self-signed certificate of dunlind's own, for who has configured none: made once, and kept in the data folder. */
#ifndef DUNLIND_OWN_KEY_H
#define DUNLIND_OWN_KEY_H

#include "base/log.h"
#include "security/issue.h"

typedef struct {
    uint8_t key[DN_KEY_DER_MAX];
    size_t key_len;
    char certificate[DN_CERTIFICATE_PEM_MAX]; /* PEM */
    size_t certificate_len;
} own_key;

/* A new one. False: `error` says why. */
bool own_key_make(own_key *out, char *error, size_t error_size);
/* Makes DIR/server.key, mode 0600, and DIR/server.pem, unless they are there. The key alone gets a new certificate. */
bool own_key_ensure(const char *dir, const dn_log *log, char *error, size_t error_size);
/* Their names, each in a memory of `size`. */
bool own_key_files(const char *dir, char *certificate, char *key, size_t size, char *error,
                   size_t error_size);

#endif
