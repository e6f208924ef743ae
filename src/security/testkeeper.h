/* SPDX-License-Identifier: Apache-2.0 */
/* For tests only: a keeper of credentials in memory, with the rules of credentials.h. Threads: one changes, any find. */
#ifndef DN_SECURITY_TESTKEEPER_H
#define DN_SECURITY_TESTKEEPER_H

#include "security/credentials.h"

#define DN_TESTKEEPER_MAX 32u

typedef struct {
    dn_credentials base;
    dn_credential list[DN_TESTKEEPER_MAX];
    size_t count;
    uint64_t last_number, last_generation;
    bool fails;    /* every look-up ends with STORE */
    bool vanishes; /* nothing is current: what was found has changed by the time that it is asked for again */
} dn_testkeeper;

void dn_testkeeper_init(dn_testkeeper *keeper);
/* Adds or replaces; ends the program when dn_credential_check refuses. */
void dn_testkeeper_psk(dn_testkeeper *keeper, const char *endpoint, dunlin_slice identity, dunlin_slice key);
void dn_testkeeper_rpk(dn_testkeeper *keeper, const char *endpoint, dunlin_slice spki);
/* `name` and `fingerprint` may be NULL. */
void dn_testkeeper_x509(dn_testkeeper *keeper, const char *endpoint, const char *name,
                        const uint8_t *fingerprint);
void dn_testkeeper_remove(dn_testkeeper *keeper, const char *endpoint);

#endif
