/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations that were read not long ago, so that ten thousand devices of one pattern do not have it read ten thousand times. Counted:
 * one that is in use outlives its place here. What nobody uses any more is wiped.
 *
 * Threads: one.
 */
#ifndef DN_BOOTSTRAP_CACHE_H
#define DN_BOOTSTRAP_CACHE_H

#include "bootstrap/config.h"
#include "bootstrap/store.h"

#define DN_BS_CACHE_PLACES 16u

typedef struct {
    dn_bs_config *config;
    uint32_t version;
    uint32_t users;
    uint64_t used; /* when last, by the cache's count */
    size_t name_len;
    char name[DN_ENDPOINT_NAME_MAX];
} dn_bs_cached;

typedef struct {
    dn_bs_cached *places[DN_BS_CACHE_PLACES];
    uint64_t count;
} dn_bs_cache;

/* The configuration of that entry, read if it is not here; to be given back. NULL: it cannot be read, as `error` says. */
dn_bs_cached *dn_bs_cache_take(dn_bs_cache *cache, const dn_bs_entry *entry, const dn_types *types,
                               char *error, size_t error_size);
/* May be NULL. */
void dn_bs_cache_give(dn_bs_cached *cached);
void dn_bs_cache_clear(dn_bs_cache *cache);

#endif
