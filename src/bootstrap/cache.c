/* SPDX-License-Identifier: Apache-2.0 */
/* A few places, the one used longest ago gives way; see cache.h. */
#include "bootstrap/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dn_bs_cache_give(dn_bs_cached *cached)
{
    if (cached != NULL && --cached->users == 0) {
        dn_bs_config_free(cached->config);
        free(cached);
    }
}

static bool is_it(const dn_bs_cached *cached, const dn_bs_entry *entry)
{
    return cached != NULL && cached->version == entry->version && cached->name_len == entry->endpoint.len &&
           memcmp(cached->name, entry->endpoint.data, cached->name_len) == 0;
}

static dn_bs_cached *read_entry(const dn_bs_entry *entry, const dn_types *types, char *error,
                                size_t error_size)
{
    dn_bs_cached *cached = calloc(1, sizeof *cached);
    if (cached == NULL || entry->endpoint.len > sizeof cached->name) {
        (void)snprintf(error, error_size, cached == NULL ? "there is no memory" : "its name is too long");
        free(cached);
        return NULL;
    }
    if (!dn_bs_config_parse(entry->document, &cached->config, error, error_size) ||
        !dn_bs_config_fit(cached->config, types, error, error_size)) {
        dn_bs_config_free(cached->config);
        free(cached);
        return NULL;
    }
    cached->version = entry->version;
    cached->name_len = entry->endpoint.len;
    memcpy(cached->name, entry->endpoint.data, entry->endpoint.len);
    cached->users = 1; /* the cache */
    return cached;
}

dn_bs_cached *dn_bs_cache_take(dn_bs_cache *cache, const dn_bs_entry *entry, const dn_types *types,
                               char *error, size_t error_size)
{
    size_t oldest = 0;
    for (size_t i = 0; i < DN_BS_CACHE_PLACES; i++) {
        dn_bs_cached *at = cache->places[i];
        const dn_bs_cached *former = cache->places[oldest];
        if (is_it(at, entry)) {
            at->used = ++cache->count;
            at->users++;
            return at;
        }
        if (former != NULL && (at == NULL || at->used < former->used)) {
            oldest = i;
        }
    }
    dn_bs_cached *cached = read_entry(entry, types, error, error_size);
    if (cached != NULL) {
        dn_bs_cache_give(cache->places[oldest]);
        cache->places[oldest] = cached;
        cached->used = ++cache->count;
        cached->users++;
    }
    return cached;
}

void dn_bs_cache_clear(dn_bs_cache *cache)
{
    for (size_t i = 0; i < DN_BS_CACHE_PLACES; i++) {
        dn_bs_cache_give(cache->places[i]);
        cache->places[i] = NULL;
    }
}
