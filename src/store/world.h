/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of stores: what a server would hold, in a form that can be copied, compared, and changed by
 * seeded chance. The same seed makes the same changes, so a world can be replayed up to any commit.
 */
#ifndef DN_STORE_WORLD_H
#define DN_STORE_WORLD_H

#include "base/random.h"
#include "server/store.h"

#define WORLD_SLOTS        96
#define WORLD_OBSERVATIONS 48
#define WORLD_LISTS        12
#define WORLD_REQUESTS     24
#define WORLD_TEXT_MAX     40
#define WORLD_PAYLOAD_MAX  6000 /* more than a page */

typedef struct {
    bool used;
    dn_store_registration fixed; /* its views are kept empty; the texts follow */
    uint8_t endpoint_len, sms_len;
    char endpoint[WORLD_TEXT_MAX], sms[WORLD_TEXT_MAX];
} world_registration;

typedef struct {
    bool used;
    dn_store_observation fixed;
    uint8_t endpoint_len;
    char endpoint[WORLD_TEXT_MAX];
    uint8_t paths_len;
    char paths[WORLD_TEXT_MAX];
} world_observation;

typedef struct {
    bool used;
    dn_store_value fixed;
    uint32_t payload_len;
    uint8_t payload[WORLD_PAYLOAD_MAX];
} world_value;

typedef struct {
    bool used;
    uint32_t len;
    char text[WORLD_PAYLOAD_MAX];
} world_links;

typedef struct {
    bool used;
    dn_store_request fixed;
    uint8_t endpoint_len, query_len, package_len, location_len;
    char endpoint[WORLD_TEXT_MAX], query[WORLD_TEXT_MAX], package[WORLD_TEXT_MAX], location[WORLD_TEXT_MAX];
    uint32_t body_len, payload_len;
    uint8_t body[WORLD_PAYLOAD_MAX], payload[WORLD_PAYLOAD_MAX];
} world_request;

/* All bytes that are not in use are zero, so that equal worlds are equal bytes. Zero-initialise. */
typedef struct {
    world_registration registrations[WORLD_SLOTS];
    world_observation observations[WORLD_OBSERVATIONS];
    world_value values[WORLD_OBSERVATIONS];
    world_links links[WORLD_LISTS];
    world_request requests[WORLD_REQUESTS];
    uint64_t request_ids;
} world;

/* One change by chance, told to `store` unless it is NULL. */
void world_change(world *w, const dn_random *random, dn_store *store);
/* Some changes and, if `store` is not NULL, a commit. */
dunlin_status world_commit(world *w, const dn_random *random, dn_store *store);
/* A source that reads `w`, which must outlive the store. */
dn_store_source world_source(world *w);
/* Loads into a world that is zero. MALFORMED: something came twice, or does not fit. */
dunlin_status world_load(world *w, dn_store *store);
/* True when the worlds hold the same; else `difference` (at least 128 bytes) says what differs first. */
bool world_equal(const world *a, const world *b, char *difference);

/* What the store's views are made of. */
dn_store_registration world_registration_view(const world_registration *r);
dn_store_value world_value_view(const world_value *v);
dn_store_request world_request_view(const world_request *r);

#endif
