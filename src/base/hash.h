/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed hashing of bytes that strangers choose: SipHash-1-3, so that nobody can aim at one bucket. */
#ifndef DN_BASE_HASH_H
#define DN_BASE_HASH_H

#include <dunlin/slice.h>

typedef struct {
    uint64_t k0, k1;
} dn_hash_key;

uint64_t dn_hash(const dn_hash_key *key, dunlin_slice bytes);

#endif
