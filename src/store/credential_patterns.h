/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patterns among the endpoints of credentials, kept in memory: each look-up of a name without a credential of its own asks all of them.
 * The most particular comes first: more bytes that stand for themselves, then fewer '*', then the smaller text. Any thread.
 */
#ifndef DN_STORE_CREDENTIAL_PATTERNS_H
#define DN_STORE_CREDENTIAL_PATTERNS_H

#include "security/credentials.h"

#include <pthread.h>

#define DN_CREDENTIAL_PATTERNS_MAX 1000u

typedef struct {
    uint64_t number;
    uint16_t literal, stars;
    uint8_t len;
    char text[DN_ENDPOINT_NAME_MAX];
} dn_credential_pattern;

typedef struct {
    pthread_rwlock_t lock;
    size_t count, room;
    dn_credential_pattern *list; /* in order */
} dn_credential_patterns;

void dn_credential_patterns_init(dn_credential_patterns *patterns);
void dn_credential_patterns_free(dn_credential_patterns *patterns);
size_t dn_credential_patterns_count(dn_credential_patterns *patterns);
/* Makes room for one more, so that a later add succeeds. */
dunlin_status dn_credential_patterns_reserve(dn_credential_patterns *patterns);
/* Adds the pattern of a number, in the place of what it had. */
dunlin_status dn_credential_patterns_add(dn_credential_patterns *patterns, uint64_t number,
                                         dunlin_slice text);
void dn_credential_patterns_remove(dn_credential_patterns *patterns, uint64_t number);
bool dn_credential_patterns_match(dn_credential_patterns *patterns, dunlin_slice name);
/* The first one at or behind place `*at` that matches: copied to `out`, and `*at` is behind it. False: no more. */
bool dn_credential_patterns_next(dn_credential_patterns *patterns, dunlin_slice name, size_t *at,
                                 dn_credential_pattern *out);

#endif
