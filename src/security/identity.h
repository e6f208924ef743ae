/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other end, as a handshake has proved it, and which endpoint names that entitles to (Transport 1.1.1
 * sections 5.2.6, 6.4.3). The server compares it with `ep`; nothing a device says about itself is believed otherwise.
 */
#ifndef DN_SECURITY_IDENTITY_H
#define DN_SECURITY_IDENTITY_H

#include <dunlin/slice.h>

#include <stdbool.h>
#include <stdint.h>

#define DN_ENDPOINT_NAME_MAX 252u

/* The values of /0/x/2. */
typedef enum {
    DN_SECURITY_PSK = 0,
    DN_SECURITY_RPK = 1,
    DN_SECURITY_X509 = 2,
    DN_SECURITY_NOSEC = 3,
    DN_SECURITY_EST = 4
} dn_security_mode;

typedef struct {
    uint8_t mode;    /* dn_security_mode: PSK, RPK or X509 */
    bool is_pattern; /* `endpoint` is a pattern: the credential is shared by all whose names match */
    uint8_t endpoint_len;
    char endpoint[DN_ENDPOINT_NAME_MAX]; /* the name, or the pattern, that the credential stands for */
    uint64_t credential; /* number of the credential, and which state of it: see dn_credential */
    uint64_t generation;
} dn_identity;

/* '*' stands for any number of bytes, '?' for one; everything else for itself. */
bool dn_endpoint_matches(dunlin_slice pattern, dunlin_slice name);
static inline bool dn_endpoint_is_pattern(dunlin_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '*' || name.data[i] == '?') {
            return true;
        }
    }
    return false;
}
/* True when who has this identity may act as `endpoint`. */
bool dn_identity_allows(const dn_identity *identity, dunlin_slice endpoint);
/* The one name it stands for; empty for a pattern. Views the identity. */
dunlin_slice dn_identity_name(const dn_identity *identity);
/* "psk", "rpk", "x509", "nosec", "est"; "?" for anything else. */
const char *dn_security_mode_text(unsigned mode);

#endif
