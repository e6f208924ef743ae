/* SPDX-License-Identifier: Apache-2.0 */
/* A keeper of credentials in memory, for tests: pre-shared and raw public keys, found one by one. */
#ifndef TESTS_ENDPOINT_KEEPER_H
#define TESTS_ENDPOINT_KEEPER_H

#include "security/credentials.h"

#define KEEPER_MAX 256u

typedef struct {
    dn_credentials head;
    dn_credential list[KEEPER_MAX];
    size_t count;
    uint64_t numbers;
    size_t looked_up; /* how often a key was asked for */
} keeper;

void keeper_init(keeper *k);
/* Adds, or replaces that of the same endpoint; returns its number. */
uint64_t keeper_psk(keeper *k, const char *endpoint, const char *identity, const char *key);
uint64_t keeper_rpk(keeper *k, const char *endpoint, dunlin_slice public_key);

#endif
