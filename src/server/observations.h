/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The observations of a shard: what the operator wants to be told, by endpoint name, since a wish outlives
 * registrations and restarts; and the last value of each. In memory and in the store at once, as with
 * registrations. The talk with devices is in observe.c.
 *
 * A "watch" is an endpoint with at least one observation. Threads: one table belongs to one thread.
 */
#ifndef DN_SERVER_OBSERVATIONS_H
#define DN_SERVER_OBSERVATIONS_H

#include "server/durable.h"
#include "server/fleet.h"
#include "server/index.h"
#include "server/slab.h"
#include "server/strings.h"

#define DN_OBSERVATION_NONE UINT32_MAX

/* What is observed: a path, or with Observe-Composite a list of them below the root. */
typedef struct {
    dunlin_path path;
    const dunlin_path *paths; /* NULL: not a composite */
    size_t path_count;
} dn_observed;

typedef struct {
    int64_t received_ms; /* wall time */
    uint32_t len;
    uint16_t format;
    uint8_t code;
    uint8_t bytes[];
} dn_observed_value;

typedef struct {
    uint32_t next; /* of the same watch; the slab's while free */
    uint32_t watch;
    uint64_t token; /* 0: free */
    int64_t since_ms;
    dn_observed_value *last; /* NULL: none yet */
    dn_coap_order order;
    struct dn_command
        *asking; /* OBSERVE or RENEW that is under way: one at a time, since all bear the token */
    struct dn_command *fetch;   /* the rest of a notification is being fetched */
    struct dn_command *waiting; /* further OBSERVEs, the last one first */
    dunlin_path *paths;         /* Observe-Composite: what is observed, of the heap; else NULL */
    dunlin_path path;
    uint8_t path_count;
    uint16_t format;
    uint8_t state; /* dn_observation_state */
    bool kept;     /* the device agreed once: it is listed, and in the store */
    bool worn;     /* the token is of a registration that has ended: it is asked for with a new one */
} dn_observation;

typedef struct {
    uint32_t next; /* in the queue for renewal; the slab's while free */
    uint32_t name;
    uint32_t slot;  /* of the endpoint's registration, or DN_SLOT_NONE */
    uint32_t first; /* observation */
    bool queued, renewing;
} dn_watch;

typedef struct {
    dn_slab slab;    /* of dn_observation */
    dn_slab watches; /* of dn_watch */
    dn_strings names;
    dn_index by_endpoint; /* watches */
    dn_index by_token;    /* observations */
    dn_hash_key key;
    dn_durable *durable;
    const dn_random *random;
    uint32_t kept;
    uint32_t pending; /* kept ones which the device does not know of, as far as we know */
} dn_observations;

/* False: no memory. `durable` and `random` must outlive the table. */
bool dn_observations_init(dn_observations *table, uint32_t max, dn_durable *durable, const dn_random *random);
void dn_observations_free(dn_observations *table);

static inline dn_observation *dn_observations_at(const dn_observations *table, uint32_t number)
{
    return dn_slab_at(&table->slab, number);
}
static inline dn_watch *dn_observations_watch(const dn_observations *table, uint32_t watch)
{
    return dn_slab_at(&table->watches, watch);
}
/* DN_OBSERVATION_NONE: there is none. */
uint32_t dn_observations_find_watch(const dn_observations *table, dunlin_slice endpoint);
uint32_t dn_observations_find(const dn_observations *table, dunlin_slice endpoint,
                              const dn_observed *observed);
uint32_t dn_observations_by_token(const dn_observations *table, uint64_t token);
dunlin_slice dn_observation_endpoint(const dn_observations *table, const dn_observation *observation);

/* A new one, not kept yet, with a token of its own; the list of paths is copied. `slot` is the endpoint's.
 * LIMIT, MEMORY. */
dunlin_status dn_observations_add(dn_observations *table, dunlin_slice endpoint, const dn_observed *observed,
                                  uint16_t format, uint32_t slot, uint32_t *number);
/* Forgets it, also in the store. */
void dn_observations_remove(dn_observations *table, uint32_t number);
/* A watch without observations goes, unless it is queued or being renewed: whoever ends that calls this. */
void dn_observations_release_watch(dn_observations *table, uint32_t watch);
/* From now on it is kept. */
void dn_observations_keep(dn_observations *table, uint32_t number, int64_t wall_ms);
void dn_observations_set_state(dn_observations *table, uint32_t number, dn_observation_state state);
/* A new token, also in the store. MEMORY: the one before stays. Nothing may be under way for the observation. */
dunlin_status dn_observations_retoken(dn_observations *table, uint32_t number);
/* Its last value. MEMORY: the one before stays. */
dunlin_status dn_observations_set_value(dn_observations *table, uint32_t number, const dn_store_value *value);

/* Loading, after the registrations: `slot` is the endpoint's, or DN_SLOT_NONE. ERR_STORE: the record cannot
 * be; MEMORY. */
dunlin_status dn_observations_load(dn_observations *table, const dn_store_observation *record, uint32_t slot);
dunlin_status dn_observations_load_value(dn_observations *table, const dn_store_value *value);
void dn_observations_loaded(dn_observations *table);
/* dn_store_source's: the last value of an observation. */
bool dn_observations_value(const dn_observations *table, uint32_t number, dn_store_value *out);

#endif
